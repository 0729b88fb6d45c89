import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { migrate } from '../../src/database/migrate.ts'
import { lockFolder } from '../../src/local/folder-lock.ts'
import { startEmbeddedPostgres } from '../../src/local/postgres.ts'
import { findPostmaster, waitForEnd } from '../../src/local/postmaster.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Of the database `postgres`, as superuser. */
    postgresAdminUrl: string
  }
}

const FOLDER_PREFIX = 'rocketgames-test-'
const TEMPLATE_DATABASE = 'accounts_template'

/** Its data lives as long as the run, so it need not survive a power cut. Deadlocks that tests provoke are found at once. */
const SETTINGS = [
  'fsync=off',
  'full_page_writes=off',
  'synchronous_commit=off',
  'max_connections=200',
  'deadlock_timeout=50ms',
]

const removeFolder = (dir: string) => rm(dir, { recursive: true, force: true, maxRetries: 5 })

/** A run that was killed could not clean up: its server and folder go now. Folders of runs that still live are left alone. */
async function sweepKilledRuns(): Promise<void> {
  const names = (await readdir(os.tmpdir())).filter((name) => name.startsWith(FOLDER_PREFIX))
  for (const name of names) {
    const dir = path.join(os.tmpdir(), name)
    const lock = await lockFolder(dir, 'the sweep before a test run').catch(() => undefined)
    if (!lock) continue
    const server = findPostmaster(path.join(dir, 'data'))
    if (server) {
      process.kill(server.pid, 'SIGQUIT')
      await waitForEnd(server.pid, 10_000)
    }
    await removeFolder(dir)
  }
}

/**
 * From now on every process of this run has its temporary files in `dir`, and they go with it: those of programs that tests kill, too. Java
 * does not look at TMPDIR, and is told by way of Spark.
 *
 * @returns puts it back.
 */
async function keepTemporaryFilesIn(dir: string): Promise<() => void> {
  const folder = path.join(dir, 'tmp')
  await mkdir(folder)
  const settings = { TMPDIR: folder, SPARK_SUBMIT_OPTS: `-Djava.io.tmpdir=${folder} -XX:-UsePerfData` }
  const before = Object.keys(settings).map((name) => [name, process.env[name]] as const)
  Object.assign(process.env, settings)
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

export interface TestCluster {
  /** Of the database `postgres`, as superuser. */
  readonly adminUrl: string
  /** Ends the server and removes its folder. */
  stop(): Promise<void>
}

/** A cluster with a migrated template, `accounts_template`, that can be cloned; and the run's folder of temporary files. */
export async function startTestCluster(): Promise<TestCluster> {
  await sweepKilledRuns()
  const dir = await mkdtemp(path.join(os.tmpdir(), FOLDER_PREFIX))
  const started = startEmbeddedPostgres({ dir, database: TEMPLATE_DATABASE, settings: SETTINGS })
  const cluster = await started.catch(async (error: unknown) => {
    await removeFolder(dir)
    throw error
  })
  const putBack = await keepTemporaryFilesIn(dir)
  const stop = async () => {
    putBack()
    await cluster.stop()
    await removeFolder(dir)
  }
  try {
    await migrate({ url: cluster.url })
    const adminUrl = new URL(cluster.url)
    adminUrl.pathname = '/postgres'
    const admin = new pg.Client(adminUrl.href)
    await admin.connect()
    await admin.query(`ALTER DATABASE ${TEMPLATE_DATABASE} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false`)
    await admin.end()
    return { adminUrl: adminUrl.href, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** One cluster for the whole run, whose template test files clone; all of it is gone afterwards. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await startTestCluster()
  project.provide('postgresAdminUrl', cluster.adminUrl)
  return () => cluster.stop()
}
