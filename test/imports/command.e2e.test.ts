import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAlive } from '../../src/local/process-identity.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { cleanEnvironment, postgresPid, ROOT, removeFolder, runCommand } from '../support/service.ts'

/** `rocketgames import` on a data folder where nothing else runs. */
describe('the command that imports', () => {
  let database: TestDatabase
  let dir: string
  let env: Record<string, string>
  /** With a database that is there: to make and to end one takes longer than what is asked of it. */
  let there: Record<string, string>
  beforeAll(async () => {
    database = await createTestDatabase()
    dir = mkdtempSync(path.join(os.tmpdir(), 'rocketgames-import-'))
    env = { LOCAL_DATA_DIR: dir, LOCAL_AWS_PORT: '0' }
    there = { ...env, DATABASE_URL: database.url }
  })
  afterAll(async () => {
    await database?.drop()
    removeFolder(dir)
  })

  const fileOf = (name: string, lines: readonly object[]) => {
    const file = path.join(dir, name)
    writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    return file
  }
  const importing = (settings: Record<string, string>, ...args: string[]) =>
    spawn(process.execPath, [path.join(ROOT, 'src/main.ts'), 'import', 'players', ...args], {
      cwd: ROOT,
      env: cleanEnvironment(settings),
    })

  it('works on a new folder, and says who is refused', async () => {
    const file = fileOf('few.ndjson', [{ username: 'first' }, { username: 'x' }])
    const { code, stdout, stderr } = await runCommand(['import', 'players', file], env)
    expect(stdout).toContain('"line":2')
    expect(stderr).toContain('2 lines: 1 created, 0 updated, 0 unchanged, 1 refused')
    expect(code).toBe(1)
  })

  it('takes gzip and arrays, runs dry and atomic, and tells what was refused by kind', async () => {
    const lines = [{ username: 'packed_1' }, { username: 'x' }, { username: 'y' }, { username: 'packed_2' }]
    const packed = path.join(dir, 'packed.ndjson.gz')
    writeFileSync(packed, gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join('')))
    const errors = path.join(dir, 'errors.ndjson')
    const dry = await runCommand(['import', 'players', packed, '--dry-run', '--errors', errors], there)
    expect(dry.stderr).toContain(
      '4 lines: 2 to create, 0 to update, 0 unchanged, 2 refused (dry run: nothing was written)',
    )
    expect(dry.stderr).toMatch(/validation, \/username too-short\s+│\s+2\s+│\s+2/)
    expect(dry.stdout).toBe('')
    expect(readFileSync(errors, 'utf8').trim().split('\n')).toHaveLength(2)
    expect(dry.code).toBe(1)
    const array = path.join(dir, 'array.json')
    writeFileSync(array, JSON.stringify(lines, null, 1))
    const atomic = await runCommand(['import', 'players', array, '--atomic'], there)
    expect(atomic.stderr).toContain(
      '4 lines: 0 created, 0 updated, 0 unchanged, 4 refused (all or nothing: nothing was written)',
    )
    expect(atomic.stdout).toContain('"causedByLine":5')
    expect(atomic.code).toBe(1)
    const good = await runCommand(
      ['import', 'players', fileOf('good.ndjson', [lines[0] as object, lines[3] as object]), '--atomic'],
      there,
    )
    expect([good.code, good.stdout]).toEqual([0, ''])
    expect(good.stderr).toContain('2 lines: 2 created')
    const cut = path.join(dir, 'cut.csv.gz')
    writeFileSync(cut, gzipSync('username\npacked_3\n').subarray(0, -4))
    const broken = await runCommand(['import', 'players', cut], there)
    expect(broken.stderr).toContain('not whole, undamaged gzip')
    expect(broken.code).toBe(1)
    const usage = await runCommand(['import', 'players', cut, '--atomic', '--on-error', 'continue'], there)
    expect(usage.code).toBe(2)
    const keyless = await runCommand(['import', 'players', cut, '--match-by', 'nickname'], there)
    expect([keyless.code, keyless.stderr]).toEqual([2, '--match-by must be one of identity, username, email, id\n'])
  })

  it('stops on SIGINT after the batch, leaves nothing running, and goes on the next time', async () => {
    const answers = path.join(dir, 'answers.ndjson')
    const child = importing(env, '-', '--format', 'ndjson', '--output', answers)
    let said = ''
    child.stderr.on('data', (text: Buffer) => {
      said += text
    })
    // Standard input stays open: the import waits for more.
    const lines = Array.from({ length: 1000 }, (_, i) => ({ username: `waiting_${i}` }))
    child.stdin.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    const isAnswered = () => {
      try {
        return readFileSync(answers, 'utf8').split('\n').length > 500
      } catch {
        return false
      }
    }
    await expect.poll(isAnswered, { timeout: 30_000 }).toBe(true)
    const pid = postgresPid(dir)
    child.kill('SIGINT')
    expect(await once(child, 'close')).toEqual([130, null])
    expect(isAlive(pid)).toBe(false)
    const answered = readFileSync(answers, 'utf8').trimEnd().split('\n').length
    expect(said).toContain(`stopped after ${answered.toLocaleString('en-US')} lines`)
    const again = await runCommand(['import', 'players', fileOf('again.ndjson', lines)], env)
    expect(again.stderr).toContain(`${(1000 - answered).toLocaleString('en-US')} created, 0 updated`)
    expect(again.code).toBe(0)
  })

  it('says in a sentence that the answers cannot be written, and leaves nothing running', async () => {
    const file = fileOf('one.ndjson', [{ username: 'second' }])
    const { code, stderr } = await runCommand(['import', 'players', file, '--output', path.join(dir, 'no', 'x')], env)
    expect(stderr).toMatch(/^\S+ cannot be written: ENOENT[^\n]*\n$/)
    expect(code).toBe(2)
    expect(() => postgresPid(dir)).toThrow()
  })

  it('ends when nobody reads the refused lines any more', async () => {
    const child = importing(there, fileOf('refused.ndjson', Array(20_000).fill({ username: 'x' })))
    let said = ''
    child.stderr.on('data', (text: Buffer) => {
      said += text
    })
    await once(child.stdout, 'data')
    child.stdout.destroy()
    expect(await once(child, 'close')).toEqual([1, null])
    expect(said).toContain('cannot be written any more')
  })
})
