import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contracts, copySelect, type ExportColumn, keyFields } from '../../src/lake/contract.ts'
import { type AthenaType, type Column, type Dataset, datasets } from '../../src/lake/datasets.ts'
import {
  insert,
  insertActiveStudio,
  insertIdentity,
  insertOwner,
  insertPlayer,
  insertPlayerGame,
  insertStudio,
} from '../database/rows.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

/** `datasets.ts` against a migrated database: a column that nobody classified must not exist, and no entry may be idle. */

interface DatabaseColumn {
  readonly table: string
  readonly column: string
  readonly nullable: boolean
}

const EXEMPT = new Set(['_prisma_migrations'])

const all = Object.entries(datasets) as [string, Dataset][]
const allColumns = all.flatMap(([table, dataset]) =>
  Object.entries(dataset.columns).map(([column, entry]) => ({ table, column, entry: entry as Column })),
)

let database: TestDatabase
let client: pg.Client
let found: DatabaseColumn[]

beforeAll(async () => {
  database = await createTestDatabase()
  client = new pg.Client({ connectionString: database.url, options: '-c TimeZone=UTC' })
  await client.connect()
  found = await databaseColumns()
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

async function databaseColumns(): Promise<DatabaseColumn[]> {
  const { rows } = await client.query<DatabaseColumn>(`
    SELECT c.relname::text AS table, a.attname::text AS column, NOT a.attnotnull AS nullable
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped`)
  return rows.filter(({ table }) => !EXEMPT.has(table))
}

const nameOf = ({ table, column }: { table: string; column: string }) => `${table}.${column}`

/** Columns that one side has and the other lacks. */
function compare(columns: readonly DatabaseColumn[]) {
  const [inDatabase, listed] = [columns.map(nameOf), allColumns.map(nameOf)]
  return {
    unclassified: inDatabase.filter((name) => !listed.includes(name)),
    absent: listed.filter((name) => !inDatabase.includes(name)),
  }
}

describe('every column', () => {
  it('lake 26: is classified in the migrated database, and every entry has its column', () => {
    expect(compare(found)).toEqual({ unclassified: [], absent: [] })
  })

  it('lake 26: would be missed: a new one without a class and one that is gone are both reported', async () => {
    await client.query('BEGIN')
    await client.query('ALTER TABLE player ADD COLUMN shoe_size integer')
    await client.query('ALTER TABLE player DROP COLUMN locale CASCADE')
    const report = compare(await databaseColumns())
    await client.query('ROLLBACK')
    expect(report).toEqual({ unclassified: ['player.shoe_size'], absent: ['player.locale'] })
  })

  it('is called nullable exactly when it is', () => {
    const inDatabase = new Map(found.map((column) => [nameOf(column), column.nullable]))
    const wrong = allColumns.filter((entry) => (entry.entry.nullable === true) !== inDatabase.get(nameOf(entry)))
    expect(wrong.map(nameOf)).toEqual([])
  })

  it('that is personal and in the lake as it is says why', () => {
    const unexplained = allColumns.filter(({ entry }) => {
      const asItIs =
        entry.lake === 'include' || (Array.isArray(entry.lake) && entry.lake.some(({ action }) => action === 'include'))
      return entry.class === 'personal' && asItIs && !entry.reason
    })
    expect(unexplained.map(nameOf)).toEqual([])
  })

  it('that is secret stays out of the lake and out of the API', () => {
    const secrets = allColumns.filter(({ entry }) => entry.class === 'secret')
    expect(secrets.length).toBeGreaterThan(0)
    for (const { entry } of secrets) expect(entry).toMatchObject({ lake: 'drop', api: false })
  })

  it("that holds a person's id is a pseudonym in the lake, the same name in every table", async () => {
    const { rows } = await client.query<{ table: string; column: string; person: string }>(`
      SELECT con.conrelid::regclass::text AS table, a.attname::text AS column, con.confrelid::regclass::text AS person
      FROM pg_constraint con JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = ANY (con.conkey)
      WHERE con.contype = 'f' AND con.confrelid IN ('player'::regclass, 'studio_owner'::regclass)
      UNION VALUES ('player', 'id', 'player'), ('studio_owner', 'id', 'studio_owner')`)
    expect(rows.length).toBeGreaterThanOrEqual(5)
    for (const { table, column, person } of rows) {
      const { entry } = allColumns.find((each) => each.table === table && each.column === column) ?? {}
      expect(entry?.lake, `${table}.${column}`).toEqual({
        pseudonymise: person === 'player' ? 'player_ref' : 'owner_ref',
      })
    }
  })
})

describe('every dataset', () => {
  it.each(all)('%s names its primary key', async (table, dataset) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT a.attname::text AS name FROM pg_index i
       CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
       WHERE i.indrelid = $1::regclass AND i.indisprimary ORDER BY k.place`,
      [table],
    )
    expect(rows.map(({ name }) => name)).toEqual(dataset.primaryKey)
  })

  it('has a lake table of its own, and its columns have names of their own', () => {
    const tables = contracts.map(({ name }) => name)
    expect(new Set(tables).size).toBe(tables.length)
    for (const { columns } of contracts) {
      const names = columns.map(({ name }) => name)
      expect(new Set(names).size).toBe(names.length)
      for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
    }
  })
})

const ATHENA_TYPES: Readonly<Record<string, AthenaType>> = {
  uuid: 'string',
  text: 'string',
  enum: 'string',
  jsonb: 'string',
  'timestamptz(3)': 'timestamp',
  date: 'date',
  smallint: 'int',
  integer: 'int',
  bigint: 'bigint',
  boolean: 'boolean',
}

/** Rows with everything and rows with as little as can be, and values at the edges of what the database takes. */
async function fill(): Promise<void> {
  const full = { country: 'DE', legal_name: 'Acme GmbH', website: 'https://acme.example', external_ref: 'full' }
  await insertStudio(client, full)
  await insertStudio(client)
  await insertActiveStudio(client)
  await insertOwner(client, { email_verified_at: '2026-01-01', country: 'FR' })
  for (const [birth_date, locale] of [
    [null, null],
    ['1900-01-02', 'de'],
    ['2001-02-28', 'de-DE'],
    ['9999-12-31', 'EN_us'],
    ['5874897-12-31', 'x'],
    ['2020-01-01', 'zh-Hant-TW'],
    ['1990-01-01', 'Deutsch, bitte'],
  ]) {
    await insertPlayer(client, { birth_date, locale })
  }
  await insertIdentity(client)
  await insertPlayerGame(client)
  const actors = [randomUUID(), 'not-a-uuid', '']
  for (const actor_id of actors) {
    for (const actor_type of ['user', 'system', 'api_key']) {
      for (const entity_type of ['player', 'owner', 'game', 'membership']) {
        await insert(client, 'audit_event', {
          ...{ actor_type, actor_id, entity_type, entity_id: actor_id, request_id: actor_id, action: 'a.b' },
        })
      }
    }
  }
}

describe('every exported column', () => {
  beforeAll(fill)

  /** What PostgreSQL calls the type of the expression, in the words of `PgType`. */
  async function typesOf(sql: string): Promise<Map<string, string>> {
    const { fields } = await client.query(`${sql} LIMIT 0`)
    const { rows } = await client.query<{ type: string }>(
      `SELECT CASE WHEN t.typtype = 'e' THEN 'enum'
         ELSE regexp_replace(format_type(t.oid, f.modifier), '^timestamp(\\(\\d\\))? with time zone$', 'timestamptz\\1') END AS type
       FROM unnest($1::oid[], $2::int[]) WITH ORDINALITY AS f (oid, modifier, place) JOIN pg_type t ON t.oid = f.oid
       ORDER BY f.place`,
      [fields.map(({ dataTypeID }) => dataTypeID), fields.map(({ dataTypeModifier }) => dataTypeModifier)],
    )
    return new Map(fields.map(({ name }, index) => [name, rows[index]?.type ?? 'unknown']))
  }

  it.each(contracts)('of $name has the type that it says, for COPY and for Athena', async (contract) => {
    const types = await typesOf(copySelect(contract))
    const wrong = contract.columns.filter(({ name, pgType }) => types.get(name) !== pgType)
    expect(wrong.map(({ name, pgType }) => `${name}: ${pgType}, in fact ${types.get(name)}`)).toEqual([])
    for (const { name, pgType, athenaType } of contract.columns) {
      const wanted = pgType.startsWith('numeric') ? pgType.replace('numeric', 'decimal') : ATHENA_TYPES[pgType]
      expect(athenaType, name).toBe(wanted)
    }
  })

  it.each(contracts)('of $name runs on every row, and is never NULL unless it says so', async (contract) => {
    const { rows } = await client.query<Record<string, unknown>>(copySelect(contract))
    expect(rows.length).toBeGreaterThan(0)
    const nulls = contract.columns.filter(({ name, nullable }) => !nullable && rows.some((row) => row[name] === null))
    expect(nulls.map(({ name }) => name)).toEqual([])
  })

  it.each(contracts)('of $name tells each column of the primary key, once', async (contract) => {
    const { fields, rows } = await client.query<unknown[]>({ text: copySelect(contract), rowMode: 'array' })
    const key = keyFields(contract)
    expect(key.map(({ name }) => name)).toEqual(contract.primaryKey)
    expect(fields).toHaveLength(1 + Math.max(contract.columns.length - 1, ...key.map(({ field }) => field)))
    const named = contract.primaryKey.map((name) => `"${name}"`).join(', ')
    const { rows: keys } = await client.query({ text: `SELECT ${named} FROM "${contract.table}"`, rowMode: 'array' })
    expect(rows.map((row) => key.map(({ field }) => row[field]))).toEqual(keys)
  })

  it.each(contracts)('of $name that may be NULL can be: no false promise to readers', async (contract) => {
    const columns = found.filter(({ table }) => table === contract.table)
    const strict = (column: ExportColumn) => !columns.find(({ column: name }) => name === column.source)?.nullable
    const derived = contract.columns.filter((column) => column.nullable && strict(column))
    // Only the parts of a column that is split in two may be NULL where the column itself is not.
    for (const { name, sql } of derived) expect(sql, name).toMatch(/^CASE WHEN /)
  })
})

describe('generalised values', () => {
  const exportedValue = async (table: string, name: string, id: string) => {
    const contract = contracts.find((each) => each.table === table)
    const column = contract?.columns.find((each) => each.name === name)
    const { rows } = await client.query(`SELECT ${column?.sql} AS value FROM ${table} WHERE id = $1`, [id])
    return rows[0].value
  }

  it('a birth date is a year, and nothing but a band below 18', async () => {
    const { rows } = await client.query<{ adult: string; minor: string }>(`
      SELECT (current_date - interval '18 years')::date::text AS adult,
        ((current_date - interval '18 years')::date + 1)::text AS minor`)
    const { adult, minor } = rows[0] as { adult: string; minor: string }
    const birthYear = async (birth_date: string | null) =>
      exportedValue('player', 'birth_year', await insertPlayer(client, { birth_date }))
    expect(await birthYear('1984-05-06')).toBe('1984')
    expect(await birthYear(adult)).toBe(adult.slice(0, 4))
    expect(await birthYear(minor)).toBe('under_18')
    expect(await birthYear('2999-01-01')).toBe('under_18')
    expect(await birthYear(null)).toBeNull()
  })

  it('a locale is a language', async () => {
    const language = async (locale: string | null) =>
      exportedValue('player', 'language', await insertPlayer(client, { locale }))
    expect(await language('de-AT')).toBe('de')
    expect(await language('EN_us')).toBe('en')
    expect(await language('yue')).toBe('yue')
    expect(await language('yue-HK')).toBe('yue')
    expect(await language('a-DE')).toBeNull()
    expect(await language('abcd')).toBeNull()
    expect(await language('')).toBeNull()
    expect(await language('some words')).toBeNull()
    expect(await language(null)).toBeNull()
  })

  it('the time of a verified e-mail is only whether there is one', async () => {
    const email = { email: 'v@x.io', email_key: 'v@x.io', email_verified_at: '2026-01-01' }
    expect(await exportedValue('player', 'email_verified', await insertPlayer(client, email))).toBe(true)
    expect(await exportedValue('player', 'email_verified', await insertPlayer(client))).toBe(false)
  })
})
