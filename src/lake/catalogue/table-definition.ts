import type { Column, PartitionInput, StorageDescriptor, TableInput } from '@aws-sdk/client-glue'
import type { ColumnWords, TableContract } from '../contract.ts'
import type { Manifest } from '../manifest.ts'
import { partitionPrefix, s3Uri, tablePrefix } from '../object-keys.ts'

/**
 * What a lake table and its partitions look like in the Glue catalogue. They are written by us before the first crawl, so that
 * the crawler updates and never invents.
 */

export const PARTITION_KEYS = ['snapshot_date', 'snapshot_id'] as const
export const PARTITION_INDEX = 'snapshot'
const KEY_COMMENTS = {
  snapshot_date: 'Day of the snapshot in UTC',
  snapshot_id: 'The snapshot: all tables of one show the same instant',
} as const

const INPUT_FORMAT = 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat'
const OUTPUT_FORMAT = 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat'
const SERDE = 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'

/** Glue refuses longer comments and descriptions (Data Catalog limits). */
const COMMENT_CHARS = 255
const DESCRIPTION_CHARS = 2_048

/** Where the files of a table lie: `s3://<bucket>/lake/v1/<table>/`. */
export function tableLocation(bucket: string, table: string): string {
  return s3Uri(bucket, tablePrefix(table))
}

/** What a column of the catalogue needs to know about a column: a contract's or a manifest's. */
export interface ColumnFacts {
  readonly name: string
  readonly athenaType: string
  readonly class?: string
  readonly action?: string
  readonly source?: string
  readonly about?: ColumnWords
}

const ACTIONS: Readonly<Record<string, (source: string) => string>> = {
  include: (source) => (source === '' ? 'as it is' : `from ${source}`),
  pseudonymise: (source) => `pseudonym${source === '' ? '' : ` of ${source}`}`,
  generalise: (source) => `generalised${source === '' ? '' : ` from ${source}`}`,
}

/** `[personal, generalised from birth_date]`: how the policy reads in the catalogue. */
function policy({ class: dataClass, action = '', name, source = name, about }: ColumnFacts): string {
  const way = ACTIONS[action]?.(source === name ? '' : source) ?? action
  return `[${dataClass}, ${way}${about?.reason === undefined ? '' : `: ${about.reason}`}]`
}

/** A text as Glue takes it: one line, cut at a word where it is too long. */
function fitted(text: string, characters: number): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  if (line.length <= characters) return line
  return `${line.slice(0, characters - 2).replace(/[\s,.;:]+\S*$/, '')} …`
}

/**
 * What an analyst reads of a column: what it means, its labels or unit, what became of it, and the policy, which is never cut:
 * `Where the account stands. One of active, closed. [internal, as it is]`
 */
export function columnComment(column: ColumnFacts): string | undefined {
  if (column.class === undefined || column.action === undefined) return undefined
  const { deprecatedIn, description, renamedFrom, unit, values } = column.about ?? {}
  const measure = column.athenaType === 'timestamp' ? 'UTC' : unit
  const sentences = [
    description,
    measure === undefined ? undefined : `In ${measure}`,
    renamedFrom === undefined ? undefined : `Replaces ${renamedFrom}`,
    deprecatedIn === undefined ? undefined : `Deprecated since version ${deprecatedIn}`,
    values === undefined ? undefined : `One of ${values.join(', ')}`,
  ]
  const words = sentences.flatMap((each) => (each === undefined ? [] : [`${each}.`])).join(' ')
  const end = fitted(policy(column), COMMENT_CHARS)
  return `${fitted(words, Math.max(0, COMMENT_CHARS - end.length - 1))} ${end}`.trim()
}

/** What an analyst reads of a table, and where to read it. */
export function tableDescription({ description, earlier, entry, lakeTable, retired, version }: TableContract): string {
  const views = `query the views ${lakeTable}_latest and ${lakeTable}_daily`
  const now = retired
    ? 'Not written any more'
    : earlier
      ? `Version ${version}, written beside version ${entry.version} for readers that still need it`
      : `One partition a snapshot; ${views}`
  return fitted(`${description}. ${now}.`, DESCRIPTION_CHARS)
}

