import type { JsonObject, JsonOperation, WirePartition } from '../../ports.ts'
import { page } from '../page.ts'
import {
  absent,
  alreadyExists,
  checkFields,
  flag,
  integer,
  invalidInput,
  nowSeconds,
  object,
  objects,
  operation,
  optionalObject,
  optionalText,
  texts,
} from '../request.ts'
import { type CatalogueStore, partitionKey, type TableEntry } from '../store/catalogue-store.ts'
import type { Change } from '../store/keyed-log.ts'
import { changeTable, errorDetail, findPartition, keyCount, namedTable } from './find.ts'
import { partitionFilter } from './partition-expression.ts'
import { checkedValues, partitionOf } from './table-input.ts'

const TABLE = ['DatabaseName', 'TableName']
/** Partitions a batch may create or change, and delete: AWS's limits. */
const MAX_CREATES = 100
const MAX_DELETES = 25
const MAX_READS = 1000

/** The partitions of a table, one and many at a time. A batch is one write: after a crash all of its good entries are there or none. */
export function partitionOperations(store: CatalogueStore): Record<string, JsonOperation> {
  return {
    ...readingOperations(store),
    CreatePartition: operation({ required: [...TABLE, 'PartitionInput'] }, (input) =>
      changeTable(store, input, async (table) => {
        await table.partitions.write([created(table, object(input, 'PartitionInput'))])
        return {}
      }),
    ),
    BatchCreatePartition: operation({ required: [...TABLE, 'PartitionInputList'] }, (input) => {
      const entries = objects(input, 'PartitionInputList', MAX_CREATES)
      return changeTable(store, input, (table) =>
        batch(table, entries, (entry) => [created(table, entry)], 'PartitionValues', 'Values'),
      )
    }),
    UpdatePartition: operation({ required: [...TABLE, 'PartitionValueList', 'PartitionInput'] }, (input) =>
      changeTable(store, input, (table) => replace(table, replaced(table, input))),
    ),
    BatchUpdatePartition: operation({ required: [...TABLE, 'Entries'] }, (input) => {
      const entries = objects(input, 'Entries', MAX_CREATES)
      return changeTable(store, input, (table) =>
        batch(table, entries, (entry) => replaced(table, entry), 'PartitionValueList', 'PartitionValueList'),
      )
    }),
    DeletePartition: operation({ required: [...TABLE, 'PartitionValues'] }, (input) =>
      changeTable(store, input, (table) => replace(table, [removed(table, texts(input, 'PartitionValues'))])),
    ),
    BatchDeletePartition: operation({ required: [...TABLE, 'PartitionsToDelete'] }, (input) => {
      const entries = objects(input, 'PartitionsToDelete', MAX_DELETES)
      return changeTable(store, input, (table) =>
        batch(table, entries, (entry) => [removed(table, texts(entry, 'Values'))], 'PartitionValues', 'Values'),
      )
    }),
  }
}

function readingOperations(store: CatalogueStore): Record<string, JsonOperation> {
  return {
    GetPartition: operation({ required: [...TABLE, 'PartitionValues'], ignored: ['AuditContext'] }, (input) => {
      const table = namedTable(store, input)
      const values = checkedValues(texts(input, 'PartitionValues'), keyCount(table))
      return { Partition: findPartition(table, values) }
    }),
    GetPartitions: operation(
      {
        required: TABLE,
        optional: ['Expression', 'NextToken', 'Segment', 'MaxResults', 'ExcludeColumnSchema'],
        ignored: ['AuditContext'],
      },
      (input) => getPartitions(namedTable(store, input), input),
    ),
    BatchGetPartition: operation(
      { required: [...TABLE, 'PartitionsToGet'], ignored: ['AuditContext', 'QuerySessionContext'] },
      (input) => {
        const table = namedTable(store, input)
        const wanted = objects(input, 'PartitionsToGet', MAX_READS)
        const found = wanted.map((entry) => {
          const values = checkedValues(texts(entry, 'Values'), keyCount(table))
          return table.partitions.get(partitionKey(values))
        })
        // What does not exist is simply missing; UnprocessedKeys is for what should be asked again.
        return { Partitions: found.filter((partition) => partition !== undefined), UnprocessedKeys: [] }
      },
    ),
  }
}

function getPartitions(table: TableEntry, input: JsonObject): JsonObject {
  const keys = (table.record.table.PartitionKeys ?? []).map((key) => ({
    name: key.Name ?? '',
    type: key.Type ?? 'string',
  }))
  const matches = partitionFilter(optionalText(input, 'Expression') ?? '', keys)
  const inSegment = segment(input)
  const pick = (key: string): WirePartition | undefined => {
    if (!inSegment(key)) return undefined
    const partition = table.partitions.get(key)
    return partition && matches(partition.Values ?? []) ? partition : undefined
  }
  const { items, ...rest } = page(input, table.partitions.keys(), pick, MAX_READS)
  return { Partitions: flag(input, 'ExcludeColumnSchema') ? items.map(withoutColumns) : items, ...rest }
}

