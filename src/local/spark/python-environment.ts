import { type ExecFileException, execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { withFileLock } from './file-lock.ts'

/** The interpreter of a virtual environment, or why there is none. */
export type PythonEnvironment = { readonly python: string } | { readonly missing: string }

export interface PythonWanted {
  /** Of the folder, and in messages. */
  readonly name: string
  /** Exact pins, `name==version`, or a file of them with hashes as pip-compile and uv write it. */
  readonly requirements: readonly string[] | { readonly file: string }
  /** `3.11`: no other will do. Default: whichever `python3` is. */
  readonly version?: string
  /** Told once, before anything is downloaded. */
  readonly onInstall?: () => void
}

const PACKAGE = path.resolve(import.meta.dirname, '../../..')
/** Written last: an environment without it was interrupted and is made anew. */
const COMPLETE = 'complete'
const INSTALL_TIMEOUT_MS = 600_000
const PINNED = /^[A-Za-z0-9][\w.-]*(\[[\w,-]+\])?==[\w.+]+$/
/** Packages that their authors publish as source alone; everything else must come built. */
const SOURCE_ONLY = ['pyspark']

/** Where environments are kept: below a checkout, else in the user's cache, as an installed package may be read-only or shared. */
export function environmentRoot(): string {
  if (existsSync(path.join(PACKAGE, 'src'))) return path.join(PACKAGE, '.venv')
  return path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'rocketgames-accounts')
}

interface Run {
  readonly failed: boolean
  readonly output: string
}

function run(program: string, args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    const options = { timeout: INSTALL_TIMEOUT_MS, maxBuffer: 1 << 24 }
    execFile(program, args, options, (error: ExecFileException | null, stdout, stderr) => {
      resolve({ failed: error !== null, output: `${stdout}${stderr}`.trim() || (error?.message ?? '') })
    })
  })
}

interface Interpreter {
  readonly program: string
  /** The whole of `sys.version`: an environment lives as long as the interpreter that it was made with. */
  readonly version: string
}

async function findInterpreter(wanted: string | undefined): Promise<Interpreter | undefined> {
  for (const program of wanted === undefined ? ['python3'] : ['python3', `python${wanted}`]) {
    const { failed, output } = await run(program, ['-c', 'import sys, venv, ensurepip; print(sys.version)'])
    if (!failed && (wanted === undefined || output.startsWith(`${wanted}.`))) return { program, version: output }
  }
  return undefined
}

async function install(folder: string, program: string, wanted: PythonWanted): Promise<string | undefined> {
  await rm(folder, { recursive: true, force: true })
  wanted.onInstall?.()
  const made = await run(program, ['-m', 'venv', folder])
  if (made.failed) return `python3 -m venv failed (Debian: apt-get install python3-venv): ${made.output.slice(-500)}`
  const { requirements } = wanted
  const what = 'file' in requirements ? ['--require-hashes', '-r', requirements.file] : requirements
  const options = ['--quiet', '--disable-pip-version-check', '--only-binary=:all:', `--no-binary=${SOURCE_ONLY.join()}`]
  const installed = await run(path.join(folder, 'bin/python'), ['-m', 'pip', 'install', ...options, ...what])
  if (installed.failed) return `pip could not install ${what.join(' ')}: ${installed.output.slice(-500)}`
  await writeFile(path.join(folder, COMPLETE), `${what.join('\n')}\n`)
  return undefined
}

/**
 * A virtual environment with exactly these packages, made once and kept. Two callers at once, also in two processes, get the same
 * one. Programs of the packages lie beside `python`.
 *
 * @returns `missing` names what the machine lacks, with Debian's name of it.
 */
export async function pythonEnvironment(wanted: PythonWanted): Promise<PythonEnvironment> {
  const { name, requirements, version } = wanted
  const loose = 'file' in requirements ? [] : requirements.filter((each) => !PINNED.test(each))
  if (loose.length > 0) throw new Error(`Not pinned exactly: ${loose.join(', ')}; write name==version`)
  const interpreter = await findInterpreter(version)
  if (interpreter === undefined) {
    const python = version === undefined ? 'python3' : `Python ${version}`
    return { missing: `${python} with venv is not installed (Debian 12: apt-get install python3 python3-venv)` }
  }
  const pins = 'file' in requirements ? [await readFile(requirements.file, 'utf8')] : requirements
  const key = createHash('sha256')
    .update([interpreter.version, ...pins].join('\n'))
    .digest('hex')
  const folder = path.join(environmentRoot(), `${name}-${key.slice(0, 12)}`)
  const found = { python: path.join(folder, 'bin/python') }
  const isComplete = () => existsSync(path.join(folder, COMPLETE))
  if (isComplete()) return found
  await mkdir(environmentRoot(), { recursive: true })
  const problem = await withFileLock(`${folder}.lock`, async () =>
    isComplete() ? undefined : install(folder, interpreter.program, wanted),
  )
  return problem === undefined ? found : { missing: problem }
}
