import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ChildStarter } from '../../../src/lake/lake-starter.ts'
import { createLogger } from '../../../src/logger.ts'

/** Writes its arguments to a file named after its process, then runs until it is told to end. */
const PROGRAM = `
import { writeFileSync } from 'node:fs'
import path from 'node:path'
const [, , ...args] = process.argv
writeFileSync(path.join(process.env.FOLDER, String(process.pid)), args.join(' '))
if (args[0] === 'recover') process.exit(Number(process.env.CODE))
setInterval(() => {}, 1000)
`

let folder: string
let lines: string[]
let ended: () => void
let starter: ChildStarter | undefined

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lake-starter-'))
  await writeFile(path.join(folder, 'program.mjs'), PROGRAM)
  lines = []
})

afterEach(async () => {
  await starter?.close(1000)
  await rm(folder, { recursive: true, force: true })
})

function childStarter(command: [string, ...string[]] = [process.execPath, path.join(folder, 'program.mjs')], code = 0) {
  const logger = createLogger({
    level: 'info',
    destination: {
      write(line) {
        lines.push(line)
        ended?.()
      },
    },
  })
  starter = new ChildStarter({ command, env: { ...process.env, FOLDER: folder, CODE: String(code) }, logger })
  return starter
}

/** The next line of the log: a child has ended. */
const nextEnd = () =>
  new Promise<void>((resolve) => {
    ended = resolve
  })

/** Arguments of all children that have begun. */
async function begun(): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /^\d+$/.test(name))
  return Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')))
}

describe('starting commands as child processes', () => {
  it('tells how the process of a snapshot ended, before it is closed itself', async () => {
    const told: string[] = []
    const logger = createLogger({ level: 'silent' })
    starter = new ChildStarter({
      command: [process.execPath, '-e', 'process.exit(3)', '--'],
      env: { ...process.env },
      logger,
      onSnapshotEnd: async (id, how) => {
        await Promise.resolve()
        told.push(`${id}: ${how}`)
      },
    })
    await starter.snapshot('one')
    await starter.close(5_000)
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(/^one: its process ended with (3|SIGTERM)$/)
  })

  it('hands them their arguments, returns while they run, and tells how they end', async () => {
    const end = nextEnd()
    await childStarter().recover()
    await end
    expect(await begun()).toEqual(['recover --json'])
    expect(lines.join('')).toMatch(/"command":"recover","code":0/)
  })

  it('logs a command that fails', async () => {
    const end = nextEnd()
    await childStarter(undefined, 3).recover()
    await end
    expect(lines.join('')).toMatch(/"level":40.*"code":3/)
  })

  it('rejects when the program cannot be started', async () => {
    await expect(childStarter(['/nowhere/node']).snapshot('20261122t020000z-00000001')).rejects.toThrow('ENOENT')
  })

  it('ends what still runs when it is closed', async () => {
    const running = childStarter()
    await running.snapshot('20261122t020000z-00000001')
    await running.retention()
    // A second one is not started beside the first.
    await running.retention()
    await running.close(10_000)
    expect(lines.filter((line) => line.includes('"signal":"SIGTERM"'))).toHaveLength(2)
  })
})
