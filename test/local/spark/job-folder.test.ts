import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { runGlueJob } from '../../../src/local/spark/glue-job.ts'
import { makeJobFolder } from '../../../src/local/spark/job-folder.ts'

let root: string
let parent: string

beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'rocketgames-jobs-'))
})

afterAll(() => rm(root, { recursive: true, force: true }))

beforeEach(async () => {
  parent = await mkdtemp(path.join(root, 'case-'))
})

afterEach(() => vi.unstubAllEnvs())

/** A process that makes a folder for its job, leaves a file there and is killed. */
async function killedWithFolder(): Promise<void> {
  const module = path.resolve(import.meta.dirname, '../../../src/local/spark/job-folder.ts')
  const program = `
    const { makeJobFolder } = await import(${JSON.stringify(module)})
    const { writeFileSync } = await import('node:fs')
    const folder = await makeJobFolder(${JSON.stringify(parent)})
    writeFileSync(folder.path + '/left', 'x')
    process.kill(process.pid, 'SIGKILL')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' })
  expect((await once(child, 'exit'))[1]).toBe('SIGKILL')
}

test('a folder whose maker was killed goes when the next one is made; that of a living one and what belongs to others stays', async () => {
  const living = await makeJobFolder(parent)
  await killedWithFolder()
  expect(await readdir(parent)).toHaveLength(2)
  await mkdir(path.join(parent, 'spark-of-somebody'))
  const next = await makeJobFolder(parent)
  expect((await readdir(parent)).filter((name) => name.startsWith('rocketgames-job-'))).toHaveLength(2)
  expect([living.path, next.path].every((folder) => existsSync(folder))).toBe(true)
  await Promise.all([living.remove(), next.remove()])
  expect(await readdir(parent)).toEqual(['spark-of-somebody'])
})

test('what somebody else put there under such a name is not looked into, not even through a link', async () => {
  const elsewhere = await mkdtemp(path.join(root, 'elsewhere-'))
  const claim = `lock-${randomUUID()}.json`
  await writeFile(path.join(elsewhere, claim), 'not ours')
  await symlink(elsewhere, path.join(parent, 'rocketgames-job-linked'))
  await (await makeJobFolder(parent)).remove()
  expect(await readdir(elsewhere)).toEqual([claim])

  const foreign = path.join(parent, 'rocketgames-job-foreign')
  await mkdir(foreign)
  const uid = vi.spyOn(process, 'getuid').mockReturnValue((process.getuid?.() ?? 0) + 1)
  try {
    await (await makeJobFolder(parent)).remove()
  } finally {
    uid.mockRestore()
  }
  expect(existsSync(foreign)).toBe(true)
})

test.each([
  ['ends by itself', 'exit 3', { code: 3, killedBy: null }],
  ['is killed', 'kill -9 $$', { code: null, killedBy: 'SIGKILL' }],
])('a job that %s leaves nothing of what it and its Java put among the temporary files', async (_, last, ended) => {
  vi.stubEnv('TMPDIR', parent)
  const script = path.join(parent, 'job.sh')
  await writeFile(script, `touch "$TMPDIR/python"; echo "$TMPDIR $ROCKETGAMES_SPARK_JAVA_OPTIONS"; ${last}\n`)
  const lines: string[] = []
  const env = { PATH: process.env.PATH, ROCKETGAMES_SPARK_JAVA_OPTIONS: '-Xint' }
  const command = { program: '/bin/sh', args: [script], env }
  const run = { command, args: [], signal: new AbortController().signal, onLine: (line: string) => lines.push(line) }
  expect(await runGlueJob(run)).toEqual(ended)
  const [folder = '', ...java] = lines.join('').split(' ')
  expect(path.dirname(path.dirname(folder))).toBe(parent)
  expect(java.slice(0, 2)).toEqual(['-Xint', `"-Djava.io.tmpdir=${folder}"`])
  expect(await readdir(parent)).toEqual(['job.sh'])
})
