import path from 'node:path'
import { AthenaClient } from '@aws-sdk/client-athena'
import { GlueClient } from '@aws-sdk/client-glue'
import { DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { ensureLake, type LakePlace } from '../../src/lake/lake-setup.ts'
import { type LocalAws, startLocalAws } from '../../src/local/aws/launcher.ts'
import { createLogger } from '../../src/logger.ts'

const PLACE: LakePlace = {
  region: 'us-east-1',
  bucket: 'bench-lake',
  resultsUri: 's3://bench-results/athena/',
  rawDatabase: 'bench_raw',
  database: 'bench',
  curatedDatabase: 'bench_curated',
  crawler: 'bench',
  crawlerRole: 'bench',
  workgroup: 'bench',
  crawlerWaitMs: 30_000,
}

/** The local S3, Glue and Athena in a process of their own, with an empty lake. */
export interface BenchLake {
  readonly place: LakePlace
  readonly aws: LocalAws
  readonly s3: S3Client
  /** Rows of the tables of the run that is current, by table. */
  curatedRows(): Promise<Readonly<Record<string, number>>>
  /** Bytes of the tables of the run that is current. */
  curatedBytes(): Promise<number>
  /** Removes everything below a prefix. */
  empty(prefix: string): Promise<void>
  stop(): Promise<void>
}

interface CuratedManifest {
  readonly tables: readonly { readonly name: string; readonly rows: number; readonly bytes: number }[]
}

export async function startBenchLake(dir: string): Promise<BenchLake> {
  const aws = await startLocalAws({ dir: path.join(dir, 'aws'), port: 0, log: createLogger({ level: 'error' }) })
  const { accessKeyId, endpoint, region, secretAccessKey } = aws
  const settings = { endpoint, region, credentials: { accessKeyId, secretAccessKey } }
  const s3 = new S3Client({ ...settings, forcePathStyle: true })
  const glue = new GlueClient(settings)
  const athena = new AthenaClient(settings)
  await ensureLake(PLACE, { s3, glue, athena }, { owned: true })
  const Bucket = PLACE.bucket
  const json = async <T>(Key: string): Promise<T> => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
    return JSON.parse((await Body?.transformToString()) ?? '') as T
  }
  const current = async () => {
    const { run_id } = await json<{ readonly run_id: string }>('curated-meta/v1/CURRENT.json')
    return json<CuratedManifest>(`curated-meta/v1/${run_id}.json`)
  }
  return {
    place: PLACE,
    ...{ aws, s3 },
    curatedRows: async () => Object.fromEntries((await current()).tables.map(({ name, rows }) => [name, rows])),
    curatedBytes: async () => (await current()).tables.reduce((sum, { bytes }) => sum + bytes, 0),
    async empty(Prefix) {
      for (;;) {
        const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }))
        if (Contents.length === 0) return
        const Objects = Contents.map(({ Key }) => ({ Key }))
        await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }))
      }
    },
    async stop() {
      for (const client of [s3, glue, athena]) client.destroy()
      await aws.stop()
    },
  }
}
