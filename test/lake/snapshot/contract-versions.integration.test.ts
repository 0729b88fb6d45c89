import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { GetPartitionsCommand, GetTableCommand } from '@aws-sdk/client-glue'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { contractsOf, copySelect, type TableContract } from '../../../src/lake/contract.ts'
import { datasets } from '../../../src/lake/datasets.ts'
import { LakeProblem } from '../../../src/lake/lake-problem.ts'
import { ensureLake, type LakeParts, lakeParts } from '../../../src/lake/lake-setup.ts'
import { parseManifest } from '../../../src/lake/manifest.ts'
import { parsePartKey } from '../../../src/lake/object-keys.ts'
import { publishedSnapshot } from '../../../src/lake/publication.ts'
import { contractReport } from '../../../src/lake/snapshot/contract-gate.ts'
import type { Lake } from '../../../src/lake/snapshot/lake.ts'
import { publishedManifests } from '../../../src/lake/snapshot/publish.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { listSnapshots, manifestOf } from '../../../src/lake/snapshot/snapshots.ts'
import { verifySnapshots } from '../../../src/lake/snapshot/verify.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { testPlace } from '../lake-fixture.ts'
import { datasetsOf, pasted } from './pasted-datasets.ts'
import { seedAccounts } from './seed.ts'
import { contents, type OpenLake, openLake } from './test-lake.ts'

/** One lake whose schema changes between snapshots, through the real SDK: gate, files, catalogue, views. */

const place = testPlace('versions')
const STUDIOS = 20

/** The text that stands for `datasets.ts`: the studios alone, written out as the formatter does. */
const TEXT = `export const datasets = {
  studio: {
    resource: 'studios',
    lakeTable: 'studios',
    description: 'A partner company',
    primaryKey: ['id'],
    version: 1,
    columns: {
${Object.entries(datasets.studio.columns)
  .map(([name, column]) => `      ${name}: ${JSON.stringify(column)},\n`)
  .join('')}    },
  },
} as const
`

let database: TestDatabase
let client: pg.Client
let aws: TestAws
let open: OpenLake

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, 10)
  client = new pg.Client(database.url)
  await client.connect()
  const { credentials, dir, endpoint, region } = aws
  open = openLake({ databaseUrl: database.url, credentials, endpoint, region, bucket: place.bucket, publisherDir: dir })
})

afterAll(async () => {
  await client?.end()
  await open?.close()
  await Promise.all([database?.drop(), aws?.stop()])
})

/** The lake as a program with this `datasets.ts` has it. */
async function lakeOf(text: string): Promise<{ lake: Lake; parts: LakeParts; contracts: TableContract[] }> {
  const contracts = contractsOf(await datasetsOf(text))
  await ensureLake(place, aws, { owned: true }, contracts)
  const parts = lakeParts(place, aws, contracts)
  return { lake: { ...open.lake, contracts, publisher: parts.publisher }, parts, contracts }
}

async function select(parts: LakeParts, sql: string) {
  const { run, rows } = await parts.runner.rows(sql)
  if (run.state !== 'succeeded') throw new Error(run.problem?.detail ?? run.state)
  return rows
}

async function tableColumns(name: string): Promise<string[]> {
  const { Table } = await aws.glue.send(new GetTableCommand({ DatabaseName: place.rawDatabase, Name: name }))
  return (Table?.StorageDescriptor?.Columns ?? []).map((column) => `${column.Name} ${column.Type}`)
}

async function partitionColumns(name: string): Promise<string[][]> {
  const command = new GetPartitionsCommand({ DatabaseName: place.rawDatabase, TableName: name })
  const { Partitions = [] } = await aws.glue.send(command)
  return Partitions.map(({ StorageDescriptor }) =>
    (StorageDescriptor?.Columns ?? []).map((column) => `${column.Name} ${column.Type}`),
  )
}

/** The refusal, before anything was written anywhere. */
async function refusal(lake: Lake): Promise<LakeProblem> {
  const before = await contents(lake)
  const problem = await runSnapshot(lake).catch((error: unknown) => error)
  if (!(problem instanceof LakeProblem)) throw problem
  expect(problem.code).toBe('contract_breaking')
  const [snapshot] = await listSnapshots(lake.database, { limit: 1 })
  expect(snapshot).toMatchObject({ state: 'failed', problem: { code: 'contract_breaking', phase: 'planning' } })
  expect(await lake.database.prisma.lakeUpload.count({ where: { snapshotId: snapshot?.id ?? '' } })).toBe(0)
  expect(await contents(lake)).toEqual(before)
  return problem
}

/** `datasets.ts` with what the gate prints for the database as it is. */
async function withPatches(text: string, lake: Lake): Promise<string> {
  const { patches } = await contractReport(client, lake.contracts, await publishedManifests(lake))
  return pasted(text, patches)
}

/** The studios with a column more. */
const GROWN = TEXT.replace(
  /\n {4}\},\n {2}\},\n\} as const/,
  "\n      score: { class: 'internal', lake: 'include', pgType: 'integer', athenaType: 'int' },$&",
)

