import { setTimeout as delay } from 'node:timers/promises'
import { command, last, type RunningOptions, startService } from './program-container.ts'

const SNAPSHOT_WITHIN_MS = 120_000

interface SnapshotReport {
  readonly id: string
  readonly state: string
  readonly totalRows: number | null
}

/** Snapshots as a task of their own, and all that they wrote read back. */
export async function checkSnapshot(options: RunningOptions): Promise<void> {
  const { checks, standIns } = options
  for (const codec of ['zstd', 'snappy']) {
    const { code, ms, stdout, stderr } = await command(options, ['snapshot', '--json'], {
      ...standIns.exporter,
      LAKE_CODEC: codec,
    })
    const report = code === 0 ? (JSON.parse(stdout) as SnapshotReport) : undefined
    const fine = report?.state === 'published' && (report.totalRows ?? 0) > 0 && ms < SNAPSHOT_WITHIN_MS
    checks.note(
      `snapshot, ${codec}`,
      fine,
      fine ? `${report?.totalRows} rows published, ${ms} ms` : last({ stdout, stderr }),
    )
  }
  const verified = await command(options, ['verify', '--deep'], { ...standIns.exporter })
  checks.note('verify --deep', verified.code === 0, last(verified))
}

/** With LAKE_RUNNER=child: a process of the service's own, which is gone when it has ended. */
export async function checkChildSnapshot(options: RunningOptions, key: string): Promise<void> {
  const { checks, standIns } = options
  const service = await startService(options, { LAKE_RUNNER: 'child', ...standIns.exporter, ...standIns.keys })
  const headers = { authorization: `Bearer ${key}` }
  try {
    const asked = await fetch(`${service.url}/v1/lake/snapshots`, { method: 'POST', headers })
    const started = performance.now()
    let state = `not asked for: ${asked.status}`
    while (asked.status === 202 && performance.now() - started < SNAPSHOT_WITHIN_MS) {
      const read = await fetch(`${service.url}${asked.headers.get('location')}`, { headers })
      state = ((await read.json()) as SnapshotReport).state
      if (state === 'published' || state === 'failed') break
      await delay(200)
    }
    const ms = Math.round(performance.now() - started)
    const memory = await service.container.peakMemoryMiB()
    checks.note(
      'snapshot as a child of the service',
      state === 'published',
      `${state}, ${ms} ms, together at most ${memory} MiB`,
    )
    await delay(1_000)
    const left = await service.container.processes()
    const names = left.map(({ name }) => name).join(' ')
    checks.note('nothing is left of it', left.length === 2 && left.every((each) => each.state !== 'Z'), names)
    const stopping = performance.now()
    await service.container.signal('TERM')
    const code = await service.container.ended
    checks.note('SIGTERM without work', code === 0, `${code}, ${Math.round(performance.now() - stopping)} ms`)
  } finally {
    await service.container.remove()
  }
}

export async function checkCare(options: RunningOptions): Promise<void> {
  const { checks, standIns } = options
  const care = await command(options, ['care'], { ...standIns.exporter })
  checks.note('care', care.code === 0, care.code === 0 ? `${care.ms} ms` : last(care))
}
