import {
  copySelect,
  type ExportColumn,
  type KeyField,
  keyFields,
  setFingerprint,
  type TableContract,
} from '../contract.ts'
import { unloadReportKey } from '../object-keys.ts'
import { PART_LIMIT } from '../storage/multipart-sink.ts'
import type { SnapshotSettings } from './lake.ts'
import { boundedKey } from './manifest-builder.ts'
import { importStatements, type SourceFacts } from './source.ts'

/** One file: the rows that it takes, and the upload that takes its bytes. */
export interface PlannedRange {
  /** Condition of which each row of the table fulfils exactly one. */
  readonly range: string
  /** From 0, ascending in the table. */
  readonly number: number
  readonly key: string
  readonly upload_id: string
  readonly estimated_rows: number
}

interface PlannedColumn {
  readonly name: string
  readonly source: string
  readonly pg_type: string
  readonly athena_type: string
  readonly action: string
  readonly nullable: boolean
  readonly on_unrepresentable: 'fail' | 'null'
  /** False: no bounds of its values anywhere in the file. */
  readonly stats: boolean
}

interface PlannedTable {
  readonly name: string
  readonly table: string
  readonly fingerprint: string
  readonly contract_version: number
  /** Takes a WHERE behind it. */
  readonly select: string
  readonly columns: readonly PlannedColumn[]
  readonly key: readonly KeyField[]
  /** The column of which the report tells the bounds of each file. */
  readonly min_key_column: string | null
  readonly ranges: readonly PlannedRange[]
}

/** Everything that a Spark job needs to know but secrets; stored under `unload/v1/<snapshot_id>/plan.json`. */
export interface SparkPlan {
  readonly plan_version: 1
  readonly snapshot_id: string
  readonly bucket: string
  readonly contract_set_fingerprint: string
  readonly jdbc: {
    readonly url: string
    readonly user: string
    readonly exported_snapshot: string
    /** First in each connection's transaction. */
    readonly session_init: string
    /** What the exported snapshot sees, as pg_current_snapshot() tells it: the job reads nothing that sees anything else. */
    readonly visible: string
  }
  readonly taken_at: string
  readonly wal_lsn: string
  readonly created_by: string
  readonly codec: SnapshotSettings['codec']
  readonly row_group_rows: number
  /** Before compression; a row group ends at whichever bound comes first. */
  readonly row_group_bytes: number
  readonly part_bytes: number
  readonly most_parts: number
  readonly pseudonym_key_version: number
  readonly tables: readonly PlannedTable[]
  /** Key of the report. */
  readonly report: string
}

export interface SparkPlanInput {
  readonly snapshotId: string
  readonly bucket: string
  readonly settings: SnapshotSettings
  readonly facts: Pick<SourceFacts, 'snapshot' | 'taken_at' | 'wal_lsn'>
  readonly createdBy: string
  readonly jdbc: { readonly url: string; readonly user: string }
  /** Name of the snapshot that the holder exported. */
  readonly exported: string
  readonly tables: readonly { readonly contract: TableContract; readonly ranges: readonly PlannedRange[] }[]
}

export function sparkPlan(input: SparkPlanInput): SparkPlan {
  const { bucket, createdBy, exported, facts, jdbc, settings, snapshotId, tables } = input
  return {
    plan_version: 1,
    snapshot_id: snapshotId,
    bucket,
    contract_set_fingerprint: setFingerprint(tables.map(({ contract }) => contract)),
    jdbc: {
      url: jdbc.url,
      user: jdbc.user,
      exported_snapshot: exported,
      session_init: importStatements(exported, settings.maxSnapshotAgeMs),
      visible: facts.snapshot,
    },
    taken_at: facts.taken_at,
    wal_lsn: facts.wal_lsn,
    created_by: createdBy,
    codec: settings.codec,
    row_group_rows: settings.rowGroupRows,
    row_group_bytes: settings.rowGroupBytes,
    part_bytes: settings.partBytes,
    most_parts: PART_LIMIT,
    pseudonym_key_version: settings.pseudonymKeyVersion,
    tables: tables.map(({ contract, ranges }) => plannedTable(contract, ranges)),
    report: unloadReportKey(snapshotId),
  }
}

function plannedTable(contract: TableContract, ranges: readonly PlannedRange[]): PlannedTable {
  return {
    name: contract.name,
    table: contract.table,
    fingerprint: contract.fingerprint,
    contract_version: contract.version,
    select: copySelect(contract),
    columns: contract.columns.map(plannedColumn),
    key: keyFields(contract),
    min_key_column: boundedKey(contract)?.name ?? null,
    ranges,
  }
}

function plannedColumn(column: ExportColumn): PlannedColumn {
  const { action, athenaType, name, nullable, onUnrepresentable, pgType, source, stats } = column
  return {
    ...{ name, source, action, nullable, stats },
    pg_type: pgType,
    athena_type: athenaType,
    on_unrepresentable: onUnrepresentable,
  }
}
