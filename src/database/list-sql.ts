import { type Column, datasets } from '../lake/datasets.ts'
import type { Filter, FilterField, ListRequest, ListSpec } from '../list.ts'
import { toCamelCase, toSnakeCase } from '../naming.ts'
import { type Bind, orderOf, orderSql, type Range, rangesOf, SQL_TYPES } from './list-order.ts'

/**
 * A list request as one SQL statement with parameters, and its rows as a page. Keyset paging: the statement seeks to the row
 * after the cursor's, so the last page costs what the first does, and rows that come and go do not shift the others.
 *
 * Text from a caller only ever travels as a parameter; identifiers come from the spec, which is code.
 */
export interface ListSource {
  readonly spec: ListSpec
  /** Columns that the address fixes, as `studio_id`, with the type to cast the value to. */
  readonly fixed?: readonly { readonly column: string; readonly value: string; readonly sqlType: string }[]
  /** Filters that are more than a comparison with their column; `bound()` gives the placeholder of the filter's value. */
  readonly conditions?: Readonly<Record<string, (filter: Filter, bound: () => string) => string>>
  /** Of these the ones to use where all rows are read or counted, and not a page of them. */
  readonly wholeConditions?: ListSource['conditions']
  /** How `q` is asked, one of these; default: a column of `spec.search` contains it, in any letter case. */
  readonly search?: readonly {
    readonly sql: (placeholder: string) => string
    readonly value: (text: string) => string
  }[]
  /** Expressions to select in place of plain columns, as `genres::text[]`. */
  readonly select?: Readonly<Record<string, string>>
}

export interface Statement {
  readonly text: string
  readonly values: unknown[]
}

/** One row more than the limit, so that the page knows whether others follow. */
export function listSql(source: ListSource, request: ListRequest): Statement {
  const { spec } = source
  const { where, values, bind } = conditionsOf(source, request)
  const order = orderOf(spec, request)
  const ranges = rangesOf(order, request.position, bind)
  const limit = `LIMIT ${request.limit + 1}`
  const select = (range: Range) => `${selectSql(source, [...where, ...range.where])} ORDER BY ${range.order} ${limit}`
  const [only] = ranges
  if (only !== undefined && ranges.length === 1) return { text: select(only), values }
  const parts = ranges.map((range) => `(${select(range)})`).join(' UNION ALL ')
  return { text: `SELECT * FROM (${parts}) t ORDER BY ${orderSql(order)} ${limit}`, values }
}

/** All rows of the list, in its order: what an export reads with a cursor. */
export function wholeListSql(source: ListSource, request: Pick<ListRequest, 'filters' | 'search' | 'sort'>): Statement {
  const { where, values } = conditionsOf(ofWhole(source), request)
  const order = orderOf(source.spec, { sort: request.sort, position: undefined })
  return { text: `${selectSql(source, where)} ORDER BY ${orderSql(order)}`, values }
}

/** The rows of the list without their columns and order, to be counted or estimated. */
export function rowsSql(source: ListSource, request: Pick<ListRequest, 'filters' | 'search'>): Statement {
  const { where, values } = conditionsOf(ofWhole(source), request)
  return { text: `SELECT 1 FROM ${source.spec.table} t${whereSql(where)}`, values }
}

function ofWhole(source: ListSource): ListSource {
  return { ...source, conditions: { ...source.conditions, ...source.wholeConditions } }
}

function conditionsOf(source: ListSource, request: Pick<ListRequest, 'filters' | 'search'>) {
  const values: unknown[] = []
  const bind: Bind = (value, sqlType) => `$${values.push(value)}::${sqlType}`
  const where = [
    ...(source.fixed ?? []).map(({ column, value, sqlType }) => `t.${column} = ${bind(value, sqlType)}`),
    ...request.filters.map((filter) => filterSql(source, filter, bind)),
    ...(request.search === undefined ? [] : [searchSql(source, request.search, bind)]),
  ]
  return { where, values, bind }
}

