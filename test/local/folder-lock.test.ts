import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { UsageError } from '../../src/errors.ts'
import { lockFolder } from '../../src/local/folder-lock.ts'
import { identify } from '../../src/local/process-identity.ts'

let root: string
let dir: string

beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'rocketgames-lock-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))
beforeEach(async () => {
  dir = await mkdtemp(path.join(root, 'case-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const refused = (work: Promise<unknown>) => expect(work).rejects.toThrow(UsageError)

it('one has the folder, the next gets it after the release', async () => {
  const first = await lockFolder(dir, 'the first')
  await expect(lockFolder(dir, 'the second')).rejects.toThrow(/in use by the first \(process \d+\)/)
  await first.release()
  await first.release()
  const second = await lockFolder(dir, 'the second')
  await second.release()
  expect(await readdir(dir)).toEqual([])
})

it('makes the folder if it is missing, for its owner alone', async () => {
  const lock = await lockFolder(path.join(dir, 'a', 'b'), 'x')
  await lock.release()
})

it('of many who come at the same moment never two have it', async () => {
  for (let round = 0; round < 5; round++) {
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => lockFolder(dir, 'one of many')))
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled')
    expect(won.length).toBeLessThanOrEqual(1)
    await Promise.all(won.map(({ value }) => value.release()))
  }
  const after = await lockFolder(dir, 'a latecomer')
  await after.release()
})

it('a program that was killed does not keep it', async () => {
  const module = path.resolve(import.meta.dirname, '../../src/local/folder-lock.ts')
  const program = `
    import { lockFolder } from ${JSON.stringify(module)}
    await lockFolder(${JSON.stringify(dir)}, 'a program')
    console.log('locked')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(createInterface({ input: child.stdout }), 'line')
  await refused(lockFolder(dir, 'me'))
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  const lock = await lockFolder(dir, 'me')
  await lock.release()
})

const leave = (claim: object) =>
  writeFile(path.join(dir, 'lock-00000000-0000-4000-8000-000000000000.json'), JSON.stringify({ what: 'x', ...claim }))

it('a process number that was given to another program does not keep it', async () => {
  await leave({ ...identify(), startedAt: '1' })
  await (await lockFolder(dir, 'me')).release()
})

it('a file that a power cut left empty does not keep it', async () => {
  await writeFile(path.join(dir, 'lock-00000000-0000-4000-8000-000000000000.json'), '')
  const lock = await lockFolder(dir, 'me')
  await lock.release()
  expect(await readdir(dir)).toEqual([])
})

it('a boot of the machine gives it back', async () => {
  await leave({ ...identify(), boot: 'another boot' })
  await (await lockFolder(dir, 'me')).release()
})

it('a container that cannot be looked into keeps it, and the sentence names the file', async () => {
  await leave({ ...identify(), pid: 999_999_999, namespace: 'pid:[1]' })
  await expect(lockFolder(dir, 'me')).rejects.toThrow(/lock-00000000-0000-4000-8000-000000000000\.json/)
})
