import type { JsonObject } from '../../ports.ts'
import { absent, checkFields, invalidInput, isObject } from '../request.ts'

/** What the `Configuration` text of a crawler asks for. */
export interface CrawlerConfiguration {
  /** Depth of the tables' folders, the bucket being 1; undefined: the folder above the first `key=value` folder. */
  readonly tableLevel?: number
  /** More tables than this end the crawl before it changes anything. */
  readonly tableThreshold?: number
  /** Known columns stay as they are; new ones are added. */
  readonly mergeNewColumns: boolean
  /** Partitions get the columns of their table, not those of their files. */
  readonly inheritFromTable: boolean
  readonly createPartitionIndex: boolean
}

/** @throws AwsError InvalidInputException naming the part that is wrong or not offered */
export function parseConfiguration(text: string | undefined): CrawlerConfiguration {
  const given = text === undefined || text.trim() === '' ? { Version: 1 } : jsonObject(text)
  checkFields(given, { required: ['Version'], optional: ['CreatePartitionIndex', 'Grouping', 'CrawlerOutput'] }, WHERE)
  if (given.Version !== 1) throw invalidInput('Configuration.Version must be 1.0')
  const grouping = part(given, 'Grouping', ['TableGroupingPolicy', 'TableLevelConfiguration'])
  const output = part(given, 'CrawlerOutput', ['Tables', 'Partitions'])
  const tables = part(output, 'Tables', ['AddOrUpdateBehavior', 'TableThreshold'])
  const partitions = part(output, 'Partitions', ['AddOrUpdateBehavior'])
  choice(grouping, 'TableGroupingPolicy', 'CombineCompatibleSchemas')
  const tableLevel = count(grouping, 'TableLevelConfiguration')
  const tableThreshold = count(tables, 'TableThreshold')
  return {
    ...(tableLevel === undefined ? {} : { tableLevel }),
    ...(tableThreshold === undefined ? {} : { tableThreshold }),
    mergeNewColumns: choice(tables, 'AddOrUpdateBehavior', 'MergeNewColumns'),
    inheritFromTable: choice(partitions, 'AddOrUpdateBehavior', 'InheritFromTable'),
    createPartitionIndex: given.CreatePartitionIndex === true,
  }
}

const WHERE = 'Configuration.'

function jsonObject(text: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw invalidInput(`Configuration is no JSON: ${(cause as Error).message}`)
  }
  if (!isObject(value)) throw invalidInput('Configuration must be a JSON object')
  return value
}

function part(parent: JsonObject, name: string, members: readonly string[]): JsonObject {
  const value = parent[name] ?? {}
  if (!isObject(value)) throw invalidInput(`Configuration: ${name} must be an object`)
  checkFields(value, { optional: members }, `${WHERE}${name}.`)
  return value
}

function choice(parent: JsonObject, name: string, only: string): boolean {
  if (absent(parent[name])) return false
  if (parent[name] !== only) throw invalidInput(`Configuration: ${name} ${String(parent[name])} is not ${only}`)
  return true
}

function count(parent: JsonObject, name: string): number | undefined {
  const value = parent[name]
  if (absent(value)) return undefined
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1) throw invalidInput(`Configuration: ${name} must be a number above 0`)
  return number
}
