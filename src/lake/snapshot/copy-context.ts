import type { MultipartSink, PartSlots } from '../storage/multipart-sink.ts'
import type { ControlRows } from './control-rows.ts'
import { type Lake, type Progress, pseudonymKeyOf, type SnapshotSettings } from './lake.ts'
import type { SourceFacts } from './source.ts'
import type { Spool } from './spool.ts'
import type { EncodingSettings } from './table-files.ts'

/** What all tables of one run share while they are copied. */
export interface CopyContext {
  readonly lake: Lake
  readonly rows: ControlRows
  readonly facts: SourceFacts
  readonly progress: Progress | undefined
  /** Ends the copying. */
  readonly signal: AbortSignal
  /** Aborts the signal; the first reason counts. */
  fail(error: unknown): void
}

/** What the readers of this process share besides. */
export interface ReaderContext extends CopyContext {
  /** Parts under way, of all files and readers together. */
  readonly slots: PartSlots
  /** Undefined: encoded bytes go straight into parts. */
  readonly spool: Spool | undefined
  /** Every sink that was opened, so that a failed run can abort all. */
  readonly sinks: MultipartSink[]
}

const MIB = 1024 * 1024
/** Smaller row groups make queries read more than they need. */
const LEAST_ROW_GROUP_BYTES = 16 * MIB

/** What the encoder of one of `readers` readers needs: together they fill as much memory as one alone would. */
export function encodingSettings(settings: SnapshotSettings, readers: number): EncodingSettings {
  const { codec, fileTargetBytes, pseudonymKeyVersion, rowGroupBytes, rowGroupRows } = settings
  const share = Math.max(LEAST_ROW_GROUP_BYTES, Math.floor(rowGroupBytes / readers))
  return {
    codec,
    fileTargetBytes,
    pseudonymKey: pseudonymKeyOf(settings),
    pseudonymKeyVersion,
    rowGroupBytes: Math.min(rowGroupBytes, share),
    rowGroupRows,
    // One that shares the process reads on when its last row group is gone: the next one fills the same memory.
    ...(readers > 1 && { mostWaitingBytes: 0 }),
  }
}

/** How the footer of a file names the software. */
export function createdBy({ lake }: Pick<CopyContext, 'lake'>): string {
  const { gitSha, version } = lake.software
  return `rocketgames-accounts version ${version} (build ${gitSha ?? 'unknown'})`
}
