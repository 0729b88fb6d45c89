import type { ExportColumn } from '../../../src/lake/contract.ts'
import { decimalType } from '../../../src/lake/parquet/decimal-columns.ts'
import { pseudonym } from '../../../src/lake/parquet/id-columns.ts'
import { bool, column, type Field, int16, int32, int64, uuid } from './copy-bytes.ts'
import { PSEUDONYM_KEY } from './parquet-file.ts'

/** One value as Postgres sends it, and the text that every reader must give for it. */
export interface Value {
  readonly field: Field
  readonly canonical: string | null
}

export const NULL: Value = { field: null, canonical: null }

/** Whole numbers from 0 up to, not including, `below`: a generator whose seed says everything. */
export type Random = (below: number) => number

/** xorshift32; `seed` must not be 0. */
export function random(seed: number): Random {
  let state = seed | 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

function randomBigint(next: Random, bits: number): bigint {
  let value = 0n
  for (let i = 0; i < bits; i += 16) value = (value << 16n) | BigInt(next(65_536))
  return BigInt.asUintN(bits, value)
}

/** numeric as sent, from its number of units of the last place: base-10000 digits without leading or trailing zeros. */
export function numericField(unscaled: bigint, scale: number): Buffer {
  const padding = (4 - (scale % 4)) % 4
  let rest = (unscaled < 0n ? -unscaled : unscaled) * 10n ** BigInt(padding)
  const digits: number[] = []
  for (; rest > 0n; rest /= 10_000n) digits.unshift(Number(rest % 10_000n))
  const weight = digits.length - (scale + padding) / 4 - 1
  while (digits.at(-1) === 0) digits.pop()
  const head = [int16(digits.length), int16(digits.length === 0 ? 0 : weight), int16(unscaled < 0n ? 0x4000 : 0)]
  return Buffer.concat([...head, int16(scale), ...digits.map(int16)])
}

function numericValue(next: Random, pgType: string): Value {
  const { precision, scale } = decimalType(pgType)
  const limit = 10n ** BigInt(precision)
  const places = 10n ** BigInt(next(precision + 1))
  const magnitudes = [randomBigint(next, 128) % limit, limit - 1n, places % limit, places - 1n, 2n ** BigInt(next(127))]
  const magnitude = (magnitudes[next(magnitudes.length)] as bigint) % limit
  const unscaled = next(2) === 0 ? magnitude : -magnitude
  const digits = magnitude.toString().padStart(scale + 1, '0')
  const canonical = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return { field: numericField(unscaled, scale), canonical: unscaled < 0n ? `-${canonical}` : canonical }
}

const ALPHABET = ['a', 'b', '\u0000', '\u007f', 'ÿ', 'é', '☃', '\uffee', '😀', '\u{10ffff}', ' ', '"'] as const

function textOf(next: Random): string {
  const lengths = [0, 1, 3, 4, 5, 63, 64, 65, 255, 256, 257, 511, 513, 2000]
  const length = lengths[next(lengths.length)] as number
  const word = Array.from({ length: 1 + next(9) }, () => ALPHABET[next(ALPHABET.length)]).join('')
  return word
    .repeat(Math.ceil(length / word.length))
    .slice(0, length)
    .toWellFormed()
    .replaceAll('\u0000', '\u0001')
}

const MIN_TIME_MS = -2_208_988_800_000
const MAX_TIME_MS = 253_402_300_799_999
const EPOCH_MS = 946_684_800_000

function timeValue(next: Random): Value {
  const span = BigInt(MAX_TIME_MS - MIN_TIME_MS + 1)
  // Around every place where the low word carries into the high one.
  const carry = Math.floor(((next(4000) - 700) * 2 ** 32) / 1000) + next(3) - 1 + (next(2) === 0 ? EPOCH_MS : 0)
  const candidates = [MIN_TIME_MS, MAX_TIME_MS, MIN_TIME_MS + Number(randomBigint(next, 64) % span), carry, next(3) - 1]
  const ms = BigInt(candidates[next(candidates.length)] as number)
  return { field: int64((ms - BigInt(EPOCH_MS)) * 1000n), canonical: String(ms * 1000n) }
}

function uuidValue(next: Random, isPseudonym: boolean): Value {
  const hex = randomBigint(next, 128).toString(16).padStart(32, '0')
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  return { field: uuid(id), canonical: isPseudonym ? pseudonym(id, PSEUDONYM_KEY) : id }
}

function intValue(value: number, field: (value: number) => Buffer): Value {
  return { field: field(value), canonical: String(value) }
}

function extremeOr(next: Random, bits: number): number {
  const extremes = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, 0, -1, 1]
  return next(3) === 0 ? (extremes[next(5)] as number) : Number(BigInt.asIntN(bits, randomBigint(next, bits)))
}

