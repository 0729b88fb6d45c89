import { GetDatabasesCommand } from '@aws-sdk/client-glue'
import { ListBucketsCommand } from '@aws-sdk/client-s3'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { contracts } from '../../../src/lake/contract.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { lakeEnvironment } from '../../support/lake-environment.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { type Finished, runCommand } from '../../support/service.ts'
import { testPlace } from '../lake-fixture.ts'
import { seedAccounts } from './seed.ts'

/** `snapshot --dry-run` as a deployment calls it, before there is any lake. */

const place = testPlace('dryrun')
let database: TestDatabase
let aws: TestAws
let client: pg.Client

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, 50)
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
})

afterAll(async () => {
  await client?.end()
  await Promise.all([database?.drop(), aws?.stop()])
})

const dryRun = (...args: string[]): Promise<Finished> =>
  runCommand(['snapshot', '--dry-run', ...args], lakeEnvironment(database.url, aws, place))

async function everythingWritten() {
  const { Buckets = [] } = await aws.s3.send(new ListBucketsCommand({}))
  const { DatabaseList = [] } = await aws.glue.send(new GetDatabasesCommand({}))
  const { rows } = await client.query(
    `SELECT (SELECT count(*) FROM lake_snapshots) AS snapshots, (SELECT count(*) FROM audit_event) AS events,
            (SELECT fence FROM lake_lease) AS fence`,
  )
  return { buckets: Buckets.map(({ Name }) => Name), databases: DatabaseList.map(({ Name }) => Name), rows }
}

test('the command tells what would be written where there is no lake yet, as text and as JSON, exits 0 and writes nothing', async () => {
  const before = await everythingWritten()
  const [text, json] = [await dryRun(), await dryRun('--json')]
  expect(text.code, text.stderr).toBe(0)
  expect(text.stdout.split('\n').slice(0, 2)).toEqual([
    'A snapshot would be taken and published.',
    'Compared with nothing: no snapshot has been published yet.',
  ])
  for (const { name } of contracts) {
    expect(text.stdout).toMatch(
      new RegExp(
        `^  lake/v1/${name}/snapshot_date=\\d{4}-\\d\\d-\\d\\d/snapshot_id=\\S+/part-00-00000\\.parquet$`,
        'm',
      ),
    )
  }
  expect(text.stdout).toMatch(/Breaking differences: none\n/)
  expect(json.code, json.stderr).toBe(0)
  const plan = JSON.parse(json.stdout)
  // As docs/snapshots.md has it.
  expect(Object.keys(plan)).toEqual([
    ...['verdict', 'snapshotId', 'manifestKey', 'previousSnapshotId', 'running', 'tables', 'totals', 'schema'],
    'catalogue',
  ])
  expect(plan).toMatchObject({ verdict: 'ready', previousSnapshotId: null, running: null, totals: { files: 9 } })
  expect(await everythingWritten()).toEqual(before)
})

test('lake 13: the command exits 1 over a breaking change, with the lines to paste; 2 when it cannot look', async () => {
  await client.query('ALTER TABLE player ADD COLUMN shoe_size smallint')
  const before = await everythingWritten()
  const breaking = await dryRun()
  expect(breaking.code).toBe(1)
  expect(breaking.stdout).toMatch(/^No snapshot would be taken: the database does not match the contract\.\n/)
  expect(breaking.stdout).toMatch(/\nBreaking differences:\n {2}player\.shoe_size \(smallint\) has no entry/)
  expect(breaking.stdout).toContain(
    "To paste into datasets.ts:\n  // datasets.ts, player, columns, at the end:\n  shoe_size: { class: 'personal', lake: 'drop', nullable: true },\n",
  )
  expect(await everythingWritten()).toEqual(before)
  const nowhere = lakeEnvironment('postgresql://nobody@127.0.0.1:9/nothing', aws, place)
  const away = await runCommand(['snapshot', '--dry-run'], { ...nowhere, DATABASE_WAIT: '1s' })
  expect(away.code).toBe(2)
  expect(away.stdout).toBe('')
})
