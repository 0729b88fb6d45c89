import { UpdateTableCommand } from '@aws-sdk/client-glue'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { dryRunText } from '../../../src/commands/snapshot-dry-run.ts'
import { findTable } from '../../../src/lake/catalogue/tables.ts'
import { contracts } from '../../../src/lake/contract.ts'
import { ensureLake, lakeParts } from '../../../src/lake/lake-setup.ts'
import { parsePartKey } from '../../../src/lake/object-keys.ts'
import { type DryRun, dryRunSnapshot } from '../../../src/lake/snapshot/dry-run.ts'
import type { Lake } from '../../../src/lake/snapshot/lake.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { requestSnapshot } from '../../../src/lake/snapshot/snapshots.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { testPlace } from '../lake-fixture.ts'
import { seedAccounts } from './seed.ts'
import { forgetSnapshots, type OpenLake, openLake } from './test-lake.ts'

/** What a dry run says, and that it only reads: every call to AWS is recorded, every table of control rows compared. */

const PLAYERS = 3_000
const place = testPlace('dry')

let database: TestDatabase
let client: pg.Client
let aws: TestAws
let open: OpenLake
let lake: Lake
const calls: string[] = []
const RECORDING = { step: 'initialize', name: 'recording' } as const

/** Middleware of an AWS client that notes each call by its name. */
function recorded<Next extends (request: never) => Promise<unknown>>(
  next: Next,
  context: { readonly commandName?: string },
): Next {
  return ((request: never) => {
    calls.push(context.commandName ?? '')
    return next(request)
  }) as Next
}

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  client = new pg.Client(database.url)
  await client.connect()
  const { credentials, dir, endpoint, region } = aws
  open = openLake({ databaseUrl: database.url, credentials, endpoint, region, bucket: place.bucket, publisherDir: dir })
  aws.glue.middlewareStack.add(recorded, RECORDING)
  aws.athena.middlewareStack.add(recorded, RECORDING)
  open.client.middlewareStack.add(recorded, RECORDING)
  lake = { ...open.lake, publisher: lakeParts(place, aws).publisher }
})

afterAll(async () => {
  await client?.end()
  await open?.close()
  await Promise.all([database?.drop(), aws?.stop()])
})

beforeEach(() => {
  calls.length = 0
})

async function controlRows(): Promise<unknown> {
  const tables = ['lake_snapshots', 'lake_snapshot_tables', 'lake_uploads', 'lake_lease', 'lake_holds', 'audit_event']
  const rows: unknown[] = []
  for (const table of tables) {
    rows.push((await client.query(`SELECT count(*), max(t::text) AS last FROM ${table} t`)).rows)
  }
  return rows
}

/** A dry run that wrote to nothing. */
async function dry(of: Lake = lake): Promise<DryRun> {
  const before = await controlRows()
  calls.length = 0
  const plan = await dryRunSnapshot(of)
  expect(calls.filter((name) => !/^(Get|List|Head)/.test(name))).toEqual([])
  expect(await controlRows()).toEqual(before)
  return plan
}

const planOf = (plan: DryRun, name: string) => {
  const found = plan.tables.find((table) => table.name === name)
  if (found === undefined) throw new Error(`no plan of ${name}`)
  return found
}

test('a dry run on an empty lake and an empty database tells everything that would be made, and makes nothing', async () => {
  const plan = await dry()
  expect(plan).toMatchObject({ verdict: 'ready', previousSnapshotId: null, running: null })
  expect(plan.catalogue).toEqual({
    changes: [`database ${place.rawDatabase}`, ...contracts.map((c) => `table ${c.name}`), `crawler ${place.crawler}`],
    crawler: [],
    drifts: [],
  })
  expect(plan.tables.map(({ name, rows, files }) => [name, rows, files])).toEqual(contracts.map((c) => [c.name, 0, 1]))
  expect(plan.schema.differences.map(({ table, from }) => [table, from])).toEqual(contracts.map((c) => [c.name, null]))
  for (const { name, firstKeys } of plan.tables) {
    expect(firstKeys.map(parsePartKey)).toMatchObject([
      { table: name, snapshotId: plan.snapshotId, reader: 0, number: 0 },
    ])
  }
})

