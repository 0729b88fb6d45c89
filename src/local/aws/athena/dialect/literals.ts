import { parseInstant, parseTime } from '../engine/instants.ts'
import { notSupported, QueryFailure, syntaxError } from '../failure.ts'
import { quoteText, type Session, type Typed } from './scope.ts'
import type { Expression, IntervalUnit, TypeName } from './syntax.ts'
import {
  BIGINT,
  DATE,
  DAY_TO_SECOND,
  DOUBLE,
  decimal,
  INTEGER,
  INTEGERS,
  JSON_TYPE,
  physicalType,
  resolveType,
  type TrinoType,
  time,
  timestamp,
  timestampTz,
  VARBINARY,
  varchar,
  YEAR_TO_MONTH,
} from './trino-type.ts'

export function numberLiteral(form: 'integer' | 'decimal' | 'double', text: string): Typed {
  if (form === 'double') return { sql: `CAST('${text}' AS DOUBLE)`, type: DOUBLE, finite: true }
  if (form === 'decimal') return decimalLiteral(text)
  const value = BigInt(text)
  if (value > 9223372036854775807n) throw syntaxError(`Invalid numeric literal: ${text}`)
  const type = value <= 2147483647n ? INTEGER : BIGINT
  return { sql: `CAST(${value} AS ${physicalType(type)})`, type, constant: value, finite: true }
}

/** Precision and scale are those of the digits as written: `000123.4500` is decimal(7,4). */
export function decimalLiteral(text: string): Typed {
  const m = /^\s*([+-]?)(\d*)(?:\.(\d*))?\s*$/.exec(text)
  if (m === null || (m[2] === '' && !m[3]))
    throw new QueryFailure('INVALID_LITERAL', `Invalid decimal literal: ${text.slice(0, 60)}`)
  const whole = m[2]!.replace(/^0+/, '')
  const fraction = m[3] ?? ''
  const p = Math.max(1, whole.length + fraction.length)
  if (p > 38) throw syntaxError(`Invalid decimal literal: more than 38 digits`)
  const type = decimal(p, fraction.length)
  return {
    sql: `CAST('${m[1]}${whole === '' ? '0' : whole}.${fraction === '' ? '0' : fraction}' AS ${physicalType(type)})`,
    type,
    finite: true,
  }
}

export function textLiteral(value: string): Typed {
  if (value.includes('\0')) throw notSupported('the character U+0000 in a text')
  return { sql: `CAST(${quoteText(value)} AS VARCHAR)`, type: varchar([...value].length), constant: value }
}

export function binaryLiteral(hex: string): Typed {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(hex)) throw syntaxError('Binary literal must contain an even number of hex digits')
  return { sql: `unhex('${hex}')`, type: VARBINARY }
}

