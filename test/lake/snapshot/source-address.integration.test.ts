import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { migrate } from '../../../src/database/migrate.ts'
import { LakeProblem } from '../../../src/lake/lake-problem.ts'
import { parseManifest } from '../../../src/lake/manifest.ts'
import type { SnapshotSettings } from '../../../src/lake/snapshot/lake.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { listSnapshots, manifestOf } from '../../../src/lake/snapshot/snapshots.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/local/postgres.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { setCopyTrap } from './copy-trap.ts'
import { startPgProxy } from './pg-proxy.ts'
import { seedNoise } from './seed.ts'
import { contents, forgetSnapshots, type LakePlace, newPlace, type OpenLake, openLake } from './test-lake.ts'
import { startTransactionPooler } from './transaction-pooler.ts'

const SMALL = ['shared_buffers=16MB', 'fsync=off', 'full_page_writes=off', 'max_connections=40']
const TWO_READERS: Partial<SnapshotSettings> = { readers: 2, parallelTableBytes: 1_000_000 }

let aws: TestAws
let database: TestDatabase
let place: LakePlace & { remove(): Promise<void> }
let open: OpenLake
/** A primary with a standby that streams from it. */
let primary: EmbeddedPostgres
let standby: EmbeddedPostgres
let dir: string

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  dir = await mkdtemp(path.join(os.tmpdir(), 'rocketgames-standby-'))
  ;[primary, standby] = await startPair(dir)
})

afterAll(async () => {
  await standby?.stop()
  await primary?.stop()
  await Promise.all([database?.drop(), aws?.stop(), rm(dir, { recursive: true, force: true })])
})

beforeEach(async () => {
  place = await newPlace(aws, database.url)
  open = openLake(place)
  await forgetSnapshots(open.database)
})

afterEach(async () => {
  await open.close()
  await place.remove()
})

/** Starts a primary, copies its folder while it stands still, and lets the copy follow it. */
async function startPair(folder: string): Promise<[EmbeddedPostgres, EmbeddedPostgres]> {
  const [first, second] = [path.join(folder, 'primary'), path.join(folder, 'standby')]
  // The same password as that of the other cluster: one login must fit both.
  mkdirSync(first, { recursive: true, mode: 0o700 })
  writeFileSync(path.join(first, 'password'), decodeURIComponent(new URL(database.url).password), { mode: 0o600 })
  const begun = await startEmbeddedPostgres({ dir: first, database: 'accounts', settings: SMALL })
  await migrate({ url: begun.url })
  await seedNoise(begun.url, 12_000)
  await begun.stop()
  // With owners and modes: a cluster belongs to the user that runs it.
  execFileSync('cp', ['-a', first, second])
  const running = await startEmbeddedPostgres({ dir: first, database: 'accounts', settings: SMALL })
  const { password, port, username } = new URL(running.url)
  writeFileSync(path.join(second, 'data', 'standby.signal'), '')
  const follows = `host=127.0.0.1 port=${port} user=${username} password=${decodeURIComponent(password)}`
  const settings = [...SMALL, `primary_conninfo=${follows}`, 'hot_standby=on']
  return [running, await startEmbeddedPostgres({ dir: second, database: 'accounts', settings })]
}

async function problemOf(run: Promise<unknown>): Promise<LakeProblem> {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof LakeProblem)) throw error ?? new Error('The run did not fail')
  return error
}

async function expectRefused(sourceUrl: string, code: string, settings: Partial<SnapshotSettings> = {}): Promise<void> {
  const { lake } = open
  const run = runSnapshot({ ...lake, sourceUrl, settings: { ...lake.settings, ...settings } })
  expect((await problemOf(run)).code).toBe(code)
  await expectNothingLeft(code)
  expect(await open.database.prisma.lakeUpload.count()).toBe(0)
}

async function expectNothingLeft(code: string): Promise<void> {
  const [snapshot] = await listSnapshots(open.database, { limit: 1 })
  expect(snapshot).toMatchObject({ state: 'failed', problem: { code } })
  expect(await contents(open.lake)).toEqual({ files: [], uploads: [], manifests: [], current: false })
  expect(open.publisher.views).toEqual([])
}

