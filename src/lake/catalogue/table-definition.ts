import type { Column, PartitionInput, StorageDescriptor, TableInput } from '@aws-sdk/client-glue'
import type { TableContract } from '../contract.ts'
import type { Manifest } from '../manifest.ts'
import { partitionPrefix, s3Uri, tablePrefix } from '../object-keys.ts'

/**
 * What a lake table and its partitions look like in the Glue catalogue. They are written by us before the first crawl, so that
 * the crawler updates and never invents.
 */

export const PARTITION_KEYS = ['snapshot_date', 'snapshot_id'] as const
export const PARTITION_INDEX = 'snapshot'

const INPUT_FORMAT = 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat'
const OUTPUT_FORMAT = 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat'
const SERDE = 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'

/** Glue refuses longer ones. */
const COMMENT_CHARS = 255

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
}

/** `internal, pseudonymise: from id`: how the policy reads in the catalogue. */
function comment({ class: dataClass, action, name, source }: ColumnFacts): string | undefined {
  if (dataClass === undefined || action === undefined) return undefined
  const origin = source === undefined || source === name ? '' : `: from ${source}`
  return `${dataClass}, ${action}${origin}`.slice(0, COMMENT_CHARS)
}

export function glueColumn(column: ColumnFacts): Column {
  const text = comment(column)
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
    Description: contract.description,
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
    PartitionKeys: PARTITION_KEYS.map((name) => ({ Name: name, Type: 'string' })),
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
