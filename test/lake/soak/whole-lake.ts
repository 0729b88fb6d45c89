import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { type Database, openDatabase } from '../../../src/database/database.ts'
import type { ResultValue } from '../../../src/lake/athena/query-results.ts'
import { contracts } from '../../../src/lake/contract.ts'
import { ensureLake, type LakeParts, type LakePlace, lakeParts } from '../../../src/lake/lake-setup.ts'
import { type Manifest, parseManifest } from '../../../src/lake/manifest.ts'
import type { Lake, SnapshotSettings } from '../../../src/lake/snapshot/lake.ts'
import { RunMeasurements } from '../../../src/lake/snapshot/run-measurements.ts'
import { LakeBucket } from '../../../src/lake/storage/lake-bucket.ts'
import { unsignedParts } from '../../../src/lake/storage/s3-client.ts'
import { createLogger } from '../../../src/logger.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { lakeEnvironment } from '../../support/lake-environment.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { cleanEnvironment, ROOT } from '../../support/service.ts'
import { testPlace } from '../lake-fixture.ts'
import { type S3Proxy, type S3ProxyOptions, startS3Proxy } from '../snapshot/s3-proxy.ts'
import { TEST_SETTINGS } from '../snapshot/test-lake.ts'

/** How one run of a command ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCommand {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

/**
 * A lake as an operator has it: a database of its own, the local S3, Glue and Athena in a process of their own, buckets, catalogue
 * and work group in place, and the program's commands as processes that reach the services through a proxy that can make S3 fail.
 */
export interface WholeLake {
  readonly database: Database
  readonly databaseUrl: string
  readonly aws: TestAws
  readonly proxy: S3Proxy
  readonly place: LakePlace
  /** Asked behind the proxy's back. */
  readonly parts: LakeParts
  /** Starts `rocketgames <args>`. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>): RunningCommand
  /** Runs it to its end, which must be a good one. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>
  /** The same in this process and behind the proxy's back: quicker, where nothing has to fail or to be killed. */
  inProcess(settings?: Partial<SnapshotSettings>): Lake
  /** Rows of a query in Athena. @throws Error with Athena's reason. */
  select(sql: string): Promise<(readonly ResultValue[])[]>
  /** Of every snapshot in one of these states, by id, oldest first. */
  manifests(...states: readonly State[]): Promise<Map<string, Manifest>>
  close(): Promise<void>
}

type State = 'committing' | 'committed' | 'published' | 'retiring' | 'retired'

export interface WholeLakeOptions {
  readonly proxy?: S3ProxyOptions
  /** Settings of every command. */
  readonly env?: Readonly<Record<string, string>>
}

const MAIN = path.join(ROOT, 'src/main.ts')
/** A machine with too much to do starves a process for seconds; that one is dead is seen at once all the same. */
const LEASE_TTL_MS = 15_000

export async function openWholeLake(name: string, options: WholeLakeOptions = {}): Promise<WholeLake> {
  const closers: (() => Promise<unknown> | unknown)[] = []
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one()
  }
  try {
    const [testDatabase, aws] = await Promise.all([createTestDatabase(), startTestAws()])
    closers.push(
      () => testDatabase.drop(),
      () => aws.stop(),
    )
    const proxy = await startS3Proxy(aws.endpoint, options.proxy)
    closers.push(() => proxy.close())
    const place = testPlace(name)
    await ensureLake(place, aws, { owned: true })
    const database = openDatabase({ url: testDatabase.url, poolSize: 4 })
    closers.push(() => database.close())
    const parts = lakeParts(place, aws)
    const env = { ...commandSettings(testDatabase, aws, proxy, place), ...options.env }
    const start = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
      startCommand(args, { ...env, ...more })
    const bucket = new LakeBucket({ client: unsignedParts(aws.s3), bucket: place.bucket })
    return {
      ...{ database, databaseUrl: testDatabase.url, aws, proxy, place, parts, start, close },
      run: async (args, more) => {
        const ended = await start(args, more).ended
        if (ended.code === 0) return ended
        throw new Error(`rocketgames ${args.join(' ')} ended with ${ended.signal ?? ended.code}:\n${ended.stderr}`)
      },
      inProcess: (settings = {}) => ({
        ...{ database, sourceUrl: testDatabase.url, bucket, publisher: parts.publisher, contracts },
        settings: { ...TEST_SETTINGS, crawlerWaitMs: place.crawlerWaitMs, leaseTtlMs: LEASE_TTL_MS, ...settings },
        software: { version: '0.0.0', gitSha: null },
        logger: createLogger({ level: 'silent' }),
        measurements: new RunMeasurements(),
      }),
      select: async (sql) => {
        const { run, rows } = await parts.runner.rows(sql)
        if (run.state !== 'succeeded') throw new Error(`${sql}\n${run.problem?.detail ?? run.state}`)
        return rows
      },
      manifests: async (...states) => {
        const rows = await database.prisma.lakeSnapshot.findMany({
          where: { state: { in: [...states] }, manifest: { not: null } },
          orderBy: { sequence: 'asc' },
          select: { id: true, manifest: true },
        })
        return new Map(rows.map(({ id, manifest }) => [id, parseManifest(manifest ?? '')]))
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** What production sets, with the proxy in the place of AWS. */
function commandSettings(database: TestDatabase, aws: TestAws, proxy: S3Proxy, place: LakePlace) {
  return {
    ...lakeEnvironment(database.url, { ...aws, endpoint: proxy.endpoint }, place),
    LAKE_LEASE_TTL: `${LEASE_TTL_MS}ms`,
    GIT_SHA: 'test',
  }
}

function startCommand(args: readonly string[], env: Readonly<Record<string, string>>): RunningCommand {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: ROOT,
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk: Buffer) => {
      texts[name] += chunk
    })
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, ...texts }))
  })
  return { child, ended }
}
