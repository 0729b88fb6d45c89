import { parseHiveType } from '../hive-types.ts'

export type KeyValue = string | bigint | number | { readonly unscaled: bigint; readonly scale: number }

/** How values of a partition key are read and ordered. */
export interface KeyType {
  readonly name: string
  /** The value of a partition's text, or null when the text is none. */
  read(text: string): KeyValue | null
  compare(left: KeyValue, right: KeyValue): number
}

const order = <T extends string | bigint | number>(left: T, right: T): number =>
  left < right ? -1 : left > right ? 1 : 0
const compareSame = (left: KeyValue, right: KeyValue): number => order(left as string, right as string)

const INTEGER = /^\s*[-+]?\d+\s*$/
const DECIMAL = /^\s*([-+]?)(\d*)(?:\.(\d*))?\s*$/

const TEXT: Omit<KeyType, 'name'> = { read: (text) => text, compare: compareSame }
const WHOLE: Omit<KeyType, 'name'> = {
  read: (text) => (INTEGER.test(text) ? BigInt(text.trim().replace(/^\+/, '')) : readDecimal(text)),
  compare: compareNumbers,
}
const EXACT: Omit<KeyType, 'name'> = { read: readDecimal, compare: compareNumbers }
const FLOATING: Omit<KeyType, 'name'> = {
  read: (text) => (text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : null),
  compare: compareSame,
}
const DATE: Omit<KeyType, 'name'> = {
  read: (text) => (isDay(text.slice(0, 10)) && /^.{10}([ T]00:00:00(\.0+)?)?$/.test(text) ? text.slice(0, 10) : null),
  compare: compareSame,
}
const TIMESTAMP: Omit<KeyType, 'name'> = { read: readTimestamp, compare: compareSame }
const BOOLEAN: Omit<KeyType, 'name'> = {
  read: (text) => (/^(true|false)$/i.test(text) ? text.toLowerCase() : null),
  compare: compareSame,
}

const READERS: Readonly<Record<string, Omit<KeyType, 'name'>>> = {
  tinyint: WHOLE,
  smallint: WHOLE,
  int: WHOLE,
  bigint: WHOLE,
  decimal: EXACT,
  float: FLOATING,
  double: FLOATING,
  date: DATE,
  timestamp: TIMESTAMP,
  boolean: BOOLEAN,
}

/** A key of any other type, known or not, is compared as text. */
export function keyTypeOf(hiveType: string): KeyType {
  const { kind } = parseHiveType(hiveType, { unknown: 'keep' })
  return { name: hiveType, ...(READERS[kind] ?? TEXT) }
}

/** Null: the text is no value of the type. */
export const partitionValue = (text: string, type: KeyType): KeyValue | null => type.read(text)

/** A literal is read like a partition's text; its quotes do not matter, as engines quote numbers and leave text bare. */
export const literalValue = (text: string, type: KeyType): KeyValue | null => type.read(text)

function readDecimal(text: string): KeyValue | null {
  const parts = DECIMAL.exec(text)
  if (!parts) return null
  const [, sign, whole = '', fraction = ''] = parts
  if (whole === '' && fraction === '') return null
  const unscaled = BigInt(whole + fraction)
  return { unscaled: sign === '-' ? -unscaled : unscaled, scale: fraction.length }
}

function compareNumbers(left: KeyValue, right: KeyValue): number {
  const [a, b] = [asDecimal(left), asDecimal(right)]
  const scale = Math.max(a.scale, b.scale)
  return order(a.unscaled * 10n ** BigInt(scale - a.scale), b.unscaled * 10n ** BigInt(scale - b.scale))
}

const asDecimal = (value: KeyValue) =>
  typeof value === 'object' ? value : { unscaled: BigInt(value as bigint), scale: 0 }

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const day = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}

/** In a form whose text order is the order of time: day, then 9 digits of a second's fraction. */
function readTimestamp(text: string): string | null {
  const parts = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?$/.exec(text)
  if (!parts?.[1] || !isDay(parts[1])) return null
  const [, day, minute = '00:00', second = '00', fraction = ''] = parts
  if (minute > '23:59' || minute.slice(3) > '59' || second > '59') return null
  return `${day} ${minute}:${second}.${fraction.padEnd(9, '0')}`
}
