import { z } from 'zod'
import { UsageError } from './errors.ts'
import {
  bytes,
  duration,
  flag,
  hexKeys,
  ids,
  integer,
  name,
  port,
  quota,
  roleName,
  rolePassword,
  versionedKey,
} from './setting-kinds.ts'

/**
 * The environment, parsed once; the only reader of `process.env` for settings. `local` composes a second environment from
 * what the embedded default brought up and has it parsed here as well, so both modes run through the same checks.
 */

/** An erased person has left every snapshot within so many days of the request (GDPR, art. 12(3)): kept for less. */
const ERASURE_DAYS = 30
/** Of them pass before the erasure is carried out: until then it may be cancelled. */
const ERASURE_GRACE_DAYS = 14
/** No snapshot is kept for longer, be it by a setting or by a hold. */
export const LONGEST_KEPT_DAYS = ERASURE_DAYS - ERASURE_GRACE_DAYS - 1
const LONGEST_KEPT = `at most ${LONGEST_KEPT_DAYS} days: with the ${ERASURE_GRACE_DAYS} days of grace of an erasure, an erased person has left the lake in less than ${ERASURE_DAYS}`

const dailyDays = z.coerce
  .number<string>()
  .int()
  .min(1)
  .max(LONGEST_KEPT_DAYS, `LAKE_DAILY_DAYS must be ${LONGEST_KEPT}`)
  .default(LONGEST_KEPT_DAYS)
const keepAll = duration('LAKE_KEEP_ALL', '48h').refine((ms) => ms <= LONGEST_KEPT_DAYS * 86_400_000, {
  message: `LAKE_KEEP_ALL must be ${LONGEST_KEPT}`,
})

