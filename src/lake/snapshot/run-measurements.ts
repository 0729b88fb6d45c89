import { z } from 'zod'
import { httpStatus } from '../retries.ts'
import { peakRssBytes } from './peak-memory.ts'

/** What a run does one after the other; finer than its states, so that a slow one can be blamed. */
export const PHASES = [
  /** Contract gate and preflight. */
  'planning',
  /** From the database's snapshot to the last part that S3 acknowledged. */
  'uploading',
  /** Counts and manifest. */
  'preparing',
  /** Until no crawl can see a half commit. */
  'crawler_wait',
  /** All uploads become objects, and each is looked at. */
  'completing',
  /** The point of no return. */
  'manifest',
  /** Tables and partitions. */
  'catalogue',
  'crawl',
  /** Views, counts through them, the pointer. */
  'views',
] as const

export type Phase = (typeof PHASES)[number]

const count = z.int().nonnegative()

/** Stored form, in `lake_snapshots.measurements`. */
export const measurementsSchema = z.object({
  /** The last phase that was entered: of a run that failed, the one it failed in. */
  phase: z.enum(PHASES).nullable(),
  phasesMs: z.partialRecord(z.enum(PHASES), count),
  /** Parts that S3 acknowledged. */
  partsSent: count,
  /** Parts that had to be sent again. */
  partsResent: count,
  /** Times that S3 asked to slow down (503). */
  slowDowns: count,
  /** Calls to S3 that were repeated, those of parts included. */
  callsRepeated: count,
  /** Values that Parquet cannot hold and that became NULL, where the contract allows it. */
  unrepresentable: count,
  /** Differences between catalogue and contract that stand in the way. */
  driftFindings: count,
  /** Connections that read at once, at most. */
  readers: count,
  /** Of the whole process, its worker threads included. */
  cpuMs: count,
  peakRssBytes: count,
})

export type StoredMeasurements = z.infer<typeof measurementsSchema>

/** What one run costs. One per process and written by everybody who has something to count; a new run begins with zeros. */
export class RunMeasurements {
  partsSent = 0
  unrepresentable = 0
  driftFindings = 0
  readers = 1
  #partsResent = 0
  #slowDowns = 0
  #callsRepeated = 0
  #phase: Phase | null = null
  #phaseSince = 0
  #phasesMs: Partial<Record<Phase, number>> = {}
  #earlierCpuMs = 0
  #earlierRssBytes = 0
  #cpu = process.cpuUsage()

  /**
   * Begins with zeros, or goes on with what an earlier process had stored: recovery ends a run that another one began.
   *
   * @param stored as it was read from the row; what cannot be read counts as nothing.
   */
  restart(stored?: unknown): void {
    const earlier = measurementsSchema.safeParse(stored).data
    this.partsSent = earlier?.partsSent ?? 0
    this.unrepresentable = earlier?.unrepresentable ?? 0
    this.driftFindings = 0
    this.readers = earlier?.readers ?? 1
    this.#partsResent = earlier?.partsResent ?? 0
    this.#slowDowns = earlier?.slowDowns ?? 0
    this.#callsRepeated = earlier?.callsRepeated ?? 0
    this.#phase = null
    this.#phasesMs = { ...earlier?.phasesMs }
    this.#earlierCpuMs = earlier?.cpuMs ?? 0
    this.#earlierRssBytes = earlier?.peakRssBytes ?? 0
    this.#cpu = process.cpuUsage()
  }

  enter(phase: Phase): void {
    this.#settle()
    this.#phase = phase
  }

  /** A call to S3 is about to be repeated because of this error. */
  repeated(operation: string, error: unknown): void {
    this.#callsRepeated++
    if (operation === 'UploadPart') this.#partsResent++
    if (httpStatus(error) === 503 || (error as Error | null)?.name === 'SlowDown') this.#slowDowns++
  }

  /** Where the run is now; the phase under way counts until this moment. */
  stored(): StoredMeasurements {
    this.#settle()
    const { user, system } = process.cpuUsage(this.#cpu)
    return {
      phase: this.#phase,
      phasesMs: Object.fromEntries(Object.entries(this.#phasesMs).map(([phase, ms]) => [phase, Math.round(ms)])),
      partsSent: this.partsSent,
      partsResent: this.#partsResent,
      slowDowns: this.#slowDowns,
      callsRepeated: this.#callsRepeated,
      unrepresentable: this.unrepresentable,
      driftFindings: this.driftFindings,
      readers: this.readers,
      cpuMs: this.#earlierCpuMs + Math.round((user + system) / 1000),
      peakRssBytes: Math.max(this.#earlierRssBytes, peakRssBytes()),
    }
  }

  #settle(): void {
    const now = performance.now()
    if (this.#phase !== null) this.#phasesMs[this.#phase] = (this.#phasesMs[this.#phase] ?? 0) + now - this.#phaseSince
    this.#phaseSince = now
  }
}
