import type { ExportColumn } from '../contract.ts'
import { decimalType } from './decimal-columns.ts'

/** Types of a column in the file (Parquet format, LogicalTypes.md), as plain data. */
export interface ParquetType {
  readonly physical: 'BOOLEAN' | 'INT32' | 'INT64' | 'BYTE_ARRAY' | 'FIXED_LEN_BYTE_ARRAY'
  /** Of FIXED_LEN_BYTE_ARRAY. */
  readonly typeLength?: number
  readonly converted?: 'UTF8' | 'DATE' | 'TIMESTAMP_MICROS' | 'DECIMAL'
  readonly logical?:
    | { readonly type: 'STRING' | 'DATE' }
    | { readonly type: 'TIMESTAMP'; readonly isAdjustedToUTC: true; readonly unit: 'MICROS' }
    | { readonly type: 'DECIMAL'; readonly precision: number; readonly scale: number }
}

const STRING: ParquetType = { physical: 'BYTE_ARRAY', converted: 'UTF8', logical: { type: 'STRING' } }
const TIMESTAMP: ParquetType = {
  physical: 'INT64',
  converted: 'TIMESTAMP_MICROS',
  logical: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
}
/** More digits than this do not fit into 64 bits. */
const LONG_DIGITS = 18

/** @throws RangeError for a numeric that has no decimal: a defect of the contract. */
export function parquetType({ pgType }: Pick<ExportColumn, 'pgType'>): ParquetType {
  switch (pgType) {
    case 'uuid':
    case 'text':
    case 'enum':
    case 'jsonb':
      return STRING
    case 'boolean':
      return { physical: 'BOOLEAN' }
    case 'smallint':
    case 'integer':
      return { physical: 'INT32' }
    case 'bigint':
      return { physical: 'INT64' }
    case 'date':
      return { physical: 'INT32', converted: 'DATE', logical: { type: 'DATE' } }
    case 'timestamptz(3)':
      return TIMESTAMP
    default: {
      const decimal = decimalType(pgType)
      const annotation = { converted: 'DECIMAL', logical: { type: 'DECIMAL', ...decimal } } as const
      return decimal.precision > LONG_DIGITS
        ? { physical: 'FIXED_LEN_BYTE_ARRAY', typeLength: 16, ...annotation }
        : { physical: 'INT64', ...annotation }
    }
  }
}
