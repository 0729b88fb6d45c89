import type { ExportColumn } from '../contract.ts'
import { decimalType } from './decimal-columns.ts'

const DAY_MS = 86_400_000

function scaled(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return value < 0n ? `-${text}` : text
}

/** A bound as the manifest shows it: ISO dates and times, numbers in digits, text as it is. */
export function boundText(column: ExportColumn, bound: Buffer): string {
  switch (column.pgType) {
    case 'boolean':
      return bound[0] === 1 ? 'true' : 'false'
    case 'smallint':
    case 'integer':
      return String(bound.readInt32LE())
    case 'bigint':
      return String(bound.readBigInt64LE())
    case 'date':
      return new Date(bound.readInt32LE() * DAY_MS).toISOString().slice(0, 10)
    case 'timestamptz(3)':
      return new Date(Number(bound.readBigInt64LE() / 1000n)).toISOString()
    case 'uuid':
    case 'text':
    case 'enum':
    case 'jsonb':
      return bound.toString('utf8')
    default: {
      const { precision, scale } = decimalType(column.pgType)
      const value = precision > 18 ? BigInt.asIntN(128, BigInt(`0x${bound.toString('hex')}`)) : bound.readBigInt64LE()
      return scaled(value, scale)
    }
  }
}
