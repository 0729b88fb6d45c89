import { z } from 'zod'
import { UsageError } from './errors.ts'
import {
  bytes,
  databaseAddress,
  duration,
  endpoint,
  flag,
  hexKeys,
  ids,
  integer,
  LOG_LEVELS,
  name,
  port,
  quota,
  roleName,
  rolePassword,
  versionedKey,
  wholeNumber,
} from './setting-kinds.ts'

/** What may be set in the environment: each setting, what it allows and what holds without it. README.md tells what each is for. */

/** An erased person has left every snapshot within so many days of the request (GDPR, art. 12(3)): kept for less. */
const ERASURE_DAYS = 30
/** Of them pass before the erasure is carried out: until then it may be cancelled. */
const ERASURE_GRACE_DAYS = 14
/** No snapshot is kept for longer, be it by a setting or by a hold. */
export const LONGEST_KEPT_DAYS = ERASURE_DAYS - ERASURE_GRACE_DAYS - 1
const LONGEST_KEPT = `at most ${LONGEST_KEPT_DAYS} days: with the ${ERASURE_GRACE_DAYS} days of grace of an erasure, an erased person has left the lake in less than ${ERASURE_DAYS}`

const dailyDays = z.coerce
  .number<string>('must be a whole number of days')
  .int('must be a whole number of days')
  .min(1, 'must be a whole number of days')
  .max(LONGEST_KEPT_DAYS, `LAKE_DAILY_DAYS must be ${LONGEST_KEPT}`)
  .default(LONGEST_KEPT_DAYS)
const keepAll = duration('LAKE_KEEP_ALL', '48h').refine((ms) => ms <= LONGEST_KEPT_DAYS * 86_400_000, {
  message: `LAKE_KEEP_ALL must be ${LONGEST_KEPT}`,
})

const settings = z.object({
  PORT: port(3000),
  HOST: z.string().default('127.0.0.1'),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  DATABASE_URL: databaseAddress.optional(),
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
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.optional(),

  LOCAL_DATA_DIR: z.string().min(1).default('.local'),
  LOCAL_AWS_PORT: port(4566),
  LOCAL_AWS_HOST: z.string().min(1).default('127.0.0.1'),
  SAMPLE_DATA: flag('on'),
  ROCKETGAMES_LOCAL: z.string().min(1).optional(),
  FAULT: z.string().optional(),

  AWS_REGION: z.string().min(1).default('us-east-1'),
  AWS_ENDPOINT_URL: endpoint.optional(),

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
  LAKE_READERS: wholeNumber(1, 8).optional(),
  LAKE_SPOOL_DIR: z.string().min(1).optional(),
  LAKE_MAX_SNAPSHOT_AGE: duration('LAKE_MAX_SNAPSHOT_AGE', '45min'),
  LAKE_PREPARED_TTL: duration('LAKE_PREPARED_TTL', '6h'),
  LAKE_CRAWLER_WAIT: duration('LAKE_CRAWLER_WAIT', '30min'),
  LAKE_RETIRE_GRACE: duration('LAKE_RETIRE_GRACE', '60min'),
  LAKE_KEEP_ALL: keepAll,
  LAKE_DAILY_DAYS: dailyDays,
})

/** Every setting, by name. */
export const SETTINGS: readonly string[] = settings.keyof().options

/** The settings as they are to be used: parsed, and with what holds where nothing is set. */
export type Settings = z.infer<typeof settings>

/**
 * Empty values count as not set.
 *
 * @throws UsageError naming each setting that cannot be used and what it allows; never its value.
 */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = settings.safeParse(present)
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new UsageError(`Settings that cannot be used:\n  ${lines.join('\n  ')}`)
  }
  return parsed.data
}

/** @throws UsageError when only a part of what belongs together is set. */
export function together<Name extends keyof Settings>(e: Settings, names: readonly Name[], why: string) {
  const missing = names.filter((each) => e[each] === undefined)
  if (missing.length > 0) {
    throw new UsageError(`${why}, so ${missing.join(' and ')} must be set as well; see "Settings" in README.md`)
  }
  return e as Settings & { readonly [name in Name]-?: NonNullable<Settings[name]> }
}

/** Ours alone. Platforms give addresses of databases under many names. */
const OURS = /^(LAKE_|DATABASE_(?!.*_URL$))/
/** Shorter names are near to too many of others: HOST to HOME. */
const SHORTEST_MISTYPED = 8
const MISTYPED_LETTERS = 2

/** Letters to add, remove or replace (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (letter === b[j] ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}

/** Names in the environment that nobody reads and that were probably meant as settings; with each how to tell it, without its value. */
export function unknownSettings(env: Readonly<Record<string, string | undefined>>): ReadonlyMap<string, string> {
  const unknown = new Map<string, string>()
  for (const [name, value] of Object.entries(env)) {
    if (!value || SETTINGS.includes(name) || !/^[A-Z0-9_]{5,64}$/.test(name)) continue
    const isOurs = OURS.test(name)
    if (!isOurs && name.length < SHORTEST_MISTYPED) continue
    const nearest = nearestSetting(name, isOurs ? name.length / 3 : MISTYPED_LETTERS)
    if (isOurs || nearest !== undefined) unknown.set(name, nearest === undefined ? name : `${name} (${nearest}?)`)
  }
  return unknown
}

/** @param most letters that may be wrong; of names whose length alone differs by more none is compared, for every command does this */
function nearestSetting(name: string, most: number): string | undefined {
  return SETTINGS.filter((each) => Math.abs(each.length - name.length) <= most)
    .map((each) => ({ each, letters: distance(name, each) }))
    .filter(({ letters }) => letters <= most)
    .sort((a, b) => a.letters - b.letters)[0]?.each
}
