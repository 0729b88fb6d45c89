import { GetObjectCommand } from '@aws-sdk/client-s3'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { contracts, type ExportColumn, type TableContract } from '../../../src/lake/contract.ts'
import { ensureLake, lakeParts } from '../../../src/lake/lake-setup.ts'
import { type Manifest, parseManifest } from '../../../src/lake/manifest.ts'
import { MANIFESTS_PREFIX } from '../../../src/lake/object-keys.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { listSnapshots } from '../../../src/lake/snapshot/snapshots.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { AthenaQueries } from '../../support/lake-equality.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { testPlace } from '../lake-fixture.ts'
import { type OpenLake, openLake, TEST_SETTINGS } from '../snapshot/test-lake.ts'
import { pseudonym } from './edge-files.ts'
import { EDGE_COLUMNS, EDGE_SQL } from './edge-table.ts'

/**
 * The edge table on its whole way: COPY, file, S3, Glue, Athena. It rides on the table of studios, one studio a row of it, as the
 * contract knows no other table.
 */
const place = testPlace('torture')
const [studios] = contracts.filter((contract) => contract.table === 'studio') as [TableContract]
const id = studios.columns.find((column) => column.name === 'id') as ExportColumn
/** Enough of the 9,000 generated rows; all of those that were chosen. */
const ROWS = 'k < 300'
const NOT_IN_ATHENA = new Set(['k', 'id'])
const tortured = EDGE_COLUMNS.filter(({ name }) => !NOT_IN_ATHENA.has(name))

const rider = (column: ExportColumn, onUnrepresentable: 'fail' | 'null'): ExportColumn => ({
  ...column,
  // The alias must not meet a column of the same name: `id` is one of both tables.
  sql: `(SELECT ${column.sql.replace(/\bid\b/, 'edge.id')} FROM edge WHERE edge.k = studio.version)`,
  source: 'name',
  nullable: true,
  onUnrepresentable,
})

const contractWith = (onUnrepresentable: 'fail' | 'null'): TableContract => ({
  ...studios,
  primaryKey: ['slug'],
  columns: [id, ...tortured.map((column) => rider(column, onUnrepresentable))],
})

/** As Athena shows a value: times to the millisecond in UTC, without a zone. */
function athenaText({ sql, pgType, action }: ExportColumn): string {
  if (action === 'pseudonymise') return 'edge.id::text'
  if (pgType === 'timestamptz(3)') return `to_char((${sql}) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS')`
  return `(${sql})::text`
}

interface Torture {
  readonly what: string
  readonly column: string
  readonly value: string
  readonly reason: string
}

const TORTURE: readonly Torture[] = [
  { what: 'a time of infinity', column: 'ts', value: `'infinity'`, reason: 'infinity' },
  { what: 'a time of -infinity', column: 'ts', value: `'-infinity'`, reason: 'infinity' },
  { what: 'a time BC', column: 'ts', value: `'0044-03-15 12:00:00Z BC'`, reason: 'bc' },
  { what: 'a time in the year 294276', column: 'ts', value: `'294276-12-31 23:59:59.999Z'`, reason: 'out_of_range' },
  { what: 'the last time before 1900', column: 'ts', value: `'1899-12-31 23:59:59.999Z'`, reason: 'out_of_range' },
  { what: 'the first time of the year 10000', column: 'ts', value: `'10000-01-01Z'`, reason: 'out_of_range' },
  { what: 'a date of infinity', column: 'd', value: `'infinity'`, reason: 'infinity' },
  { what: 'a date of -infinity', column: 'd', value: `'-infinity'`, reason: 'infinity' },
  { what: 'a date BC', column: 'd', value: `'0044-03-15 BC'`, reason: 'bc' },
  { what: 'the last Julian date', column: 'd', value: `'1582-10-14'`, reason: 'out_of_range' },
  { what: 'the last date of Postgres', column: 'd', value: `'5874897-12-31'`, reason: 'out_of_range' },
  { what: 'NaN of 12 digits', column: 'n2', value: `'NaN'`, reason: 'nan' },
  { what: 'NaN of 18 digits', column: 'n18', value: `'NaN'`, reason: 'nan' },
  { what: 'NaN of 38 digits', column: 'n38', value: `'NaN'`, reason: 'nan' },
]

let database: TestDatabase
let client: pg.Client
let aws: TestAws
let open: OpenLake
let athena: AthenaQueries

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  client = new pg.Client({ connectionString: database.url, options: '-c timezone=UTC -c datestyle=ISO' })
  await client.connect()
  await client.query(EDGE_SQL)
  await client.query(`DELETE FROM edge WHERE NOT (${ROWS}); CREATE UNIQUE INDEX ON edge (k)`)
  await client.query(`SET session_replication_role = replica;
    INSERT INTO studio (id, slug, name, status, version)
    SELECT md5('s' || k)::uuid, 'row-' || k, 'Row', 'prospect', k FROM edge`)
  const { credentials, dir, endpoint, region } = aws
  open = openLake({ databaseUrl: database.url, credentials, endpoint, region, bucket: place.bucket, publisherDir: dir })
  athena = new AthenaQueries({
    ...{ AWS_ENDPOINT_URL: endpoint, AWS_REGION: region, ATHENA_WORKGROUP: place.workgroup },
    ...{ AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey },
  })
})

