import type { PgType } from '../datasets.ts'

/**
 * SQL that makes a column's former type out of the one it has now, for contract versions that are still written after the
 * column has changed. Total: what the former type cannot hold becomes NULL, as an error inside COPY would name no row.
 */
export interface FormerType {
  readonly sql: string
  readonly pgType: PgType
}

const WHOLE = {
  smallint: ['-32768', '32767', 4],
  integer: ['-2147483648', '2147483647', 9],
  bigint: ['-9223372036854775808', '9223372036854775807', 18],
} as const

const isNumber = (type: string) => /^(smallint|integer|bigint|numeric|real|double precision)(\(\d+,\d+\))?$/.test(type)
const isText = (type: string) => /^(text|character varying|character)(\(\d+\))?$/.test(type)

/**
 * @param column quoted
 * @param actual the type of the column now, as Postgres writes it
 * @param former the type that the contract's files hold
 */
export function formerType(column: string, actual: string, former: PgType): FormerType {
  // Labels, ids and documents are text in the files; a text column is the one source of it that is left.
  if (former === 'text' || former === 'enum' || former === 'uuid' || former === 'jsonb') {
    return { sql: `${column}::text`, pgType: 'text' }
  }
  return { sql: guarded(column, actual, former) ?? `NULL::${former}`, pgType: former }
}

function guarded(column: string, actual: string, former: PgType): string | undefined {
  if (former in WHOLE) return whole(column, actual, former as keyof typeof WHOLE)
  if (former.startsWith('numeric')) return decimal(column, actual, former)
  if (former === 'timestamptz(3)') return instant(column, actual)
  if (former === 'date' && /^timestamp/.test(actual)) {
    return actual.endsWith('without time zone') ? `${column}::date` : `(${column} AT TIME ZONE 'UTC')::date`
  }
  return undefined
}

function whole(column: string, actual: string, former: keyof typeof WHOLE): string | undefined {
  const [least, greatest, digits] = WHOLE[former]
  if (isNumber(actual)) {
    // Through numeric: the bounds themselves would not be exact as doubles. NaN is above every bound.
    return `CASE WHEN round(${column}::numeric) BETWEEN ${least} AND ${greatest} THEN round(${column}::numeric)::${former} END`
  }
  return isText(actual) ? `CASE WHEN ${column} ~ '^-?[0-9]{1,${digits}}$' THEN ${column}::${former} END` : undefined
}

function decimal(column: string, actual: string, former: PgType): string | undefined {
  const [, digits = '0', scale = '0'] = /^numeric\((\d+),(\d+)\)$/.exec(former) ?? []
  if (!isNumber(actual)) return undefined
  const rounded = `round(${column}::numeric, ${scale})`
  const bound = `1${'0'.repeat(Number(digits) - Number(scale))}`
  return `(CASE WHEN abs(${rounded}) < ${bound} THEN ${rounded} END)::${former}`
}

/** A time of microseconds is cut, not rounded: rounded up, it would lie after an instant that it lay before. */
function instant(column: string, actual: string): string | undefined {
  if (/^timestamp(\(\d\))? with time zone$/.test(actual)) return `date_trunc('milliseconds', ${column})::timestamptz(3)`
  if (/^timestamp(\(\d\))? without time zone$/.test(actual)) {
    return `date_trunc('milliseconds', ${column} AT TIME ZONE 'UTC')::timestamptz(3)`
  }
  if (actual !== 'date') return undefined
  const day = `${column} BETWEEN '0001-01-01' AND '9999-12-31'`
  return `(CASE WHEN ${day} THEN ${column}::timestamp AT TIME ZONE 'UTC' END)::timestamptz(3)`
}
