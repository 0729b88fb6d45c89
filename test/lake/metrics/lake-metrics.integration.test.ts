import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { Registry } from 'prom-client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../../src/database/database.ts'
import { type LakeFigures, lakeFigures } from '../../../src/lake/lake-figures.ts'
import { registerLakeMetrics } from '../../../src/lake/lake-metrics.ts'
import { createTestDatabase } from '../../support/database.ts'
import { ROOT } from '../../support/service.ts'

let testDatabase: Awaited<ReturnType<typeof createTestDatabase>>
let database: Database

beforeAll(async () => {
  testDatabase = await createTestDatabase()
  database = openDatabase({ url: testDatabase.url, poolSize: 2 })
})

afterAll(async () => {
  await database?.close()
  await testDatabase?.drop()
})

afterEach(async () => {
  await database.prisma.lakeHold.deleteMany()
  await database.prisma.lakeUpload.deleteMany()
  await database.prisma.lakeSnapshot.deleteMany()
})

const measured = (more: object) => ({
  ...{ phase: 'views', phasesMs: { planning: 500, uploading: 4000, crawl: 90_000 }, partsSent: 12, partsResent: 2 },
  ...{ slowDowns: 3, callsRepeated: 5, unrepresentable: 7, driftFindings: 0, readers: 1, cpuMs: 2500 },
  ...{ peakRssBytes: 200_000_000 },
  ...more,
})
const manifest = { manifest: '{}', manifestSha256: '0'.repeat(64) }
const at = (time: string) => new Date(`2026-11-22T${time}Z`)

async function published(id: string, more: object = {}): Promise<void> {
  await database.prisma.lakeSnapshot.create({
    data: {
      ...{ id, requestedBy: 'test', state: 'published', ...manifest, totalRows: 8000n, totalBytes: 1234n },
      ...{ startedAt: at('02:00:00'), publishedAt: at('02:01:40'), endedAt: at('02:01:40') },
      ...{ source: { taken_at: '2026-11-22T02:00:01.500Z' }, measurements: measured({}) },
      ...more,
    },
  })
}

/** What a scrape shows, by name and labels. */
async function scrape(options: { read?: () => Promise<LakeFigures>; ageLimitSeconds?: number } = {}) {
  const registry = new Registry()
  const read = options.read ?? (() => lakeFigures(database))
  registerLakeMetrics(registry, { read, ageLimitSeconds: options.ageLimitSeconds })
  const text = await registry.metrics()
  const samples = [...text.matchAll(/^(lake_\S+?(?:\{.*\})?) (\S+)$/gm)]
  return new Map(samples.map(([, name = '', value]) => [name, Number(value)]))
}

