import { createServer } from 'node:net'
import path from 'node:path'
import type { Logger } from '../logger.ts'
import { startLocalAws } from './aws/launcher.ts'
import { startEmbeddedPostgres } from './postgres.ts'
import { isAlive } from './process-identity.ts'
import { rememberDatabase } from './running.ts'
import { type Part, Supervised } from './supervised.ts'

export const LOCAL_BUCKET = 'rocketgames-lake'
export const LOCAL_RESULTS = 's3://rocketgames-results/athena/'
const WATCH_MS = 500

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

/**
 * What only development installs and the embedded default cannot do without.
 *
 * @throws Error `ERR_MODULE_NOT_FOUND` where it is missing, as in the production image.
 */
export function requireInstalled(): void {
  for (const name of ['@duckdb/node-api', 'fast-xml-parser']) import.meta.resolve(name)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}

/** The postmaster may be no child of ours, so it is looked at now and then. */
function endOf(pid: number): { readonly gone: Promise<void>; forget(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setInterval(() => {
    if (isAlive(pid)) return
    clearInterval(timer)
    resolve()
  }, WATCH_MS)
  timer.unref()
  return { gone: promise, forget: () => clearInterval(timer) }
}

/**
 * Brings up Postgres and the S3, Glue and Athena endpoint on one data folder, side by side, and keeps them up. Each part locks its
 * folder, so a second copy is refused.
 *
 * @throws UsageError when a folder is in use or a port is taken.
 */
export async function startEmbedded({ dir, database, awsPort, databasePort, log }: EmbeddedOptions) {
  const values: Record<string, string> = {}
  let postgresPort = databasePort !== undefined && (await isFree(databasePort)) ? databasePort : undefined
  let endpointPort = awsPort

  const startDatabase = async (): Promise<Part> => {
    const postgres = await startEmbeddedPostgres({
      dir: path.join(dir, 'postgres'),
      database: 'rocketgames',
      ...(postgresPort === undefined ? {} : { port: postgresPort }),
      log: (line) => log.debug({ part: 'postgres' }, line),
    })
    postgresPort = postgres.port
    values.DATABASE_URL = postgres.url
    rememberDatabase(dir, postgres.url)
    const end = endOf(postgres.pid)
    const stop = async () => {
      end.forget()
      await postgres.stop()
    }
    // What is left of a dead one is its lock: give it back before the next start takes it.
    return { gone: end.gone.then(() => postgres.stop()), stop }
  }

  const startAws = async (): Promise<Part> => {
    const endpoint = await startLocalAws({ dir, port: endpointPort ?? 0, log })
    endpointPort = Number(new URL(endpoint.endpoint).port)
    Object.assign(values, {
      AWS_ENDPOINT_URL: endpoint.endpoint,
      AWS_REGION: endpoint.region,
      // boto3 and what is built on it read no other name
      AWS_DEFAULT_REGION: endpoint.region,
      AWS_ACCESS_KEY_ID: endpoint.accessKeyId,
      AWS_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
      LAKE_BUCKET: LOCAL_BUCKET,
      LAKE_RESULTS: LOCAL_RESULTS,
      ATHENA_WORKGROUP: 'rocketgames',
    })
    return { gone: endpoint.exited, stop: () => endpoint.stop() }
  }

  const parts = [
    ...(awsPort === undefined ? [] : [new Supervised('the S3, Glue and Athena endpoint', startAws, log)]),
    ...(database ? [new Supervised('Postgres', startDatabase, log)] : []),
  ]
  const stop = async () => void (await Promise.all(parts.map((part) => part.stop())))
  const outcomes = await Promise.allSettled(parts.map((part) => part.begin()))
  const refused = outcomes.find((outcome) => outcome.status === 'rejected')
  if (refused) {
    await stop()
    throw refused.reason
  }
  return { values, stop, failed: Promise.race(parts.map((part) => part.failed)) }
}
