import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ApiKeyService } from '../accounts/api-keys/api-key-service.ts'
import { AnswerSeal } from '../accounts/idempotency/answer-seal.ts'
import { IdempotencyService } from '../accounts/idempotency/idempotency-service.ts'
import { type Context, systemContext } from '../caller.ts'
import type { Config } from '../config.ts'
import { type Database, type DatabaseOptions, openDatabase } from '../database/database.ts'
import { migrate } from '../database/migrate.ts'
import { UsageError } from '../errors.ts'
import { createAthenaClient } from '../lake/athena/athena-client.ts'
import { createGlueClient } from '../lake/catalogue/glue-client.ts'
import { contracts } from '../lake/contract.ts'
import { ensureLake, type LakeClients, type LakeParts, lakeParts } from '../lake/lake-setup.ts'
import { faultTap } from '../lake/snapshot/faults.ts'
import type { Lake } from '../lake/snapshot/lake.ts'
import { RunMeasurements } from '../lake/snapshot/run-measurements.ts'
import { LakeBucket } from '../lake/storage/lake-bucket.ts'
import { s3Client } from '../lake/storage/s3-client.ts'
import { watchClient } from '../lake/tap.ts'
import type { LakeConfig } from '../lake-config.ts'
import { createLogger, type Logger } from '../logger.ts'
import { unknownSettings } from '../settings.ts'
import { openWorkplace, type Workplace, type WorkplaceOptions } from './environment.ts'
import { sparkJobOf } from './spark-job.ts'

/** The parts of the program, wired. Only commands and main come here. */

export interface Software {
  readonly version: string
  readonly gitSha: string | null
}

/** The version of the package, and the commit when it runs from a checkout. */
export function software(): Software {
  const root = new URL('../../', import.meta.url)
  const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string }
  const given = process.env.GIT_SHA
  if (given) return { version, gitSha: given }
  try {
    const sha = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
    return { version, gitSha: sha.toString().trim() }
  } catch {
    return { version, gitSha: null }
  }
}

/** Whoever sits at the command line; in the audit trail as `system` `command-line`. */
export const operator = (): Context => systemContext('command-line', randomUUID())

export interface OpenLake {
  readonly config: LakeConfig
  readonly clients: LakeClients
  readonly parts: LakeParts
  readonly lake: Lake
  close(): void
}

export function openLake(
  config: LakeConfig,
  { database, sourceUrl, logger }: { database: Database; sourceUrl: string; logger: Logger },
): OpenLake {
  const tap = faultTap(config.fault)
  const clients = {
    s3: watchClient(s3Client(config), tap),
    glue: watchClient(createGlueClient(config), tap),
    athena: watchClient(createAthenaClient(config), tap),
  }
  const parts = lakeParts(config, clients)
  const measurements = new RunMeasurements()
  const bucket = new LakeBucket({
    client: clients.s3,
    bucket: config.bucket,
    kmsKey: config.kmsKey,
    onRetry(operation, error) {
      measurements.repeated(operation, error)
      logger.warn({ operation, reason: (error as Error).name }, 'a call to S3 is repeated')
    },
  })
  return {
    config,
    clients,
    parts,
    lake: {
      database,
      sourceUrl,
      bucket,
      publisher: parts.publisher,
      sparkJob: sparkJobOf(config, clients.glue, logger),
      settings: config,
      contracts,
      software: software(),
      logger,
      measurements,
      tap,
    },
    close() {
      for (const client of Object.values(clients)) client.destroy()
    },
  }
}

export interface Program {
  readonly workplace: Workplace
  readonly config: Config
  readonly databaseUrl: string
  readonly database: Database
  /** @throws UsageError without API_KEY_PEPPER. */
  readonly keys: ApiKeyService
  /** @throws UsageError without API_KEY_PEPPER. */
  readonly idempotency: IdempotencyService
  readonly logger: Logger
  /** @throws UsageError without LAKE_BUCKET. */
  lake(): OpenLake
  close(): Promise<void>
}

/** The lake for a command that writes it. Where this command brought up the local endpoint itself, nobody else has set it up. */
export async function lakeToWrite(program: Program): Promise<Lake> {
  const { clients, config, lake } = program.lake()
  if (program.workplace.embedded?.values.LAKE_BUCKET !== undefined) await ensureLake(config, clients, { owned: true })
  return lake
}

export interface ProgramOptions extends Partial<WorkplaceOptions> {
  /** How patient its connections are; default: as those of a server. */
  readonly database?: Omit<DatabaseOptions, 'url' | 'poolSize' | 'logger'>
}

