import type { ParquetType } from './parquet-type.ts'

/** A value as it lies in the file, before any logical type: decimals and times are whole numbers, text is bytes. */
export type PhysicalValue = number | bigint | boolean | Uint8Array

type Physical = ParquetType['physical']

/** Big-endian two's complement of one length: the sign decides, then the bytes. */
function compareWide(a: Uint8Array, b: Uint8Array): number {
  const sign = ((a[0] ?? 0) ^ 0x80) - ((b[0] ?? 0) ^ 0x80)
  return sign === 0 ? Buffer.compare(a, b) : sign
}

const ascending = (a: PhysicalValue, b: PhysicalValue): number => (a < b ? -1 : a > b ? 1 : 0)

/** The order that bounds of a column are in (Parquet format, ColumnOrder, TYPE_ORDER): text by unsigned bytes. */
export function valueOrder(physical: Physical): (a: PhysicalValue, b: PhysicalValue) => number {
  if (physical === 'BYTE_ARRAY') return (a, b) => Buffer.compare(a as Uint8Array, b as Uint8Array)
  if (physical === 'FIXED_LEN_BYTE_ARRAY') return (a, b) => compareWide(a as Uint8Array, b as Uint8Array)
  return ascending
}

const BOUND_BYTES: Readonly<Partial<Record<Physical, number>>> = {
  BOOLEAN: 1,
  INT32: 4,
  INT64: 8,
  FIXED_LEN_BYTE_ARRAY: 16,
}

/** A bound of statistics or page index. @throws RangeError when it has not the length of its type. */
export function boundValue(physical: Physical, bytes: Uint8Array): PhysicalValue {
  const length = BOUND_BYTES[physical]
  if (length !== undefined && bytes.length !== length) {
    throw new RangeError(`a bound of ${bytes.length} bytes for ${physical}`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (physical === 'BOOLEAN') return bytes[0] === 1
  if (physical === 'INT32') return view.getInt32(0, true)
  if (physical === 'INT64') return view.getBigInt64(0, true)
  return bytes
}
