import type { Table } from '@aws-sdk/client-glue'
import { ACCOUNT_ID } from '../../account-id.ts'
import { AwsError, type JsonObject, type JsonOperation, type RequestContext, type WireTable } from '../../ports.ts'
import { page } from '../page.ts'
import {
  absent,
  alreadyExists,
  flag,
  invalidInput,
  lowerName,
  nowSeconds,
  object,
  objects,
  operation,
  optionalText,
  optionalTexts,
  texts,
} from '../request.ts'
import type { CatalogueStore, TableEntry } from '../store/catalogue-store.ts'
import { errorDetail, findDatabase, findTable, namePattern } from './find.ts'
import { indexOf } from './partition-index-operations.ts'
import { tableOf } from './table-input.ts'

const READ_ONLY_REMARKS = ['AuditContext', 'IncludeStatusDetails']

/** CreateTable, GetTable, GetTables, UpdateTable, DeleteTable, BatchDeleteTable. */
export function tableOperations(store: CatalogueStore): Record<string, JsonOperation> {
  return {
    CreateTable: operation(
      { required: ['DatabaseName', 'TableInput'], optional: ['Name', 'PartitionIndexes'] },
      (input, context) => createTable(store, input, context),
    ),
    GetTable: operation({ required: ['DatabaseName', 'Name'], ignored: READ_ONLY_REMARKS }, (input) => ({
      Table: findTable(store, lowerName(input, 'DatabaseName'), lowerName(input, 'Name')).record.table,
    })),
    GetTables: operation(
      {
        required: ['DatabaseName'],
        optional: ['Expression', 'NextToken', 'MaxResults', 'AttributesToGet'],
        ignored: READ_ONLY_REMARKS,
      },
      (input) => getTables(store, input),
    ),
    UpdateTable: operation(
      { required: ['DatabaseName', 'TableInput'], optional: ['Name', 'SkipArchive', 'VersionId'] },
      (input, context) => updateTable(store, input, context),
    ),
    DeleteTable: operation({ required: ['DatabaseName', 'Name'] }, (input) => {
      const database = lowerName(input, 'DatabaseName')
      const name = lowerName(input, 'Name')
      return store.exclusive(database, async () => {
        findTable(store, database, name)
        await store.deleteTable(findDatabase(store, database), name)
        return {}
      })
    }),
    BatchDeleteTable: operation({ required: ['DatabaseName', 'TablesToDelete'] }, (input) =>
      batchDeleteTable(store, input),
    ),
  }
}

const creator = (context: RequestContext): string => `arn:aws:iam::${ACCOUNT_ID}:user/${context.accessKeyId}`

function givenTable(input: JsonObject): { given: JsonObject; database: string; name: string } {
  const given = object(input, 'TableInput')
  const name = lowerName(given, 'Name', 'TableInput.')
  if (!absent(input.Name) && lowerName(input, 'Name') !== name) {
    throw invalidInput('Name and TableInput.Name must be the same: renaming a table is not supported')
  }
  return { given, database: lowerName(input, 'DatabaseName'), name }
}

function createTable(store: CatalogueStore, input: JsonObject, context: RequestContext): Promise<JsonObject> {
  const { given, database, name } = givenTable(input)
  const now = nowSeconds()
  const facts = { createdSeconds: now, updatedSeconds: now, versionId: '0', createdBy: creator(context) }
  const table = tableOf(given, { database, ...facts })
  const wanted = absent(input.PartitionIndexes) ? [] : objects(input, 'PartitionIndexes', 3)
  const indexes: ReturnType<typeof indexOf>[] = []
  for (const index of wanted) indexes.push(indexOf(index, table, indexes))
  return store.exclusive(database, async () => {
    const entry = findDatabase(store, database)
    if (entry.tables.has(name)) throw alreadyExists('Table already exists.')
    await store.createTable(entry, name, { table, indexes })
    return {}
  })
}

/** Replaces the table whole: what the input leaves out is gone. */
function updateTable(store: CatalogueStore, input: JsonObject, context: RequestContext): Promise<JsonObject> {
  const { given, database, name } = givenTable(input)
  return store.exclusive(database, async () => {
    const entry = findTable(store, database, name)
    const old = entry.record.table
    const expected = optionalText(input, 'VersionId')
    if (expected !== undefined && expected !== old.VersionId) {
      throw new AwsError('ConcurrentModificationException', 'Update table failed due to concurrent modifications.')
    }
    const table = tableOf(given, {
      database,
      createdSeconds: old.CreateTime ?? nowSeconds(),
      updatedSeconds: nowSeconds(),
      versionId: String(Number(old.VersionId ?? 0) + 1),
      createdBy: old.CreatedBy ?? creator(context),
    })
    checkKeys(entry, table)
    const keys = new Set(table.PartitionKeys?.map((key) => key.Name))
    const indexes = entry.record.indexes.filter((index) => index.Keys?.every((key) => keys.has(key)))
    await store.saveTable(entry, { table, indexes }, { archive: !flag(input, 'SkipArchive') })
    return {}
  })
}

function checkKeys(entry: TableEntry, table: WireTable): void {
  if (entry.partitions.size === 0) return
  const before = entry.record.table.PartitionKeys?.length ?? 0
  const after = table.PartitionKeys?.length ?? 0
  if (before !== after) {
    throw invalidInput(`PartitionKeys: the table has partitions with ${before} values, ${after} keys were given`)
  }
}

function getTables(store: CatalogueStore, input: JsonObject): JsonObject {
  const { tables } = findDatabase(store, lowerName(input, 'DatabaseName'))
  const pattern = namePattern(optionalText(input, 'Expression'))
  const names = [...tables.keys()].filter((name) => pattern.test(name)).sort()
  const { items, ...rest } = page(input, names, (name) => tables.get(name)?.record.table, 100)
  const attributes = optionalTexts(input, 'AttributesToGet')
  return { TableList: attributes?.length ? items.map((table) => onlyAttributes(table, attributes)) : items, ...rest }
}

const ATTRIBUTES: Readonly<Record<string, keyof Table>> = { NAME: 'Name', TABLE_TYPE: 'TableType' }

function onlyAttributes(table: WireTable, attributes: readonly string[]): JsonObject {
  const members = attributes.map((attribute) => {
    const member = Object.hasOwn(ATTRIBUTES, attribute) ? ATTRIBUTES[attribute] : undefined
    if (!member) throw invalidInput(`AttributesToGet: ${attribute} is not one of ${Object.keys(ATTRIBUTES).join(', ')}`)
    return member
  })
  return Object.fromEntries(['Name' as const, ...members].map((member) => [member, table[member]]))
}

function batchDeleteTable(store: CatalogueStore, input: JsonObject): Promise<JsonObject> {
  const database = lowerName(input, 'DatabaseName')
  const names = texts(input, 'TablesToDelete', 100)
  return store.exclusive(database, async () => {
    const entry = findDatabase(store, database)
    const Errors: JsonObject[] = []
    for (const given of names) {
      try {
        findTable(store, database, given.toLowerCase())
        await store.deleteTable(entry, given.toLowerCase())
      } catch (error) {
        Errors.push({ TableName: given, ErrorDetail: errorDetail(error) })
      }
    }
    return { Errors }
  })
}
