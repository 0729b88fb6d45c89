import type { JsonObject, JsonOperation, WireTable } from '../../ports.ts'
import { page } from '../page.ts'
import { absent, checkFields, invalidInput, objects, oneOf, operation, optionalText, text } from '../request.ts'
import type { CatalogueStore } from '../store/catalogue-store.ts'

const SHARE_TYPES = ['FOREIGN', 'ALL', 'FEDERATED'] as const
const COMPARATORS = ['EQUALS', 'GREATER_THAN', 'LESS_THAN', 'GREATER_THAN_EQUALS', 'LESS_THAN_EQUALS'] as const
type Comparator = (typeof COMPARATORS)[number]

const TEXT_FIELDS = ['Name', 'DatabaseName', 'Description', 'Owner', 'TableType', 'CatalogId'] as const
const TIME_FIELDS = ['CreateTime', 'UpdateTime', 'LastAccessTime', 'LastAnalyzedTime'] as const

type TablePredicate = (table: WireTable) => boolean

/** SearchTables over all databases. */
export function searchOperations(store: CatalogueStore): Record<string, JsonOperation> {
  return {
    SearchTables: operation(
      {
        optional: ['NextToken', 'Filters', 'SearchText', 'SortCriteria', 'MaxResults', 'ResourceShareType'],
        ignored: ['IncludeStatusDetails'],
      },
      (input) => {
        const shared = oneOf(input, 'ResourceShareType', SHARE_TYPES)
        // Nothing is shared with this account from elsewhere.
        if (shared === 'FOREIGN' || shared === 'FEDERATED') return { TableList: [] }
        const found = search(store, input)
        const keys = found.map((_, index) => String(index).padStart(9, '0'))
        const { items, ...rest } = page(input, keys, (key) => found[Number(key)], 1000)
        return { TableList: items, ...rest }
      },
    ),
  }
}

function search(store: CatalogueStore, input: JsonObject): WireTable[] {
  const predicates = absent(input.Filters) ? [] : objects(input, 'Filters').map(predicate)
  const hasText = textSearch(optionalText(input, 'SearchText'))
  const tables = store
    .databases()
    .flatMap((entry) => [...entry.tables.values()])
    .map((entry) => entry.record.table)
    .filter((table) => hasText(table) && predicates.every((matches) => matches(table)))
  return sorted(tables, input)
}

function predicate(input: JsonObject): TablePredicate {
  checkFields(input, { required: ['Key', 'Value'], optional: ['Comparator'] }, 'Filters.')
  const key = text(input, 'Key')
  const value = text(input, 'Value')
  const comparator = oneOf(input, 'Comparator', COMPARATORS) ?? 'EQUALS'
  const textField = TEXT_FIELDS.find((field) => field.toLowerCase() === key.toLowerCase())
  if (textField) return (table) => hasToken(table[textField] ?? '', value)
  const timeField = TIME_FIELDS.find((field) => field.toLowerCase() === key.toLowerCase())
  if (!timeField) throw invalidInput(`Filters: Key ${key} is not one of ${[...TEXT_FIELDS, ...TIME_FIELDS].join(', ')}`)
  const wanted = timeOf(value)
  return (table) => {
    const time = table[timeField]
    return time !== undefined && ordered(time, wanted, comparator)
  }
}

/** The text itself or one of its parts between punctuation, in any case: `customer-link` has the token `link`. */
function hasToken(whole: string, value: string): boolean {
  const wanted = value.toLowerCase()
  const given = whole.toLowerCase()
  return given === wanted || given.split(/[^\p{L}\p{N}_]+/u).includes(wanted)
}

function timeOf(value: string): number {
  const seconds = Number(value)
  if (value.trim() !== '' && Number.isFinite(seconds)) return seconds
  const parsed = Date.parse(value)
  if (Number.isNaN(parsed)) throw invalidInput(`Filters: Value ${value} is no time`)
  return parsed / 1000
}

function ordered(left: number, right: number, comparator: Comparator): boolean {
  switch (comparator) {
    case 'GREATER_THAN':
      return left > right
    case 'LESS_THAN':
      return left < right
    case 'GREATER_THAN_EQUALS':
      return left >= right
    case 'LESS_THAN_EQUALS':
      return left <= right
    case 'EQUALS':
      return left === right
  }
}

/** Words anywhere in names, descriptions, columns and parameters; in quotes, one of those texts exactly. */
function textSearch(given: string | undefined): TablePredicate {
  if (given === undefined) return () => true
  if (given === '') throw invalidInput('SearchText is empty')
  const exact = /^"(.+)"$/s.exec(given)?.[1]?.toLowerCase()
  if (exact !== undefined) return (table) => textsOf(table).some((one) => one === exact)
  const words = given.toLowerCase().split(/\s+/).filter(Boolean)
  return (table) => {
    const texts = textsOf(table)
    return words.every((word) => texts.some((one) => one.includes(word)))
  }
}

function textsOf(table: WireTable): string[] {
  const columns = [...(table.StorageDescriptor?.Columns ?? []), ...(table.PartitionKeys ?? [])]
  return [
    table.Name,
    table.DatabaseName,
    table.Description,
    table.Owner,
    ...columns.flatMap((column) => [column.Name, column.Comment]),
    ...Object.entries(table.Parameters ?? {}).flat(),
  ]
    .filter((one) => one !== undefined)
    .map((one) => one.toLowerCase())
}

function sorted(tables: WireTable[], input: JsonObject): WireTable[] {
  const [criterion] = absent(input.SortCriteria) ? [] : objects(input, 'SortCriteria', 1)
  if (!criterion) return tables.sort(byDatabaseAndName)
  const name = text(criterion, 'FieldName')
  const field = [...TEXT_FIELDS, ...TIME_FIELDS].find((one) => one.toLowerCase() === name.toLowerCase())
  if (!field) throw invalidInput(`SortCriteria: FieldName ${name} cannot be sorted by`)
  const sign = oneOf(criterion, 'Sort', ['ASC', 'DESC'] as const) === 'DESC' ? -1 : 1
  return tables.sort((left, right) => {
    const [a, b] = [left[field] ?? '', right[field] ?? '']
    return a === b ? byDatabaseAndName(left, right) : a < b ? -sign : sign
  })
}

function byDatabaseAndName(left: WireTable, right: WireTable): number {
  const [a, b] = [left, right].map((table) => `${table.DatabaseName}\u0000${table.Name}`) as [string, string]
  return a < b ? -1 : a > b ? 1 : 0
}
