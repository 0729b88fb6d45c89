import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { watchedMetrics } from '../../src/commands/watched-metrics.ts'
import { createLogger } from '../../src/logger.ts'
import { Metrics } from '../../src/metrics.ts'
import { MetricReporter } from '../../src/telemetry/metric-reporter.ts'
import { RequestWindow } from '../../src/telemetry/request-window.ts'
import { serviceFigures } from '../../src/telemetry/service-figures.ts'
import { registerServiceMetrics } from '../../src/telemetry/service-metrics.ts'
import { createTestApi, type TestApi } from '../support/api.ts'
import { emfProblems, metricsOf } from '../support/emf-check.ts'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
})

afterAll(() => api?.close())

const ended = { method: 'GET', route: '/v1/players', status: 200, seconds: 0.01, isProbe: false, isStream: false }

/** Every metric that a report writes, and the log. */
async function report(shared: () => ReturnType<typeof watchedMetrics>, requests: readonly object[] = []) {
  const lines: string[] = []
  const log: string[] = []
  const metrics = new Metrics()
  const reporter = new MetricReporter({
    ...{ metrics, stage: 'prod', shared, intervalMs: 3_600_000 },
    write: (line) => void lines.push(line),
    poolWaiting: () => api.database.poolState().waiting,
    logger: createLogger({ level: 'warn', destination: { write: (line) => void log.push(line) } }),
  })
  reporter.start()
  for (const request of requests) metrics.end({ ...ended, ...request })
  await reporter.report()
  await reporter.report()
  expect(lines.flatMap(emfProblems)).toEqual([])
  const first = Object.assign({}, ...lines.slice(0, requests.length > 0 ? 2 : 1).map(metricsOf)) as Record<
    string,
    number[]
  >
  await reporter.stop()
  return { first, lines, log }
}

const one = (found: Record<string, number[]>, name: string) => found[name]?.[0] ?? Number.NaN

describe('a report of metrics', () => {
  it('of a process that is frozen between requests does not take the pause for a delay', async () => {
    const lines: string[] = []
    const reporter = new MetricReporter({
      ...{ metrics: new Metrics(), stage: 'small', shared: async () => [], eventLoopDelay: false },
      write: (line) => void lines.push(line),
      poolWaiting: () => 0,
      logger: createLogger({ level: 'silent' }),
    })
    reporter.start()
    await reporter.stop()
    const found = lines.flatMap((line) => Object.keys(metricsOf(line)))
    expect(found).toContain('ResidentMemory')
    expect(found).not.toContain('EventLoopDelay')
  })

  it('has every metric that an alarm looks at, each time those since the last one', async () => {
    const { first, lines } = await report(
      () => watchedMetrics(api.database, 5400),
      [
        {},
        { status: 503, seconds: 2 },
        { status: 429, seconds: 0.001 },
        { isStream: true, seconds: 900 },
        { isProbe: true, seconds: 5 },
      ],
    )
    expect(Object.keys(first).sort()).toEqual(
      [
        ...[
          'SnapshotAge',
          'SnapshotAgeLimit',
          'SnapshotAgeRatio',
          'SnapshotWaiting',
          'SnapshotFailures',
          'CatalogueDrift',
        ],
        ...['PendingMigrations', 'JobsWaiting', 'OldestJobAge'],
        ...[
          'Requests',
          'ServerErrors',
          'RateLimited',
          'RequestTime',
          'EventLoopDelay',
          'ResidentMemory',
          'PoolWaiting',
        ],
      ].sort(),
    )
    expect(first).toMatchObject({ Requests: [4], ServerErrors: [1], RateLimited: [1], RequestTime: [10, 2000, 1] })
    expect(one(first, 'ResidentMemory')).toBeGreaterThan(20_000_000)
    expect(metricsOf(lines.at(-1) ?? '')).toMatchObject({ Requests: [0], ServerErrors: [0] })
  })

  it('tells the age of a system that never had a snapshot, failures but no preemptions, migrations and jobs that wait', async () => {
    const { database } = api
    const failed = { requestedBy: 'test', state: 'failed', endedAt: new Date() } as const
    await database.prisma.lakeSnapshot.createMany({
      data: [
        { id: '20261124t000000z-00000001', ...failed, problem: { code: 'connection_lost' } },
        { id: '20261124t000000z-00000002', ...failed, problem: { code: 'preempted_by_migration' } },
        {
          id: '20261124t000000z-00000003',
          ...failed,
          endedAt: new Date(Date.now() - 3_700_000),
          problem: { code: 'internal' },
        },
      ],
    })
    await database.query({
      text: `INSERT INTO job (id, kind, resource, caller_type, caller_id, caller_scopes, request_id, input, created_at)
             VALUES (gen_random_uuid(), 'import', 'players', 'api_key', 'k', '{}', 'r', '{}', now() - interval '90 seconds')`,
    })
    await database.query({
      text: 'UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = (SELECT max(migration_name) FROM _prisma_migrations)',
    })
    const { first } = await report(() => watchedMetrics(database, 7200))
    expect(first).toMatchObject({
      SnapshotFailures: [1],
      PendingMigrations: [1],
      JobsWaiting: [1],
      SnapshotAgeLimit: [7200],
    })
    expect(one(first, 'OldestJobAge')).toBeGreaterThanOrEqual(90)
    expect(one(first, 'SnapshotAge')).toBeGreaterThan(0)
    expect(one(first, 'SnapshotAgeRatio')).toBeCloseTo(one(first, 'SnapshotAge') / 7200, 3)
  })

  it('goes on without the database, and says so once', async () => {
    const { first, lines, log } = await report(() => Promise.reject(new Error('away')))
    expect(Object.keys(first)).not.toContain('SnapshotAge')
    expect(one(first, 'Requests')).toBe(0)
    expect(lines).toHaveLength(3)
    expect(log).toHaveLength(1)
  })
})

