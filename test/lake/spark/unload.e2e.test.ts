import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { contracts } from '../../../src/lake/contract.ts'
import { ensureLake } from '../../../src/lake/lake-setup.ts'
import { type Manifest, parseManifest } from '../../../src/lake/manifest.ts'
import { s3Uri, unloadPlanKey, unloadReportKey } from '../../../src/lake/object-keys.ts'
import type { Lake } from '../../../src/lake/snapshot/lake.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { manifestOf } from '../../../src/lake/snapshot/snapshots.ts'
import type { SparkPlan } from '../../../src/lake/snapshot/spark-plan.ts'
import { verifySnapshots } from '../../../src/lake/snapshot/verify.ts'
import type { SparkJob } from '../../../src/lake/spark-job.ts'
import { glueJobCommand } from '../../../src/local/spark/glue-job.ts'
import { LocalSparkJob } from '../../../src/local/spark/local-spark-job.ts'
import { counted } from '../../support/counts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { QUICK_JAVA } from '../../support/quick-java.ts'
import { testPlace } from '../lake-fixture.ts'
import { EDGE_CONTRACT } from '../parquet/edge-contract.ts'
import { EDGE_SQL } from '../parquet/edge-table.ts'
import { seedAccounts } from '../snapshot/seed.ts'
import { newPlace, type OpenLake, openLake, realParts, unloadKeys } from '../snapshot/test-lake.ts'

const PLAYERS = counted(600, 1_500)
/** The ten that were thought of, and some that were not. */
const EDGE_ROWS = counted(300, 1_200)
const TABLES = [...contracts, EDGE_CONTRACT]

const command = await glueJobCommand('unload', {
  ...process.env,
  ROCKETGAMES_SPARK_CORES: '2',
  ROCKETGAMES_SPARK_MEMORY: '1g',
  ROCKETGAMES_SPARK_JAVA_OPTIONS: QUICK_JAVA,
})
const skipped = 'missing' in command ? ` (skipped: ${command.missing})` : ''

interface Reported {
  readonly tables: readonly {
    readonly name: string
    readonly rows_read: number
    readonly files: readonly {
      readonly number: number
      readonly key: string
      readonly upload_id: string
      readonly rows: number
      readonly bytes: number
      readonly crc32: string
      readonly min_key: string | null
      readonly max_key: string | null
      readonly columns: object
      readonly unrepresentable: object
      readonly parts: readonly { number: number; etag: string; crc32: string; bytes: number }[]
    }[]
  }[]
}