afterAll(async () => {
  athena?.close()
  await open?.close()
  await client?.end()
  await Promise.all([database?.drop(), aws?.stop()])
})

/** Takes a snapshot of the one table, with the catalogue and the views of its own. */
async function take(onUnrepresentable: 'fail' | 'null'): Promise<Manifest> {
  const only = [contractWith(onUnrepresentable)]
  await ensureLake(place, aws, { owned: true }, only)
  const { publisher } = lakeParts(place, aws, only)
  const snapshot = await runSnapshot({ ...open.lake, contracts: only, publisher })
  const Key = `${MANIFESTS_PREFIX}${snapshot.id}.json`
  const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: place.bucket, Key }))
  return parseManifest((await Body?.transformToString()) ?? '')
}

const shown = () =>
  athena.rows(
    `SELECT ${['id', ...tortured.map((column) => column.name)].map((name) => `"${name}"`).join(', ')}
       FROM ${place.database}.studios_latest ORDER BY "id"`,
  )

async function wanted(): Promise<(string | null)[][]> {
  const columns = tortured.map((column) => athenaText(column))
  const { rows } = await client.query<(string | null)[]>({
    text: `SELECT studio.id::text, ${columns.join(', ').replaceAll(/(?<![."])\bid\b/g, 'edge.id')}
             FROM studio JOIN edge ON edge.k = studio.version ORDER BY studio.id`,
    rowMode: 'array',
  })
  const ref = 1 + tortured.findIndex((column) => column.action === 'pseudonymise')
  for (const row of rows) if (row[ref]) row[ref] = pseudonym(row[ref], TEST_SETTINGS.pseudonymKey)
  return rows
}

/** Puts values into rows of the edge table while `work` runs. */
async function withValues<T>(
  values: readonly (Torture & { readonly k: number })[],
  work: () => Promise<T>,
): Promise<T> {
  const keys = values.map(({ k }) => k)
  await client.query('CREATE TEMP TABLE kept AS SELECT * FROM edge WHERE k = ANY ($1)', [keys])
  for (const { column, k, value } of values) await client.query(`UPDATE edge SET ${column} = ${value} WHERE k = ${k}`)
  try {
    return await work()
  } finally {
    await client.query('DELETE FROM edge WHERE k = ANY ($1)', [keys])
    await client.query('INSERT INTO edge SELECT * FROM kept')
    await client.query('DROP TABLE kept')
  }
}

describe('lake 18: type torture rows', () => {
  test('lake 18: type torture rows → exact values in Athena, both ends of every accepted range included', async () => {
    const manifest = await take('fail')
    const rows = await wanted()
    expect(rows.length).toBeGreaterThan(200)
    expect(manifest.totals.rows).toBe(rows.length)
    expect(await shown()).toEqual(rows)
  })

  test.each(TORTURE.map((each) => [each.what, each] as const))(
    'lake 18: type torture rows → failure naming table, column and key: %s',
    async (_, torture) => {
      const facts = { table: 'studio', column: 'name', primaryKey: 'slug=row-150', reason: torture.reason }
      await withValues([{ ...torture, k: 150 }], async () => {
        await expect(take('fail')).rejects.toMatchObject({ code: 'unrepresentable_value', facts })
      })
      const [last] = await listSnapshots(open.database, { limit: 1 })
      expect(last).toMatchObject({ state: 'failed', problem: { code: 'unrepresentable_value', ...facts } })
    },
  )

  test('lake 18: type torture rows → NULL with the exact counter, and every other value exact', async () => {
    // Twice each, in rows of their own: a value of every kind, and no other.
    const values = [...TORTURE, ...TORTURE].map((torture, i) => ({ ...torture, k: 110 + i }))
    const { manifest, rows } = await withValues(values, async () => ({
      manifest: await take('null'),
      rows: await wanted(),
    }))
    const none = { infinity: 0, bc: 0, out_of_range: 0, nan: 0 }
    expect(manifest.tables[0]?.unrepresentable).toMatchObject({
      ts: { ...none, infinity: 4, bc: 2, out_of_range: 6 },
      d: { ...none, infinity: 4, bc: 2, out_of_range: 4 },
      n2: { ...none, nan: 2 },
      n15: none,
      n18: { ...none, nan: 2 },
      n38: { ...none, nan: 2 },
    })
    expect((await listSnapshots(open.database, { limit: 1 }))[0]).toMatchObject({ state: 'published' })
    const isBad = (column: string, row: readonly (string | null)[]) =>
      values.some((each) => each.column === column && keyOf.get(row[0] ?? '') === each.k)
    const keys = await client.query<{ id: string; k: number }>('SELECT id::text, version AS k FROM studio')
    const keyOf = new Map(keys.rows.map((row) => [row.id, row.k]))
    const expected = rows.map((row) => [
      row[0] ?? null,
      ...tortured.map(({ name }, i) => (isBad(name, row) ? null : (row[i + 1] ?? null))),
    ])
    expect(await shown()).toEqual(expected)
  })
})
