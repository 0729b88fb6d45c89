import { type HiveField, printHiveType } from '../hive-types.ts'
import type { CrawlLog } from './crawl-log.ts'
import type { SchemaCache } from './schema-cache.ts'
import { SchemaUnion } from './schema-merge.ts'
import { type LeafFolder, nextTurn, type TableLayout } from './table-layout.ts'

export interface FileStatistics {
  readonly objects: number
  readonly records: number
  readonly sizeBytes: number
}

export interface DetectedPartition {
  readonly values: readonly string[]
  readonly location: string
  readonly columns: readonly HiveField[]
  readonly statistics: FileStatistics
}

/** What the files of one table say. */
export interface DetectedTable {
  readonly location: string
  readonly folderName: string
  readonly keys: readonly string[]
  readonly columns: readonly HiveField[]
  /** Empty when there are no keys. */
  readonly partitions: readonly DetectedPartition[]
  /** Folders with files none of which could be read: not new partitions, but no vanished ones either. */
  readonly unreadable: readonly (readonly string[])[]
  readonly statistics: FileStatistics
}

export interface ReadContext {
  readonly schemas: SchemaCache
  readonly log: CrawlLog
  readonly signal: AbortSignal
}

/** Folders read between two looks at other work. */
const FOLDERS_PER_TURN = 50

/** Reads the footers of a layout's files. Undefined when none of them is Parquet: then there is no table. */
export async function detectTable(layout: TableLayout, context: ReadContext): Promise<DetectedTable | undefined> {
  const keys = new Set(layout.keys)
  const union = new SchemaUnion()
  const partitions = new Map<string, DetectedPartition>()
  const unreadable: (readonly string[])[] = []
  const warned = new Set<string>()
  const total = { objects: 0, records: 0, sizeBytes: 0 }
  for (const key of layout.misfits) context.log.warn(`${key}: its folders are not those of the table's partitions`)
  for (const [index, leaf] of layout.leaves.entries()) {
    if (index % FOLDERS_PER_TURN === 0) await nextTurn()
    const found = await readLeaf(leaf, layout, { keys, union, warned }, context)
    if (!found) {
      unreadable.push(leaf.values)
      continue
    }
    const key = JSON.stringify(leaf.values)
    if (partitions.has(key)) {
      context.log.warn(`${leaf.location}: another folder has the same partition values; left out`)
      continue
    }
    partitions.set(key, found)
    total.objects += found.statistics.objects
    total.records += found.statistics.records
    total.sizeBytes += found.statistics.sizeBytes
  }
  for (const { field, types, files } of union.conflicts) {
    context.log.warn(`${field}: ${types[0]} in ${files[0]}, ${types[1]} in ${files[1]}; taken as string`)
  }
  if (union.columns.length === 0) return undefined
  return {
    location: layout.location,
    folderName: layout.folderName,
    keys: layout.keys,
    columns: union.columns,
    partitions: keys.size === 0 ? [] : [...partitions.values()],
    unreadable,
    statistics: total,
  }
}

/** What the folders of one table share. */
interface TableSoFar {
  readonly keys: ReadonlySet<string>
  readonly union: SchemaUnion
  /** What was said of one file already is not said of each. */
  readonly warned: Set<string>
}

async function readLeaf(
  leaf: LeafFolder,
  layout: TableLayout,
  { keys, union, warned }: TableSoFar,
  context: ReadContext,
): Promise<DetectedPartition | undefined> {
  const { bucket, sampleSize } = layout.target
  const own = new SchemaUnion()
  let objects = 0
  let sizeBytes = 0
  let read = { files: 0, rows: 0, sizeBytes: 0 }
  for (const file of leaf.files) {
    context.signal.throwIfAborted()
    if (sampleSize !== undefined && read.files >= sampleSize) {
      objects += 1
      sizeBytes += file.size
      continue
    }
    const schema = await context.schemas.read(bucket, file)
    if (schema === undefined) continue
    if (typeof schema === 'string') {
      context.log.warn(`s3://${bucket}/${file.key} is no Parquet file (${schema}); left out`)
      continue
    }
    for (const warning of schema.warnings) {
      if (!warned.has(warning)) context.log.warn(`s3://${bucket}/${file.key}: ${warning}`)
      warned.add(warning)
    }
    // A partition key is never repeated as a column: its values come from the folders.
    const columns = schema.columns.filter((column) => !keys.has(column.name))
    union.add(columns, file.key)
    own.add(columns, file.key)
    objects += 1
    sizeBytes += file.size
    read = { files: read.files + 1, rows: read.rows + schema.rows, sizeBytes: read.sizeBytes + file.size }
  }
  if (read.files === 0) return undefined
  // Files beyond the sample are taken to hold as many rows per byte as those that were read.
  const records = Math.round((read.rows * sizeBytes) / read.sizeBytes)
  return {
    values: leaf.values,
    location: leaf.location,
    columns: own.columns,
    statistics: { objects, records, sizeBytes },
  }
}

/** Columns as the catalogue stores them. */
export const catalogueColumns = (columns: readonly HiveField[]): { Name: string; Type: string }[] =>
  columns.map(({ name, type }) => ({ Name: name, Type: printHiveType(type) }))
