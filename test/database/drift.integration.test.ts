import path from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { constraints } from '../../src/database/constraints.ts'
import { migrate, migrationsDir } from '../../src/database/migrate.ts'
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts'
import { openSchemaEngine, type SchemaEngine } from '../support/schema-engine.ts'

const SCHEMA = path.resolve(import.meta.dirname, '../../prisma/schema.prisma')

let database: TestDatabase
let engine: SchemaEngine
let client: pg.Client

beforeAll(async () => {
  database = await createEmptyDatabase()
  await migrate({ url: database.url })
  engine = await openSchemaEngine(database.url, SCHEMA)
  client = new pg.Client(database.url)
  await client.connect()
})

afterAll(async () => {
  engine.close()
  await client.end()
  await database.drop()
})

it('a database that our runner has migrated is what schema.prisma says', async () => {
  expect(await engine.diffDatabase()).toBeUndefined()
})

it("the migrations, applied by Prisma's own engine, are what schema.prisma says", async () => {
  expect(await engine.diffMigrations(migrationsDir)).toBeUndefined()
})

it('a difference would be seen', async () => {
  await client.query('ALTER TABLE player ADD COLUMN nickname text')
  expect(await engine.diffDatabase()).toContain('nickname')
  await client.query('ALTER TABLE player DROP COLUMN nickname')
  expect(await engine.diffDatabase()).toBeUndefined()
})

it('constraints.ts lists every named rule with its table and columns, and nothing else', async () => {
  const { rows } = await client.query<{ name: string; table: string; kind: string; columns: string[] }>(`
    SELECT con.conname::text AS name, r.relname::text AS table,
      CASE con.contype WHEN 'f' THEN 'foreign-key' WHEN 'c' THEN 'check' ELSE 'unique' END AS kind,
      ARRAY(SELECT a.attname::text FROM unnest(con.conkey) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.number ORDER BY k.place) AS columns
    FROM pg_constraint con JOIN pg_class r ON r.oid = con.conrelid
    WHERE con.connamespace = 'public'::regnamespace AND con.contype IN ('p', 'u', 'f', 'c')
      AND r.relname <> '_prisma_migrations'`)
  const found = Object.fromEntries(rows.map(({ name, ...rest }) => [name, rest]))
  const listed = Object.fromEntries(Object.entries(constraints).filter(([, { kind }]) => kind !== 'trigger'))
  expect(listed).toEqual(found)
})

it('constraints.ts lists every rule that a trigger reports, and nothing else', async () => {
  const { rows } = await client.query<{ name: string }>(`
    SELECT DISTINCT split_part(encode(tgargs, 'escape'), '\\000', 1) AS name FROM pg_trigger
    WHERE NOT tgisinternal AND tgnargs > 0
    UNION SELECT (regexp_matches(prosrc, 'CONSTRAINT = ''([a-z_]+)''', 'g'))[1] FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace`)
  const listed = Object.entries(constraints).filter(([, { kind }]) => kind === 'trigger')
  expect(listed.map(([name]) => name).sort()).toEqual(rows.map(({ name }) => name).sort())
})
