import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { viewsOf } from '../../../src/lake/athena/views.ts'
import { contractsOf, copySelect, type TableContract } from '../../../src/lake/contract.ts'
import type { PgType } from '../../../src/lake/datasets.ts'
import type { Manifest } from '../../../src/lake/manifest.ts'
import type { PublishedSnapshot } from '../../../src/lake/publication.ts'
import { assertNotBreaking, contractReport, type GateReport } from '../../../src/lake/snapshot/contract-gate.ts'
import { athenaTypeOf } from '../../../src/lake/snapshot/database-columns.ts'
import { manifestColumn } from '../../../src/lake/snapshot/manifest-builder.ts'
import { createEmptyDatabase, type TestDatabase } from '../../support/database.ts'
import { datasetsOf, pasted } from './pasted-datasets.ts'

/** Every kind of change to every type of column, made by ALTER TABLE; and what is pasted lets the gate pass. */

const TYPES: Readonly<Record<string, PgType>> = {
  uuid: 'uuid',
  text: 'text',
  'varchar(40)': 'text',
  mood: 'enum',
  jsonb: 'jsonb',
  'timestamptz(3)': 'timestamptz(3)',
  date: 'date',
  smallint: 'smallint',
  integer: 'integer',
  bigint: 'bigint',
  boolean: 'boolean',
  'numeric(10,2)': 'numeric(10,2)',
  'numeric(12,2)': 'numeric(12,2)',
  'numeric(12,4)': 'numeric(12,4)',
}
const EDGES: Readonly<Record<string, readonly string[]>> = {
  text: ['', 'x', '-1', '999999999', '99999999999999999999', "it's"],
  'varchar(40)': ['', '12'],
  jsonb: ['{"a": 1}', 'null'],
  'timestamptz(3)': ['infinity', '-infinity', '294276-12-31', '4713-01-01 BC'],
  timestamptz: ['infinity', '2026-01-01 00:00:00.9999999'],
  timestamp: ['-infinity', '294276-12-31 23:59:59.999999'],
  date: ['infinity', '-infinity', '5874897-12-31', '4713-01-01 BC', '2026-01-01'],
  smallint: ['-32768', '32767'],
  integer: ['-2147483648', '2147483647'],
  bigint: ['-9223372036854775808', '9223372036854775807'],
  'numeric(10,2)': ['99999999.99', 'NaN'],
  'numeric(12,2)': ['-9999999999.99', 'NaN'],
  'numeric(12,4)': ['99999999.9999', '0.9999'],
  numeric: ['1e400', 'Infinity', 'NaN', '0.5'],
  real: ['3e38', 'NaN', '-Infinity'],
  'double precision': ['1e300', 'NaN', 'Infinity', '9223372036854775807'],
  'char(3)': ['a'],
  json: ['[]'],
}

/** Adds rows with the values that a cast would choke on; every COPY must still run over them. */
async function fillEdges(type: string): Promise<void> {
  for (const value of [null, ...(EDGES[type] ?? [])]) {
    await client.query('INSERT INTO subject VALUES (gen_random_uuid(), $1)', [value])
  }
}

/** Types that no file of the lake holds. */
const UNKNOWN = [
  ...['timestamptz', 'timestamptz(6)', 'timestamp(3)', 'timestamp', 'time', 'interval', 'real', 'double precision'],
  ...['numeric', 'char(3)', 'json', 'bytea', 'inet', 'text[]', 'int4range', 'money'],
]

let database: TestDatabase
let client: pg.Client

beforeAll(async () => {
  database = await createEmptyDatabase()
  client = new pg.Client({ connectionString: database.url, options: '-c TimeZone=UTC' })
  await client.connect()
  await client.query(`CREATE TYPE mood AS ENUM ('calm', 'cross')`)
})

afterAll(async () => {
  await client?.end()
  await database?.drop()
})

afterEach(async () => {
  await client.query('DROP TABLE IF EXISTS subject')
})

const HEAD = `export const datasets = {
  subject: {
    resource: 'subjects',
    lakeTable: 'subjects',
    description: 'What is changed',
    primaryKey: ['id'],
    version: 1,
    columns: {
`
const TAIL = `    },
  },
} as const
`
const ID = `      id: { class: 'internal', lake: 'include', pgType: 'uuid', athenaType: 'string' },\n`

const LABELS = `values: ['calm', 'cross'], `

const valueLine = (pgType: PgType) =>
  `      value: { class: 'internal', lake: 'include', pgType: '${pgType}', athenaType: '${athenaTypeOf(pgType)}', ${pgType === 'enum' ? LABELS : ''}nullable: true },\n`

