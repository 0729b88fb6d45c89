/**
 * A list as it is asked for, and a page of it: the shape that routes parse into, services pass on and stores turn into SQL.
 * Imports types only.
 */
import type { Scope } from './caller.ts'
import type { TableName } from './lake/datasets.ts'

/** `=v` is `eq`; the others are written `field[op]=v`. */
export type Operator = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte' | 'in' | 'prefix' | 'isNull'

export type FieldKind = 'text' | 'enum' | 'uuid' | 'timestamp' | 'date' | 'integer' | 'boolean'

/** What texts of a field look like, and how to say it. */
export interface TextForm {
  readonly pattern: RegExp
  /** Of the beginning of such a text; default: as the whole. */
  readonly prefix?: RegExp
  readonly detail: string
  /** JSON Schema of it; default: the pattern. For patterns that not every language can read. */
  readonly schema?: Readonly<Record<string, unknown>>
}

/** A field that a list can be filtered by. */
export interface FilterField {
  readonly kind: FieldKind
  readonly operators: readonly Operator[]
  /** The allowed values of an enum. */
  readonly values?: readonly string[]
  /** The form of a text: a value of another form is an error, since nothing can match it. */
  readonly form?: TextForm
  /** The smallest and largest integer that there can be. */
  readonly range?: readonly [number, number]
  /** Type to cast parameters to where the kind does not say it: the enum's name in Postgres. */
  readonly sqlType?: string
  /** The column it reads, when that is not the field's own: decides who may ask. */
  readonly column?: string
  /** The one sort whose index finds such rows: the default beside this filter, and no other is allowed. */
  readonly onlySort?: string
  readonly description?: string
}

export interface SortField {
  readonly kind: FieldKind
  readonly sqlType?: string
  /** NULLs come last in both directions. */
  readonly nullable?: true
}

/** What a collection can be asked, as data: the query parser, the SQL and the API document all read it. */
export interface ListSpec {
  readonly table: TableName
  /** The column that makes the order total; always appended to the sort. */
  readonly idField: string
  /** Its type in Postgres, when it is no UUID. */
  readonly idType?: string
  readonly filters: Readonly<Record<string, FilterField>>
  readonly sorts: Readonly<Record<string, SortField>>
  /** As a caller would write it: `-createdAt`. */
  readonly defaultSort: string
  /** At most so many fields in `sort`; default 3. One where the rows are many: an index begins with one field. */
  readonly maxSortKeys?: number
  /** At least so many characters in `q`; default 1. Three where the rows are many: an index on trigrams knows nothing shorter. */
  readonly minSearchCharacters?: number
  /** Fields that `q` searches for a substring; none: `q` is an unknown parameter. */
  readonly search?: readonly string[]
  /** What an export can embed in a row, as the import of such rows takes it. */
  readonly parts?: Readonly<Record<string, ListPart>>
}

/** Rows of another table that belong to one row. */
export interface ListPart {
  readonly table: TableName
  /** The scope to read them. */
  readonly scope: Scope
  /** The column that names the row they belong to. */
  readonly parent: string
  readonly columns: readonly string[]
  /** Only rows that have this column. */
  readonly having?: string
  /** Columns; the same rows always come in the same order. */
  readonly order: readonly string[]
}

export type FilterValue = string | number | boolean | readonly string[]

export interface Filter {
  readonly field: string
  readonly operator: Operator
  readonly value: FilterValue
}

export interface SortKey {
  readonly field: string
  readonly descending: boolean
}

/** A place between two rows: the sort values and the id of the row beside it. */
export interface Position {
  /** One per sort key: text, ISO instant, number or NULL. */
  readonly values: readonly (string | number | null)[]
  readonly id: string
  /** True: the page before this place. */
  readonly backward: boolean
}

export interface ListRequest {
  readonly filters: readonly Filter[]
  readonly search: string | undefined
  readonly sort: readonly SortKey[]
  readonly position: Position | undefined
  readonly limit: number
  /** No page but the statement that reads all of the list: limit and position do not count. */
  readonly whole?: true
  /** Also tell how many rows the whole list has. */
  readonly count?: CountKind | undefined
}

/** `estimated`: what the planner expects, at the price of one plan. `exact`: counted, at the price of reading every row. */
export const COUNT_KINDS = ['estimated', 'exact'] as const
export type CountKind = (typeof COUNT_KINDS)[number]

export interface Total {
  readonly rows: number
  readonly kind: CountKind
}

export interface Page<Row> {
  readonly rows: readonly Row[]
  /** Undefined: nothing follows (or precedes). */
  readonly next: Position | undefined
  readonly previous: Position | undefined
  /** Only where the request asked for it. */
  readonly total?: Total | undefined
  /** Of a request for the whole list; there are no rows then. */
  readonly statement?: ListStatement
}

export interface ListStatement {
  readonly text: string
  readonly values: readonly unknown[]
}

/**
 * What the text of a value is. `word`: needs no quotes, no escapes and no care anywhere, as a UUID or a label. `array`: of texts,
 * as PostgreSQL writes it.
 */
export type RawKind = 'text' | 'word' | 'number' | 'decimal' | 'boolean' | 'timestamp' | 'json' | 'array'

export interface RawColumn {
  /** In the database. */
  readonly name: string
  readonly kind: RawKind
}

/** Values as PostgreSQL writes them. */
export type RawRow = readonly (string | null)[]

export interface RawPart {
  readonly columns: readonly RawColumn[]
  readonly rowsOf: ReadonlyMap<string, readonly RawRow[]>
}

export interface RawBatch {
  readonly columns: readonly RawColumn[]
  readonly rows: readonly RawRow[]
  /** In the order in which they were asked for. */
  readonly parts: readonly RawPart[]
}

/** Reads whole lists, each as it stood at one instant. */
export interface SnapshotReader {
  /**
   * The rows of a statement in batches, of which the first comes even when it is empty. Nothing is read ahead but one batch. Whoever ends the
   * iteration, or aborts, ends the statement and frees its connection.
   */
  read(statement: ListStatement, parts: readonly ListPart[], signal?: AbortSignal): AsyncIterable<RawBatch>
}
