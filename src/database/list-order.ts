import type { FieldKind, ListRequest, ListSpec, Position } from '../list.ts'
import { toSnakeCase } from '../naming.ts'

/** Adds a value to a statement and gives the placeholder for it. */
export type Bind = (value: unknown, sqlType: string) => string

export const SQL_TYPES: Readonly<Record<FieldKind, string>> = {
  text: 'text',
  enum: 'text',
  uuid: 'uuid',
  timestamp: 'timestamptz',
  date: 'date',
  integer: 'bigint',
  boolean: 'boolean',
}

export interface OrderKey {
  readonly column: string
  readonly sqlType: string
  /** In the direction that this page is read. */
  readonly descending: boolean
  readonly nullable: boolean
  readonly nullsFirst: boolean
}

/** A stretch of the order that one index scan can read: its conditions and its own ORDER BY. */
export interface Range {
  readonly where: readonly string[]
  readonly order: string
}

/** The sort with the id at its end, in the id's case following the last key: that is how the indexes lie. */
export function orderOf(spec: ListSpec, request: Pick<ListRequest, 'sort' | 'position'>): OrderKey[] {
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
  const idColumn = `t.${toSnakeCase(spec.idField)}`
  if (keys.some(({ column }) => column === idColumn)) return keys
  const descending = keys.at(-1)?.descending ?? backward
  const sqlType = spec.idType ?? 'uuid'
  return [...keys, { column: idColumn, sqlType, descending, nullable: false, nullsFirst: false }]
}

/** ORDER BY of the whole list: NULLS LAST as it is read forward. */
export function orderSql(order: readonly OrderKey[]): string {
  return order.map((key) => keySql(key, key.nullable)).join(', ')
}

function keySql({ column, descending, nullsFirst }: OrderKey, nulls: boolean): string {
  return `${column} ${descending ? 'DESC' : 'ASC'}${nulls ? ` NULLS ${nullsFirst ? 'FIRST' : 'LAST'}` : ''}`
}

/**
 * The rows after a position, or all of them, as ranges that follow one another. A first key that can be NULL makes two: its values
 * and its NULLs. Neither mixes the two, so where the NULLs go need not be said, and one plain index serves both directions;
 * in one range `DESC NULLS LAST` would need an index of its own.
 */
export function rangesOf(order: readonly OrderKey[], position: Position | undefined, bind: Bind): Range[] {
  const [first, ...rest] = order
  if (first === undefined) throw new Error('a list without an order')
  const places = position === undefined ? undefined : [...position.values, position.id].slice(0, order.length)
  const bound = order.map((key, index): Bound => {
    const value = places?.[index] ?? null
    return { key, placeholder: value === null ? undefined : bind(value, key.sqlType) }
  })
  if (!first.nullable) return [{ where: places === undefined ? [] : after(bound), order: orderSql(order) }]
  const inRange = [keySql(first, false), ...rest.map((key) => keySql(key, key.nullable))].join(', ')
  const values = (where: readonly string[]): Range => ({ where, order: inRange })
  const nulls = (where: readonly string[]): Range => ({ where: [`${first.column} IS NULL`, ...where], order: inRange })
  const notNull = [`${first.column} IS NOT NULL`]
  if (places === undefined) return [values(notNull), nulls([])]
  if (bound[0]?.placeholder === undefined) {
    const among = nulls(after(bound.slice(1)))
    return first.nullsFirst ? [among, values(notNull)] : [among]
  }
  const beyond = values(after(bound))
  return first.nullsFirst ? [beyond] : [beyond, nulls([])]
}

interface Bound {
  readonly key: OrderKey
  readonly placeholder: string | undefined
}

/**
 * What comes after a place, its first key not NULL. One comparison of rows where all keys go the same way, since an index starts
 * at it; else the alternatives written out, and the first key's bound beside them so that the index starts there, too.
 */
function after(bound: readonly Bound[]): string[] {
  const [first] = bound
  if (first === undefined) throw new Error('a place without a key')
  const { descending } = first.key
  const isUniform = bound.every(
    ({ key, placeholder }, index) =>
      key.descending === descending && placeholder !== undefined && (index === 0 || !key.nullable),
  )
  if (isUniform) {
    const columns = bound.map(({ key }) => key.column).join(', ')
    const values = bound.map(({ placeholder }) => placeholder).join(', ')
    return [`(${columns}) ${descending ? '<' : '>'} (${values})`]
  }
  const alternatives: string[] = []
  const equal: string[] = []
  bound.forEach(({ key, placeholder }, index) => {
    const next = nextSql(key, placeholder, index > 0)
    if (next !== undefined) alternatives.push([...equal, next].join(' AND '))
    equal.push(placeholder === undefined ? `${key.column} IS NULL` : `${key.column} = ${placeholder}`)
  })
  const any = `(${alternatives.map((condition) => `(${condition})`).join(' OR ')})`
  if (first.placeholder === undefined) return [any]
  return [`${first.key.column} ${descending ? '<=' : '>='} ${first.placeholder}`, any]
}

/** What comes after one value of one key; undefined: nothing does. */
function nextSql(
  { column, descending, nullable, nullsFirst }: OrderKey,
  placeholder: string | undefined,
  nulls: boolean,
) {
  if (placeholder === undefined) return nullsFirst ? `${column} IS NOT NULL` : undefined
  const beyond = `${column} ${descending ? '<' : '>'} ${placeholder}`
  return nulls && nullable && !nullsFirst ? `(${beyond} OR ${column} IS NULL)` : beyond
}
