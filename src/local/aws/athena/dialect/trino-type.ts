/** Trino's types, their names, and the DuckDB type that carries their values. */
import { QueryFailure } from '../failure.ts'
import type { TypeName } from './syntax.ts'

export interface TrinoType {
  /** `decimal`, `timestamp with time zone`, `array`, …; `unknown` is the type of NULL, `function` of a lambda. */
  readonly name: string
  /** decimal: precision; varchar and char: length (undefined = unbounded); time and timestamp: digits. */
  readonly p?: number
  /** decimal: scale */
  readonly s?: number
  readonly args?: readonly TrinoType[]
  /** row: names of the fields */
  readonly fields?: readonly (string | undefined)[]
}

export const BOOLEAN: TrinoType = { name: 'boolean' }
export const TINYINT: TrinoType = { name: 'tinyint' }
export const SMALLINT: TrinoType = { name: 'smallint' }
export const INTEGER: TrinoType = { name: 'integer' }
export const BIGINT: TrinoType = { name: 'bigint' }
export const REAL: TrinoType = { name: 'real' }
export const DOUBLE: TrinoType = { name: 'double' }
export const VARCHAR: TrinoType = { name: 'varchar' }
export const VARBINARY: TrinoType = { name: 'varbinary' }
export const DATE: TrinoType = { name: 'date' }
export const JSON_TYPE: TrinoType = { name: 'json' }
export const UNKNOWN: TrinoType = { name: 'unknown' }
export const DAY_TO_SECOND: TrinoType = { name: 'interval day to second' }
export const YEAR_TO_MONTH: TrinoType = { name: 'interval year to month' }
export const decimal = (p: number, s: number): TrinoType => ({ name: 'decimal', p, s })
export const varchar = (p: number): TrinoType => ({ name: 'varchar', p })
export const time = (p: number): TrinoType => ({ name: 'time', p })
export const timestamp = (p: number): TrinoType => ({ name: 'timestamp', p })
export const timestampTz = (p: number): TrinoType => ({ name: 'timestamp with time zone', p })
export const array = (item: TrinoType): TrinoType => ({ name: 'array', args: [item] })
export const map = (key: TrinoType, value: TrinoType): TrinoType => ({ name: 'map', args: [key, value] })
export const row = (
  args: readonly TrinoType[],
  fields: readonly (string | undefined)[] = args.map(() => undefined),
): TrinoType => ({ name: 'row', args, fields })

export const INTEGERS = ['tinyint', 'smallint', 'integer', 'bigint']
export const isInteger = (t: TrinoType) => INTEGERS.includes(t.name)
export const isFloating = (t: TrinoType) => t.name === 'real' || t.name === 'double'
export const isNumeric = (t: TrinoType) => isInteger(t) || isFloating(t) || t.name === 'decimal'
export const isText = (t: TrinoType) => t.name === 'varchar' || t.name === 'char'
export const isInterval = (t: TrinoType) => t.name.startsWith('interval ')

/** As `typeof` prints it and as information_schema shows it. */
export function typeText(t: TrinoType): string {
  switch (t.name) {
    case 'decimal':
      return `decimal(${t.p},${t.s})`
    case 'varchar':
    case 'char':
      return t.p === undefined ? t.name : `${t.name}(${t.p})`
    case 'time':
    case 'timestamp':
      return `${t.name}(${t.p})`
    case 'time with time zone':
    case 'timestamp with time zone':
      return t.name.replace(' ', `(${t.p}) `)
    case 'array':
    case 'map':
      return `${t.name}(${t.args!.map(typeText).join(', ')})`
    case 'row':
      return `row(${t.args!.map((a, i) => (t.fields?.[i] === undefined ? '' : `${fieldText(t.fields[i])} `) + typeText(a)).join(', ')})`
    default:
      return t.name
  }
}