const environment = z.object({
  PORT: port(3000),
  HOST: z.string().default('127.0.0.1'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  DATABASE_URL: z.string().startsWith('postgres', 'must be a postgresql:// URL').optional(),
  DATABASE_HOST: z
    .string()
    .regex(/^[A-Za-z0-9.:-]{1,253}$/, 'must be the name or address of a host')
    .optional(),
  DATABASE_PORT: integer(5432, 1, 65_535),
  DATABASE_NAME: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,63}$/, 'must be 1-63 of A-Z, a-z, 0-9, _, . and -')
    .optional(),
  DATABASE_USER: z.string().min(1).max(63).optional(),
  DATABASE_PASSWORD: z.string().min(1).max(1024).optional(),
  DATABASE_SSL_CA: z.string().min(1).optional(),
  DATABASE_SERVICE_USER: roleName.optional(),
  DATABASE_SERVICE_PASSWORD: rolePassword.optional(),
  DATABASE_EXPORTER_USER: roleName.optional(),
  DATABASE_EXPORTER_PASSWORD: rolePassword.optional(),
  DATABASE_POOL: integer(10, 1, 200),
  DATABASE_WAIT: duration('DATABASE_WAIT', '10s'),
  API_KEY_PEPPER: hexKeys.optional(),
  CURSOR_KEY: hexKeys.optional(),
  SHUTDOWN_DELAY: duration('SHUTDOWN_DELAY', '0s'),
  SHUTDOWN_GRACE: duration('SHUTDOWN_GRACE', '25s'),
  RATE_LIMIT: quota('RATE_LIMIT', '6000/60s'),
  RATE_LIMIT_BULK: quota('RATE_LIMIT_BULK', '4/1s'),
  MAX_STREAMS: integer(6, 1, 200),
  MAX_STREAMS_PER_KEY: integer(4, 1, 200),
  MAX_IN_FLIGHT: integer(500, 1, 100_000),
  MAX_CONNECTIONS: integer(2000, 1, 100_000),

  MIGRATE_AT_START: flag('on'),
  STAGE: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'must be 1-64 of A-Z, a-z, 0-9, _, . and -')
    .default('local'),
  METRICS: z.enum(['none', 'emf']).default('none'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),

  LOCAL_DATA_DIR: z.string().min(1).default('.local'),
  LOCAL_AWS_PORT: port(4566),
  LOCAL_AWS_HOST: z.string().min(1).default('127.0.0.1'),
  SAMPLE_DATA: flag('on'),
  ROCKETGAMES_LOCAL: z.string().min(1).optional(),
  FAULT: z.string().optional(),

  AWS_REGION: z.string().min(1).default('us-east-1'),
  AWS_ENDPOINT_URL: z.url().optional(),

  LAKE_BUCKET: z.string().min(3).optional(),
  LAKE_RESULTS: z.string().startsWith('s3://').optional(),
  LAKE_KMS_KEY: z.string().optional(),
  LAKE_RAW_DATABASE: name.default('rocketgames_raw'),
  LAKE_DATABASE: name.default('rocketgames'),
  LAKE_CURATED_DATABASE: name.default('rocketgames_curated'),
  LAKE_CRAWLER: z.string().min(1).default('rocketgames-lake-v1'),
  LAKE_CRAWLER_ROLE: z.string().optional(),
  ATHENA_WORKGROUP: z.string().min(1).default('rocketgames'),
  LAKE_PSEUDONYM_KEY: versionedKey.optional(),
  LAKE_PSEUDONYM_KEY_VERSION: integer(1, 1, 1_000_000),
  LAKE_SCHEDULE: z.string().optional(),
  LAKE_SCHEDULE_ZONE: z.string().default('UTC'),
  LAKE_LEASE_TTL: duration('LAKE_LEASE_TTL', '60s'),
  LAKE_RUNNER: z.enum(['child', 'ecs']).default('child'),
  LAKE_SCHEDULER: z.enum(['service', 'none']).default('service'),
  LAKE_ECS_CLUSTER: z.string().min(1).max(255).optional(),
  LAKE_ECS_SNAPSHOT_TASK: z.string().min(1).max(255).optional(),
  LAKE_ECS_CARE_TASK: z.string().min(1).max(255).optional(),
  LAKE_ECS_CONTAINER: z.string().min(1).max(255).optional(),
  LAKE_ECS_SUBNETS: ids.optional(),
  LAKE_ECS_SECURITY_GROUPS: ids.optional(),
  LAKE_ENGINE: z.enum(['node', 'spark']).default('node'),
  LAKE_SPARK_JOB: z.string().min(1).max(255).optional(),
  LAKE_CODEC: z.enum(['zstd', 'snappy', 'gzip']).default('zstd'),
  LAKE_FILE_TARGET_BYTES: bytes('LAKE_FILE_TARGET_BYTES', '192MiB'),
  LAKE_ROW_GROUP_BYTES: bytes('LAKE_ROW_GROUP_BYTES', '64MiB'),
  LAKE_ROW_GROUP_ROWS: integer(262_144, 1, 1_048_576),
  LAKE_PART_BYTES: bytes('LAKE_PART_BYTES', '8MiB'),
  LAKE_PARTS_IN_FLIGHT: integer(2, 1, 16),
  LAKE_PARALLEL_TABLE_BYTES: bytes('LAKE_PARALLEL_TABLE_BYTES', '4GiB'),
  LAKE_READERS: z.coerce.number<string>().int().min(1).max(8).optional(),
  LAKE_SPOOL_DIR: z.string().min(1).optional(),
  LAKE_MAX_SNAPSHOT_AGE: duration('LAKE_MAX_SNAPSHOT_AGE', '45min'),
  LAKE_PREPARED_TTL: duration('LAKE_PREPARED_TTL', '6h'),
  LAKE_CRAWLER_WAIT: duration('LAKE_CRAWLER_WAIT', '30min'),
  LAKE_RETIRE_GRACE: duration('LAKE_RETIRE_GRACE', '60min'),
  LAKE_KEEP_ALL: keepAll,
  LAKE_DAILY_DAYS: dailyDays,
})

type Environment = z.infer<typeof environment>

/** A role that `migrate` makes, and what it logs in with. */
export interface DatabaseUser {
  readonly user: string
  readonly password: string
}