export function glueColumn(column: ColumnFacts): Column {
  const text = columnComment(column)
  return { Name: column.name, Type: column.athenaType, ...(text === undefined ? {} : { Comment: text }) }
}

/** The descriptor that table and partition share, but for location and columns. */
export function storageDescriptor(location: string, columns: readonly Column[]): StorageDescriptor {
  return {
    Columns: [...columns],
    Location: location,
    InputFormat: INPUT_FORMAT,
    OutputFormat: OUTPUT_FORMAT,
    Compressed: false,
    NumberOfBuckets: -1,
    SerdeInfo: { SerializationLibrary: SERDE, Parameters: { 'serialization.format': '1' } },
    StoredAsSubDirectories: false,
  }
}

/** The Glue table of a contract, as `CreateTable` takes it. */
export function tableInput(contract: TableContract, bucket: string): TableInput {
  return {
    Name: contract.name,
    Description: tableDescription(contract),
    TableType: 'EXTERNAL_TABLE',
    Parameters: {
      EXTERNAL: 'TRUE',
      classification: 'parquet',
      typeOfData: 'file',
      // Its absence made a crawler mark tables deprecated.
      compressionType: 'none',
      'partition_filtering.enabled': 'true',
      contract_version: String(contract.version),
      contract_fingerprint: contract.fingerprint,
    },
    PartitionKeys: PARTITION_KEYS.map((name) => ({ Name: name, Type: 'string', Comment: KEY_COMMENTS[name] })),
    StorageDescriptor: storageDescriptor(tableLocation(bucket, contract.name), contract.columns.map(glueColumn)),
  }
}

/** One snapshot's partition of one table. */
export interface PartitionFacts {
  readonly table: string
  readonly snapshotDate: string
  readonly snapshotId: string
  /** `s3://…/snapshot_date=…/snapshot_id=…/` */
  readonly location: string
  /** Those of the partition's files, which may be fewer than the table's. */
  readonly columns: readonly ColumnFacts[]
}

/** The partitions that a manifest stands for, one a table. */
export function partitionsOf(manifest: Manifest, bucket: string): PartitionFacts[] {
  return manifest.tables.map((table) => ({
    table: table.name,
    snapshotDate: manifest.snapshot_date,
    snapshotId: manifest.snapshot_id,
    location: s3Uri(bucket, partitionPrefix(table.name, manifest.snapshot_id)),
    columns: table.columns.map((column) => ({
      name: column.name,
      athenaType: column.athena_type,
      class: column.class,
      action: column.action,
    })),
  }))
}

export function byTable(partitions: readonly PartitionFacts[]): Map<string, PartitionFacts[]> {
  const tables = new Map<string, PartitionFacts[]>()
  for (const partition of partitions) {
    const same = tables.get(partition.table)
    if (same === undefined) tables.set(partition.table, [partition])
    else same.push(partition)
  }
  return tables
}

export function partitionInput(partition: PartitionFacts): PartitionInput {
  return {
    Values: [partition.snapshotDate, partition.snapshotId],
    StorageDescriptor: storageDescriptor(partition.location, partition.columns.map(glueColumn)),
    Parameters: { classification: 'parquet', compressionType: 'none', typeOfData: 'file' },
  }
}

/** Type texts compare without case and space: `DECIMAL(12, 2)` is `decimal(12,2)`. */
export function sameType(a: string | undefined, b: string | undefined): boolean {
  const plain = (type: string | undefined) => (type ?? '').toLowerCase().replaceAll(/\s+/g, '')
  return plain(a) === plain(b)
}

/** Locations compare without the trailing slash, which the crawler and other tools add or drop. */
export function sameLocation(a: string | undefined, b: string | undefined): boolean {
  const plain = (location: string | undefined) => (location ?? '').replace(/\/+$/, '')
  return plain(a) === plain(b)
}
