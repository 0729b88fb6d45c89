/** Values as the functions in this folder see them, and the way from and to DuckDB. */
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  blobValue,
  DATE,
  DECIMAL,
  DOUBLE,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  type DuckDBType,
  type DuckDBValue,
  FLOAT,
  INTEGER,
  LIST,
  listValue,
  MAP,
  mapValue,
  SMALLINT,
  STRUCT,
  structValue,
  TIME,
  TIMESTAMP,
  TINYINT,
  VARCHAR,
} from '@duckdb/node-api'
import type { TrinoType } from '../dialect/trino-type.ts'

export interface Instant {
  readonly t: bigint
  readonly z: string
}

/**
 * tinyint … integer, real, double, date (days): number. bigint, decimal (unscaled), time and timestamp (microseconds),
 * intervals (milliseconds or months): bigint. varchar, char, json: string. varbinary: bytes. array and row: list. map: pairs.
 */
export type Value = null | boolean | number | bigint | string | Uint8Array | Instant | Value[]

export function duckType(t: TrinoType): DuckDBType {
  switch (t.name) {
    case 'boolean':
      return BOOLEAN
    case 'tinyint':
      return TINYINT
    case 'smallint':
      return SMALLINT
    case 'integer':
    case 'unknown':
      return INTEGER
    case 'bigint':
    case 'interval day to second':
    case 'interval year to month':
      return BIGINT
    case 'real':
      return FLOAT
    case 'double':
      return DOUBLE
    case 'decimal':
      return DECIMAL(t.p!, t.s!)
    case 'varbinary':
      return BLOB
    case 'date':
      return DATE
    case 'time':
      return TIME
    case 'timestamp':
      return TIMESTAMP
    case 'timestamp with time zone':
      return STRUCT({ t: TIMESTAMP, z: VARCHAR })
    case 'array':
      return LIST(duckType(t.args![0]!))
    case 'map':
      return MAP(duckType(t.args![0]!), duckType(t.args![1]!))
    case 'row':
      return STRUCT(Object.fromEntries(t.args!.map((a, i) => [`f${i}`, duckType(a)])))
    default:
      return VARCHAR
  }
}

interface Items {
  readonly items: readonly DuckDBValue[]
}
interface Entries {
  readonly entries: Readonly<Record<string, DuckDBValue>>
}
interface Pairs {
  readonly entries: readonly { readonly key: DuckDBValue; readonly value: DuckDBValue }[]
}

export function fromDuck(v: DuckDBValue, t: TrinoType): Value {
  if (v === null || v === undefined) return null
  switch (t.name) {
    case 'decimal':
      return (v as DuckDBDecimalValue).value
    case 'varbinary':
      return (v as unknown as { bytes: Uint8Array }).bytes
    case 'date':
      return (v as DuckDBDateValue).days
    case 'time':
      return (v as DuckDBTimeValue).micros
    case 'timestamp':
      return (v as DuckDBTimestampValue).micros
    case 'timestamp with time zone': {
      const e = (v as unknown as Entries).entries
      return e.t === null ? null : { t: (e.t as DuckDBTimestampValue).micros, z: e.z as string }
    }
    case 'array':
      return (v as unknown as Items).items.map((x) => fromDuck(x, t.args![0]!))
    case 'map':
      return (v as unknown as Pairs).entries.map((e) => [fromDuck(e.key, t.args![0]!), fromDuck(e.value, t.args![1]!)])
    case 'row': {
      const e = (v as unknown as Entries).entries
      return t.args!.map((a, i) => fromDuck(e[`f${i}`]!, a))
    }
    default:
      return v as Value
  }
}

export function toDuck(v: Value, t: TrinoType): DuckDBValue {
  if (v === null) return null
  switch (t.name) {
    case 'decimal':
      return new DuckDBDecimalValue(v as bigint, t.p!, t.s!)
    case 'varbinary':
      return blobValue(v as Uint8Array)
    case 'date':
      return new DuckDBDateValue(v as number)
    case 'time':
      return new DuckDBTimeValue(v as bigint)
    case 'timestamp':
      return new DuckDBTimestampValue(v as bigint)
    case 'timestamp with time zone':
      return structValue({ t: new DuckDBTimestampValue((v as Instant).t), z: (v as Instant).z })
    case 'array':
      return listValue((v as Value[]).map((x) => toDuck(x, t.args![0]!)))
    case 'map':
      return mapValue(
        (v as Value[][]).map(([k, x]) => ({ key: toDuck(k!, t.args![0]!), value: toDuck(x!, t.args![1]!) })),
      )
    case 'row':
      return structValue(Object.fromEntries((v as Value[]).map((x, i) => [`f${i}`, toDuck(x, t.args![i]!)])))
    default:
      return v as DuckDBValue
  }
}

/** Ends the query: the first word of the message is Trino's error name. */
export class FunctionFailure extends Error {
  constructor(code: string, message: string) {
    super(`${code}: ${message}`)
  }
}
export const badArgument = (message: string) => new FunctionFailure('INVALID_FUNCTION_ARGUMENT', message)
export const badCast = (message: string) => new FunctionFailure('INVALID_CAST_ARGUMENT', message)
export const outOfRange = (message: string) => new FunctionFailure('NUMERIC_VALUE_OUT_OF_RANGE', message)
export const divisionByZero = () => new FunctionFailure('DIVISION_BY_ZERO', 'Division by zero')

export interface CallTypes {
  readonly parameters: readonly TrinoType[]
  readonly returns: TrinoType
}
export type Implementation = (args: Value[], types: CallTypes) => Value
