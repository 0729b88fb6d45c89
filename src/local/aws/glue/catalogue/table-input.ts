import { ACCOUNT_ID } from '../../account-id.ts'
import type { JsonObject, WirePartition, WireTable } from '../../ports.ts'
import {
  absent,
  checkFields,
  checkTypes,
  type Fields,
  invalidInput,
  lowerName,
  objects,
  optionalObject,
  optionalTexts,
  textMap,
  texts,
  violation,
} from '../request.ts'

const TIMES = ['LastAccessTime', 'LastAnalyzedTime']

const TABLE_INPUT: Fields = {
  required: ['Name'],
  optional: [
    'Description',
    'Owner',
    'LastAccessTime',
    'LastAnalyzedTime',
    'Retention',
    'StorageDescriptor',
    'PartitionKeys',
    'ViewOriginalText',
    'ViewExpandedText',
    'TableType',
    'Parameters',
  ],
}

const PARTITION_INPUT: Fields = {
  required: ['Values'],
  optional: ['LastAccessTime', 'StorageDescriptor', 'Parameters', 'LastAnalyzedTime'],
}

const STORAGE_DESCRIPTOR: Fields = {
  optional: [
    'Columns',
    'Location',
    'AdditionalLocations',
    'InputFormat',
    'OutputFormat',
    'Compressed',
    'NumberOfBuckets',
    'SerdeInfo',
    'BucketColumns',
    'SortColumns',
    'Parameters',
    'SkewedInfo',
    'StoredAsSubDirectories',
  ],
}

const COLUMN: Fields = { required: ['Name'], optional: ['Type', 'Comment', 'Parameters'] }

/** What the catalogue adds to a table that a caller described. */
export interface TableFacts {
  readonly database: string
  readonly createdSeconds: number
  readonly updatedSeconds: number
  readonly versionId: string
  readonly createdBy: string
}

/**
 * The table that a `TableInput` describes, complete: what the input left out has the default that AWS answers, because clients
 * such as Trino dereference those members without a look.
 */
export function tableOf(input: JsonObject, facts: TableFacts): WireTable {
  const where = 'TableInput.'
  checkFields(input, TABLE_INPUT, where)
  checkTypes(
    input,
    {
      texts: ['Description', 'Owner', 'ViewOriginalText', 'ViewExpandedText', 'TableType'],
      numbers: ['Retention', ...TIMES],
    },
    where,
  )
  const table = {
    ...present(input),
    Name: lowerName(input, 'Name', where),
    DatabaseName: facts.database,
    Retention: typeof input.Retention === 'number' ? input.Retention : 0,
    PartitionKeys: columns(input, 'PartitionKeys', where),
    Parameters: textMap(input, 'Parameters', where) ?? {},
    CreateTime: facts.createdSeconds,
    UpdateTime: facts.updatedSeconds,
    CreatedBy: facts.createdBy,
    IsRegisteredWithLakeFormation: false,
    IsMultiDialectView: false,
    CatalogId: ACCOUNT_ID,
    VersionId: facts.versionId,
    ...storage(input, where),
  }
  checkColumnNames(table)
  return table as WireTable
}

/** The partition that a `PartitionInput` describes, complete. `keyCount` is the number of the table's partition keys. */
export function partitionOf(
  input: JsonObject,
  place: {
    readonly database: string
    readonly table: string
    readonly keyCount: number
    readonly createdSeconds: number
  },
): WirePartition {
  const where = 'PartitionInput.'
  checkFields(input, PARTITION_INPUT, where)
  checkTypes(input, { numbers: TIMES }, where)
  return {
    ...present(input),
    Values: checkedValues(texts(input, 'Values', Number.POSITIVE_INFINITY, where), place.keyCount),
    DatabaseName: place.database,
    TableName: place.table,
    CreationTime: place.createdSeconds,
    Parameters: textMap(input, 'Parameters', where) ?? {},
    CatalogId: ACCOUNT_ID,
    ...storage(input, where),
  } as WirePartition
}

export function checkedValues(values: readonly string[], keyCount: number): string[] {
  if (values.length !== keyCount) {
    throw invalidInput('The number of partition keys do not match the number of partition values')
  }
  for (const value of values) {
    if (value.length > 1024) throw violation('Values', value, 'Member must have length less than or equal to 1024')
  }
  return [...values]
}

function storage(input: JsonObject, prefix: string): { StorageDescriptor?: JsonObject } {
  const given = optionalObject(input, 'StorageDescriptor', prefix)
  if (!given) return {}
  const where = `${prefix}StorageDescriptor.`
  checkFields(given, STORAGE_DESCRIPTOR, where)
  checkTypes(
    given,
    {
      texts: ['Location', 'InputFormat', 'OutputFormat'],
      numbers: ['NumberOfBuckets'],
      flags: ['Compressed', 'StoredAsSubDirectories'],
    },
    where,
  )
  optionalTexts(given, 'AdditionalLocations', where)
  const serde = optionalObject(given, 'SerdeInfo', where) ?? {}
  checkFields(serde, { optional: ['Name', 'SerializationLibrary', 'Parameters'] }, `${where}SerdeInfo.`)
  checkTypes(serde, { texts: ['Name', 'SerializationLibrary'] }, `${where}SerdeInfo.`)
  return {
    StorageDescriptor: {
      ...present(given),
      Columns: columns(given, 'Columns', where),
      Compressed: given.Compressed === true,
      NumberOfBuckets: typeof given.NumberOfBuckets === 'number' ? given.NumberOfBuckets : 0,
      SerdeInfo: { ...present(serde), Parameters: textMap(serde, 'Parameters', `${where}SerdeInfo.`) ?? {} },
      BucketColumns: optionalTexts(given, 'BucketColumns', where) ?? [],
      SortColumns: absent(given.SortColumns) ? [] : objects(given, 'SortColumns', Number.POSITIVE_INFINITY, where),
      Parameters: textMap(given, 'Parameters', where) ?? {},
      SkewedInfo: optionalObject(given, 'SkewedInfo', where) ?? {
        SkewedColumnNames: [],
        SkewedColumnValues: [],
        SkewedColumnValueLocationMaps: {},
      },
      StoredAsSubDirectories: given.StoredAsSubDirectories === true,
    },
  }
}

function columns(input: JsonObject, name: string, prefix: string): JsonObject[] {
  if (absent(input[name])) return []
  const where = `${prefix}${name}.`
  return objects(input, name, Number.POSITIVE_INFINITY, prefix).map((column) => {
    checkFields(column, COLUMN, where)
    checkTypes(column, { texts: ['Name', 'Type', 'Comment'] }, where)
    textMap(column, 'Parameters', where)
    return present(column)
  })
}

function checkColumnNames(table: { PartitionKeys: JsonObject[]; StorageDescriptor?: JsonObject }): void {
  const columns = (table.StorageDescriptor?.Columns ?? []) as JsonObject[]
  const keys = new Set(table.PartitionKeys.map((key) => String(key.Name).toLowerCase()))
  if (keys.size < table.PartitionKeys.length) throw invalidInput('A partition key is named twice')
  const both = columns.find((column) => keys.has(String(column.Name).toLowerCase()))
  if (both) throw invalidInput(`${String(both.Name)} is both a column and a partition key`)
}

/** Without members that are null: they mean absent. */
export const present = (input: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => !absent(value)))
