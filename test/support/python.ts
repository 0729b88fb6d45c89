import { type ExecFileException, execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** The interpreter of a virtual environment, or why there is none. */
export type PythonEnvironment = { readonly python: string } | { readonly missing: string }

const ROOT = path.resolve(import.meta.dirname, '../../.venv')
/** Written last: an environment without it was interrupted and is made anew. */
const COMPLETE = 'complete'
const INSTALL_TIMEOUT_MS = 300_000
const LOCK_POLL_MS = 100
/** More than all that is done under a lock: whatever process has its number by now, it is not the one that took it. */
const LOCK_STALE_MS = 3 * INSTALL_TIMEOUT_MS
const PINNED = /^[A-Za-z0-9][\w.-]*(\[[\w,-]+\])?==[\w.+]+$/

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

/** Is there a process with this number? */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function isLeft(lock: string): Promise<boolean> {
  const owner = Number(await readFile(lock, 'utf8').catch(() => ''))
  // An empty file is one that its owner is about to write.
  if (owner > 0 && !isAlive(owner)) return true
  const { mtimeMs } = await stat(lock).catch(() => ({ mtimeMs: Date.now() }))
  return Date.now() - mtimeMs > LOCK_STALE_MS
}

/** Runs `work` while no other process does, for the same file. A lock whose process is gone is taken over. */
async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const handle = await open(file, 'wx')
      await handle.writeFile(String(process.pid))
      await handle.close()
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (await isLeft(file)) await rm(file, { force: true })
      else await delay(LOCK_POLL_MS)
    }
  }
  try {
    return await work()
  } finally {
    await rm(file, { force: true })
  }
}

/** Packages that their authors publish as source alone; everything else must come built. */
const SOURCE_ONLY = ['pyspark']

async function install(folder: string, requirements: readonly string[]): Promise<string | undefined> {
  await rm(folder, { recursive: true, force: true })
  const made = await run('python3', ['-m', 'venv', folder])
  if (made.failed) return `python3 -m venv failed (Debian: apt-get install python3-venv): ${made.output.slice(-500)}`
  const options = ['--quiet', '--disable-pip-version-check', '--only-binary=:all:', `--no-binary=${SOURCE_ONLY.join()}`]
  const pip = ['-m', 'pip', 'install', ...options, ...requirements]
  const installed = await run(path.join(folder, 'bin/python'), pip)
  if (installed.failed) return `pip could not install ${requirements.join(', ')}: ${installed.output.slice(-500)}`
  await writeFile(path.join(folder, COMPLETE), `${requirements.join('\n')}\n`)
  return undefined
}

async function make(name: string, requirements: readonly string[]): Promise<PythonEnvironment> {
  const version = await run('python3', ['-c', 'import sys, venv, ensurepip; print(sys.version)'])
  if (version.failed) return { missing: 'python3 with venv is not installed (Debian: apt-get install python3-venv)' }
  const key = createHash('sha256')
    .update([version.output, ...requirements].join('\n'))
    .digest('hex')
  const folder = path.join(ROOT, `${name}-${key.slice(0, 12)}`)
  const found = { python: path.join(folder, 'bin/python') }
  const isComplete = () => existsSync(path.join(folder, COMPLETE))
  if (isComplete()) return found
  await mkdir(ROOT, { recursive: true })
  const problem = await withLock(`${folder}.lock`, async () =>
    isComplete() ? undefined : install(folder, requirements),
  )
  return problem === undefined ? found : { missing: problem }
}

/**
 * A virtual environment with exactly these packages, made once below the git-ignored `.venv` and kept. Two callers at once, also in
 * two processes, get the same one. Programs of the packages lie beside `python`.
 *
 * @param requirements exact pins, `name==version`.
 * @returns `missing` names what the machine lacks, for a test that skips visibly.
 * @throws with `CI=true` in place of `missing`: there, nothing may be skipped.
 */
export async function pythonEnvironment(name: string, requirements: readonly string[]): Promise<PythonEnvironment> {
  const loose = requirements.filter((each) => !PINNED.test(each))
  if (loose.length > 0) throw new Error(`Not pinned exactly: ${loose.join(', ')}; write name==version`)
  const environment = await make(name, requirements)
  if ('missing' in environment && process.env.CI === 'true') throw new Error(environment.missing)
  return environment
}
