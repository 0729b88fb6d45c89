import { z } from 'zod'
import { UsageError } from './errors.ts'

/**
 * The environment, parsed once; the only reader of `process.env` for settings. `local` composes a second environment from
 * what the embedded default brought up and has it parsed here as well, so both modes run through the same checks.
 */

const MIB = 1024 * 1024

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** `90`, `90s`, `500ms`, `45min`, `6h`, `2d` in milliseconds; a bare number is seconds. */
const duration = (name: string, fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const match = /^(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)?$/.exec(text.trim())
      if (!match) {
        context.addIssue({ code: 'custom', message: `${name} must be a duration such as 500ms, 60s, 45min or 6h` })
        return z.NEVER
      }
      return Math.round(Number(match[1]) * (UNITS_MS[match[2] ?? 's'] ?? 1000))
    })

/** `1048576`, `64MiB`, `4GiB` in bytes. */
const bytes = (name: string, fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const match = /^(\d+)\s*(KiB|MiB|GiB)?$/.exec(text.trim())
      if (!match) {
        context.addIssue({ code: 'custom', message: `${name} must be a size such as 262144, 64MiB or 4GiB` })
        return z.NEVER
      }
      const unit = { KiB: 1024, MiB: MIB, GiB: 1024 * MIB }[match[2] ?? ''] ?? 1
      return Number(match[1]) * unit
    })

const integer = (fallback: number, min: number, max: number) =>
  z.coerce.number<string>().int().min(min).max(max).default(fallback)

/** `6000/60s`: so many requests in so long. */
const quota = (name: string, fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const match = /^([1-9]\d{0,8})\s*\/\s*([1-9]\d{0,4})\s*(s|min|h)?$/.exec(text.trim())
      if (!match) {
        context.addIssue({
          code: 'custom',
          message: `${name} must be requests in a time, such as 6000/60s or 100/1min`,
        })
        return z.NEVER
      }
      return { count: Number(match[1]), windowSeconds: (Number(match[2]) * (UNITS_MS[match[3] ?? 's'] ?? 1000)) / 1000 }
    })

const port = (fallback: number) => integer(fallback, 0, 65_535)
const hexKey = z.string().regex(/^[0-9a-f]{64}$/i, 'must be 64 hex digits (32 random bytes)')
const flag = (fallback: 'on' | 'off') =>
  z
    .enum(['on', 'off'])
    .default(fallback)
    .transform((v) => v === 'on')
const name = z.string().regex(/^[a-z0-9_]{1,64}$/, 'must be 1-64 of a-z, 0-9 and _')

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
  DATABASE_POOL: integer(10, 1, 200),
  API_KEY_PEPPER: hexKey.optional(),
  CURSOR_KEY: hexKey.optional(),
  SHUTDOWN_GRACE: duration('SHUTDOWN_GRACE', '25s'),
  RATE_LIMIT: quota('RATE_LIMIT', '6000/60s'),
  RATE_LIMIT_BULK: quota('RATE_LIMIT_BULK', '4/1s'),
  MAX_STREAMS: integer(6, 1, 200),
  MAX_STREAMS_PER_KEY: integer(4, 1, 200),
  MAX_IN_FLIGHT: integer(500, 1, 100_000),
  MAX_CONNECTIONS: integer(2000, 1, 100_000),

  LOCAL_DATA_DIR: z.string().min(1).default('.local'),
  LOCAL_AWS_PORT: port(4566),
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
  LAKE_PSEUDONYM_KEY: hexKey.optional(),
  LAKE_PSEUDONYM_KEY_VERSION: integer(1, 1, 1_000_000),
  LAKE_SCHEDULE: z.string().optional(),
  LAKE_SCHEDULE_ZONE: z.string().default('UTC'),
  LAKE_LEASE_TTL: duration('LAKE_LEASE_TTL', '60s'),
  LAKE_RUNNER: z.enum(['child', 'ecs']).default('child'),
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
  readonly pseudonymKey: Buffer
  readonly pseudonymKeyVersion: number
  readonly schedule: string | undefined
  readonly scheduleZone: string
  readonly leaseTtlMs: number
  readonly runner: 'child' | 'ecs'
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
  /** Undefined: files are uploaded while they are written. */
  /** Undefined: by the number of cores. */
  readonly readers: number | undefined
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
  readonly shutdownGraceMs: number
  /** Undefined: the embedded Postgres. */
  readonly databaseUrl: string | undefined
  readonly databasePoolSize: number
  readonly apiKeyPepper: Buffer | undefined
  readonly cursorKey: Buffer | undefined
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
    readonly sampleData: boolean
  }
  /** Undefined: no `LAKE_BUCKET`, so the local S3, Glue and Athena endpoint. */
  readonly lake: LakeConfig | undefined
}

function lakeConfig(e: Environment): LakeConfig | undefined {
  if (e.LAKE_BUCKET === undefined) return undefined
  const missing = (['LAKE_RESULTS', 'LAKE_PSEUDONYM_KEY'] as const).filter((key) => e[key] === undefined)
  if (missing.length > 0 || e.LAKE_RESULTS === undefined || e.LAKE_PSEUDONYM_KEY === undefined) {
    throw new UsageError(
      `LAKE_BUCKET is set, so ${missing.join(' and ')} must be set as well; see "Settings" in README.md`,
    )
  }
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
    pseudonymKey: Buffer.from(e.LAKE_PSEUDONYM_KEY, 'hex'),
    pseudonymKeyVersion: e.LAKE_PSEUDONYM_KEY_VERSION,
    schedule: e.LAKE_SCHEDULE,
    scheduleZone: e.LAKE_SCHEDULE_ZONE,
    leaseTtlMs: e.LAKE_LEASE_TTL,
    runner: e.LAKE_RUNNER,
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
    shutdownGraceMs: e.SHUTDOWN_GRACE,
    databaseUrl: e.DATABASE_URL,
    databasePoolSize: e.DATABASE_POOL,
    apiKeyPepper: e.API_KEY_PEPPER === undefined ? undefined : Buffer.from(e.API_KEY_PEPPER, 'hex'),
    cursorKey: e.CURSOR_KEY === undefined ? undefined : Buffer.from(e.CURSOR_KEY, 'hex'),
    limits: {
      requests: e.RATE_LIMIT,
      bulk: e.RATE_LIMIT_BULK,
      streamsPerKey: e.MAX_STREAMS_PER_KEY,
      streams: e.MAX_STREAMS,
      inFlight: e.MAX_IN_FLIGHT,
    },
    maxConnections: e.MAX_CONNECTIONS,
    local: { dataDir: e.LOCAL_DATA_DIR, awsPort: e.LOCAL_AWS_PORT, sampleData: e.SAMPLE_DATA },
    lake: lakeConfig(e),
  }
}
