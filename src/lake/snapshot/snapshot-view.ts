import type { Prisma } from '../../database/database.ts'
import { guideOf } from '../problem-guide.ts'
import { measurementsSchema, PHASES, type Phase, type StoredMeasurements } from './run-measurements.ts'
import { RUNNING_STATES, type SnapshotState } from './states.ts'

/** A snapshot as the API and the command line show it. */
export interface SnapshotView {
  readonly id: string
  readonly sequence: number
  readonly state: SnapshotState
  readonly requestedBy: string
  readonly requestedAt: Date
  readonly startedAt: Date | null
  readonly preparedAt: Date | null
  readonly committedAt: Date | null
  readonly publishedAt: Date | null
  readonly retiringAt: Date | null
  readonly endedAt: Date | null
  /** Its process is gone: recovery finishes or removes it. */
  readonly abandoned: boolean
  /** When the database transaction began that read every table; ISO. */
  readonly takenAt: string | null
  readonly totalRows: number | null
  readonly totalBytes: number | null
  readonly manifestSha256: string | null
  /** What it is doing now; null when it is over, or not begun. */
  readonly phase: Phase | null
  /** What it has done, in this order; of the phase under way the time until now. */
  readonly phases: readonly { readonly name: Phase; readonly seconds: number }[]
  /** While rows were read and uploaded. */
  readonly rowsPerSecond: number | null
  readonly measurements: RunCosts | null
  readonly problem: SnapshotProblem | null
  readonly tables: readonly SnapshotTableView[]
}

export type RunCosts = Omit<StoredMeasurements, 'phase' | 'phasesMs' | 'cpuMs'> & { readonly cpuSeconds: number }

export interface SnapshotTableView {
  readonly name: string
  readonly state: string
  /** As the planner believes. */
  readonly estimatedRows: number | null
  /** Counted by Postgres. */
  readonly rowsCopied: number | null
  /** Counted by the encoder; grows while the table is read. */
  readonly rowsEncoded: number | null
  readonly bytes: number | null
  readonly files: number | null
}

/** Why a snapshot failed, or why it has not got further yet. */
export interface SnapshotProblem {
  readonly code: string
  readonly message: string
  /** The state in which it happened. */
  readonly phase: string
  /** What somebody has to do about it. */
  readonly next: string
  readonly [fact: string]: unknown
}

export const withTables = { tables: { orderBy: { tableName: 'asc' } } } as const
export type SnapshotRow = Prisma.LakeSnapshotGetPayload<{ include: typeof withTables }>

const number = (value: bigint | null) => (value === null ? null : Number(value))

export interface Shown {
  readonly abandoned?: boolean
  readonly now?: Date
}

export function snapshotView(row: SnapshotRow, { abandoned = false, now = new Date() }: Shown = {}): SnapshotView {
  const { id, state, requestedBy, requestedAt, startedAt, preparedAt, committedAt, publishedAt, retiringAt, endedAt } =
    row
  return {
    ...{ id, state, requestedBy, requestedAt, startedAt, preparedAt, committedAt, publishedAt, retiringAt, endedAt },
    abandoned,
    sequence: Number(row.sequence),
    takenAt: (row.source as { taken_at?: string } | null)?.taken_at ?? null,
    totalRows: number(row.totalRows),
    totalBytes: number(row.totalBytes),
    manifestSha256: row.manifestSha256,
    ...measured(row, now),
    problem: problemView(row.problem),
    tables: row.tables.map((table) => ({
      name: table.tableName,
      state: table.state,
      estimatedRows: number(table.estimatedRows),
      rowsCopied: number(table.rowsCopied),
      rowsEncoded: number(table.rowsEncoded),
      bytes: number(table.bytes),
      files: table.files,
    })),
  }
}

function measured(
  row: SnapshotRow,
  now: Date,
): Pick<SnapshotView, 'phase' | 'phases' | 'rowsPerSecond' | 'measurements'> {
  const stored = measurementsSchema.safeParse(row.measurements).data
  if (stored === undefined) return { phase: null, phases: [], rowsPerSecond: null, measurements: null }
  const { phase: last, phasesMs, cpuMs, ...costs } = stored
  const running = (RUNNING_STATES as readonly string[]).includes(row.state)
  const phase = running ? last : null
  // Stored when the row was written last; the phase under way has gone on since.
  const since = (name: Phase) => (name === phase ? Math.max(0, now.getTime() - row.updatedAt.getTime()) : 0)
  const phases = PHASES.flatMap((name) => {
    const ms = phasesMs[name]
    return ms === undefined ? [] : [{ name, seconds: (ms + since(name)) / 1000 }]
  })
  const reading = phases.find(({ name }) => name === 'uploading')?.seconds ?? 0
  const rows = row.totalRows ?? row.tables.reduce((sum, table) => sum + (table.rowsEncoded ?? 0n), 0n)
  return {
    phase,
    phases,
    rowsPerSecond: reading > 0 ? Math.round(Number(rows) / reading) : null,
    measurements: { ...costs, cpuSeconds: cpuMs / 1000 },
  }
}

function problemView(stored: unknown): SnapshotProblem | null {
  if (stored === null || stored === undefined) return null
  const problem = stored as Omit<SnapshotProblem, 'next'> & { code: string; message: string; phase: string }
  return { ...problem, next: guideOf(problem.code).next }
}