/** Any value that the column can hold. */
export function randomValue({ pgType, action }: ExportColumn, next: Random): Value {
  switch (pgType) {
    case 'uuid':
      return uuidValue(next, action === 'pseudonymise')
    case 'text':
    case 'enum': {
      const canonical = textOf(next)
      return { field: Buffer.from(canonical), canonical }
    }
    case 'jsonb': {
      const canonical = JSON.stringify(textOf(next))
      return { field: Buffer.from(`\u0001${canonical}`), canonical }
    }
    case 'boolean': {
      const value = next(2) === 1
      return { field: bool(value), canonical: String(value) }
    }
    case 'smallint':
      return intValue(extremeOr(next, 16), int16)
    case 'integer':
      return intValue(extremeOr(next, 32), int32)
    case 'bigint': {
      const wide = [-(2n ** 63n), 2n ** 63n - 1n, 2n ** 32n, -1n, BigInt.asIntN(64, randomBigint(next, 64))]
      const value = wide[next(5)] as bigint
      return { field: int64(value), canonical: String(value) }
    }
    case 'date': {
      const days = [-152_384, 2_921_939, next(2_921_939 + 152_385) - 152_384, -10_957, -10_958][next(5)] as number
      return { field: int32(days), canonical: String(days + 10_957) }
    }
    case 'timestamptz(3)':
      return timeValue(next)
    default:
      return numericValue(next, pgType)
  }
}

/** A column of each type; decimals on both sides of each way of encoding them. */
export const RANDOM_COLUMNS: readonly ExportColumn[] = [
  column('id', 'uuid'),
  column('who', 'uuid', { action: 'pseudonymise', stats: false }),
  column('t', 'text'),
  column('v', 'text', { nullable: false }),
  column('e', 'enum'),
  column('j', 'jsonb'),
  column('b', 'boolean'),
  column('s', 'smallint'),
  column('i', 'integer', { nullable: false }),
  column('l', 'bigint'),
  column('d', 'date'),
  column('z', 'timestamptz(3)'),
  column('n1', 'numeric(1,0)'),
  column('n12', 'numeric(12,2)'),
  column('n15', 'numeric(15,15)'),
  column('n16', 'numeric(16,3)'),
  column('n18', 'numeric(18,0)'),
  column('n19', 'numeric(19,5)'),
  column('n38', 'numeric(38,9)'),
]

/** How the values of a column are spread. */
export interface Spread {
  /** Of 16 rows. */
  readonly nulls: number
  /** Distinct values at most; 0 for a new one in each row. */
  readonly distinct: number
}

/** Values of one column in row order. */
export function randomColumn(column: ExportColumn, rows: number, { nulls, distinct }: Spread, next: Random): Value[] {
  const pool = Array.from({ length: distinct }, () => randomValue(column, next))
  return Array.from({ length: rows }, () => {
    if (column.nullable && next(16) < nulls) return NULL
    return pool.length > 0 ? (pool[next(pool.length)] as Value) : randomValue(column, next)
  })
}
