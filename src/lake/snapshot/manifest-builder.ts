import type { ExportColumn, TableContract } from '../contract.ts'
import { setFingerprint } from '../contract.ts'
import type { PgType } from '../datasets.ts'
import type { Manifest, ManifestColumn, ManifestFile, ManifestTable } from '../manifest.ts'
import { snapshotDate } from '../object-keys.ts'
import { base64OfHex } from '../storage/multipart-sink.ts'
import type { SourceFacts } from './source.ts'
import type { WrittenFile } from './table-uploads.ts'

/** A table of which every row is in finished files. */
export interface CopiedTable {
  readonly contract: TableContract
  readonly files: readonly WrittenFile[]
}

export interface ManifestInput {
  readonly snapshotId: string
  readonly sequence: bigint
  readonly fence: bigint
  readonly software: { readonly version: string; readonly gitSha: string | null }
  readonly previousSnapshotId: string | null
  readonly startedAt: Date
  readonly preparedAt: Date
  readonly source: SourceFacts
  readonly pseudonymKeyVersion: number
  readonly tables: readonly CopiedTable[]
}

const STRING = ['BYTE_ARRAY', 'STRING'] as const
const PARQUET: Readonly<Record<Exclude<PgType, `numeric(${number},${number})`>, readonly [string, string | null]>> = {
  uuid: STRING,
  text: STRING,
  enum: STRING,
  jsonb: STRING,
  'timestamptz(3)': ['INT64', 'TIMESTAMP(MICROS,UTC)'],
  date: ['INT32', 'DATE'],
  smallint: ['INT32', null],
  integer: ['INT32', null],
  bigint: ['INT64', null],
  boolean: ['BOOLEAN', null],
}

function parquetType(pgType: PgType): readonly [string, string | null] {
  const numeric = /^numeric\((\d+),(\d+)\)$/.exec(pgType)
  if (!numeric) return PARQUET[pgType as keyof typeof PARQUET]
  const physical = Number(numeric[1]) <= 18 ? 'INT64' : 'FIXED_LEN_BYTE_ARRAY'
  return [physical, `DECIMAL(${numeric[1]},${numeric[2]})`]
}

/** A column as the manifest describes it. */
export function manifestColumn(column: ExportColumn): ManifestColumn {
  const [physical, logical] = parquetType(column.pgType)
  return {
    name: column.name,
    pg_type: column.pgType,
    parquet_physical: physical,
    parquet_logical: logical,
    athena_type: column.athenaType,
    nullable: column.nullable,
    class: column.class,
    action: column.action,
  }
}

function bound(value: unknown): string | number | null {
  if (value === undefined || value === null) return null
  return typeof value === 'number' ? value : value instanceof Date ? value.toISOString() : String(value)
}

/** The column whose bounds the manifest tells of each file: the first one of the primary key, where it is exported as it is. */
export function boundedKey({ columns, primaryKey: [first] }: TableContract): ExportColumn | undefined {
  return columns.find((c) => c.source === first && c.action === 'include' && c.name === first)
}

function manifestFile(contract: TableContract, { key, facts }: WrittenFile): ManifestFile {
  const bounds = facts.columns[boundedKey(contract)?.name ?? '']
  return {
    key,
    bytes: facts.bytes,
    rows: facts.rows,
    row_groups: facts.rowGroups,
    crc32: base64OfHex(facts.crc32),
    sha256: facts.sha256,
    tail_sha256: facts.tailSha256,
    tail_bytes: facts.tail.length,
    min_key: bound(bounds?.min),
    max_key: bound(bounds?.max),
    columns: Object.fromEntries(Object.entries(facts.columns).map(([name, { nulls, sum }]) => [name, { nulls, sum }])),
  }
}

function manifestTable({ contract, files }: CopiedTable): ManifestTable {
  const unrepresentable: Record<string, Record<string, number>> = {}
  for (const { name, onUnrepresentable } of contract.columns) {
    if (onUnrepresentable !== 'null') continue
    const counts: Record<string, number> = {}
    for (const { facts } of files) {
      for (const [reason, count] of Object.entries(facts.unrepresentable[name] ?? {})) {
        counts[reason] = (counts[reason] ?? 0) + count
      }
    }
    unrepresentable[name] = counts
  }
  return {
    name: contract.name,
    contract_version: contract.version,
    fingerprint: contract.fingerprint,
    rows: sum(files, (file) => file.facts.rows),
    bytes: sum(files, (file) => file.facts.bytes),
    columns: contract.columns.map(manifestColumn),
    unrepresentable,
    files: files.map((file) => manifestFile(contract, file)),
  }
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}

/** Values that became NULL because Parquet cannot hold them. */
export function unrepresentableValues({ tables }: Manifest): number {
  return sum(tables, (table) =>
    sum(Object.values(table.unrepresentable), (counts) => sum(Object.values(counts), (count) => count)),
  )
}

/** The manifest of a snapshot whose files are all uploaded. */
export function buildManifest(input: ManifestInput): Manifest {
  const tables = input.tables.map(manifestTable)
  return {
    manifest_version: 1,
    snapshot_id: input.snapshotId,
    snapshot_date: snapshotDate(input.snapshotId),
    sequence: Number(input.sequence),
    fence: Number(input.fence),
    software: { version: input.software.version, git_sha: input.software.gitSha },
    previous_snapshot_id: input.previousSnapshotId,
    started_at: input.startedAt.toISOString(),
    prepared_at: input.preparedAt.toISOString(),
    source: { ...input.source },
    contract_set_fingerprint: setFingerprint(input.tables.map((table) => table.contract)),
    pseudonym_key_version: input.pseudonymKeyVersion,
    erasure_watermark: null,
    tables,
    totals: {
      rows: sum(tables, (table) => table.rows),
      bytes: sum(tables, (table) => table.bytes),
      files: sum(tables, (table) => table.files.length),
    },
  }
}