/** `TYPE 'text'`: a cast at analysis, so a wrong text fails before any row. */
export function typedLiteral(session: Session, name: TypeName, text: string): Typed {
  const invalid = (type: string) =>
    new QueryFailure('INVALID_LITERAL', `'${text.slice(0, 60)}' is not a valid ${type} literal`)
  switch (name.name) {
    case 'decimal':
    case 'dec':
      return decimalLiteral(text)
    case 'date': {
      const m = /^\s*([+-]?\d{4,6}-\d{1,2}-\d{1,2})\s*$/.exec(text)
      const instant = m === null ? undefined : parseInstant(`${m[1]} 00:00:00`)
      if (instant === undefined) throw invalid('DATE')
      return { sql: `CAST('${instant.date}' AS DATE)`, type: DATE }
    }
    case 'time': {
      const parsed = parseTime(text)
      if (parsed === undefined) throw invalid('TIME')
      return { sql: `CAST('${parsed.text}' AS TIME)`, type: time(parsed.precision) }
    }
    case 'timestamp': {
      const parsed = parseInstant(text)
      if (parsed === undefined) throw invalid('TIMESTAMP')
      if (parsed.precision > 6) throw notSupported('TIMESTAMP with more than 6 digits of a second')
      if (parsed.zone === undefined)
        return { sql: `make_timestamp(CAST(${parsed.micros} AS BIGINT))`, type: timestamp(parsed.precision) }
      return {
        sql: instantSql(`make_timestamp(CAST(${parsed.micros} AS BIGINT))`, quoteText(parsed.zone)),
        type: timestampTz(parsed.precision),
      }
    }
    case 'char':
      return { ...textLiteral(text), type: { name: 'char', p: [...text].length } }
    case 'varchar':
      return textLiteral(text)
    case 'json':
      return { sql: `${session.udf('json_parse', [varchar(0)], JSON_TYPE)}(${quoteText(text)})`, type: JSON_TYPE }
  }
  const type = resolveType(name)
  if (INTEGERS.includes(type.name) && /^[+-]?\d{1,19}$/.test(text))
    return { sql: `CAST(${BigInt(text)} AS ${physicalType(type)})`, type, constant: BigInt(text) }
  if (type.name === 'double' || type.name === 'real' || type.name === 'boolean') {
    const source: TrinoType = varchar(text.length)
    return { sql: `${session.udf('cast', [source], type, true)}(${quoteText(text)})`, type }
  }
  throw INTEGERS.includes(type.name) ? invalid(type.name.toUpperCase()) : notSupported(`a literal of type ${type.name}`)
}

export const instantSql = (utc: string, zone: string) => `struct_pack(t := ${utc}, z := ${zone})`

const MILLIS: Readonly<Record<string, bigint>> = {
  WEEK: 604800000n,
  DAY: 86400000n,
  HOUR: 3600000n,
  MINUTE: 60000n,
  SECOND: 1000n,
}
const ORDER = ['DAY', 'HOUR', 'MINUTE', 'SECOND']

export function intervalLiteral(e: Expression & { kind: 'interval' }): Typed {
  const bad = () => new QueryFailure('INVALID_LITERAL', `'${e.value.slice(0, 40)}' is not a valid INTERVAL literal`)
  const sign = BigInt(e.sign)
  if (e.unit === 'YEAR' || e.unit === 'MONTH') {
    const m =
      e.to === 'MONTH' && e.unit === 'YEAR'
        ? /^\s*(-?)(\d+)-(\d+)\s*$/.exec(e.value)
        : /^\s*(-?)(\d+)\s*$/.exec(e.value)
    if (m === null || (e.to !== undefined && e.unit !== 'YEAR')) throw bad()
    const months = e.unit === 'MONTH' ? BigInt(m[2]!) : BigInt(m[2]!) * 12n + BigInt(m[3] ?? 0)
    return literalInterval((m[1] === '-' ? -months : months) * sign, YEAR_TO_MONTH)
  }
  const units = e.to === undefined ? [e.unit] : ORDER.slice(ORDER.indexOf(e.unit), ORDER.indexOf(e.to) + 1)
  if (units.length === 0) throw bad()
  const pattern = units
    .map(
      (u, i) => (i === 0 ? '' : u === 'HOUR' ? '\\s+' : ':') + (u === 'SECOND' ? '(\\d+)(?:\\.(\\d{1,3}))?' : '(\\d+)'),
    )
    .join('')
  const m = new RegExp(`^\\s*(-?)${pattern}\\s*$`).exec(e.value)
  if (m === null) throw bad()
  let millis = 0n
  units.forEach((u: IntervalUnit | string, i) => {
    millis += BigInt(m[i + 2]!) * MILLIS[u]!
  })
  if (units.at(-1) === 'SECOND' && m[units.length + 2] !== undefined)
    millis += BigInt(m[units.length + 2]!.padEnd(3, '0'))
  return literalInterval((m[1] === '-' ? -millis : millis) * sign, DAY_TO_SECOND)
}

const literalInterval = (value: bigint, type: TrinoType): Typed => ({
  sql: `CAST(${value} AS BIGINT)`,
  type,
  constant: value,
})