describe('a window of requests', () => {
  it('holds a fair sample where there are very many', () => {
    const window = new RequestWindow()
    for (let n = 0; n < 200_000; n++) window.add({ ...ended, seconds: n / 200_000 })
    const { requests, times } = window.take()
    expect(requests).toBe(200_000)
    expect(times).toHaveLength(60_000)
    const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length
    // 12 standard deviations of the mean of such a sample.
    expect(Math.abs(mean - 500)).toBeLessThan(15)
  })
})

describe('a scrape', () => {
  it('shows the pool, migrations, jobs, refusals and replays', async () => {
    const metrics = new Metrics()
    const read = () => serviceFigures(api.database)
    registerServiceMetrics(metrics.registry, {
      read,
      pool: () => api.database.poolState(),
      version: '1.2.3',
      stage: 'prod',
    })
    const text = await metrics.registry.metrics()
    for (const sample of [
      'accounts_build_info{version="1.2.3",stage="prod"} 1',
      'db_migrations_pending 1',
      'jobs{state="queued"} 1',
      'http_rate_limited_total{policy="default"} 0',
      'http_idempotency_replays_total 0',
      'db_pool_waiting 0',
    ])
      expect(text).toContain(`\n${sample}\n`)
    expect(text).toMatch(/\ndb_pool_connections\{state="idle"\} \d/)
    expect(Number(/\njobs_oldest_waiting_seconds (\S+)/.exec(text)?.[1])).toBeGreaterThan(89)
  })

  it('leaves out what the database says while it is away', async () => {
    const metrics = new Metrics()
    const away = () => Promise.reject(new Error('away'))
    registerServiceMetrics(metrics.registry, {
      read: away,
      pool: () => api.database.poolState(),
      version: '1',
      stage: 'x',
    })
    const text = await metrics.registry.metrics()
    expect(text).not.toMatch(/^(jobs|db_migrations_pending)[ {]/m)
    expect(text).toMatch(/^db_pool_waiting 0$/m)
  })
})
