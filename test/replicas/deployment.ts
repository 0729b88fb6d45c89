import { randomUUID } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiKeyService } from '../../src/accounts/api-keys/api-key-service.ts'
import { systemContext } from '../../src/caller.ts'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { migrate } from '../../src/database/migrate.ts'
import { ensureLake } from '../../src/lake/lake-setup.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/local/postgres.ts'
import { waitForEnd } from '../../src/local/postmaster.ts'
import { createLogger } from '../../src/logger.ts'
import { testPlace } from '../lake/lake-fixture.ts'
import { lakeEnvironment } from '../support/lake-environment.ts'
import { startTestAws } from '../support/local-aws.ts'
import { type Finished, freePort, removeFolder, runCommand, type Service, startService } from '../support/service.ts'

/** How a database ends: SIGINT, SIGQUIT or SIGKILL to its postmaster. */
export type DatabaseEnd = 'fast' | 'immediate' | 'killed'

/** One process of the service, on the same port after each start. */
export interface Replica {
  readonly name: string
  readonly url: string
  /** What it has written, in all its lives. */
  output(): string
  /** Rejects, with what it has written, when it ends without being asked to. */
  readonly crashed: Promise<never>
  /** Resolves when it is ready for requests. */
  start(): Promise<void>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM; its exit code. */
  stop(): Promise<number | null>
}

/**
 * The service as it runs in production: two processes of `rocketgames serve` with the same settings on one database, which can be
 * ended and started again where it was, and one lake.
 */
export interface Deployment {
  readonly replicas: readonly [Replica, Replica]
  readonly databaseUrl: string
  readonly adminToken: string
  /** The tests' own way to the database. */
  readonly database: Database
  /** Another key with every scope. */
  newKey(): Promise<string>
  /** Ends the database and starts it again after `awayMs`; from the signal to its end, by `performance.now()`. */
  restartDatabase(how: DatabaseEnd, awayMs: number): Promise<{ readonly from: number; readonly to: number }>
  /** `rocketgames <args>` with the settings of the replicas. */
  command(...args: readonly string[]): Promise<Finished>
  close(): Promise<void>
}

export interface DeploymentOptions {
  /** Settings of both replicas. */
  readonly env?: Readonly<Record<string, string>>
}

const SIGNALS: Readonly<Record<DatabaseEnd, NodeJS.Signals>> = {
  fast: 'SIGINT',
  immediate: 'SIGQUIT',
  killed: 'SIGKILL',
}

/** What a crash must not take is on the disk: `fsync` is off, which only the end of the machine would tell from on. */
const POSTGRES_SETTINGS = ['fsync=off', 'max_connections=60', 'shared_buffers=64MB']

export async function openDeployment(options: DeploymentOptions = {}): Promise<Deployment> {
  const closers: (() => Promise<unknown> | unknown)[] = []
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one()
  }
  try {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'rocketgames-replicas-'))
    closers.push(() => removeFolder(dir))
    const postgresDir = path.join(dir, 'postgres')
    let postgres: EmbeddedPostgres
    const [started, aws] = await Promise.all([
      freePort().then((port) => startEmbeddedPostgres({ dir: postgresDir, port, settings: POSTGRES_SETTINGS })),
      startTestAws(),
    ])
    postgres = started
    closers.push(
      () => postgres.stop(),
      () => aws.stop(),
    )
    const { url: databaseUrl, port } = postgres
    await migrate({ url: databaseUrl })
    const place = testPlace('replicas')
    await ensureLake(place, aws, { owned: true })
    const database = openDatabase({ url: databaseUrl, poolSize: 3 })
    closers.push(() => database.close())
    const settings = lakeEnvironment(databaseUrl, aws, place)
    const env = { ...settings, LOG_LEVEL: 'info', GIT_SHA: 'test', ...options.env }
    const pepper = Buffer.from(settings.API_KEY_PEPPER ?? '', 'hex')
    const keys = new ApiKeyService(database, pepper, createLogger({ level: 'silent' }))
    const newKey = async () => (await keys.createAdmin('test', systemContext('test', randomUUID()))).token
    const replicas = await Promise.all([createReplica('one', dir, env), createReplica('two', dir, env)])
    for (const replica of replicas) closers.push(() => replica.stop())
    return {
      replicas,
      ...{ databaseUrl, database, newKey, close },
      adminToken: await newKey(),
      async restartDatabase(how, awayMs) {
        const from = performance.now()
        process.kill(postgres.pid, SIGNALS[how])
        await waitForEnd(postgres.pid, 30_000)
        const to = performance.now()
        await postgres.stop()
        await sleep(awayMs)
        postgres = await startEmbeddedPostgres({ dir: postgresDir, port, settings: POSTGRES_SETTINGS })
        return { from, to }
      },
      command: (...args) => runCommand(args, env),
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function createReplica(name: string, dir: string, env: Readonly<Record<string, string>>): Promise<Replica> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  // Its connections tell whose they are.
  const database = new URL(env.DATABASE_URL ?? '')
  database.searchParams.set('application_name', `replica ${name}`)
  let service: Service | undefined
  let written = ''
  const { promise: crashed, reject } = Promise.withResolvers<never>()
  crashed.catch(() => undefined)
  const end = async (signal: NodeJS.Signals) => {
    const ending = service
    service = undefined
    const code = (await ending?.stop(signal)) ?? null
    written += ending?.output() ?? ''
    return code
  }
  return {
    name,
    url,
    crashed,
    output: () => written + (service?.output() ?? ''),
    async start() {
      const started = await startService({
        dir: path.join(dir, name),
        port,
        env: { ...env, DATABASE_URL: database.href },
      })
      service = started
      void started.ended.then((code) => {
        if (service === started) reject(new Error(`replica ${name} ended with ${code}:\n${started.output()}`))
      })
      await started.saw(/"msg":"listening"/)
      await untilReady(url, started)
    },
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  }
}

async function untilReady(url: string, service: Service): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined)
    if (answer?.status === 200) return
    if (service.child.exitCode !== null) throw new Error(`a replica ended:\n${service.output()}`)
    await sleep(50)
  }
}
