import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { AthenaClient } from '@aws-sdk/client-athena'
import { GlueClient } from '@aws-sdk/client-glue'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { type Database, openDatabase } from '../../../src/database/database.ts'
import { contracts, type TableContract } from '../../../src/lake/contract.ts'
import { type LakeParts, lakeParts } from '../../../src/lake/lake-setup.ts'
import { CURRENT_KEY, LAKE_PREFIX, META_PREFIX, UNLOAD_PREFIX } from '../../../src/lake/object-keys.ts'
import type { Publisher } from '../../../src/lake/publication.ts'
import { faultTap } from '../../../src/lake/snapshot/faults.ts'
import type { Lake, SnapshotSettings } from '../../../src/lake/snapshot/lake.ts'
import { RunMeasurements } from '../../../src/lake/snapshot/run-measurements.ts'
import { LakeBucket } from '../../../src/lake/storage/lake-bucket.ts'
import { unsignedParts } from '../../../src/lake/storage/s3-client.ts'
import { type Tap, watchClient } from '../../../src/lake/tap.ts'
import { LocalSparkJob } from '../../../src/local/spark/local-spark-job.ts'
import { createLogger } from '../../../src/logger.ts'
import { testPlace } from '../lake-fixture.ts'
import { RecordingPublisher } from './recording-publisher.ts'

const MIB = 1024 * 1024

/** Few tables, so that a snapshot costs little: one of them stays without a row. */
export const FEW_TABLES: readonly string[] = ['games', 'players', 'player_identities']

export const TEST_SETTINGS: SnapshotSettings & { readonly pseudonymKey: Buffer } = {
  codec: 'zstd',
  pseudonymKey: Buffer.alloc(32, 7),
  pseudonymKeyVersion: 1,
  fileTargetBytes: 192 * MIB,
  rowGroupBytes: 64 * MIB,
  rowGroupRows: 262_144,
  partBytes: 8 * MIB,
  partsInFlight: 2,
  parallelTableBytes: 4096 * MIB,
  leaseTtlMs: 2_000,
  maxSnapshotAgeMs: 60_000,
  preparedTtlMs: 3_600_000,
  crawlerWaitMs: 5_000,
  retireGraceMs: 3_600_000,
  keepAllMs: 48 * 3_600_000,
  dailyDays: 15,
  fault: undefined,
}

/** Where a lake lies; passes to other processes as JSON. */
export interface LakePlace {
  readonly databaseUrl: string
  readonly endpoint: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly bucket: string
  readonly publisherDir: string
  /** The lake tables; default all. */
  readonly tables?: readonly string[] | undefined
  /** True: the catalogue and the views are those of the local Glue and Athena. */
  readonly real?: boolean
}

export interface OpenLake {
  readonly lake: Lake
  readonly publisher: RecordingPublisher
  readonly client: S3Client
  readonly database: Database
  close(): Promise<void>
}

/** A lake on real Postgres and the real local S3, with a short budget for retries. */
export function openLake(
  place: LakePlace,
  settings: Partial<SnapshotSettings> = {},
  tap: Tap | undefined = faultTap(settings.fault),
): OpenLake {
  const { bucket, credentials, databaseUrl, endpoint, publisherDir, region } = place
  const client = watchClient(
    unsignedParts(new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 })),
    tap,
  )
  const database = openDatabase({ url: databaseUrl, poolSize: 6 })
  const publisher = new RecordingPublisher(publisherDir)
  const measurements = new RunMeasurements()
  const lake: Lake & { publisher: Publisher } = {
    database,
    sourceUrl: databaseUrl,
    bucket: new LakeBucket({
      client,
      bucket,
      retries: { tries: 6, baseMs: 5, capMs: 40, totalMs: 10_000 },
      onRetry: (operation, error) => measurements.repeated(operation, error),
    }),
    publisher,
    sparkJob: fakeSparkJob(place),
    contracts: contracts.filter(({ name }) => place.tables?.includes(name) ?? true),
    settings: { ...TEST_SETTINGS, ...settings },
    software: { version: '0.0.0', gitSha: null },
    logger: createLogger({ level: 'silent' }),
    measurements,
    tap,
  }
  if (place.real) lake.publisher = realParts(place, lake.contracts, tap).publisher
  return {
    lake,
    publisher,
    client,
    database,
    close: async () => {
      await database.close()
      client.destroy()
    },
  }
}

/** The Spark engine's job, played by a Node process; `FAKE_SPARK` in the environment names its trouble. */
function fakeSparkJob({ credentials, endpoint, region }: LakePlace): LocalSparkJob {
  return new LocalSparkJob({
    ...{ endpoint, region },
    graceMs: 500,
    command: async () => ({
      program: process.execPath,
      args: [path.join(import.meta.dirname, 'fake-spark.ts')],
      env: {
        ...process.env,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
    }),
  })
}

/** The catalogue and the views of a place in the local Glue and Athena. */
export function realParts(place: LakePlace, tables: readonly TableContract[], tap?: Tap): LakeParts {
  const { bucket, credentials, endpoint, region } = place
  const glue = watchClient(new GlueClient({ endpoint, region, credentials, maxAttempts: 1 }), tap)
  const athena = watchClient(new AthenaClient({ endpoint, region, credentials, maxAttempts: 1 }), tap)
  return lakeParts({ ...testPlace(bucket.replaceAll(/\W/g, '')), bucket, region }, { glue, athena }, tables)
}

/** A new bucket and catalogue folder for one test. */
export async function newPlace(
  aws: Pick<LakePlace, 'endpoint' | 'region' | 'credentials'>,
  databaseUrl: string,
): Promise<LakePlace & { remove(): Promise<void> }> {
  const bucket = `lake-${randomUUID()}`
  const publisherDir = await mkdtemp(path.join(os.tmpdir(), 'rocketgames-catalogue-'))
  const { credentials, endpoint, region } = aws
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  client.destroy()
  return {
    ...{ databaseUrl, endpoint, region, credentials, bucket, publisherDir },
    remove: () => rm(publisherDir, { recursive: true, force: true }),
  }
}

/** Everything that is in the bucket now. */
export async function contents({ bucket }: Lake) {
  const files: string[] = []
  const uploads: string[] = []
  const meta: string[] = []
  for await (const object of bucket.objects(LAKE_PREFIX)) files.push(object.key)
  for await (const upload of bucket.multipart.pending('')) uploads.push(upload.key)
  for await (const object of bucket.objects(META_PREFIX)) meta.push(object.key)
  return {
    files,
    uploads,
    manifests: meta.filter((key) => key.includes('/manifests/')),
    current: meta.includes(CURRENT_KEY),
  }
}

/** What passes between runs and their Spark jobs now. */
export async function unloadKeys({ bucket }: Lake): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of bucket.objects(UNLOAD_PREFIX)) keys.push(key)
  return keys
}

/** Removes what earlier tests of the file left in the control tables. */
export async function forgetSnapshots(database: Database): Promise<void> {
  await database.withClient(async (client) => {
    await client.query('DELETE FROM lake_holds; DELETE FROM lake_uploads; DELETE FROM lake_snapshot_tables')
    await client.query(`DELETE FROM lake_snapshots; UPDATE lake_lease SET expires_at = 'epoch'`)
  })
}
