import type { PartitionIndex, PartitionIndexDescriptor } from '@aws-sdk/client-glue'
import { AwsError, type JsonObject, type JsonOperation, type Wire, type WireTable } from '../../ports.ts'
import {
  alreadyExists,
  checkFields,
  givenName,
  invalidInput,
  notFound,
  object,
  operation,
  text,
  texts,
} from '../request.ts'
import type { CatalogueStore, TableEntry } from '../store/catalogue-store.ts'
import { changeTable, namedTable } from './find.ts'

/** AWS's limit for one table. */
const MAX_INDEXES = 3

/**
 * CreatePartitionIndex, GetPartitionIndexes, DeletePartitionIndex. An index is a promise about speed, not about answers: here it is
 * kept and shown, and active at once.
 */
export function partitionIndexOperations(store: CatalogueStore): Record<string, JsonOperation> {
  return {
    CreatePartitionIndex: operation({ required: ['DatabaseName', 'TableName', 'PartitionIndex'] }, (input) =>
      changeTable(store, input, async (table) => {
        const { indexes } = table.record
        const index = indexOf(object(input, 'PartitionIndex'), table.record.table, indexes)
        await store.saveTable(table, { ...table.record, indexes: [...indexes, index] }, { archive: false })
        return {}
      }),
    ),
    GetPartitionIndexes: operation({ required: ['DatabaseName', 'TableName'], optional: ['NextToken'] }, (input) => {
      const table = namedTable(store, input)
      return { PartitionIndexDescriptorList: table.record.indexes.map((index) => described(index, table)) }
    }),
    DeletePartitionIndex: operation({ required: ['DatabaseName', 'TableName', 'IndexName'] }, (input) =>
      changeTable(store, input, async (table) => {
        const name = text(input, 'IndexName')
        const indexes = table.record.indexes.filter((index) => index.IndexName !== name)
        if (indexes.length === table.record.indexes.length) {
          throw notFound(`Index with the given indexName : ${name} does not exist`)
        }
        await store.saveTable(table, { ...table.record, indexes }, { archive: false })
        return {}
      }),
    ),
  }
}

/** The index that a `PartitionIndex` describes, checked against the table and the indexes it has already. */
export function indexOf(
  input: JsonObject,
  table: WireTable,
  existing: readonly Wire<PartitionIndex>[],
): Wire<PartitionIndex> {
  checkFields(input, { required: ['Keys', 'IndexName'] }, 'PartitionIndex.')
  const name = givenName(input, 'IndexName', 'PartitionIndex.')
  const keys = texts(input, 'Keys', Number.POSITIVE_INFINITY, 'PartitionIndex.')
  if (keys.length === 0) throw invalidInput('PartitionIndex.Keys is empty')
  const known = new Map(table.PartitionKeys?.map((key) => [key.Name?.toLowerCase(), key.Name ?? '']))
  const own = keys.map((key) => {
    const found = known.get(key.toLowerCase())
    if (found === undefined) throw invalidInput(`PartitionIndex.Keys: ${key} is no partition key of the table`)
    return found
  })
  if (existing.some((index) => index.IndexName === name)) {
    throw alreadyExists(`Index with the given indexName : ${name} already exists`)
  }
  if (existing.some((index) => JSON.stringify(index.Keys) === JSON.stringify(own))) {
    throw alreadyExists(`Index with the given keys : ${own.join(', ')} already exists`)
  }
  if (existing.length >= MAX_INDEXES) {
    throw new AwsError('ResourceNumberLimitExceededException', `A table has at most ${MAX_INDEXES} partition indexes`)
  }
  return { IndexName: name, Keys: own }
}

function described(index: Wire<PartitionIndex>, table: TableEntry): Wire<PartitionIndexDescriptor> {
  const types = new Map(table.record.table.PartitionKeys?.map((key) => [key.Name, key.Type]))
  return {
    IndexName: index.IndexName,
    Keys: (index.Keys ?? []).map((key) => ({ Name: key, Type: types.get(key) ?? 'string' })),
    IndexStatus: 'ACTIVE',
    BackfillErrors: [],
  }
}