test("lake 14: add a column, snapshot, query an old and a new partition in one SELECT → no schema mismatch; NULL for old; all partition schemas equal the table's", async () => {
  const first = await lakeOf(TEXT)
  const one = await runSnapshot(first.lake)

  // Refused until it has an entry, then appended.
  await client.query('ALTER TABLE studio ADD COLUMN score integer NOT NULL DEFAULT 7')
  expect((await refusal(first.lake)).message).toMatch(
    /studio\.score \(integer\) has no entry[\s\S]*score: \{ class: 'personal'/,
  )
  const second = await lakeOf(GROWN)
  const two = await runSnapshot(second.lake)
  const both = `SELECT snapshot_id, count(*), count(score), min(score) FROM ${place.rawDatabase}.studios GROUP BY 1 ORDER BY 1`
  const seen = await select(second.parts, both)
  expect(new Map(seen.map(([id, ...counts]) => [id, counts]))).toEqual(
    new Map([
      [one.id, [STUDIOS, 0, null]],
      [two.id, [STUDIOS, STUDIOS, 7]],
    ]),
  )
  const columns = await tableColumns('studios')
  expect(columns.at(-1)).toBe('score int')
  expect(await partitionColumns('studios')).toEqual([columns, columns])
  expect((await verifySnapshots(second.lake, { all: true, deep: true })).findings).toEqual([])
})

test('lake 13: a retyped column is refused, pasted it gets a version of its own, and the views go over to it', async () => {
  const second = await lakeOf(GROWN)
  const [two] = await listSnapshots(second.lake.database, { limit: 1 })

  // int to bigint, and a column dropped at once.
  await client.query('ALTER TABLE studio ALTER score TYPE bigint, DROP COLUMN website')
  await client.query(`UPDATE studio SET score = 3000000000 WHERE slug = 'studio-1'`)
  const { message } = await refusal(second.lake)
  expect(message).toMatch(/studio\.score: score is bigint in the database and integer in datasets\.ts; .*version: 2/)
  expect(message).toMatch(/studio\.website is in datasets\.ts and not in the database/)
  const third = await lakeOf(await withPatches(GROWN, second.lake))
  expect(third.contracts.map((contract) => contract.name)).toEqual(['studios', 'studios_v2'])
  // The views have nothing of the new version yet, and show what there is in its types.
  await third.parts.publisher.publishViews((await publishedManifests(third.lake)).map(publishedSnapshot))
  expect(
    await select(third.parts, `SELECT DISTINCT snapshot_id, typeof(score) FROM ${place.database}.studios_latest`),
  ).toEqual([[two?.id, 'bigint']])
  const three = await runSnapshot(third.lake)
  const manifest = parseManifest((await manifestOf(third.lake.database, three.id)) ?? '')
  expect(manifest.tables.map((table) => [table.name, table.contract_version, table.rows])).toEqual([
    ['studios', 1, STUDIOS],
    ['studios_v2', 2, STUDIOS],
  ])
  const folders = manifest.tables.flatMap((table) => table.files.map((file) => parsePartKey(file.key)?.table))
  expect(folders).toEqual(['studios', 'studios_v2'])
  const latest = `SELECT snapshot_id, typeof(score), max(score), count(website), count(*) FROM ${place.database}.studios_latest GROUP BY 1, 2`
  expect(await select(third.parts, latest)).toEqual([[three.id, 'bigint', 3_000_000_000, 0, STUDIOS]])
  // The earlier version holds what it can: one value is beyond its type.
  const old = `SELECT typeof(score), max(score), count(score) FROM ${place.rawDatabase}.studios WHERE snapshot_id = '${three.id}' GROUP BY 1`
  expect(await select(third.parts, old)).toEqual([['integer', 7, STUDIOS - 1]])
  expect((await verifySnapshots(third.lake, { all: true, deep: true })).findings).toEqual([])
})

test('lake 13: what is printed can be pasted into the real datasets.ts, and lets the whole gate pass', async () => {
  const changed = await createTestDatabase()
  const other = new pg.Client(changed.url)
  await other.connect()
  try {
    await other.query(`
      ALTER TABLE player ADD COLUMN shoe_size integer;
      ALTER TABLE player DROP COLUMN locale;
      ALTER TABLE studio RENAME website TO homepage;
      ALTER TABLE game ALTER min_age TYPE bigint;
      ALTER TABLE player_game ALTER revoked_at TYPE timestamptz;
      DROP TABLE player_identity`)
    const file = path.resolve(import.meta.dirname, '../../../src/lake/datasets.ts')
    const text = await readFile(file, 'utf8')
    const before = await contractReport(other, contractsOf(await datasetsOf(text)), [])
    expect(before.breaking).toHaveLength(7)
    const after = await contractReport(other, contractsOf(await datasetsOf(pasted(text, before.patches))), [])
    expect(after.breaking).toEqual([])
    const names = after.contracts.map((contract) => contract.name)
    expect(names).toEqual(expect.arrayContaining(['games', 'games_v2']))
    expect(names).not.toContain('player_identities')
    for (const contract of after.contracts) await other.query(copySelect(contract))
  } finally {
    await other.end()
    await changed.drop()
  }
})
