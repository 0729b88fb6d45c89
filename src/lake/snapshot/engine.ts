import type { TableContract } from '../contract.ts'
import type { Manifest } from '../manifest.ts'
import type { MultipartSink } from '../storage/multipart-sink.ts'
import type { CopyContext } from './copy-context.ts'
import type { CopyingTable } from './copy-table.ts'
import type { Lake } from './lake.ts'
import type { Source } from './source.ts'

/** What an engine is opened with, before the transaction that it is going to read in. */
export interface EngineOpening {
  readonly lake: Lake
  readonly snapshotId: string
  /** The connection that will hold the snapshot. */
  readonly holder: Source
  /** The database instance that it reached. */
  readonly instance: string
  /** `application_name` of every connection of the run. */
  readonly applicationName: string
  readonly contracts: readonly TableContract[]
  /** Manifests of the published snapshots, oldest first. */
  readonly live: readonly Manifest[]
  /** Every sink that is opened: whoever called ends them when the run fails. */
  readonly sinks: MultipartSink[]
  /** Ends the opening. */
  readonly signal: AbortSignal
  /** Told how each thing is closed that is opened, also when the opening throws. */
  readonly onClose: (close: () => Promise<unknown>) => void
}

/**
 * What reads the rows of a snapshot and sends its files: the readers of this process, or a Spark job. Everything else of the
 * protocol is the same for both: who may run, which instant is read, who makes way, what is committed and how.
 */
export interface Engine {
  /** Server processes of its own connections that are open now. */
  readonly pids: readonly number[]

  /**
   * Reads every table as the holder's transaction sees it, into uploads that nobody can see and whose ids are in the control rows.
   * All rows are read when it resolves: the transaction may end.
   *
   * @param copying is given each table that is being sent; whoever called waits for its files, also after a failure.
   * @throws the signal's reason once it aborts; then nothing of the engine is under way but the files in `copying`.
   */
  read(context: CopyContext, copying: CopyingTable[]): Promise<void>

  /** Every file is known and checked: removes what the engine needed on its way. Not called when the run failed. */
  settled(): Promise<void>
}