function withoutColumns(partition: WirePartition): WirePartition {
  if (!partition.StorageDescriptor) return partition
  const { Columns: _, ...descriptor } = partition.StorageDescriptor
  return { ...partition, StorageDescriptor: descriptor }
}

/** Each partition belongs to exactly one of the segments, the same one on every page. */
function segment(input: JsonObject): (key: string) => boolean {
  const given = optionalObject(input, 'Segment')
  if (!given) return () => true
  checkFields(given, { required: ['SegmentNumber', 'TotalSegments'] }, 'Segment.')
  const total = integer(given, 'TotalSegments', 1, 10)!
  const number = integer(given, 'SegmentNumber', 0, Number.MAX_SAFE_INTEGER)!
  if (number >= total) throw invalidInput(`Segment.SegmentNumber ${number} must be below TotalSegments ${total}`)
  return (key) => hash(key) % total === number
}

/** FNV-1a over UTF-16 units, 32 bits, its high half mixed in: the remainder by small numbers is even. */
function hash(text: string): number {
  let sum = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) sum = Math.imul(sum ^ text.charCodeAt(index), 0x01000193)
  return (sum ^ (sum >>> 16)) >>> 0
}

type PartitionChange = Change<WirePartition>

function created(table: TableEntry, input: JsonObject): PartitionChange {
  const partition = described(table, input, nowSeconds())
  const key = partitionKey(partition.Values ?? [])
  if (table.partitions.has(key)) throw alreadyExists('Partition already exists.')
  return [key, partition]
}

/** Other values in the input move the partition. */
function replaced(table: TableEntry, input: JsonObject): PartitionChange[] {
  checkFields(input, {
    required: ['PartitionValueList', 'PartitionInput'],
    optional: ['DatabaseName', 'TableName'],
  })
  const values = checkedValues(texts(input, 'PartitionValueList'), keyCount(table))
  const old = findPartition(table, values)
  const given = object(input, 'PartitionInput')
  const complete = absent(given.Values) ? { ...given, Values: values } : given
  const partition = described(table, complete, old.CreationTime ?? nowSeconds())
  const [from, to] = [partitionKey(values), partitionKey(partition.Values ?? [])]
  if (from === to) return [[to, partition]]
  if (table.partitions.has(to)) throw alreadyExists('Partition already exists.')
  return [
    [from, null],
    [to, partition],
  ]
}

function removed(table: TableEntry, given: readonly string[]): PartitionChange {
  const values = checkedValues(given, keyCount(table))
  findPartition(table, values)
  return [partitionKey(values), null]
}

function described(table: TableEntry, input: JsonObject, createdSeconds: number): WirePartition {
  const { DatabaseName = '', Name = '' } = table.record.table
  return partitionOf(input, { database: DatabaseName, table: Name, keyCount: keyCount(table), createdSeconds })
}

async function replace(table: TableEntry, changes: readonly PartitionChange[]): Promise<JsonObject> {
  await table.partitions.write(changes)
  await dropStatistics(table, changes)
  return {}
}

/** Statistics of partitions that are gone go too: a partition of the same values made later has none. */
export async function dropStatistics(table: TableEntry, changes: readonly PartitionChange[]): Promise<void> {
  if (table.statistics.size === 0) return
  const gone = new Set(changes.filter(([, value]) => value === null).map(([key]) => key))
  const keys = table.statistics.keys().filter((key) => gone.has(JSON.stringify((JSON.parse(key) as unknown[])[0])))
  await table.statistics.write(keys.map((key) => [key, null]))
}

/**
 * Makes the changes of all entries in one write. An entry that fails is reported under `valuesName` and does not hinder the others;
 * an entry that touches what an earlier one of the same batch changed fails as it would after it.
 */
async function batch(
  table: TableEntry,
  entries: readonly JsonObject[],
  change: (entry: JsonObject) => PartitionChange[],
  valuesName: string,
  entryMember: string,
): Promise<JsonObject> {
  const Errors: JsonObject[] = []
  const changes = new Map<string, PartitionChange>()
  for (const entry of entries) {
    try {
      const wanted = change(entry)
      const again = wanted.find(([key]) => changes.has(key))
      if (again) {
        throw again[1] === null
          ? invalidInput('The partition is named twice in the batch')
          : alreadyExists('Partition already exists.')
      }
      for (const one of wanted) changes.set(one[0], one)
    } catch (error) {
      Errors.push({ [valuesName]: entry[entryMember], ErrorDetail: errorDetail(error) })
    }
  }
  await replace(table, [...changes.values()])
  return { Errors }
}