const fieldText = (name: string) => (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`)

/** Equal in everything but the names of row fields. */
export const sameType = (a: TrinoType, b: TrinoType): boolean =>
  a.name === b.name &&
  a.p === b.p &&
  a.s === b.s &&
  (a.args?.length ?? 0) === (b.args?.length ?? 0) &&
  (a.args ?? []).every((x, i) => sameType(x, b.args![i]!))

/**
 * The DuckDB type that carries values of `t`. Instants with a zone are a pair of UTC time and zone name, intervals are
 * whole milliseconds or months, JSON is its canonical text, fields of rows are numbered, because Trino's may lack names.
 */
export function physicalType(t: TrinoType): string {
  switch (t.name) {
    case 'real':
      return 'FLOAT'
    case 'varchar':
    case 'char':
    case 'json':
    case 'uuid':
      return 'VARCHAR'
    case 'varbinary':
      return 'BLOB'
    case 'decimal':
      return `DECIMAL(${t.p},${t.s})`
    case 'timestamp with time zone':
      return 'STRUCT(t TIMESTAMP, z VARCHAR)'
    case 'interval day to second':
    case 'interval year to month':
      return 'BIGINT'
    case 'unknown':
      return 'INTEGER'
    case 'array':
      return `${physicalType(t.args![0]!)}[]`
    case 'map':
      return `MAP(${t.args!.map(physicalType).join(', ')})`
    case 'row':
      return `STRUCT(${t.args!.map((a, i) => `f${i} ${physicalType(a)}`).join(', ')})`
    default:
      return t.name.toUpperCase()
  }
}

const SIMPLE: Readonly<Record<string, TrinoType>> = {
  boolean: BOOLEAN,
  tinyint: TINYINT,
  smallint: SMALLINT,
  int: INTEGER,
  integer: INTEGER,
  bigint: BIGINT,
  real: REAL,
  double: DOUBLE,
  varchar: VARCHAR,
  varbinary: VARBINARY,
  date: DATE,
  json: JSON_TYPE,
  time: time(3),
  timestamp: timestamp(3),
  'timestamp with time zone': timestampTz(3),
  'interval day to second': DAY_TO_SECOND,
  'interval year to month': YEAR_TO_MONTH,
  char: { name: 'char', p: 1 },
  decimal: decimal(38, 0),
  dec: decimal(38, 0),
  unknown: UNKNOWN,
}
const KNOWN_ELSEWHERE = [
  'uuid',
  'ipaddress',
  'hyperloglog',
  'p4hyperloglog',
  'qdigest',
  'tdigest',
  'setdigest',
  'geometry',
  'color',
  'time with time zone',
]

/** Throws TYPE_NOT_FOUND for names Trino does not know, NOT_SUPPORTED for types the local engine lacks. */
export function resolveType(name: TypeName): TrinoType {
  const inner = () => name.parameters.map((p) => (typeof p === 'object' ? resolveType(p) : INTEGER))
  if (name.name === 'array' && name.parameters.length === 1) return array(inner()[0]!)
  if (name.name === 'map' && name.parameters.length === 2) return { name: 'map', args: inner() }
  if (name.name === 'row') return row(inner(), name.fields ?? [])
  const base = SIMPLE[name.name]
  if (base === undefined) {
    if (KNOWN_ELSEWHERE.includes(name.name))
      throw new QueryFailure('NOT_SUPPORTED', `type ${name.name} is not supported by the local engine`)
    throw new QueryFailure('TYPE_NOT_FOUND', `Unknown type: ${name.name}`)
  }
  const [p, s] = name.parameters
  if (p === undefined) return base
  if (typeof p !== 'number' || (s !== undefined && typeof s !== 'number'))
    throw new QueryFailure('TYPE_NOT_FOUND', `Unknown type: ${name.name}`)
  if (base.name === 'decimal') {
    if (p < 1 || p > 38 || (s ?? 0) > p)
      throw new QueryFailure(
        'INVALID_FUNCTION_ARGUMENT',
        `DECIMAL precision must be in range [1, 38] and scale in [0, precision]: ${p}, ${s ?? 0}`,
      )
    return decimal(p, s ?? 0)
  }
  if (base.name === 'varchar' || base.name === 'char') return { name: base.name, p }
  if (base.p !== undefined) {
    if (p > 6)
      throw new QueryFailure(
        'NOT_SUPPORTED',
        `${name.name} with more than 6 digits of a second is not supported by the local engine`,
      )
    return { name: base.name, p }
  }
  throw new QueryFailure('TYPE_NOT_FOUND', `Unknown type: ${name.name}(${p})`)
}
