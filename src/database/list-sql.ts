import { datasets } from '../lake/datasets.ts'
import type { FieldKind, Filter, ListRequest, ListSpec, Page, Position, SortKey } from '../list.ts'
import { toCamelCase, toSnakeCase } from '../naming.ts'

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
  /** Filters that are more than a comparison with their column: a condition over one placeholder. */
  readonly conditions?: Readonly<Record<string, (filter: Filter, placeholder: string) => string>>
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

const SQL_TYPES: Readonly<Record<FieldKind, string>> = {
  text: 'text',
  enum: 'text',
  uuid: 'uuid',
  timestamp: 'timestamptz',
  date: 'date',
  integer: 'bigint',
  boolean: 'boolean',
}

/** One row more than the limit, so that the page knows whether others follow. */
export function listSql(source: ListSource, request: ListRequest): Statement {
  const { spec } = source
  const values: unknown[] = []
  const bind = (value: unknown, sqlType: string): string => `$${values.push(value)}::${sqlType}`
  const base = [
    ...(source.fixed ?? []).map(({ column, value, sqlType }) => `t.${column} = ${bind(value, sqlType)}`),
    ...request.filters.map((filter) => filterSql(source, filter, bind)),
    ...(request.search === undefined ? [] : [searchSql(source, request.search, bind)]),
  ]
  const order = orderOf(spec, request)
  const end = `ORDER BY ${order.map(orderSql).join(', ')} LIMIT ${request.limit + 1}`
  const ranges = request.position === undefined ? [] : seekSql(order, request.position, bind)
  const select = (range: readonly string[]) => {
    const where = [...base, ...range]
    const condition = where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`
    return `SELECT ${selectList(source)} FROM ${spec.table} t${condition} ${end}`
  }
  if (ranges.length < 2) return { text: select(ranges), values }
  return {
    text: `SELECT * FROM (${ranges.map((range) => `(${select([range])})`).join(' UNION ALL ')}) t ${end}`,
    values,
  }
}

/** The columns of a table as `datasets.ts` names them, less what never leaves the database. */
export function selectList({ spec, select = {} }: Pick<ListSource, 'spec' | 'select'>): string {
  const columns = Object.entries(datasets[spec.table].columns)
  return columns
    .filter(([, column]) => column.class !== 'secret')
    .map(([name]) => (select[name] === undefined ? `t.${name}` : `${select[name]} AS ${name}`))
    .join(', ')
}

/** The rows of a table with one of the ids that `$1` names, in no order. */
export function byIdsSql(source: Pick<ListSource, 'spec' | 'select'>): string {
  return `SELECT ${selectList(source)} FROM ${source.spec.table} t WHERE t.id = ANY($1::uuid[])`
}

/** A raw row under the names of the Prisma model. */
export function camelRow<Row>(row: Readonly<Record<string, unknown>>): Row {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [toCamelCase(column), value])) as Row
}

/** The rows of `listSql` as a page. `rows` are domain rows: their fields carry the sort values. */
export function pageFrom<Row extends object>(spec: ListSpec, request: ListRequest, rows: readonly Row[]): Page<Row> {
  const backward = request.position?.backward ?? false
  const more = rows.length > request.limit
  const kept = rows.slice(0, request.limit)
  if (backward) kept.reverse()
  const place = (row: Row | undefined, direction: boolean) =>
    row === undefined ? undefined : positionOf(spec, request.sort, row, direction)
  return {
    rows: kept,
    next: more || backward ? place(kept.at(-1), false) : undefined,
    previous: (backward ? more : request.position !== undefined) ? place(kept[0], true) : undefined,
  }
}

function positionOf(spec: ListSpec, sort: readonly SortKey[], row: object, backward: boolean): Position {
  const fields = row as Readonly<Record<string, unknown>>
  return { values: sort.map(({ field }) => cursorValue(fields[field])), id: String(fields[spec.idField]), backward }
}

function cursorValue(value: unknown): string | number | null {
  if (value === null || value === undefined) return null
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'number' ? value : String(value)
}

type Bind = (value: unknown, sqlType: string) => string

const COMPARISONS = { eq: '=', ne: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const

function filterSql(source: ListSource, filter: Filter, bind: Bind): string {
  const field = source.spec.filters[filter.field]
  if (field === undefined) throw new Error(`${filter.field} is no filter of ${source.spec.table}`)
  const sqlType = field.sqlType ?? SQL_TYPES[field.kind]
  const own = source.conditions?.[filter.field]
  if (own) return own(filter, bind(filter.value, filter.operator === 'in' ? `${sqlType}[]` : sqlType))
  const column = `t.${field.column ?? toSnakeCase(filter.field)}`
  switch (filter.operator) {
    case 'isNull':
      return `${column} IS ${filter.value === true ? '' : 'NOT '}NULL`
    case 'in':
      return `${column} = ANY(${bind(filter.value, `${sqlType}[]`)})`
    case 'prefix':
      return `${column} LIKE ${bind(`${escapeLike(String(filter.value))}%`, 'text')}`
    case 'ne':
      // NULL is different from every value.
      return `${column} IS DISTINCT FROM ${bind(filter.value, sqlType)}`
    default:
      return `${column} ${COMPARISONS[filter.operator]} ${bind(filter.value, sqlType)}`
  }
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

interface OrderKey {
  readonly column: string
  readonly sqlType: string
  /** In the direction that this page is read. */
  readonly descending: boolean
  readonly nullable: boolean
  readonly nullsFirst: boolean
}

/** The sort with the id at its end, in the id's case following the last key: that is how the indexes lie. */
function orderOf(spec: ListSpec, request: ListRequest): OrderKey[] {
  const backward = request.position?.backward ?? false
  const keys = request.sort.map(({ field, descending }) => {
    const sort = spec.sorts[field]
    if (sort === undefined) throw new Error(`${field} is no sort of ${spec.table}`)
    return {
      column: `t.${toSnakeCase(field)}`,
      sqlType: sort.sqlType ?? SQL_TYPES[sort.kind],
      descending: descending !== backward,
      nullable: sort.nullable === true,
      nullsFirst: backward,
    }
  })
  const descending = keys.at(-1)?.descending ?? backward
  const id = {
    column: `t.${toSnakeCase(spec.idField)}`,
    sqlType: 'uuid',
    descending,
    nullable: false,
    nullsFirst: false,
  }
  return [...keys, id]
}

function orderSql({ column, descending, nullable, nullsFirst }: OrderKey): string {
  const nulls = nullable ? ` NULLS ${nullsFirst ? 'FIRST' : 'LAST'}` : ''
  return `${column} ${descending ? 'DESC' : 'ASC'}${nulls}`
}

/**
 * The rows after a position in the order given: ranges that an index over these columns can start at. Two where NULLs lie beyond
 * the values or the values beyond the NULLs, since no comparison spans both.
 */
function seekSql(order: readonly OrderKey[], position: Position, bind: Bind): string[] {
  const places = [...position.values, position.id]
  const bound = order.map((key, index) => {
    const value = places[index] ?? null
    return { key, placeholder: value === null ? undefined : bind(value, key.sqlType) }
  })
  const [first, ...rest] = bound
  const isRange = order.every(({ descending, nullable }, index) => {
    return descending === first?.key.descending && (index === 0 || !nullable)
  })
  if (first !== undefined && isRange) {
    const after = (keys: typeof bound) =>
      `(${keys.map(({ key }) => key.column).join(', ')}) ${first.key.descending ? '<' : '>'} ` +
      `(${keys.map(({ placeholder }) => placeholder).join(', ')})`
    const { column, nullable, nullsFirst } = first.key
    if (first.placeholder === undefined) {
      const among = `${column} IS NULL AND ${after(rest)}`
      return nullsFirst ? [among, `${column} IS NOT NULL`] : [among]
    }
    return nullable && !nullsFirst ? [after(bound), `${column} IS NULL`] : [after(bound)]
  }
  const alternatives: string[] = []
  const equal: string[] = []
  for (const { key, placeholder } of bound) {
    const after = afterSql(key, placeholder)
    if (after !== undefined) alternatives.push([...equal, after].join(' AND '))
    equal.push(placeholder === undefined ? `${key.column} IS NULL` : `${key.column} = ${placeholder}`)
  }
  return [`(${alternatives.map((condition) => `(${condition})`).join(' OR ')})`]
}

/** What comes after one value of one key; undefined: nothing does. */
function afterSql({ column, descending, nullable, nullsFirst }: OrderKey, placeholder: string | undefined) {
  if (placeholder === undefined) return nullsFirst ? `${column} IS NOT NULL` : undefined
  const beyond = `${column} ${descending ? '<' : '>'} ${placeholder}`
  return nullable && !nullsFirst ? `(${beyond} OR ${column} IS NULL)` : beyond
}
