import { randomBytes } from 'node:crypto'
import os from 'node:os'
import path from 'node:path'
import { pino } from 'pino'
import { ApiKeyService } from '../../src/accounts/api-keys/api-key-service.ts'
import { systemContext } from '../../src/caller.ts'
import { openDatabase } from '../../src/database/database.ts'
import { migrate } from '../../src/database/migrate.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/local/postgres.ts'
import { type ServerProcess, startServer } from '../api/processes.ts'
import { freePort } from '../api/setting.ts'

/** As `npm start` has it: room for what is young is not taken for good, so that memory stays flat. */
const NODE_OPTIONS = ['--max-semi-space-size=16']
const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts')

/** `rocketgames serve` with everything that it does in production, on an embedded Postgres with its own settings. */
export interface Service {
  readonly service: ServerProcess
  readonly cluster: EmbeddedPostgres
  readonly token: string
  stop(): Promise<void>
}

export async function openService(dir: string, nodeOptions: readonly string[]): Promise<Service> {
  const cluster = await startEmbeddedPostgres({ dir: path.join(dir, 'postgres'), database: 'imported' })
  try {
    await migrate({ url: cluster.url })
    const pepper = randomBytes(32)
    const database = openDatabase({ url: cluster.url, poolSize: 1 })
    const keys = new ApiKeyService(database, pepper, pino({ level: 'silent' }))
    const { token } = await keys.createAdmin('bench', systemContext('bench', 'bench-import'))
    await database.close()
    const service = await startService(dir, cluster.url, pepper.toString('hex'), nodeOptions)
    const stop = async () => {
      await service.stop()
      await cluster.stop()
    }
    return { service, cluster, token, stop }
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

async function startService(dir: string, databaseUrl: string, secret: string, nodeOptions: readonly string[]) {
  const port = await freePort()
  const env = {
    PATH: process.env.PATH,
    HOME: os.homedir(),
    NODE_ENV: 'production',
    PORT: String(port),
    LOG_LEVEL: 'info',
    DATABASE_URL: databaseUrl,
    API_KEY_PEPPER: secret,
    CURSOR_KEY: secret,
    // The lake is not asked anything, but the service starts only with one.
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    LAKE_BUCKET: 'bench-lake',
    LAKE_RESULTS: 's3://bench-lake/results/',
    LAKE_PSEUDONYM_KEY: secret,
  }
  const logFile = path.join(dir, 'service.log')
  return startServer({
    script: MAIN,
    args: ['serve'],
    env,
    logFile,
    port,
    nodeOptions: [...NODE_OPTIONS, ...nodeOptions],
  })
}
