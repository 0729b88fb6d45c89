import { createServer } from 'node:net'
import path from 'node:path'
import type { Logger } from '../logger.ts'
import { startLocalAws } from './aws/launcher.ts'
import { startEmbeddedPostgres } from './postgres.ts'
import { rememberDatabase } from './running.ts'

export const LOCAL_BUCKET = 'rocketgames-lake'
export const LOCAL_RESULTS = 's3://rocketgames-results/athena/'

export interface EmbeddedOptions {
  /** Absolute. Holds everything; deleting it is a full reset. */
  readonly dir: string
  readonly database: boolean
  /** Undefined: the lake is real, nothing to start. 0: any free port. */
  readonly awsPort: number | undefined
  /** Kept over restarts where it is still free, so that shells set up before go on working. */
  readonly databasePort: number | undefined
  readonly log: Logger
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}

/**
 * Brings up Postgres and the S3, Glue and Athena endpoint on one data folder, side by side. Each part locks its folder, so a
 * second copy is refused.
 *
 * @throws UsageError when a folder is in use or a port is taken.
 */
export async function startEmbedded({ dir, database, awsPort, databasePort, log }: EmbeddedOptions) {
  const started: { stop(): Promise<void> }[] = []
  const values: Record<string, string> = {}
  const failures: Promise<string>[] = []
  let stopping = false
  const stop = async () => {
    stopping = true
    await Promise.all(started.splice(0).map((part) => part.stop()))
  }
  const startDatabase = async () => {
    const postgres = await startEmbeddedPostgres({
      dir: path.join(dir, 'postgres'),
      database: 'rocketgames',
      ...(databasePort !== undefined && (await isFree(databasePort)) ? { port: databasePort } : {}),
      log: (line) => log.debug({ part: 'postgres' }, line),
    })
    started.push(postgres)
    values.DATABASE_URL = postgres.url
    rememberDatabase(dir, postgres.url)
  }
  const startAws = async (port: number) => {
    const endpoint = await startLocalAws({ dir, port, log })
    started.push(endpoint)
    const gone = endpoint.exited.then(() => {
      if (stopping) return new Promise<string>(() => {})
      return 'the local S3, Glue and Athena endpoint stopped by itself'
    })
    failures.push(gone)
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
    ...(awsPort === undefined ? [] : [startAws(awsPort)]),
    ...(database ? [startDatabase()] : []),
  ])
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) {
    await stop()
    throw failed.reason
  }
  return { values, stop, failed: Promise.race([...failures, new Promise<string>(() => {})]) }
}
