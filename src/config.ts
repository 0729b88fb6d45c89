import { UsageError } from './errors.ts'
import { type LakeConfig, lakeConfig } from './lake-config.ts'
import { parseSettings, type Settings, together } from './settings.ts'

/**
 * The environment, parsed once; the only reader of `process.env` for settings. `local` composes a second environment from
 * what the embedded default brought up and has it parsed here as well, so both modes run through the same checks.
 */

/** A role that `migrate` makes, and what it logs in with. */
export interface DatabaseUser {
  readonly user: string
  readonly password: string
}

export interface Config {
  readonly port: number
  readonly host: string
  readonly logLevel: Settings['LOG_LEVEL']
  /** Between SIGTERM and the end of listening: not ready any more, requests are still taken. */
  readonly shutdownDelayMs: number
  readonly shutdownGraceMs: number
  /** Undefined: the embedded Postgres. */
  readonly databaseUrl: string | undefined
  readonly databasePoolSize: number
  /** How long a database that is away is waited for. */
  readonly databaseWaitMs: number
  /** Made and altered by `migrate`. */
  readonly databaseUsers: {
    readonly service: DatabaseUser | undefined
    readonly exporter: DatabaseUser | undefined
  }
  /** False: `serve` is not ready while migrations are pending. */
  readonly migrateAtStart: boolean
  /** Name of the installation, in metrics, traces and logs. */
  readonly stage: string
  /** What is written to standard output besides: nothing, or CloudWatch's embedded metric format. */
  readonly metrics: 'none' | 'emf'
  /** Base address of a collector (OTLP over HTTP); undefined: no traces. */
  readonly otlpEndpoint: string | undefined
  /** The first is used; those behind it hold until their rotation is over. */
  readonly apiKeyPepper: readonly Buffer[] | undefined
  readonly cursorKey: readonly Buffer[] | undefined
  /** What callers may take of one process. */
  readonly limits: {
    readonly requests: { readonly count: number; readonly windowSeconds: number }
    readonly bulk: { readonly count: number; readonly windowSeconds: number }
    readonly streamsPerKey: number
    readonly streams: number
    readonly inFlight: number
  }
  readonly maxConnections: number
  readonly local: {
    readonly dataDir: string
    readonly awsPort: number
    /** Where the endpoint listens that runs by itself; the embedded one keeps to loopback. */
    readonly awsHost: string
    readonly sampleData: boolean
  }
  /** Undefined: no `LAKE_BUCKET`, so the local S3, Glue and Athena endpoint. */
  readonly lake: LakeConfig | undefined
}

const secrets = (list: string | undefined) => list?.split(',').map((hex) => Buffer.from(hex, 'hex'))

/** Of its parts, as task definitions inject them from a secret; the server must prove who it is. */
function databaseUrl(given: Settings): string | undefined {
  const names = ['DATABASE_HOST', 'DATABASE_NAME', 'DATABASE_USER', 'DATABASE_PASSWORD'] as const
  const [some] = [...names, 'DATABASE_SSL_CA' as const].filter((each) => given[each] !== undefined)
  if (some === undefined) return given.DATABASE_URL
  if (given.DATABASE_URL !== undefined) throw new UsageError(`Set either DATABASE_URL or ${some}, not both`)
  const e = together(given, names, `${some} is set`)
  const login = `${encodeURIComponent(e.DATABASE_USER)}:${encodeURIComponent(e.DATABASE_PASSWORD)}`
  const host = e.DATABASE_HOST.includes(':') ? `[${e.DATABASE_HOST}]` : e.DATABASE_HOST
  const security = new URLSearchParams({ sslmode: 'verify-full' })
  if (e.DATABASE_SSL_CA !== undefined) security.set('sslrootcert', e.DATABASE_SSL_CA)
  return `postgresql://${login}@${host}:${e.DATABASE_PORT}/${e.DATABASE_NAME}?${security}`
}

function databaseUser(given: Settings, role: 'SERVICE' | 'EXPORTER'): DatabaseUser | undefined {
  const [user, password] = [`DATABASE_${role}_USER`, `DATABASE_${role}_PASSWORD`] as const
  const [some] = [user, password].filter((each) => given[each] !== undefined)
  if (some === undefined) return undefined
  const e = together(given, [user, password], `${some} is set`)
  return { user: e[user], password: e[password] }
}

/**
 * Parses the environment. Empty values count as not set.
 *
 * @throws UsageError naming each setting that cannot be used and what it allows; never its value.
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const e = parseSettings(env)
  return {
    port: e.PORT,
    host: e.HOST,
    logLevel: e.LOG_LEVEL,
    shutdownDelayMs: e.SHUTDOWN_DELAY,
    shutdownGraceMs: e.SHUTDOWN_GRACE,
    databaseUrl: databaseUrl(e),
    databasePoolSize: e.DATABASE_POOL,
    databaseWaitMs: e.DATABASE_WAIT,
    databaseUsers: { service: databaseUser(e, 'SERVICE'), exporter: databaseUser(e, 'EXPORTER') },
    migrateAtStart: e.MIGRATE_AT_START,
    stage: e.STAGE,
    metrics: e.METRICS,
    otlpEndpoint: e.OTEL_EXPORTER_OTLP_ENDPOINT,
    apiKeyPepper: secrets(e.API_KEY_PEPPER),
    cursorKey: secrets(e.CURSOR_KEY),
    limits: {
      requests: e.RATE_LIMIT,
      bulk: e.RATE_LIMIT_BULK,
      streamsPerKey: e.MAX_STREAMS_PER_KEY,
      streams: e.MAX_STREAMS,
      inFlight: e.MAX_IN_FLIGHT,
    },
    maxConnections: e.MAX_CONNECTIONS,
    local: {
      dataDir: e.LOCAL_DATA_DIR,
      awsPort: e.LOCAL_AWS_PORT,
      awsHost: e.LOCAL_AWS_HOST,
      sampleData: e.SAMPLE_DATA,
    },
    lake: lakeConfig(e),
  }
}
