import { afterAll, beforeAll, expect, it } from 'vitest'
import { MigrationsCheck } from '../../src/commands/migrations-check.ts'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { migrate } from '../../src/database/migrate.ts'
import { createLogger } from '../../src/logger.ts'
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts'

let testDatabase: TestDatabase
let database: Database

beforeAll(async () => {
  testDatabase = await createEmptyDatabase()
  database = openDatabase({ url: testDatabase.url, poolSize: 2 })
})

afterAll(async () => {
  await database.close()
  await testDatabase.drop()
})

it('a service whose migrations are pending is not ready, says why once, and is as soon as one of several has applied them', async () => {
  const written: string[] = []
  const logger = createLogger({ level: 'info', destination: { write: (text) => void written.push(text) } })
  const check = new MigrationsCheck(database)
  await expect(check.check()).rejects.toThrow(/migrations are pending, first 20261101090000_create_accounts/)
  const stopped = new AbortController()
  const others = [new MigrationsCheck(database), new MigrationsCheck(database)].map((each) =>
    each.untilDone(logger, stopped.signal),
  )
  await expect.poll(() => written.length).toBe(2)
  expect(written[0]).toContain('waiting for \\"rocketgames migrate\\"')
  const applied = await Promise.all([1, 2, 3].map(() => migrate({ url: testDatabase.url })))
  expect(applied.filter((each) => each.applied.length > 0)).toHaveLength(1)
  await Promise.all(others)
  await check.check()

  // An older release beside a newer one: what the database has beyond its own is no reason to leave.
  await database.query({
    text: `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', 'x', '20990101000000_add_later', now())`,
  })
  await new MigrationsCheck(database).check()
})

it('one whose database is away says so, and waits no longer when it is told to stop', async () => {
  const stopped = new AbortController()
  const empty = openDatabase({ url: 'postgresql://u:p@127.0.0.1:1/x', poolSize: 1 })
  const written: string[] = []
  const logger = createLogger({ level: 'info', destination: { write: (text) => void written.push(text) } })
  const waiting = new MigrationsCheck(empty).untilDone(logger, stopped.signal)
  await expect.poll(() => written.length).toBe(1)
  expect(JSON.parse(written[0] as string)).toMatchObject({ msg: 'not ready: waiting for the database' })
  stopped.abort()
  await waiting
  await empty.close()
})