const entryText = (pgType: PgType, more = '') => `${HEAD}${ID}${valueLine(pgType)}${more}${TAIL}`

async function createSubject(type: string): Promise<void> {
  await client.query(`DROP TABLE IF EXISTS subject; CREATE TABLE subject (id uuid PRIMARY KEY, value ${type})`)
}

/** A published snapshot of the contracts in which every column held a value. */
function published(contracts: readonly TableContract[]): Manifest {
  const tables = contracts.map((contract) => ({
    name: contract.name,
    fingerprint: contract.fingerprint,
    rows: 1,
    columns: contract.columns.map(manifestColumn),
    files: [{ rows: 1, columns: Object.fromEntries(contract.columns.map((c) => [c.name, { nulls: 0, sum: '' }])) }],
  }))
  return { snapshot_id: '20261122t020000z-01kaq3c9', tables } as unknown as Manifest
}

/** A snapshot that holds one row of one table, as the views see it. */
function publishedAs(table: string): PublishedSnapshot {
  const id = '20261122t020000z-01kaq3c9'
  return {
    ...{ snapshotId: id, snapshotDate: '2026-11-22', sequence: 1, takenAt: '2026-11-22T02:00:00Z', walLsn: '0/0' },
    ...{ totalRows: 1, totalBytes: 1, contractFingerprint: '', tableRows: { [table]: 1 } },
  }
}

async function reportOf(text: string, live: readonly Manifest[]): Promise<GateReport> {
  return contractReport(client, contractsOf(await datasetsOf(text)), live)
}

/** The report on a changed table, and the one after its patches were pasted; every COPY of the latter runs. */
async function before_and_after(text: string) {
  const live = [published(contractsOf(await datasetsOf(text)))]
  const report = await reportOf(text, live)
  const next = pasted(text, report.patches)
  const after = await reportOf(next, live)
  expect(after.breaking).toEqual([])
  for (const contract of after.contracts) await client.query(copySelect(contract))
  return { report, after, next }
}

