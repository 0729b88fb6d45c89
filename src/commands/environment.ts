import path from 'node:path'
import { type Config, parseConfig } from '../config.ts'
import { UsageError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { say } from './terminal.ts'

/**
 * Where a command works: on the settings given (production), on the embedded default that already runs in this data folder,
 * or on one that it brings up for as long as it runs.
 */

type Values = Readonly<Record<string, string | undefined>>

/** What `rocketgames env` prints. Where ROCKETGAMES_LOCAL is set, they are its own and never taken for foreign settings. */
export const PRINTED = [
  'API_URL',
  'API_KEY',
  'DATABASE_URL',
  'AWS_ENDPOINT_URL',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'LAKE_BUCKET',
  'ATHENA_WORKGROUP',
] as const

/** The environment without what an `eval "$(rocketgames env)"` in this shell left behind. */
export function ownSettings(env: Values): Values {
  if (!env.ROCKETGAMES_LOCAL) return env
  const printed = new Set<string>([...PRINTED, 'ROCKETGAMES_LOCAL'])
  const rest = Object.fromEntries(Object.entries(env).filter(([name]) => !printed.has(name)))
  return { ...rest, LOCAL_DATA_DIR: env.ROCKETGAMES_LOCAL }
}

export interface Workplace {
  /** Where something local is in use, its secrets are among them. */
  readonly config: Config
  /** The environment that a child process of this command gets. */
  readonly env: Values
  /** Absolute; undefined when nothing local is in use. */
  readonly localDir: string | undefined
  /** The embedded parts that this command brought up; undefined when it joined a running one or none is needed. */
  readonly embedded: Embedded | undefined
  close(): Promise<void>
}

export interface Embedded {
  readonly values: Readonly<Record<string, string>>
  /** Settles with a sentence when a part stops by itself. */
  readonly failed: Promise<string>
  stop(): Promise<void>
}

/** What production would have to set: the stand-ins of a laptop need what only development installs. */
export function settingsMissing(env: Values, { uses, when }: Pick<WorkplaceOptions, 'uses' | 'when'>): string[] {
  const names = [
    ...(env.DATABASE_HOST ? [] : ['DATABASE_URL']),
    ...(uses === 'database' ? [] : ['LAKE_BUCKET', 'LAKE_RESULTS']),
    // Of the service itself.
    ...(when === 'own' ? ['API_KEY_PEPPER', 'CURSOR_KEY'] : []),
  ]
  return names.filter((name) => !env[name])
}

async function loadLocal(missing: readonly string[]) {
  try {
    const [embedded, running, secrets] = await Promise.all([
      import('../local/embedded.ts'),
      import('../local/running.ts'),
      import('../local/secrets.ts'),
    ])
    embedded.requireInstalled()
    return { ...embedded, ...running, ...secrets }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new UsageError(
      `${missing.join(', ')} must be set; see "Settings" in README.md. What would stand in for them on a laptop, an embedded Postgres and a local S3, Glue and Athena, is not part of this installation`,
    )
  }
}

export interface WorkplaceOptions {
  readonly log: Logger
  /** `own`: refuse when another process already runs on the folder (the service itself). Default: join it. */
  readonly when?: 'join-or-start' | 'own'
  /** What the command works with: nothing else is brought up, and the settings of nothing else are asked for. Default: both. */
  readonly uses?: 'database' | 'database-and-lake'
}

/**
 * @throws UsageError when settings are missing or cannot be used, the folder is in use or a port is taken.
 */
export async function openWorkplace(
  given: Values,
  { log, uses = 'database-and-lake', when = 'join-or-start' }: WorkplaceOptions,
): Promise<Workplace> {
  const env = ownSettings(given)
  const base = parseConfig(env)
  const wantsDatabase = base.databaseUrl === undefined
  const wantsLake = base.lake === undefined && uses === 'database-and-lake'
  if (!wantsDatabase && !wantsLake) {
    return { config: base, env, localDir: undefined, embedded: undefined, close: async () => {} }
  }
  const local = await loadLocal(settingsMissing(env, { uses, when }))
  const dir = path.resolve(base.local.dataDir)
  const secrets = Object.fromEntries(Object.entries(local.localSecrets(dir)).filter(([name]) => !env[name]))
  const complete = (values: Readonly<Record<string, string>>) => {
    const merged = { ...env, ...secrets, ...values, LOCAL_DATA_DIR: dir }
    return { env: merged, config: parseConfig(merged), localDir: dir }
  }
  const running = when === 'own' ? undefined : local.findRunning(dir)
  if (running) {
    const { API_URL: _url, API_KEY: _key, ROCKETGAMES_LOCAL: _local, DATABASE_URL, ...values } = running.values
    const lakeResults = { LAKE_RESULTS: local.LOCAL_RESULTS }
    // A database that was given to this command is meant, whatever runs here.
    const database: Record<string, string> = wantsDatabase && DATABASE_URL !== undefined ? { DATABASE_URL } : {}
    return { ...complete({ ...lakeResults, ...values, ...database }), embedded: undefined, close: async () => {} }
  }
  const embedded = await local.startEmbedded({
    dir,
    database: wantsDatabase,
    awsPort: wantsLake ? base.local.awsPort : undefined,
    databasePort: local.lastDatabasePort(dir),
    log,
  })
  return { ...complete(embedded.values), embedded, close: () => embedded.stop() }
}

/**
 * For commands that go on from the first snapshot: where the service has just been started on the data folder, waits until it has
 * loaded the sample data and taken that snapshot.
 */
export async function whenStarted({ embedded, localDir }: Workplace): Promise<void> {
  if (localDir === undefined || embedded !== undefined) return
  const { whenReady } = await import('../local/running.ts')
  await whenReady(localDir, () =>
    say('The service has just been started: waiting for its sample data and its first snapshot …'),
  )
}
