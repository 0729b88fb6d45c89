import type { Database } from '../../database/database.ts'
import { UsageError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import type { TableContract } from '../contract.ts'
import type { Publisher } from '../publication.ts'
import type { SparkJob } from '../spark-job.ts'
import type { LakeBucket } from '../storage/lake-bucket.ts'
import type { Tap } from '../tap.ts'
import type { Phase, RunMeasurements } from './run-measurements.ts'

/** The settings that a snapshot needs: a part of `LakeConfig`. */
export interface SnapshotSettings {
  /** What reads the rows: this process, or a Spark job; default `node`. */
  readonly engine?: 'node' | 'spark' | undefined
  readonly codec: 'zstd' | 'snappy' | 'gzip'
  /** Undefined: this process writes no rows, and only finishes or removes what others have written. */
  readonly pseudonymKey: Buffer | undefined
  readonly pseudonymKeyVersion: number
  readonly fileTargetBytes: number
  readonly rowGroupBytes: number
  readonly rowGroupRows: number
  readonly partBytes: number
  readonly partsInFlight: number
  /** A table above this size is read by several readers. */
  readonly parallelTableBytes: number
  /** How many, 1 to 8; default by the number of cores. */
  readonly readers?: number | undefined
  /** Files are written here first, then uploaded; undefined: uploaded while they are written. */
  readonly spoolDir?: string | undefined
  readonly leaseTtlMs: number
  readonly maxSnapshotAgeMs: number
  readonly preparedTtlMs: number
  readonly crawlerWaitMs: number
  readonly retireGraceMs: number
  readonly keepAllMs: number
  readonly dailyDays: number
  /** How often a run that reads looks for who waits for its locks; shorter in tests. */
  readonly lockLookMs?: number | undefined
  readonly fault: string | undefined
}

/** @throws UsageError when this process was not given the key: it may not write rows. */
export function pseudonymKeyOf({ pseudonymKey }: Pick<SnapshotSettings, 'pseudonymKey'>): Buffer {
  if (pseudonymKey !== undefined) return pseudonymKey
  throw new UsageError('LAKE_PSEUDONYM_KEY must be set to take a snapshot; see "Settings" in README.md')
}

/** Everything that the stages of a snapshot work with; made once by the composition root. */
export interface Lake {
  /** Control rows. */
  readonly database: Database
  /** Where the rows are read from: the primary or a standby of the same database. */
  readonly sourceUrl: string
  readonly bucket: LakeBucket
  readonly publisher: Publisher
  /** Runs the job of the Spark engine, and ends what dead processes left of one. */
  readonly sparkJob?: SparkJob | undefined
  readonly settings: SnapshotSettings
  readonly contracts: readonly TableContract[]
  readonly software: { readonly version: string; readonly gitSha: string | null }
  readonly logger: Logger
  /** Of control writes; the clients of AWS carry it themselves. Undefined outside of tests. */
  readonly tap?: Tap | undefined
  /** Of the run that this process works on. */
  readonly measurements: RunMeasurements
}

/** What a terminal shows of a run. */
export type ProgressEvent =
  /** Another process works on the lake. */
  | { readonly kind: 'waiting'; readonly reason: string }
  | { readonly kind: 'state'; readonly snapshotId: string; readonly state: string }
  | { readonly kind: 'phase'; readonly snapshotId: string; readonly phase: Phase }
  /** Reading begins. Rows that are expected of each table; null: nobody knows. */
  | { readonly kind: 'tables'; readonly expected: ReadonlyMap<string, number | null> }
  | {
      readonly kind: 'table'
      readonly table: string
      readonly rows: number
      readonly bytes: number
      readonly done: boolean
    }

export type Progress = (event: ProgressEvent) => void