/** Where `LAKE_RUNNER=ecs` starts the commands of the lake. */
export interface EcsConfig {
  /** Name or ARN. */
  readonly cluster: string
  /** Families of task definitions, or their ARNs. */
  readonly snapshotTask: string
  readonly careTask: string
  /** The container of both whose command is given. */
  readonly container: string
  readonly subnets: readonly string[]
  readonly securityGroups: readonly string[]
}

/** Settings of the lake, complete: a snapshot can run with them. */
export interface LakeConfig {
  readonly region: string
  /** Undefined: the real AWS endpoints. */
  readonly endpoint: string | undefined
  readonly bucket: string
  readonly resultsUri: string
  readonly kmsKey: string | undefined
  readonly rawDatabase: string
  readonly database: string
  readonly curatedDatabase: string
  readonly crawler: string
  readonly crawlerRole: string
  readonly workgroup: string
  /** Undefined: this process takes no snapshots. */
  readonly pseudonymKey: Buffer | undefined
  readonly pseudonymKeyVersion: number
  readonly schedule: string | undefined
  readonly scheduleZone: string
  readonly leaseTtlMs: number
  readonly runner: 'child' | 'ecs'
  /** With `runner` ecs, and only then. */
  readonly ecs: EcsConfig | undefined
  /** Who starts what is due: every service, or somebody else by `snapshot --scheduled` and `care`. */
  readonly scheduler: 'service' | 'none'
  /** What reads the rows of a snapshot. */
  readonly engine: 'node' | 'spark'
  /** Job of AWS Glue that is the Spark engine; undefined: a process of this machine. */
  readonly sparkJob: string | undefined
  readonly codec: 'zstd' | 'snappy' | 'gzip'
  readonly fileTargetBytes: number
  readonly rowGroupBytes: number
  readonly rowGroupRows: number
  readonly partBytes: number
  readonly partsInFlight: number
  readonly parallelTableBytes: number
  /** Undefined: by the number of cores. */
  readonly readers: number | undefined
  /** Undefined: files are uploaded while they are written. */
  readonly spoolDir: string | undefined
  readonly maxSnapshotAgeMs: number
  readonly preparedTtlMs: number
  readonly crawlerWaitMs: number
  readonly retireGraceMs: number
  /** Every snapshot is kept this long. */
  readonly keepAllMs: number
  readonly dailyDays: number
  /** `<point>:kill`, for tests of crashes; undefined in production. */
  readonly fault: string | undefined
}

