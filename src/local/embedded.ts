import path from 'node:path'
import { startLocalAws } from './aws/launcher.ts'
import { lockFolder } from './folder-lock.ts'
import { startEmbeddedPostgres } from './postgres.ts'

export const LOCAL_BUCKET = 'rocketgames-lake'
export const LOCAL_RESULTS = 's3://rocketgames-results/athena/'

export interface EmbeddedOptions {
  /** Absolute. Holds everything; deleting it is a full reset. */
  readonly dir: string
  readonly database: boolean
  /** Undefined: the lake is real, nothing to start. */
  readonly aws: { readonly port: number; readonly region: string } | undefined
  readonly log: (line: string) => void
}

/**
 * Brings up Postgres and the S3, Glue and Athena endpoint on one data folder, side by side. The folder is locked first: a
 * second copy is refused. Stops in reverse order.
 *
 * @throws UsageError when the folder is in use or a port is taken.
 */
export async function startEmbedded({ dir, database, aws, log }: EmbeddedOptions) {
  const lock = await lockFolder(dir, 'RocketGames')
  const started: { stop(): Promise<void> }[] = []
  const values: Record<string, string> = {}
  const failures: Promise<string>[] = []
  const stop = async () => {
    await Promise.all(started.splice(0).map((part) => part.stop()))
    await lock.release()
  }
  const startDatabase = async () => {
    const postgres = await startEmbeddedPostgres({ dir: path.join(dir, 'postgres'), database: 'rocketgames', log })
    started.push(postgres)
    values.DATABASE_URL = postgres.url
  }
  const startAws = async (port: number) => {
    const endpoint = await startLocalAws({ dir, port, log })
    started.push(endpoint)
    failures.push(endpoint.exited.then(() => 'the local AWS endpoint stopped'))
    Object.assign(values, {
      AWS_ENDPOINT_URL: endpoint.endpoint,
      AWS_REGION: endpoint.region,
      AWS_ACCESS_KEY_ID: endpoint.accessKeyId,
      AWS_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
      LAKE_BUCKET: LOCAL_BUCKET,
      LAKE_RESULTS: LOCAL_RESULTS,
      ATHENA_WORKGROUP: 'rocketgames',
    })
  }
  const outcomes = await Promise.allSettled([
    ...(database ? [startDatabase()] : []),
    ...(aws ? [startAws(aws.port)] : []),
  ])
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) {
    await stop()
    throw failed.reason
  }
  return { values, stop, failed: Promise.race([...failures, new Promise<string>(() => {})]) }
}