describe('lake 13: a change of every type of column', () => {
  const types = Object.entries(TYPES)

  test.each(types)(
    'lake 13: %s added: refused by name, withheld once pasted, appended where it is exported',
    async (type, pgType) => {
      await createSubject('text')
      await client.query(`ALTER TABLE subject ADD COLUMN later ${type}`)
      const text = entryText('text')
      const { report, after } = await before_and_after(text)
      expect(report).toMatchObject({ outcome: 'breaking', breaking: [expect.stringMatching(/^subject\.later \(/)] })
      expect(after.outcome).toBe('equal')
      expect(after.contracts[0]?.columns.map((column) => column.name)).toEqual(['id', 'value'])
      const exported = entryText('text', valueLine(pgType).replace('value', 'later'))
      expect(report.breaking[0]).toContain(`later: { class: 'internal', lake: 'include', pgType: '${pgType}'`)
      const live = [published(contractsOf(await datasetsOf(text)))]
      expect(await reportOf(exported, live)).toMatchObject({
        outcome: 'additive',
        additive: [`subjects: new column later ${athenaTypeOf(pgType)}`],
      })
    },
  )

  test.each(types)(
    'lake 13: %s dropped: refused by name, a typed NULL once pasted, until no snapshot holds a value',
    async (type, pgType) => {
      await createSubject(type)
      await client.query('ALTER TABLE subject DROP COLUMN value')
      const { report, after, next } = await before_and_after(entryText(pgType))
      expect(report.breaking).toEqual([
        expect.stringMatching(/^subject\.value is in datasets\.ts and not in the database/),
      ])
      expect(after.outcome).toBe('equal')
      expect(after.contracts[0]?.columns[1]).toMatchObject({ name: 'value', athenaType: athenaTypeOf(pgType) })
      expect(after.notes).toEqual([expect.stringMatching(/^subjects\.value is deprecated and stays: snapshot 2026/)])
      expect((await reportOf(next, [])).notes).toEqual([
        'subjects.value may leave with version 2: no live snapshot holds a value',
      ])
    },
  )

  test.each(types)('lake 13: %s renamed: both names told, nothing guessed', async (type, pgType) => {
    await createSubject(type)
    await client.query('ALTER TABLE subject RENAME value TO worth')
    const { report, after } = await before_and_after(entryText(pgType))
    expect(report.breaking).toEqual([
      expect.stringMatching(/^subject\.worth .* has no entry/),
      expect.stringMatching(/^subject\.value is in datasets\.ts and not .* renamedFrom: 'value'$/),
    ])
    expect(after.contracts[0]?.columns.map((column) => column.name)).toEqual(['id', 'value'])
    // Said outright, the old column is written from the new one meanwhile.
    const renamed = `${valueLine(pgType).replace('value:', 'worth:').replace(' },', ", renamedFrom: 'value' },")}`
    const sql = pgType === 'enum' ? 'worth::text' : 'worth'
    const old = valueLine(pgType === 'enum' ? 'text' : pgType).replace(
      ' },',
      `, sql: '${sql}', deprecatedIn: 1, api: false },`,
    )
    const live = [published(contractsOf(await datasetsOf(entryText(pgType))))]
    expect(await reportOf(`${HEAD}${ID}${old}${renamed}${TAIL}`, live)).toMatchObject({
      outcome: 'additive',
      additive: [`subjects: new column worth ${athenaTypeOf(pgType)}`],
    })
  })

  test.each(types)(
    'lake 13: %s to every other type: a new version where the files change, and both are written',
    async (type, pgType) => {
      for (const [other, otherType] of types) {
        if (other === type) continue
        await createSubject(type)
        await client.query(`ALTER TABLE subject ALTER value TYPE ${other} USING NULL::${other}`)
        await fillEdges(other)
        const { report, after } = await before_and_after(entryText(pgType))
        const label = `${type} to ${other}`
        if (otherType === pgType) {
          expect(report.outcome, label).toBe('equal')
          continue
        }
        expect(report.breaking, label).toEqual([expect.stringMatching(/^subject\.value: value is /)])
        const sameFiles = athenaTypeOf(otherType) === athenaTypeOf(pgType)
        const names = after.contracts.map((contract) => `${contract.name} ${contract.columns[1]?.athenaType}`)
        const [old, now] = [athenaTypeOf(pgType), athenaTypeOf(otherType)]
        expect(names, label).toEqual(sameFiles ? [`subjects ${old}`] : [`subjects ${old}`, `subjects_v2 ${now}`])
        expect(after.additive, label).toEqual(sameFiles ? [] : ['subjects_v2: new table'])
      }
    },
  )

  test.each(types)('lake 13: %s with NOT NULL added and removed: allowed and logged', async (type, pgType) => {
    await createSubject(type)
    const text = entryText(pgType)
    const live = [published(contractsOf(await datasetsOf(text)))]
    await client.query('ALTER TABLE subject ALTER value SET NOT NULL')
    expect(await reportOf(text, live)).toMatchObject({
      outcome: 'equal',
      notes: ['subject.value is never NULL in the database and may be in datasets.ts'],
    })
    await client.query('ALTER TABLE subject ALTER value DROP NOT NULL')
    const report = await reportOf(text.replaceAll(', nullable: true', ''), live)
    expect(report).toMatchObject({
      outcome: 'equal',
      notes: ['subject.value may be NULL in the database and not in datasets.ts'],
    })
    expect(report.contracts[0]?.columns[1]?.nullable).toBe(true)
  })

  test.each(UNKNOWN)(
    'lake 13: to %s, which the lake does not know: refused, and kept at its type once pasted',
    async (unknown) => {
      for (const [type, pgType] of types) {
        await createSubject(type)
        await client.query(`ALTER TABLE subject ALTER value TYPE ${unknown} USING NULL::${unknown}`)
        await fillEdges(unknown)
        const { report, after } = await before_and_after(entryText(pgType))
        expect(report.breaking, type).toEqual([
          expect.stringMatching(/^subject\.value: value is .*the lake has no such type/),
        ])
        expect(
          after.contracts.map((contract) => contract.name),
          type,
        ).toEqual(['subjects'])
        expect(after.contracts[0]?.columns[1]?.athenaType, type).toBe(athenaTypeOf(pgType))
      }
    },
  )
})

describe('lake 13: a change that is more than one column', () => {
  const enumText = entryText('enum')
  const liveOf = async (text: string) => [published(contractsOf(await datasetsOf(text)))]

  test('lake 13: an enum value added or renamed is allowed and logged', async () => {
    await client.query(`CREATE TYPE weather AS ENUM ('calm', 'cross')`)
    await createSubject('weather')
    const live = await liveOf(enumText)
    expect(await reportOf(enumText, live)).toMatchObject({ outcome: 'equal', notes: [] })
    await client.query(`ALTER TYPE weather ADD VALUE 'sunny' BEFORE 'cross'`)
    await client.query(`ALTER TYPE weather RENAME VALUE 'calm' TO 'still'`)
    expect(await reportOf(enumText, live)).toMatchObject({
      outcome: 'equal',
      breaking: [],
      notes: [
        'subject.value may be still; its values in datasets.ts do not say so',
        'subject.value may be sunny; its values in datasets.ts do not say so',
        'subject.value is never calm any more; its values in datasets.ts say it may be',
      ],
    })
    await client.query('DROP TABLE subject; DROP TYPE weather')
  })

  test('lake 13: a table dropped is refused until its entry is retired, and then told until its snapshots have expired', async () => {
    await client.query('DROP TABLE IF EXISTS subject')
    const { report, after, next } = await before_and_after(entryText('text'))
    expect(report.breaking).toEqual([
      'subject: the table is not in the database; retire its entry in datasets.ts first',
    ])
    expect(after).toMatchObject({
      contracts: [],
      notes: ['subjects is retired and not written; snapshot 20261122t020000z-01kaq3c9 still holds it'],
    })
    expect(await reportOf(next, [])).toMatchObject({
      notes: [
        'subjects is retired and its entry may leave datasets.ts, and then its table and views may be dropped: no live snapshot holds it',
      ],
    })
  })

  test('lake 13: columns in another order, and one taken out within its version, are refused; pasted, a new version stands beside', async () => {
    await createSubject('text')
    const live = await liveOf(entryText('text'))
    for (const columns of [valueLine('text') + ID, ID]) {
      const text =
        columns === ID
          ? `${HEAD}${ID}${valueLine('text').replace("'include', pgType: 'text', athenaType: 'string'", "'drop'")}${TAIL}`
          : `${HEAD}${columns}${TAIL}`
      const report = await reportOf(text, live)
      expect(report.breaking).toEqual([expect.stringMatching(/^subject: column \d of subjects was .* set version: 2$/)])
      const after = await reportOf(pasted(text, report.patches), live)
      expect(after.breaking).toEqual([])
      expect(after.contracts.map((contract) => contract.name)).toEqual(['subjects', 'subjects_v2'])
      expect(after.contracts[0]?.columns.map((column) => column.name)).toEqual(['id', 'value'])
    }
  })

  test('lake 13: a new version without the old one is refused while a live snapshot holds the old one only, then the old one may leave', async () => {
    await createSubject('bigint')
    const live = await liveOf(entryText('integer'))
    const alone = entryText('bigint').replace('version: 1', 'version: 2')
    const report = await reportOf(alone, live)
    expect(report.breaking).toEqual([
      expect.stringMatching(/^subject: subjects is left out, and snapshot 2026.* holds nothing newer/),
    ])
    const text = pasted(alone, report.patches)
    const both = await reportOf(text, live)
    expect(both).toMatchObject({ outcome: 'additive', breaking: [] })
    expect(both.contracts.map((contract) => contract.name)).toEqual(['subjects', 'subjects_v2'])
    const newer = published(contractsOf(await datasetsOf(text)))
    // The old type is made out of the new one.
    await client.query('INSERT INTO subject VALUES (gen_random_uuid(), 7), (gen_random_uuid(), 3000000000)')
    const { rows } = await client.query(`${copySelect(both.contracts[0] as TableContract)} ORDER BY value`)
    expect(rows.map((row) => row.value)).toEqual([7, null])
    expect((await reportOf(text, [...live, newer])).notes).toEqual([])
    expect((await reportOf(text, [newer])).notes).toEqual([
      'subjects may leave datasets.ts: every live snapshot holds subjects_v2',
    ])
    expect((await reportOf(alone, [newer])).breaking).toEqual([])
  })

  test('lake 13: several changes of one table at once are one new version', async () => {
    await createSubject('bigint')
    await client.query('ALTER TABLE subject ADD COLUMN other text, ADD COLUMN gone text')
    const more = ['other', 'gone'].map((name) => valueLine('text').replace('value', name)).join('')
    await client.query('ALTER TABLE subject DROP COLUMN gone, ALTER other TYPE date USING NULL, ADD COLUMN fresh uuid')
    const { report, after } = await before_and_after(entryText('integer', more))
    expect(report.breaking).toHaveLength(4)
    expect(report.patches.map(({ place }) => place)).toEqual([
      'columns, in place of value',
      'columns, in place of other',
      'columns, in place of gone',
      'columns, at the end',
      'in place of version',
      'at the end',
    ])
    expect(after.contracts.map(({ name, columns }) => [name, columns.map((c) => `${c.name} ${c.athenaType}`)])).toEqual(
      [
        ['subjects', ['id string', 'value int', 'other string', 'gone string']],
        ['subjects_v2', ['id string', 'value bigint', 'other date', 'gone string']],
      ],
    )
  })

  test('lake 13: a change of class is logged', async () => {
    await createSubject('text')
    const live = await liveOf(entryText('text'))
    const text = entryText('text').replace("value: { class: 'internal'", "value: { class: 'public'")
    expect(await reportOf(text, live)).toMatchObject({
      outcome: 'equal',
      notes: ['subjects.value was internal and is public'],
    })
  })

  const ACTIONS: Readonly<Record<string, string>> = {
    include: `lake: 'include'`,
    pseudonymise: `lake: { pseudonymise: 'value' }`,
    generalise: `lake: { generalise: 'toBoolean', as: 'value' }, sql: 'NULL::uuid'`,
  }
  const pairs = Object.keys(ACTIONS).flatMap((from) =>
    Object.keys(ACTIONS)
      .filter((to) => to !== from)
      .map((to) => [from, to] as const),
  )

  test.each(pairs)(
    'lake 13: a column that goes from %s to %s under its name is refused: its values mean something else',
    async (from, to) => {
      await createSubject('uuid')
      await client.query('INSERT INTO subject VALUES (gen_random_uuid(), gen_random_uuid())')
      const withAction = (action: string) =>
        entryText('uuid').replace(/(value: .*)lake: 'include'/, `$1${ACTIONS[action]}`)
      const live = await liveOf(withAction(from))
      const report = await reportOf(withAction(to), live)
      expect(report.breaking).toEqual([
        expect.stringMatching(
          /^subject\.value: value was (\w| )+ in snapshot 2026\S+ and is (\w| )+; its values mean something else: .* version: 2$/,
        ),
      ])
      const after = await reportOf(pasted(withAction(to), report.patches), live)
      expect(after).toMatchObject({ outcome: 'additive', breaking: [] })
      // The former values are not made again, whichever way it went.
      const [before, now] = after.contracts as [TableContract, TableContract]
      expect(before).toMatchObject({ name: 'subjects', columns: [{}, { name: 'value', action: from }] })
      expect(now).toMatchObject({ name: 'subjects_v2', columns: [{}, { name: 'value', action: to }] })
      const { rows } = await client.query(copySelect(before))
      expect(rows.map((row) => row.value)).toEqual([null])
      // Nor does a view show the old ones under the new name.
      const [, shown] = viewsOf(
        after.contracts,
        live.map(() => publishedAs('subjects')),
        { database: 'a', rawDatabase: 'b' },
      )
      expect(shown?.body).toMatch(/^SELECT id, CAST\(NULL AS varchar\) AS value, .*\nFROM b\.subjects\n/)
    },
  )

  test('lake 13: an action that changes together with the order is one new version', async () => {
    await createSubject('uuid')
    const live = await liveOf(entryText('uuid'))
    const text = `${HEAD}${valueLine('uuid').replace(`'include'`, `{ pseudonymise: 'value' }`)}${ID}${TAIL}`
    const report = await reportOf(text, live)
    expect(report.breaking).toHaveLength(2)
    const after = await reportOf(pasted(text, report.patches), live)
    expect(after.breaking).toEqual([])
    expect(after.contracts.map(({ name, columns }) => [name, columns.map((c) => `${c.name} ${c.action}`)])).toEqual([
      ['subjects', ['id include', 'value include']],
      ['subjects_v2', ['value pseudonymise', 'id include']],
    ])
    await client.query('INSERT INTO subject VALUES (gen_random_uuid(), gen_random_uuid())')
    const { rows } = await client.query(copySelect(after.contracts[0] as TableContract))
    expect(rows.map((row) => row.value)).toEqual([null])
  })

  test('lake 13: an entry that is taken out while a live snapshot holds its table is refused; so is a version that went back', async () => {
    await createSubject('text')
    const text = entryText('text')
    const live = await liveOf(text)
    const none = text.replace("lakeTable: 'subjects'", 'lakeTable: null')
    expect((await reportOf(none, live)).breaking).toEqual([
      expect.stringMatching(
        /^subjects: snapshot 2026\S+ holds it, and no entry .* retired: true, until the last snapshot/,
      ),
    ])
    expect((await reportOf(none, [])).breaking).toEqual([])
    const later = await liveOf(text.replace('version: 1', 'version: 2'))
    const report = await reportOf(text, later)
    expect(report.breaking).toEqual([expect.stringMatching(/^subjects_v2: .* knows subjects up to version 1 only/)])
    expect(() => assertNotBreaking(report)).toThrow(/up to version 1 only; .*number that is below it$/)
  })
})
