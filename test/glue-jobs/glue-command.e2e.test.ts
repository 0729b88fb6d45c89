import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { jobLine, showJob } from '../../src/commands/glue-progress.ts'
import { sparkEnvironment } from '../support/python.ts'
import { runCommand } from '../support/service.ts'

const spark = await sparkEnvironment()
const skipped = 'missing' in spark ? ` (skipped: ${spark.missing})` : ''

describe('rocketgames glue', () => {
  const LOCAL_DATA_DIR = mkdtempSync(path.join(os.tmpdir(), 'rocketgames-glue-'))
  const env = { LOCAL_DATA_DIR, LOCAL_AWS_PORT: '0' }
  afterAll(() => rmSync(LOCAL_DATA_DIR, { recursive: true, force: true }))

  test('without Java ends with 2 and the name of the Debian package, before anything is brought up', async () => {
    const done = await runCommand(['glue', 'curate'], { ...env, JAVA_HOME: '/nowhere' })
    expect([done.code, done.stderr]).toEqual([2, expect.stringContaining('apt-get install openjdk-17-jre-headless')])
    expect(done.stderr).not.toContain('Postgres')
  })

  test.skipIf('missing' in spark)(`alone, and without a snapshot: nothing to do, exit code 0${skipped}`, async () => {
    const done = await runCommand(['glue', 'curate'], env)
    expect(done.code, done.stderr).toBe(0)
    expect(done.stderr).toMatch(/nothing to do\n {2}done: [\d.]+ s/)
  })

  test.skipIf('missing' in spark)(`an option that no job knows: exit code 2 and its name${skipped}`, async () => {
    const done = await runCommand(['glue', 'curate', '--full-rebild'], env)
    expect([done.code, done.stderr]).toEqual([2, expect.stringContaining('usage: unknown: --full-rebild')])
  })

  test.skipIf('missing' in spark)(
    `without a curated run a load says what to do, and ends with 1${skipped}`,
    async () => {
      const done = await runCommand(['glue', 'load'], env)
      expect([done.code, done.stderr]).toEqual([1, expect.stringContaining('make one with rocketgames glue curate')])
    },
  )
})

describe('the log of a job on the terminal', () => {
  test('is words with units; numbers and names stay readable', () => {
    expect(
      jobLine({ event: 'table-written', run_id: 'r', table: 'dim_game', rows: 12_345, bytes: 2048, files: 1 }),
    ).toBe('  table written: dim_game, 12,345 rows, 2.0 KiB, 1 file')
    expect(jobLine({ event: 'job-failed', name: 'x', code: 'file-missing', message: 'It is gone' })).toBe(
      'file-missing: It is gone',
    )
    expect(jobLine({ event: 'job-started', name: 'x' })).toBeUndefined()
  })

  test('hides what Java says until the job fails', () => {
    const said: string[] = []
    const shown = showJob({}, (line) => said.push(line))
    shown.onLine('WARN NativeCodeLoader: Unable to load native-hadoop library')
    shown.onLine('{"event":"published","run_id":"r"}')
    expect(said).toEqual(['  published: r'])
    expect(shown.rest()).toContain('NativeCodeLoader')
  })

  test('as JSON is the log itself', () => {
    const said: string[] = []
    const shown = showJob({ json: true, verbose: true }, (line) => said.push(line))
    for (const line of ['noise', '{"event":"published"}', '{"no event":1}', '{broken']) shown.onLine(line)
    expect(said).toEqual(['{"event":"published"}'])
  })
})