export interface Config {
  readonly port: number
  readonly host: string
  readonly logLevel: Environment['LOG_LEVEL']
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

const secret = (hex: string | undefined) => (hex === undefined ? undefined : Buffer.from(hex, 'hex'))
const secrets = (list: string | undefined) => list?.split(',').map((hex) => Buffer.from(hex, 'hex'))

/** The version in front of the key holds, whatever LAKE_PSEUDONYM_KEY_VERSION says. */
function pseudonymKeyOf(e: Environment): Pick<LakeConfig, 'pseudonymKey' | 'pseudonymKeyVersion'> {
  const [key, version] = e.LAKE_PSEUDONYM_KEY?.split(':').reverse() ?? []
  return { pseudonymKey: secret(key), pseudonymKeyVersion: Number(version ?? e.LAKE_PSEUDONYM_KEY_VERSION) }
}

/** @throws UsageError when only a part of what belongs together is set. */
function together<Name extends keyof Environment>(e: Environment, names: readonly Name[], why: string) {
  const missing = names.filter((each) => e[each] === undefined)
  if (missing.length > 0) {
    throw new UsageError(`${why}, so ${missing.join(' and ')} must be set as well; see "Settings" in README.md`)
  }
  return e as Environment & { readonly [name in Name]-?: NonNullable<Environment[name]> }
}

/** Of its parts, as task definitions inject them from a secret; the server must prove who it is. */
function databaseUrl(given: Environment): string | undefined {
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

function databaseUser(given: Environment, role: 'SERVICE' | 'EXPORTER'): DatabaseUser | undefined {
  const [user, password] = [`DATABASE_${role}_USER`, `DATABASE_${role}_PASSWORD`] as const
  const [some] = [user, password].filter((each) => given[each] !== undefined)
  if (some === undefined) return undefined
  const e = together(given, [user, password], `${some} is set`)
  return { user: e[user], password: e[password] }
}

const ECS = [
  'LAKE_ECS_CLUSTER',
  'LAKE_ECS_SNAPSHOT_TASK',
  'LAKE_ECS_CARE_TASK',
  'LAKE_ECS_CONTAINER',
  'LAKE_ECS_SUBNETS',
  'LAKE_ECS_SECURITY_GROUPS',
] as const

function ecsConfig(given: Environment): EcsConfig | undefined {
  if (given.LAKE_RUNNER !== 'ecs') return undefined
  const e = together(given, ECS, 'LAKE_RUNNER is ecs')
  return {
    cluster: e.LAKE_ECS_CLUSTER,
    snapshotTask: e.LAKE_ECS_SNAPSHOT_TASK,
    careTask: e.LAKE_ECS_CARE_TASK,
    container: e.LAKE_ECS_CONTAINER,
    subnets: e.LAKE_ECS_SUBNETS,
    securityGroups: e.LAKE_ECS_SECURITY_GROUPS,
  }
}

function lakeConfig(given: Environment): LakeConfig | undefined {
  if (given.LAKE_BUCKET === undefined) return undefined
  const e = together(given, ['LAKE_BUCKET', 'LAKE_RESULTS'], 'LAKE_BUCKET is set')
  return {
    region: e.AWS_REGION,
    endpoint: e.AWS_ENDPOINT_URL,
    bucket: e.LAKE_BUCKET,
    resultsUri: e.LAKE_RESULTS,
    kmsKey: e.LAKE_KMS_KEY,
    rawDatabase: e.LAKE_RAW_DATABASE,
    database: e.LAKE_DATABASE,
    curatedDatabase: e.LAKE_CURATED_DATABASE,
    crawler: e.LAKE_CRAWLER,
    crawlerRole: e.LAKE_CRAWLER_ROLE ?? 'rocketgames-crawler',
    workgroup: e.ATHENA_WORKGROUP,
    ...pseudonymKeyOf(e),
    schedule: e.LAKE_SCHEDULE,
    scheduleZone: e.LAKE_SCHEDULE_ZONE,
    leaseTtlMs: e.LAKE_LEASE_TTL,
    runner: e.LAKE_RUNNER,
    ecs: ecsConfig(e),
    scheduler: e.LAKE_SCHEDULER,
    engine: e.LAKE_ENGINE,
    sparkJob: e.LAKE_SPARK_JOB,
    codec: e.LAKE_CODEC,
    fileTargetBytes: e.LAKE_FILE_TARGET_BYTES,
    rowGroupBytes: e.LAKE_ROW_GROUP_BYTES,
    rowGroupRows: e.LAKE_ROW_GROUP_ROWS,
    partBytes: e.LAKE_PART_BYTES,
    partsInFlight: e.LAKE_PARTS_IN_FLIGHT,
    parallelTableBytes: e.LAKE_PARALLEL_TABLE_BYTES,
    readers: e.LAKE_READERS,
    spoolDir: e.LAKE_SPOOL_DIR,
    maxSnapshotAgeMs: e.LAKE_MAX_SNAPSHOT_AGE,
    preparedTtlMs: e.LAKE_PREPARED_TTL,
    crawlerWaitMs: e.LAKE_CRAWLER_WAIT,
    retireGraceMs: e.LAKE_RETIRE_GRACE,
    keepAllMs: e.LAKE_KEEP_ALL,
    dailyDays: e.LAKE_DAILY_DAYS,
    fault: e.FAULT,
  }
}

/**
 * Parses the environment. Empty values count as not set.
 *
 * @throws UsageError naming each setting that cannot be used and what it allows; never its value.
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = environment.safeParse(present)
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new UsageError(`Settings that cannot be used:\n  ${lines.join('\n  ')}`)
  }
  const e = parsed.data
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
