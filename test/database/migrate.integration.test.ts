import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MigrationError, migrate, migrationsDir } from '../../src/database/migrate.ts'
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts'
import { createGate } from '../support/gate.ts'

let root: string
let dir: string
let database: TestDatabase

beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'rocketgames-migrations-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

beforeEach(async () => {
  dir = await mkdtemp(path.join(root, 'case-'))
  database = await createEmptyDatabase()
})
afterEach(() => database.drop())

async function put(name: string, sql: string): Promise<void> {
  await mkdir(path.join(dir, name), { recursive: true })
  await writeFile(path.join(dir, name, 'migration.sql'), sql)
}

async function query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
  const client = new pg.Client(database.url)
  await client.connect()
  try {
    return (await client.query<Row>(sql)).rows
  } finally {
    await client.end()
  }
}

async function refusal(work: Promise<unknown>): Promise<MigrationError> {
  const error = await work.then(
    () => expect.fail('it did not fail'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(MigrationError)
  return error as MigrationError
}

const tables = async () =>
  (
    await query<{ name: string }>(
      "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
    )
  ).map((row) => row.name)

describe('migrate', () => {
  it('waits for a database that is away, for as long as it is told to, also where it stands behind another', async () => {
    await put('20261101090000_make_a', 'CREATE TABLE a (id int)')
    const gate = await createGate(database.url)
    try {
      gate.shut()
      const away = migrate({ url: gate.url, dir, patienceMs: 100 })
      await expect(away).rejects.toMatchObject({ name: 'ConnectionLost', code: 'unavailable' })
      const patient = migrate({ url: gate.url, dir, patienceMs: 20_000 })
      const holder = new pg.Client(database.url)
      await holder.connect()
      await holder.query('SELECT pg_advisory_lock(72707369)')
      gate.open()
      const waiting = `SELECT pid FROM pg_locks
        WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
      const waits = async () => (await query<{ pid: number }>(waiting))[0]?.pid
      await expect.poll(waits).toBeDefined()
      const first = await waits()
      await query(`SELECT pg_terminate_backend(${first}, 5000)`)
      await expect.poll(async () => ![undefined, first].includes(await waits())).toBe(true)
      await holder.end()
      expect(await patient).toEqual({ applied: ['20261101090000_make_a'] })
    } finally {
      await gate.close()
    }
  })

  it("applies the package's migrations in order, once, and reports each", async () => {
    const log: string[] = []
    const { applied } = await migrate({ url: database.url, log: (name) => log.push(name) })
    expect(applied.length).toBeGreaterThanOrEqual(3)
    expect(applied).toEqual([...applied].sort())
    expect(log).toEqual(applied)
    expect(await migrate({ url: database.url })).toEqual({ applied: [] })
    const history = await query<{ name: string; steps: number; finished: boolean }>(
      `SELECT migration_name AS name, applied_steps_count AS steps, finished_at IS NOT NULL AS finished
       FROM _prisma_migrations ORDER BY started_at`,
    )
    expect(history).toEqual(applied.map((name) => ({ name, steps: 1, finished: true })))
  })

  it('applies only what is new', async () => {
    await put('20260101000000_create_a', 'CREATE TABLE a ()')
    expect(await migrate({ url: database.url, dir })).toEqual({ applied: ['20260101000000_create_a'] })
    await put('20260102000000_create_b', 'CREATE TABLE b ()')
    expect(await migrate({ url: database.url, dir })).toEqual({ applied: ['20260102000000_create_b'] })
  })

  it('lets many run at once: one applies, the others wait and find nothing to do', async () => {
    await put('20260101000000_create_a', 'CREATE TABLE a (); SELECT pg_sleep(0.2)')
    await put('20260102000000_create_b', 'CREATE TABLE b ()')
    const results = await Promise.all(Array.from({ length: 8 }, () => migrate({ url: database.url, dir })))
    expect(results.map(({ applied }) => applied.length).sort()).toEqual([0, 0, 0, 0, 0, 0, 0, 2])
  })

  it('does not wait for ever', async () => {
    await put('20260101000000_create_a', 'CREATE TABLE a ()')
    const other = new pg.Client(database.url)
    await other.connect()
    await other.query('SELECT pg_advisory_lock(72707369)')
    const error = await refusal(migrate({ url: database.url, dir, lockTimeoutMs: 50 }))
    await other.end()
    expect(error.problem).toBe('lock-timeout')
    expect(await tables()).toEqual([])
  })

  it('refuses a migration that was changed after it was applied, and names it', async () => {
    await cp(migrationsDir, dir, { recursive: true })
    const { applied } = await migrate({ url: database.url, dir })
    const [first] = applied as [string]
    const file = path.join(dir, first, 'migration.sql')
    await writeFile(file, `${await readFile(file, 'utf8')}\n-- a harmless remark\n`)
    await put('29990101000000_create_late', 'CREATE TABLE late ()')
    const error = await refusal(migrate({ url: database.url, dir }))
    expect(error).toMatchObject({ problem: 'edited', message: expect.stringContaining(first) })
    expect(await tables()).not.toContain('late')
  })

  it('refuses a database that is newer than the program', async () => {
    await put('20260101000000_create_a', 'CREATE TABLE a ()')
    await put('20260102000000_create_b', 'CREATE TABLE b ()')
    await migrate({ url: database.url, dir })
    await rm(path.join(dir, '20260102000000_create_b'), { recursive: true })
    const error = await refusal(migrate({ url: database.url, dir }))
    expect(error).toMatchObject({ problem: 'missing', message: expect.stringContaining('20260102000000_create_b') })
  })

  it('undoes a migration that fails, refuses to go on, and goes on once that is resolved', async () => {
    await put('20260101000000_create_a', 'CREATE TABLE a ()')
    await put('20260102000000_create_b', 'CREATE TABLE b (); CREATE TABLE nonsense (x no_such_type)')
    const failed = await refusal(migrate({ url: database.url, dir }))
    expect(failed).toMatchObject({ problem: 'failed', message: expect.stringContaining('no_such_type') })
    expect(await tables()).toEqual(['_prisma_migrations', 'a'])

    await put('20260102000000_create_b', 'CREATE TABLE b ()')
    expect(await refusal(migrate({ url: database.url, dir }))).toMatchObject({ problem: 'failed-before' })

    await query('UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL')
    expect(await migrate({ url: database.url, dir })).toEqual({ applied: ['20260102000000_create_b'] })
    expect(await tables()).toEqual(['_prisma_migrations', 'a', 'b'])
  })

  it('keeps the reason of a failure in the history', async () => {
    await put('20260101000000_create_a', 'CREATE TABLE a (x no_such_type)')
    await refusal(migrate({ url: database.url, dir }))
    const [row] = await query<{ logs: string }>('SELECT logs FROM _prisma_migrations')
    expect(row?.logs).toContain('42704')
  })

  it('leaves no transaction open when a file with its own BEGIN fails', async () => {
    await put('20260101000000_create_a', 'BEGIN; CREATE TABLE a (); SELECT 1/0; COMMIT')
    expect(await refusal(migrate({ url: database.url, dir }))).toMatchObject({ problem: 'failed' })
    expect(await tables()).toEqual(['_prisma_migrations'])
    const [row] = await query<{ logs: string }>('SELECT logs FROM _prisma_migrations')
    expect(row?.logs).toContain('22012')
  })

  it('refuses a folder that is not there and a folder without its file', async () => {
    const absent = path.join(dir, 'absent')
    expect(await refusal(migrate({ url: database.url, dir: absent }))).toMatchObject({ problem: 'unreadable' })
    await mkdir(path.join(dir, '20260101000000_create_a'))
    expect(await refusal(migrate({ url: database.url, dir }))).toMatchObject({ problem: 'unreadable' })
  })

  it('begins every migration of the package with its locks, the reason and the recovery', async () => {
    const { applied } = await migrate({ url: database.url })
    for (const name of applied) {
      const sql = await readFile(path.join(migrationsDir, name, 'migration.sql'), 'utf8')
      const header = sql.slice(0, sql.search(/^(?!--)/m))
      expect(header, name).toMatch(/^-- \S/)
      expect(header, name).toMatch(/^-- Locks: /m)
      expect(header, name).toMatch(/^-- Why that is fine: /m)
      expect(header, name).toMatch(/^-- Recovery: /m)
    }
  })
})