/** Everything that a command may need, opened lazily by its parts; `close()` ends what the command brought up itself. */
export async function openProgram(options: ProgramOptions = {}): Promise<Program> {
  const logger = options.log ?? createLogger({ level: process.env.LOG_LEVEL || 'warn' })
  const unknown = [...unknownSettings(process.env).values()]
  if (unknown.length > 0)
    logger.warn({ unknown }, 'the environment names settings that do not exist: nobody reads them')
  const workplace = await openWorkplace(process.env, { ...options, log: logger })
  const { config } = workplace
  const { databaseUrl } = config
  if (databaseUrl === undefined) throw new Error('the workplace knows no database')
  if (workplace.localDir !== undefined) useLocalCredentials(workplace.env)
  const database = openDatabase({
    ...{ patienceMs: config.databaseWaitMs, ...options.database },
    ...{ url: databaseUrl, poolSize: config.databasePoolSize, logger },
  })
  const pepper = () => {
    if (config.apiKeyPepper !== undefined) return config.apiKeyPepper
    throw new UsageError('API_KEY_PEPPER must be set; see "Settings" in README.md')
  }
  let keys: ApiKeyService | undefined
  let idempotency: IdempotencyService | undefined
  let lake: OpenLake | undefined
  return {
    workplace,
    config,
    databaseUrl,
    database,
    get keys() {
      keys ??= new ApiKeyService(database, pepper(), logger)
      return keys
    },
    get idempotency() {
      idempotency ??= new IdempotencyService({ database, seal: new AnswerSeal(pepper()), logger })
      return idempotency
    },
    logger,
    lake() {
      if (config.lake === undefined) throw new UsageError('LAKE_BUCKET must be set; see "Settings" in README.md')
      lake ??= openLake(config.lake, { database, sourceUrl: databaseUrl, logger })
      return lake
    },
    async close() {
      lake?.close()
      await database.close()
      await workplace.close()
    },
  }
}

/**
 * While a program opens or works without handling signals itself: SIGINT and SIGTERM end what it brought up, which would
 * otherwise run on, and then the process with 130. A second signal ends the process at once.
 *
 * @returns gives the signals back
 */
export function endOnSignal(opening: Promise<Program>): () => void {
  let asked = false
  const onSignal = () => {
    if (asked) process.exit(130)
    asked = true
    const closing = opening.then((program) => program.workplace.close())
    void closing.catch(() => undefined).finally(() => process.exit(130))
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return () => {
    // Once asked there is no way back.
    if (!asked) process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

/** The first signal ends the work in good order, by `reason`; a second one ends the process at once, and what it has started with it. */
export function abortOnSignal(tell: () => void, reason?: Error): AbortController {
  const leave = new AbortController()
  const onSignal = () => {
    if (leave.signal.aborted) process.exit(130)
    tell()
    leave.abort(reason)
  }
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  return leave
}

export interface WorkOptions {
  /** The work handles SIGINT and SIGTERM itself. */
  readonly ownSignals?: boolean
  /** Default: the database and the lake. */
  readonly uses?: WorkplaceOptions['uses']
}

/** Opens the program for one command and closes it whatever happens. */
export async function withProgram<T>(
  work: (program: Program) => Promise<T>,
  { ownSignals = false, uses }: WorkOptions = {},
): Promise<T> {
  const opening = openProgram(uses === undefined ? {} : { uses })
  const giveBack = endOnSignal(opening)
  const program = await opening
  try {
    // An embedded database that only this command runs may be new, or older than the program.
    if (program.workplace.embedded?.values.DATABASE_URL !== undefined) await migrate({ url: program.databaseUrl })
    if (ownSignals) giveBack()
    return await work(program)
  } finally {
    await program.close()
    giveBack()
  }
}

/** The same for a command that works with the database alone. */
export function withDatabase<T>(work: (program: Program) => Promise<T>, options: WorkOptions = {}): Promise<T> {
  return withProgram(work, { ...options, uses: 'database' })
}

/** With the local endpoint only its own credentials count: no profile, no session of a real account is ever sent there. */
function useLocalCredentials(env: Readonly<Record<string, string | undefined>>): void {
  if (env.AWS_ENDPOINT_URL === undefined) return
  for (const name of ['AWS_PROFILE', 'AWS_SESSION_TOKEN']) delete process.env[name]
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION']) {
    const value = env[name]
    if (value !== undefined) process.env[name] = value
  }
}
