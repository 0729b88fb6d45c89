import { AppError, invalid } from '../../errors.ts'
import { refusals } from '../writing/refusals.ts'
import { type BulkFacts, type BulkItem, duplicateOf } from './bulk-item.ts'

/** A value that only one row of a table may have. */
export interface UniqueKey {
  /** As `matchBy` calls it. */
  readonly name: string
  readonly pointer: string
  /** The rule of the database that says the same, see `refusals.ts`. */
  readonly constraint: string
}

interface Identified {
  readonly id: string
}

/** Rows that are there, by each of their unique keys. */
export class RowIndex<Row extends Identified> {
  readonly #rows = new Map<string, Row>()

  add(name: string, text: string | null | undefined, row: Row): void {
    if (text !== null && text !== undefined) this.#rows.set(`${name}:${text}`, row)
  }

  get(name: string, text: string | null | undefined): Row | undefined {
    return text === null || text === undefined ? undefined : this.#rows.get(`${name}:${text}`)
  }
}

/** Which row each line of a batch is about, and that no two lines are about the same. */
export class Matcher<Row extends Identified> {
  readonly #index: RowIndex<Row>
  readonly #facts: BulkFacts
  readonly #claimed = new Map<string, number>()

  constructor(index: RowIndex<Row>, facts: BulkFacts) {
    this.#index = index
    this.#facts = facts
  }

  /**
   * The row that the line's key names; undefined: the line is a new one.
   *
   * @throws AppError `duplicate-in-input`, `not-found` when there must be a row, and what `taken` gives when there must be none
   */
  match({ key, number }: BulkItem<unknown>, taken: (keyName: string) => AppError): Row | undefined {
    const row = key && this.#rowOf(key.name, key.texts)
    if (row === undefined) {
      if (this.#facts.mode === 'update' || key?.name === 'id') throw noSuchRow(key?.name)
      return undefined
    }
    if (this.#facts.mode === 'create') throw key?.name === 'id' ? idTaken() : taken(key?.name ?? '')
    const first = this.#claimed.get(row.id) ?? this.#facts.firstLineOf(row.id)
    if (first !== undefined && first !== number) throw duplicateOf(first)
    this.#claimed.set(row.id, number)
    return row
  }

  /** Of several texts the first that exists decides; that the others belong to the same row is for the plan to say. */
  #rowOf(name: string, texts: readonly string[]): Row | undefined {
    for (const text of texts) {
      const row = this.#index.get(name, text)
      if (row !== undefined) return row
    }
    return undefined
  }

  /** @throws AppError what the rule of the key says, when another row has the value */
  requireFree(unique: UniqueKey, text: string | null | undefined, own: Row | undefined): void {
    const holder = this.#index.get(unique.name, text)
    if (holder !== undefined && holder.id !== own?.id) throw takenError(unique)
  }
}

/** The refusal of the database, said before it has to. */
export function takenError({ constraint, pointer }: UniqueKey): AppError {
  const refusal = refusals[constraint]
  if (refusal === undefined) throw new Error(`${constraint} has no refusal`)
  return new AppError(refusal.code, refusal.detail, { errors: [{ pointer, code: refusal.code }] })
}

function noSuchRow(keyName: string | undefined): AppError {
  if (keyName === undefined) {
    return invalid([
      { pointer: '', code: 'key-required', detail: 'a line that updates must carry a key of the record' },
    ])
  }
  const detail = 'no record has this key'
  return new AppError('not-found', 'There is no record with the key of this line', {
    errors: [{ pointer: pointerOfKey(keyName), code: 'not-found', detail }],
  })
}

function idTaken(): AppError {
  return new AppError('conflict', 'The record exists already', { errors: [{ pointer: '/id', code: 'conflict' }] })
}

/** Where in a line a key stands. */
export function pointerOfKey(keyName: string): string {
  if (keyName === 'identity') return '/identities'
  return keyName === 'storeApp' ? '/platforms' : `/${keyName}`
}

/** @throws AppError `validation` for each field that a new row needs and the line lacks */
export function requireFields(line: object, ...fields: readonly string[]): void {
  const missing = fields.filter((field) => (line as Record<string, unknown>)[field] === undefined)
  if (missing.length > 0) throw invalid(missing.map((field) => ({ pointer: `/${field}`, code: 'required' })))
}

interface Dated {
  readonly id?: string | undefined
  readonly createdAt?: Date | undefined
}

/**
 * Fields that a line may repeat but not change: the id, and when the row was first registered.
 *
 * @throws AppError `validation`
 */
export function requireSameOrigin(line: Dated, before: { readonly id: string; readonly createdAt: Date }): void {
  const errors = []
  const detail = 'differs from the record and cannot be changed'
  if (line.id !== undefined && line.id !== before.id) errors.push({ pointer: '/id', code: 'immutable', detail })
  if (line.createdAt !== undefined && line.createdAt.getTime() !== before.createdAt.getTime()) {
    errors.push({ pointer: '/createdAt', code: 'immutable', detail })
  }
  if (errors.length > 0) throw invalid(errors)
}

/**
 * When a new row counts as registered.
 *
 * @throws AppError `validation` for a time that is to come, or an id, which the service gives
 */
export function originOf(line: Dated, now: Date): Date {
  const errors = []
  if (line.id !== undefined) {
    errors.push({ pointer: '/id', code: 'not-found', detail: 'no record has this id, and new ones get theirs here' })
  }
  if (line.createdAt !== undefined && line.createdAt > now) {
    errors.push({ pointer: '/createdAt', code: 'too-late', detail: 'must not be in the future' })
  }
  if (errors.length > 0) throw invalid(errors)
  return line.createdAt ?? now
}
