import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import { ApiKeyService } from '../../src/accounts/api-keys/api-key-service.ts'
import { systemContext } from '../../src/caller.ts'
import { openDatabase } from '../../src/database/database.ts'
import { migrate } from '../../src/database/migrate.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/local/postgres.ts'
import { seedPlayers } from './players.ts'
import { type ServerProcess, startServer } from './processes.ts'

const POOL_SIZE = 10
/** Of one key in 60 seconds: counted, told, never met. */
const QUOTA = 999_999_999
const ROOT = path.resolve(import.meta.dirname, '../..')

/** The players, a key that may do everything, and the secrets that all servers share. */
export interface Setting {
  readonly dir: string
  readonly cluster: EmbeddedPostgres
  readonly players: number
  readonly token: string
  readonly cursorKey: Buffer
  readonly pepper: Buffer
}

/** A database in `dir`, new or as an earlier run left it. */
export async function openSetting(dir: string, players: number): Promise<Setting> {
  const cluster = await startEmbeddedPostgres({
    dir: path.join(dir, 'postgres'),
    database: `players_${players}`,
    settings: ['shared_buffers=1GB', 'max_wal_size=4GB'],
  })
  try {
    const { applied } = await migrate({ url: cluster.url })
    const secrets = secretsOf(dir)
    if (applied.some((name) => name.endsWith('create_accounts'))) await seedPlayers(cluster.url, players)
    const database = openDatabase({ url: cluster.url, poolSize: 1 })
    const keys = new ApiKeyService(database, secrets.pepper, pino({ level: 'silent' }))
    const { token } = await keys.createAdmin('bench', systemContext('bench', 'bench-api'))
    await database.close()
    return { dir, cluster, players, token, ...secrets }
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

function secretsOf(dir: string): { pepper: Buffer; cursorKey: Buffer } {
  const file = path.join(dir, 'secrets')
  if (!existsSync(file)) writeFileSync(file, randomBytes(64).toString('hex'), { mode: 0o600 })
  const bytes = Buffer.from(readFileSync(file, 'utf8'), 'hex')
  return { pepper: bytes.subarray(0, 32), cursorKey: bytes.subarray(32) }
}

/** The number of the first player whom no earlier run has changed. */
export async function firstUnchanged({ cluster }: Setting): Promise<number> {
  const client = new pg.Client(cluster.url)
  await client.connect()
  try {
    const { rows } = await client.query<{ n: number }>(
      `SELECT coalesce(max(substr(username, 7)::int), 0) + 1 AS n FROM player WHERE version > 1 AND username ~ '^player[0-9]+$'`,
    )
    return rows[0]?.n ?? 1
  } finally {
    await client.end()
  }
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

export const SERVERS = ['ours', 'baseline', 'postgraphile', 'postgraphile-open'] as const
/** The last one checks no key. */
export type ServerName = (typeof SERVERS)[number]

/** `ours` is `rocketgames serve` with everything that it does in production. */
export async function startOne(
  name: ServerName,
  setting: Setting,
  nodeOptions: readonly string[],
): Promise<ServerProcess> {
  const { cluster, dir } = setting
  const logFile = path.join(dir, `${name}.log`)
  const env = shellEnvironment()
  const [pepper, cursorKey] = [setting.pepper.toString('hex'), setting.cursorKey.toString('hex')]
  if (name === 'postgraphile' || name === 'postgraphile-open') {
    const args = [cluster.url, String(POOL_SIZE), ...(name === 'postgraphile' ? [pepper] : [])]
    return startServer({ script: path.join(ROOT, 'bench/api/postgraphile.ts'), args, env, logFile, nodeOptions })
  }
  if (name === 'baseline') {
    const options = { databaseUrl: cluster.url, poolSize: POOL_SIZE, pepper, cursorKey, quota: QUOTA }
    const args = [JSON.stringify(options)]
    return startServer({ script: path.join(ROOT, 'bench/api/baseline.ts'), args, env, logFile, nodeOptions })
  }
  const port = await freePort()
  const settings = { ...serviceEnvironment(setting), PORT: String(port) }
  return startServer({
    script: path.join(ROOT, 'src/main.ts'),
    args: ['serve'],
    env: settings,
    logFile,
    port,
    nodeOptions,
  })
}

const shellEnvironment = () => ({ PATH: process.env.PATH, HOME: os.homedir(), NODE_ENV: 'production' })

/** What `rocketgames serve` is started with. */
function serviceEnvironment({ cluster, cursorKey, pepper }: Setting): NodeJS.ProcessEnv {
  return {
    ...shellEnvironment(),
    LOG_LEVEL: 'info',
    RATE_LIMIT: `${QUOTA}/60s`,
    DATABASE_URL: cluster.url,
    DATABASE_POOL: String(POOL_SIZE),
    API_KEY_PEPPER: pepper.toString('hex'),
    CURSOR_KEY: cursorKey.toString('hex'),
    // The lake is not asked anything, but the service starts only with one.
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    LAKE_BUCKET: 'bench-lake',
    LAKE_RESULTS: 's3://bench-lake/results/',
    LAKE_PSEUDONYM_KEY: pepper.toString('hex'),
  }
}

/** What the function is started with. */
export function functionEnvironment(setting: Setting): NodeJS.ProcessEnv {
  const { LAKE_PSEUDONYM_KEY: _other, ...service } = serviceEnvironment(setting)
  return {
    ...service,
    DATABASE_POOL: '2',
    MIGRATE_AT_START: 'off',
    LAKE_RUNNER: 'ecs',
    LAKE_SCHEDULER: 'none',
    LAKE_ECS_CLUSTER: 'bench',
    LAKE_ECS_SNAPSHOT_TASK: 'snapshot',
    LAKE_ECS_CARE_TASK: 'care',
    LAKE_ECS_CONTAINER: 'accounts',
    LAKE_ECS_SUBNETS: 'subnet-1',
    LAKE_ECS_SECURITY_GROUPS: 'sg-1',
  }
}