function selectSql(source: ListSource, where: readonly string[]): string {
  return `SELECT ${selectList(source)} FROM ${source.spec.table} t${whereSql(where)}`
}

function whereSql(where: readonly string[]): string {
  return where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`
}

/** The columns of a table as `datasets.ts` names them, less what never leaves the database and what only the lake still knows. */
export function selectList({ spec, select = {} }: Pick<ListSource, 'spec' | 'select'>): string {
  const columns = Object.entries<Column>(datasets[spec.table].columns)
  return columns
    .filter(([, column]) => column.class !== 'secret' && !(column.deprecatedIn !== undefined && column.api === false))
    .map(([name]) => (select[name] === undefined ? `t.${name}` : `${select[name]} AS ${name}`))
    .join(', ')
}

/** The rows of a table with one of the ids that `$1` names, in no order. */
export function byIdsSql(source: Pick<ListSource, 'spec' | 'select'>): string {
  return `SELECT ${selectList(source)} FROM ${source.spec.table} t WHERE t.id = ANY($1::uuid[])`
}

const FIELDS = new Map<string, string>()

function fieldOf(column: string): string {
  let field = FIELDS.get(column)
  if (field === undefined) {
    field = toCamelCase(column)
    FIELDS.set(column, field)
  }
  return field
}

/** A raw row under the names of the Prisma model. */
export function camelRow<Row>(row: Readonly<Record<string, unknown>>): Row {
  const named: Record<string, unknown> = {}
  for (const column in row) named[fieldOf(column)] = row[column]
  return named as Row
}

const COMPARISONS = { eq: '=', ne: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const

function filterSql(source: ListSource, filter: Filter, bind: Bind): string {
  const field = source.spec.filters[filter.field]
  if (field === undefined) throw new Error(`${filter.field} is no filter of ${source.spec.table}`)
  const sqlType = field.sqlType ?? SQL_TYPES[field.kind]
  const own = source.conditions?.[filter.field]
  if (own) return own(filter, () => bind(filter.value, filter.operator === 'in' ? `${sqlType}[]` : sqlType))
  const column = `t.${field.column ?? toSnakeCase(filter.field)}`
  switch (filter.operator) {
    case 'isNull':
      return `${column} IS ${filter.value === true ? '' : 'NOT '}NULL`
    case 'in': {
      // Of one value an index knows the order of its rows, of any of several it does not.
      const values = filter.value as readonly string[]
      if (values.length === 1) return `${column} = ${bind(values[0], sqlType)}`
      return `${column} = ANY(${bind(values, `${sqlType}[]`)})`
    }
    case 'prefix':
      return `${column} LIKE ${bind(`${escapeLike(String(filter.value))}%`, 'text')}`
    case 'ne':
      return otherThanSql(source, field, column, filter, (value, type) => bind(value, `${sqlType}${type}`))
    default:
      return `${column} ${COMPARISONS[filter.operator]} ${bind(filter.value, sqlType)}`
  }
}

/** NULL is different from every value. Of an enum: one of the others, which an index can be asked for. */
function otherThanSql(source: ListSource, field: FilterField, column: string, { value }: Filter, bind: Bind): string {
  if (field.values === undefined) return `${column} IS DISTINCT FROM ${bind(value, '')}`
  const others = `${column} = ANY(${bind(
    field.values.filter((each) => each !== value),
    '[]',
  )})`
  const isNullable = (datasets[source.spec.table].columns as Readonly<Record<string, Column>>)[column.slice(2)]
    ?.nullable
  return isNullable ? `(${others} OR ${column} IS NULL)` : others
}

function searchSql({ spec, search }: ListSource, text: string, bind: Bind): string {
  if (search) return `(${search.map(({ sql, value }) => sql(bind(value(text), 'text'))).join(' OR ')})`
  const pattern = bind(`%${escapeLike(text)}%`, 'text')
  return `(${(spec.search ?? []).map((field) => `t.${toSnakeCase(field)} ILIKE ${pattern}`).join(' OR ')})`
}

/** For LIKE patterns, whose escape character is the backslash. */
export function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, (character) => `\\${character}`)
}