describe('lake 21: refused by name before the first byte:', () => {
  test('lake 21: a reader endpoint that alternates between two instances', async () => {
    const other = new URL(primary.url)
    other.pathname = new URL(database.url).pathname
    const admin = new pg.Client(primary.url)
    await admin.connect()
    await admin.query(`CREATE DATABASE ${other.pathname.slice(1)} TEMPLATE template0`)
    await admin.end()
    const endpoint = await startPgProxy(database.url, other.href)
    try {
      await expectRefused(endpoint.url, 'load_balanced_endpoint')
    } finally {
      await endpoint.close()
    }
  })

  test('lake 21: a reader endpoint that sends only a parallel reader to another instance', async () => {
    // Connections one and two, which hold and watch, reach the same instance.
    const reader = await startPgProxy(database.url, database.url, primary.url, primary.url)
    try {
      await seedNoise(database.url, 3_000)
      await expectRefused(reader.url, 'load_balanced_endpoint', { readers: 2, parallelTableBytes: 1 })
    } finally {
      await reader.close()
    }
  })

  test.each([
    ['made up', 3],
    ['of a server', 3],
    ['of a server', 1],
  ] as const)(
    'lake 21: a pooler in transaction mode whose login tells a process id %s, with %i connections',
    async (pid, servers) => {
      const pooler = await startTransactionPooler(database.url, { servers, pid })
      try {
        await expectRefused(pooler.url, 'pooler_in_transaction_mode')
      } finally {
        await pooler.close()
      }
    },
  )

  test.each([
    ['RDS Proxy', 'accounts.proxy-c1x2y3.eu-central-1.rds.amazonaws.com', 'rds_proxy'],
    [
      'the reader endpoint of Aurora',
      'accounts.cluster-ro-c1x2y3.eu-central-1.rds.amazonaws.com',
      'load_balanced_endpoint',
    ],
  ])('lake 21: an address of %s, also where it would serve', async (_, host, code) => {
    const { preflight } = await import('../../../src/lake/snapshot/preflight.ts')
    const url = new URL(database.url)
    url.hostname = host
    await expect(preflight([], { url: url.href, maxAgeMs: 1 })).rejects.toMatchObject({ code })
  })

  test('lake 21: a standby that cancels a transaction in the way of recovery sooner than a snapshot takes', async () => {
    await onStandby(['hot_standby_feedback = off', `max_standby_streaming_delay = '30s'`])
    await expectRefused(standby.url, 'standby_not_ready')
  })
})

async function onStandby(settings: readonly string[]): Promise<void> {
  const client = new pg.Client(standby.url)
  await client.connect()
  for (const setting of settings) await client.query(`ALTER SYSTEM SET ${setting}`)
  await client.query('SELECT pg_reload_conf()')
  for (;;) {
    const { rows } = await client.query<{ pending: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_file_settings f JOIN pg_settings s USING (name)
                       WHERE f.applied AND f.sourcefile LIKE '%auto.conf' AND s.source <> 'configuration file') AS pending`,
    )
    if (!rows[0]?.pending) break
  }
  await client.end()
}

describe('a standby', () => {
  test('that lets the snapshot live gives one, with its own place in the log', async () => {
    await onStandby(['hot_standby_feedback = off', `max_standby_streaming_delay = '10min'`])
    const { lake } = open
    const { id, totalRows } = await runSnapshot({ ...lake, sourceUrl: standby.url })
    expect(totalRows).toBe(12_000)
    const { source } = parseManifest((await manifestOf(lake.database, id)) ?? '')
    expect(source.role).toBe('standby')
    expect(source.wal_lsn).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/)
  })

  test.each([
    ['one reader', {}, 1],
    ['several readers', TWO_READERS, 2],
  ])('lake 21: whose recovery conflicts with %s → snapshot_conflict, views untouched', async (_, settings, count) => {
    await onStandby(['hot_standby_feedback = on', `max_standby_streaming_delay = '100ms'`])
    const admin = new pg.Client(primary.url)
    await admin.connect()
    await admin.query('DROP SEQUENCE IF EXISTS trap')
    const trap = await setCopyTrap(primary.url, [4_000, 10_000], standby.url)
    const { lake } = open
    const merged = { ...lake.settings, ...settings }
    try {
      await caughtUp(admin)
      const run = runSnapshot({ ...lake, sourceUrl: standby.url, contracts: trap.contracts, settings: merged })
      const running = problemOf(run)
      await trap.caught(count)
      // The primary's exclusive lock is replayed on the standby, where the snapshot is in its way.
      await admin.query('BEGIN; LOCK TABLE studio IN ACCESS EXCLUSIVE MODE; COMMIT')
      expect((await running).code).toBe('snapshot_conflict')
      await expectNothingLeft('snapshot_conflict')
    } finally {
      await trap.close()
      await admin.end()
    }
  })
})

/** Waits until the standby has replayed what the primary has written. */
async function caughtUp(admin: pg.Client): Promise<void> {
  const { rows } = await admin.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn')
  const client = new pg.Client(standby.url)
  await client.connect()
  for (;;) {
    const answer = await client.query<{ done: boolean }>('SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done', [
      rows[0]?.lsn,
    ])
    if (answer.rows[0]?.done) break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await client.end()
}
