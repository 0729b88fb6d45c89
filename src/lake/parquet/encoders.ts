import { BoolColumn } from './bool-column.ts'
import type { ColumnEncoder, EncoderOptions } from './column.ts'
import { DecimalColumn, decimalType, WideDecimalColumn } from './decimal-columns.ts'
import { PseudonymColumn, UuidColumn } from './id-columns.ts'
import { Int32Column, Int64Column } from './number-columns.ts'
import { TextColumn } from './text-column.ts'

export interface EncoderSettings {
  /** 32 bytes. */
  readonly pseudonymKey: Buffer
  readonly dictionary: boolean
}

/** The encoder of a column's wire type. @throws RangeError for a type that has none: a defect of the contract. */
export function encoderFor(options: EncoderOptions, { pseudonymKey, dictionary }: EncoderSettings): ColumnEncoder {
  const { column } = options
  if (column.action === 'pseudonymise') {
    if (column.pgType !== 'uuid') throw new RangeError(`${column.name}: only a uuid can be pseudonymised`)
    return new PseudonymColumn(options, pseudonymKey)
  }
  switch (column.pgType) {
    case 'uuid':
      return new UuidColumn(options)
    case 'text':
    case 'enum':
    case 'jsonb':
      return new TextColumn(options, dictionary)
    case 'boolean':
      return new BoolColumn(options)
    case 'smallint':
    case 'integer':
    case 'date':
      return new Int32Column(options)
    case 'bigint':
    case 'timestamptz(3)':
      return new Int64Column(options)
    default:
      return decimalType(column.pgType).precision > 18 ? new WideDecimalColumn(options) : new DecimalColumn(options)
  }
}
