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
if (args[0] === 'retention' && process.env.REPORT) {
  console.log(process.env.REPORT)
  process.exit(0)
}
if (args[0] === 'snapshot' && process.env.SAID) {
  console.error(process.env.SAID)
  process.exit(1)
}
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

function childStarter(
  command: [string, ...string[]] = [process.execPath, path.join(folder, 'program.mjs')],
  code = 0,
  more: Record<string, string> = {},
) {
  const logger = createLogger({
    level: 'debug',
    destination: {
      write(line) {
        lines.push(line)
        ended?.()
      },
    },
  })
  starter = new ChildStarter({ command, env: { ...process.env, FOLDER: folder, CODE: String(code), ...more }, logger })
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

  it('says nothing above debug of hourly care that found nothing to do', async () => {
    const end = nextEnd()
    await childStarter().recover()
    await end
    expect(lines.map((line) => JSON.parse(line).level)).toEqual([20])
  })

  it('logs what care did', async () => {
    const end = nextEnd()
    await childStarter(undefined, 0, { REPORT: JSON.stringify({ retired: ['one'], waiting: [] }, null, 2) }).retention()
    await end
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 30, report: { retired: ['one'], waiting: [] } },
    ])
  })

  it('passes on what the process of a snapshot says, each line with the id of the snapshot', async () => {
    const said = [
      { time: '2026-11-22T02:00:00.000Z', kind: 'state', snapshotId: 'one', state: 'uploading' },
      { time: '2026-11-22T02:00:00.100Z', kind: 'table', table: 'players', rows: 1, bytes: 2, done: false },
      { time: '2026-11-22T02:00:00.200Z', kind: 'table', table: 'players', rows: 5, bytes: 9, done: true },
      { level: 40, time: '2026-11-22T02:00:01.000Z', operation: 'UploadPart', msg: 'a call to S3 is repeated' },
    ]
    const SAID = `${said.map((each) => JSON.stringify(each)).join('\n')}\nstorage_failed: in words`
    const running = childStarter(undefined, 0, { SAID })
    await running.snapshot('one')
    while (!lines.some((line) => line.includes('has failed'))) await nextEnd()
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 30, snapshotId: 'one', event: 'state', state: 'uploading' },
      { level: 30, snapshotId: 'one', event: 'table', table: 'players', rows: 5 },
      { level: 40, snapshotId: 'one', operation: 'UploadPart', msg: 'a call to S3 is repeated' },
      { level: 30, snapshotId: 'one', line: 'storage_failed: in words' },
      { level: 40, snapshotId: 'one', command: 'snapshot', code: 1 },
    ])
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