describe.skipIf('missing' in command)(`a snapshot by the real Spark job${skipped}`, { timeout: 300_000 }, () => {
  let database: TestDatabase
  let aws: TestAws
  let place: Awaited<ReturnType<typeof newPlace>>
  let open: OpenLake
  let lake: Lake
  let folder: string
  const said: string[] = []

  beforeAll(async () => {
    ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
    await seedAccounts(database.url, PLAYERS)
    const client = new pg.Client(database.url)
    await client.connect()
    await client.query(
      `${EDGE_SQL}; ALTER TABLE edge ADD PRIMARY KEY (k); DELETE FROM edge WHERE k > ${EDGE_ROWS + 90}`,
    )
    // Not in one text with others: they would share its transaction.
    await client.query('VACUUM FULL ANALYZE edge')
    await client.query('ANALYZE')
    await client.end()
    folder = await mkdtemp(path.join(os.tmpdir(), 'rocketgames-unload-'))
    place = await newPlace(aws, database.url)
    open = openLake(place, {
      leaseTtlMs: 30_000,
      fileTargetBytes: counted(15_000, 40_000),
      maxSnapshotAgeMs: 280_000,
      crawlerWaitMs: 30_000,
    })
    const named = { ...testPlace(place.bucket.replaceAll(/\W/g, '')), bucket: place.bucket, region: place.region }
    await ensureLake(named, aws, { owned: true }, TABLES)
    lake = { ...open.lake, contracts: TABLES, publisher: realParts(place, TABLES).publisher }
  })

  afterAll(async () => {
    await open?.close()
    await place?.remove()
    if (folder) await rm(folder, { recursive: true, force: true })
    await Promise.all([database?.drop(), aws?.stop()])
  })

  /** The job as `rocketgames glue unload` starts it. */
  function realJob(): SparkJob {
    const { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } = place.credentials
    return new LocalSparkJob({
      ...{ endpoint: place.endpoint, region: place.region },
      log: (line) => said.push(line),
      command: async () =>
        'missing' in command
          ? command
          : { ...command, env: { ...command.env, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } },
    })
  }

  /** Lets the encoder of the service read the same exported instant by the same plan, into objects beside the lake. */
  async function ownFiles(
    plan: SparkPlan,
    run: SparkJob['run'],
    order: Parameters<SparkJob['run']>,
  ): Promise<Reported> {
    const { bucket } = lake
    const tables = []
    for (const table of plan.tables) {
      const ranges = []
      for (const range of table.ranges) {
        const key = `compare/${table.name}/${range.number}.parquet`
        ranges.push({ ...range, key, upload_id: await bucket.multipart.create(key, plan.snapshot_id) })
      }
      tables.push({ ...table, ranges })
    }
    const own = { ...plan, tables, report: 'compare/report.json' }
    await bucket.putText('compare/plan.json', JSON.stringify(own), '*')
    const [first, ...rest] = order
    await run({ ...first, planUri: s3Uri(bucket.name, 'compare/plan.json') }, ...rest)
    const report = JSON.parse((await bucket.getText(own.report))?.text ?? '') as Reported
    for (const file of report.tables.flatMap(({ files }) => files)) {
      const crc32 = Buffer.from(file.crc32, 'hex').toString('base64')
      await bucket.multipart.complete({ ...file, uploadId: file.upload_id, crc32 })
    }
    return report
  }

  /** Changes every kind of row: who looks at now sees something else. */
  async function changeEverything(): Promise<void> {
    const client = new pg.Client(database.url)
    await client.connect()
    await client.query(`SET session_replication_role = replica; UPDATE player SET country = 'JP', version = version + 1;
      DELETE FROM player_game WHERE id::text < '8'; UPDATE studio SET name = name || ' later'; UPDATE edge SET t = 'later';
      INSERT INTO edge SELECT k + 100000, id, t, v FROM edge; DELETE FROM edge WHERE k < 100000 AND k % 2 = 0`)
    await client.end()
  }

  async function download(keys: readonly string[], name: string): Promise<string> {
    const files: string[] = []
    for (const [i, key] of keys.entries()) {
      const { bytes = 0 } = (await lake.bucket.head(key)) ?? {}
      const file = path.join(folder, `${name}-${i}.parquet`)
      await writeFile(file, await lake.bucket.range(key, 0, bytes))
      files.push(`'${file}'`)
    }
    return `read_parquet([${files.join(', ')}])`
  }

  /** Rows of each that the other lacks, duplicates counted. */
  async function exceptBothWays(manifest: Manifest, own: Reported): Promise<Record<string, unknown>> {
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    const found: Record<string, unknown> = {}
    for (const { files, name } of manifest.tables) {
      const spark = await download(
        files.map(({ key }) => key),
        `spark-${name}`,
      )
      const keys = own.tables.find((table) => table.name === name)?.files.map(({ key }) => key) ?? []
      const node = await download(keys, `node-${name}`)
      const one = `(SELECT count(*) FROM (SELECT * FROM ${spark} EXCEPT ALL SELECT * FROM ${node}))`
      const other = `(SELECT count(*) FROM (SELECT * FROM ${node} EXCEPT ALL SELECT * FROM ${spark}))`
      const answer = await connection.runAndReadAll(`SELECT ${one}, ${other}, (SELECT count(*) FROM ${spark})`)
      const [rows] = answer.getRowsJS()
      found[name] = rows?.map(Number)
    }
    connection.closeSync()
    instance.closeSync()
    return found
  }

  test('holds what the service itself reads of the same exported instant, value by value, sum by sum, while rows change', async () => {
    const real = realJob()
    let own: Reported = { tables: [] }
    let spark: Reported = { tables: [] }
    const sparkJob: SparkJob = {
      ready: (signal) => real.ready(signal),
      endLeft: (id) => real.endLeft(id),
      run: async (order, watch) => {
        await changeEverything()
        const stored = await lake.bucket.getText(unloadPlanKey(order.snapshotId))
        const played = open.lake.sparkJob as SparkJob
        own = await ownFiles(JSON.parse(stored?.text ?? ''), played.run.bind(played), [
          order,
          { ...watch, onLine: () => undefined },
        ])
        await real.run(order, watch)
        spark = JSON.parse((await lake.bucket.getText(unloadReportKey(order.snapshotId)))?.text ?? '') as Reported
      },
    }
    const rows: Record<string, number> = {}
    const { id, state } = await runSnapshot(
      { ...lake, sparkJob, settings: { ...lake.settings, engine: 'spark' } },
      {
        progress: (event) => {
          if (event.kind === 'table') rows[event.table] = event.rows
        },
      },
    ).catch((error: unknown) => {
      throw new Error(said.slice(-40).join('\n'), { cause: error })
    })
    expect(state).toBe('published')
    const manifest = parseManifest((await manifestOf(open.database, id)) ?? '')
    const counts = Object.fromEntries(manifest.tables.map((table) => [table.name, table.rows]))
    expect(rows).toEqual(counts)
    expect(counts).toMatchObject({ players: PLAYERS, player_games: PLAYERS, edge: EDGE_ROWS })
    expect(await exceptBothWays(manifest, own)).toEqual(
      Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, [0, 0, count]])),
    )
    // The same rows in the same order: equal sums, bounds and counts of each file.
    const facts = ({ tables }: Reported) =>
      tables
        .flatMap(({ files, name, rows_read }) =>
          files.map(({ columns, max_key, min_key, number, rows: n, unrepresentable }) => ({
            ...{ name, number, rows_read, n, min_key, max_key, columns, unrepresentable },
          })),
        )
        .sort((a, b) => a.name.localeCompare(b.name) || a.number - b.number)
    expect(facts(spark)).toEqual(facts(own))
    expect(manifest.tables.find(({ name }) => name === 'players')?.files.length).toBeGreaterThan(1)
    expect(await unloadKeys(lake)).toEqual([])
    expect((await verifySnapshots(lake, { all: true, deep: true })).findings).toEqual([])
  })

  test('is served by Athena, and followed by a snapshot of this process', async () => {
    const named = testPlace(place.bucket.replaceAll(/\W/g, ''))
    const { runner } = realParts(place, TABLES)
    const ask = async (view: string, what: string) =>
      (await runner.rows(`SELECT ${what} FROM ${named.database}.${view}`)).rows.map((row) => row.map(String))
    expect(await ask('players_latest', "count(*), count(DISTINCT player_ref), count_if(country = 'FR')")).toEqual([
      [String(PLAYERS), String(PLAYERS), String(PLAYERS)],
    ])
    const { id, state, totalRows } = await runSnapshot(lake)
    expect(state).toBe('published')
    const manifest = parseManifest((await manifestOf(open.database, id)) ?? '')
    expect(manifest.totals.rows).toBe(totalRows)
    expect(await ask('players_latest', "count_if(country = 'JP')")).toEqual([[String(PLAYERS)]])
    expect((await verifySnapshots(lake, { all: true, deep: true })).findings).toEqual([])
  })
})
