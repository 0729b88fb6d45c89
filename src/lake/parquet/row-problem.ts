import type { KeyField } from '../contract.ts'
import type { UnrepresentableReason } from './column.ts'
import { type Batch, FIELD_STRIDE } from './scanner.ts'

/** Which value it is about. The key is the one personal fact that is told: without it nobody could put the row right. */
export interface ValuePlace {
  readonly table: string
  /** Column in Postgres. */
  readonly column: string
  /** `id=0193…`, `game_id=…, platform=windows`. */
  readonly key: string
}

abstract class RowProblem extends Error {
  readonly place: ValuePlace
  readonly table: string
  readonly column: string
  readonly key: string

  constructor(place: ValuePlace, message: string) {
    super(`${place.table}.${place.column} of the row ${place.key} ${message}`)
    this.place = place
    this.table = place.table
    this.column = place.column
    this.key = place.key
  }
}

/** Parquet or its readers cannot hold the value; it is neither clamped nor dropped. */
export class UnrepresentableValueError extends RowProblem {
  override readonly name = 'UnrepresentableValueError'
  readonly reason: UnrepresentableReason

  constructor(place: ValuePlace, reason: UnrepresentableReason) {
    super(place, `cannot be held by Parquet and its readers (${reason})`)
    this.reason = reason
  }
}

/** NULL where the contract says that there is none. */
export class NullValueError extends RowProblem {
  override readonly name = 'NullValueError'

  constructor(place: ValuePlace) {
    super(place, 'is NULL, and the contract says that it never is')
  }
}

/** Text of the primary key of a row. */
export function rowKey(batch: Batch, row: number, key: readonly KeyField[]): string {
  return key.map(({ field, name }) => `${name}=${fieldText(batch, field * FIELD_STRIDE + row)}`).join(', ')
}

/** Keys are uuids, bigints and texts; which of them the field is follows from its length and bytes. */
function fieldText({ buf, view, pos, len }: Batch, at: number): string {
  const start = pos[at] as number
  const bytes = len[at] as number
  if (bytes < 0) return 'NULL'
  const field = buf.subarray(start, start + bytes)
  const isText = field.every((byte) => byte >= 0x20 && byte < 0x7f)
  if (bytes === 16 && !isText) return field.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  if (bytes === 8 && !isText) return String(view.getBigInt64(start))
  if (bytes === 4 && !isText) return String(view.getInt32(start))
  return field.toString('utf8')
}