describe('the metrics of the lake', () => {
  it('are about nothing before the first snapshot', async () => {
    const shown = await scrape()
    expect(shown.get('lake_metrics_up')).toBe(1)
    expect(shown.get('lake_snapshots{state="published"}')).toBe(0)
    expect(shown.get('lake_snapshot_parts_resent_total')).toBe(0)
    // Prometheus sees the first failure of a code only where its series was there before.
    expect(shown.get('lake_snapshot_failures_total{code="storage_failed"}')).toBe(0)
    const absent = ['last_published_timestamp_seconds', 'last_run_success', 'age_limit_seconds']
    for (const name of absent) expect(shown.has(`lake_snapshot_${name}`), name).toBe(false)
  })

  it('tell age and cost of the newest run that is over, and sums over all', async () => {
    await published('20261122t020000z-00000001', { totalRows: 1n })
    await published('20261122t030000z-00000002')
    await database.prisma.lakeHold.createMany({
      data: [1, -1].map((hours, i) => ({
        ...{ id: `00000000-0000-4000-8000-00000000000${i}`, snapshotId: '20261122t020000z-00000001' },
        ...{ holder: 'job', reason: 'reads', createdAt: new Date(Date.now() - 7_200_000) },
        expiresAt: new Date(Date.now() + hours * 3_600_000),
      })),
    })
    const shown = await scrape({ ageLimitSeconds: 129_600 })
    expect(Object.fromEntries(shown)).toMatchObject({
      lake_snapshot_last_published_timestamp_seconds: Date.parse('2026-11-22T02:00:01.500Z') / 1000,
      lake_snapshot_age_limit_seconds: 129_600,
      'lake_snapshots{state="published"}': 2,
      lake_snapshot_last_run_success: 1,
      lake_snapshot_last_run_duration_seconds: 100,
      lake_snapshot_last_run_rows: 8000,
      lake_snapshot_last_run_bytes: 1234,
      lake_snapshot_last_run_rows_per_second: 2000,
      lake_snapshot_last_run_cpu_seconds: 2.5,
      lake_snapshot_last_run_peak_memory_bytes: 200_000_000,
      'lake_snapshot_last_run_phase_seconds{phase="crawl"}': 90,
      lake_snapshot_parts_sent_total: 24,
      lake_snapshot_parts_resent_total: 4,
      lake_snapshot_slow_downs_total: 6,
      lake_snapshot_calls_repeated_total: 10,
      lake_snapshot_unrepresentable_values_total: 14,
      lake_holds: 1,
    })
  })

  it('tell failures by code, preemptions among them, and the cost of a run that failed', async () => {
    for (const [i, code] of ['preempted_by_migration', 'storage_failed', 'storage_failed'].entries()) {
      await database.prisma.lakeSnapshot.create({
        data: {
          ...{ id: `20261122t02000${i}z-00000001`, requestedBy: 'test', state: 'failed' },
          ...{ startedAt: at('02:00:00'), endedAt: at('02:00:05'), measurements: measured({ partsSent: 1 }) },
          problem: { code, message: 'it failed', phase: 'uploading' },
        },
      })
    }
    const shown = await scrape()
    expect(shown.get('lake_snapshot_failures_total{code="preempted_by_migration"}')).toBe(1)
    expect(shown.get('lake_snapshot_failures_total{code="storage_failed"}')).toBe(2)
    expect(shown.get('lake_snapshot_last_run_success')).toBe(0)
    expect(shown.get('lake_snapshot_last_run_duration_seconds')).toBe(5)
  })

  it('tell what waits: a snapshot that is committed and not published, its drift, and pending uploads', async () => {
    await published('20261122t020000z-00000001')
    const id = '20261122t030000z-00000002'
    await database.prisma.lakeSnapshot.create({
      data: {
        ...{ id, requestedBy: 'test', state: 'committed', fence: 1n, ...manifest, startedAt: at('03:00:00') },
        ...{ preparedAt: at('03:01:00'), committedAt: at('03:02:00'), measurements: measured({ driftFindings: 2 }) },
      },
    })
    const upload = (state: string, bytes: bigint | null) => ({
      ...{ key: `key-${state}`, snapshotId: id, tableName: 'players', uploadId: 'one', state, bytes },
    })
    await database.prisma.lakeUpload.createMany({
      data: [upload('open', null), upload('uploaded', 500n), upload('completed', 900n), upload('aborted', null)],
    })
    const shown = await scrape()
    const since = at('03:02:00').getTime() / 1000
    expect(shown.get('lake_snapshot_waiting_since_timestamp_seconds{state="committed"}')).toBe(since)
    expect(shown.get('lake_catalogue_drift_findings')).toBe(2)
    expect(shown.get('lake_uploads_pending')).toBe(2)
    expect(shown.get('lake_uploads_pending_bytes')).toBe(500)
    expect(shown.get('lake_snapshot_last_run_duration_seconds')).toBe(100)
    await database.prisma.lakeSnapshot.update({ where: { id }, data: { state: 'prepared', committedAt: null } })
    expect((await scrape()).get('lake_snapshot_waiting_since_timestamp_seconds{state="prepared"}')).toBe(
      at('03:01:00').getTime() / 1000,
    )
  })

  it('are absent and say so while the database cannot be read; a scrape never fails', async () => {
    const shown = await scrape({ read: () => Promise.reject(new Error('no connection')), ageLimitSeconds: 60 })
    expect(Object.fromEntries(shown)).toEqual({ lake_metrics_up: 0 })
  })

  it('are read once for all of one scrape', async () => {
    let reads = 0
    await scrape({
      read: () => {
        reads++
        return lakeFigures(database)
      },
    })
    expect(reads).toBe(1)
  })
})

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly annotations: { readonly summary: string }
}

describe('the alert rules of the guide', () => {
  const guide = readFileSync(path.join(ROOT, 'docs/snapshots.md'), 'utf8')
  const yaml = createRequire(import.meta.url)('js-yaml') as { load(text: string): unknown }
  const [, text = ''] = /^```yaml\n([\s\S]*?)^```$/m.exec(guide) ?? []
  const { groups } = yaml.load(text) as { groups: readonly { name: string; rules: readonly Rule[] }[] }
  const rules = groups.flatMap((group) => group.rules)

  it('are YAML, name metrics that exist, and each has a row that says what to do', async () => {
    const registry = new Registry()
    registerLakeMetrics(registry, { read: () => lakeFigures(database), ageLimitSeconds: 1 })
    const known = registry.getMetricsAsArray().map((metric) => (metric as unknown as { name: string }).name)
    expect(rules.length).toBeGreaterThan(5)
    for (const { alert, annotations, expr } of rules) {
      const named = [...new Set(expr.match(/\blake_\w+/g))]
      expect(named.length, alert).toBeGreaterThan(0)
      expect(
        named.filter((name) => !known.includes(name)),
        alert,
      ).toEqual([])
      expect(annotations.summary).not.toBe('')
      expect(guide, alert).toContain(`\n| ${alert} | `)
    }
  })

  it('and the table of metrics leave none out that tells what an operator watches', async () => {
    const registry = new Registry()
    registerLakeMetrics(registry, { read: () => lakeFigures(database), ageLimitSeconds: 1 })
    const names = registry.getMetricsAsArray().map((metric) => (metric as unknown as { name: string }).name)
    const shown = (name: string) =>
      guide.includes(name) || guide.includes(`\`_${name.replace(/^lake_snapshot_last_run_/, '')}\``)
    expect(names.filter((name) => !shown(name))).toEqual([])
  })
})
