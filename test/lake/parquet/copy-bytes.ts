import type { ExportColumn } from '../../../src/lake/contract.ts'
import type { AthenaType, PgType } from '../../../src/lake/datasets.ts'

/** Binary COPY streams made by hand (PostgreSQL documentation of COPY, "Binary Format"). */

export type Field = Buffer | null

export const HEADER = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)])
export const TRAILER = Buffer.from([0xff, 0xff])

export function tuple(fields: readonly Field[]): Buffer {
  const parts = [int16(fields.length)]
  for (const field of fields) parts.push(int32(field === null ? -1 : field.length), field ?? Buffer.alloc(0))
  return Buffer.concat(parts)
}

export function copyBytes(rows: readonly (readonly Field[])[]): Buffer {
  return Buffer.concat([HEADER, ...rows.map(tuple), TRAILER])
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

export const text = (value: string): Buffer => Buffer.from(value)
export const bool = (value: boolean): Buffer => Buffer.from([value ? 1 : 0])
export const uuid = (value: string): Buffer => Buffer.from(value.replaceAll('-', ''), 'hex')

const ATHENA: Readonly<Record<string, AthenaType>> = {
  date: 'date',
  'timestamptz(3)': 'timestamp',
  smallint: 'int',
  integer: 'int',
  bigint: 'bigint',
  boolean: 'boolean',
}

/** A column as the contract would resolve it. */
export function column(name: string, pgType: PgType, more: Partial<ExportColumn> = {}): ExportColumn {
  const athenaType = ATHENA[pgType] ?? (pgType.replace('numeric', 'decimal') as AthenaType)
  return {
    name,
    source: name,
    sql: `"${name}"`,
    pgType,
    athenaType: /^(numeric|date|timestamptz|smallint|integer|bigint|boolean)/.test(pgType) ? athenaType : 'string',
    nullable: true,
    class: 'internal',
    action: 'include',
    onUnrepresentable: 'fail',
    stats: true,
    ...more,
  }
}