test('rows and bytes are estimated by size before the first ANALYZE, by statistics after it, and by the last snapshot from then on', async () => {
  await client.query('ALTER TABLE player SET (autovacuum_enabled = off)')
  await seedAccounts(database.url, PLAYERS)
  const bySize = planOf(await dry(), 'players')
  expect(bySize).toMatchObject({ rowsFrom: 'size', bytesFrom: 'widths', lastRows: null })
  expect(bySize.rows).toBeGreaterThan(PLAYERS / 3)
  expect(bySize.rows).toBeLessThan(PLAYERS * 3)
  await client.query('ANALYZE')
  const byStatistics = planOf(await dry(), 'players')
  expect(byStatistics).toMatchObject({ rowsFrom: 'statistics', rows: PLAYERS })
  await ensureLake(place, aws, { owned: true })
  const { id } = await runSnapshot(lake)
  const plan = await dry()
  expect(plan).toMatchObject({
    verdict: 'ready',
    previousSnapshotId: id,
    schema: { outcome: 'equal', differences: [] },
  })
  expect(plan.catalogue).toEqual({ changes: [], crawler: [], drifts: [] })
  const players = planOf(plan, 'players')
  expect(players).toMatchObject({ rows: PLAYERS, lastRows: PLAYERS, bytes: players.lastBytes, bytesFrom: 'snapshot' })
  // Before there was a snapshot the guess was of the right order.
  expect(byStatistics.bytes).toBeGreaterThan((players.lastBytes ?? 0) / 3)
  expect(byStatistics.bytes).toBeLessThan((players.lastBytes ?? 0) * 3)
  // A table that grows after its ANALYZE is estimated as it is now.
  await client.query(
    `INSERT INTO player (id, username, username_key, country) SELECT gen_random_uuid(), 'more' || n, 'more' || n, 'DE' FROM generate_series(1, ${PLAYERS}) n`,
  )
  expect(planOf(await dry(), 'players').rows).toBeGreaterThan(PLAYERS * 1.4)
})

test('a large table is shown with its readers and a key for each; many bytes with the files that they fill', async () => {
  const settings = { ...lake.settings, parallelTableBytes: 1, readers: 3, fileTargetBytes: 1_000 }
  const players = planOf(await dry({ ...lake, settings }), 'players')
  expect(players.firstKeys.map((key) => parsePartKey(key)?.reader)).toEqual([0, 1, 2])
  expect(players.readers).toBe(3)
  expect(players.files).toBe(Math.ceil(players.bytes / 1_000))
})

test('lake 13: a dry run shows what a changed schema breaks, the lines to paste, and the contract column by column', async () => {
  await client.query('ALTER TABLE studio ADD COLUMN motto text')
  try {
    const plan = await dry()
    expect(plan).toMatchObject({ verdict: 'breaking', schema: { outcome: 'breaking' } })
    expect(plan.schema.breaking).toEqual([expect.stringMatching(/^studio\.motto \(text\) has no entry/)])
    expect(plan.schema.patch).toBe(
      "// datasets.ts, studio, columns, at the end:\nmotto: { class: 'personal', lake: 'drop', nullable: true },",
    )
    expect(dryRunText(plan)).toContain('No snapshot would be taken')
  } finally {
    await client.query('ALTER TABLE studio DROP COLUMN motto')
  }
  const changed = contracts.map((contract) => {
    if (contract.name !== 'studios') return contract
    const [last] = contract.columns.slice(-1)
    return last
      ? { ...contract, fingerprint: 'a'.repeat(64), columns: [...contract.columns, { ...last, name: 'seen_at' }] }
      : contract
  })
  const plan = await dry({ ...lake, contracts: changed, publisher: lakeParts(place, aws, changed).publisher })
  expect(plan).toMatchObject({
    verdict: 'ready',
    schema: { outcome: 'additive', additive: ['studios: new column seen_at timestamp'] },
  })
  expect(plan.schema.differences).toEqual([
    {
      table: 'studios',
      from: contracts.find((c) => c.name === 'studios')?.fingerprint,
      to: 'a'.repeat(64),
      added: [{ name: 'seen_at', type: 'timestamp' }],
      removed: [],
      retyped: [],
    },
  ])
  expect(plan.catalogue.changes).toEqual(['table studios: columns seen_at'])
  expect(dryRunText(plan)).toMatch(/studios [0-9a-f]{12} -> a{12}: \+ seen_at timestamp/)
})

test('a dry run tells a drift that would keep the views where they are, and works while a snapshot is on its way', async () => {
  const table = await findTable(aws.glue, place.rawDatabase, 'games')
  const { Name, Parameters, PartitionKeys, StorageDescriptor, TableType } = table ?? {}
  const Columns = StorageDescriptor?.Columns?.map((column) =>
    column.Name === 'min_age' ? { ...column, Type: 'string' } : column,
  )
  const input = {
    Name: Name ?? '',
    Parameters,
    PartitionKeys,
    TableType,
    StorageDescriptor: { ...StorageDescriptor, Columns },
  }
  await aws.glue.send(new UpdateTableCommand({ DatabaseName: place.rawDatabase, TableInput: input as never }))
  const running = await requestSnapshot(lake.database, 'somebody')
  const plan = await dry()
  expect(plan).toMatchObject({ verdict: 'drift', running: { id: running.id, state: 'requested' } })
  expect(plan.catalogue.drifts).toEqual([expect.stringMatching(/^type_drift games\.min_age: the files hold int/)])
  expect(dryRunText(plan)).toContain(`Snapshot ${running.id} is requested now`)
  await forgetSnapshots(lake.database)
})
