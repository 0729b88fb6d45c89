import { AppError, invalid } from '../../errors.ts'
import { refusals } from '../writing/refusals.ts'
import { type BulkFacts, type BulkItem, duplicateOf } from './bulk-item.ts'
import type { Plan } from './bulk-plan.ts'

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
  readonly #rows = new Map<string, Map<string, Row>>()

  add(name: string, text: string | null | undefined, row: Row): void {
    if (text === null || text === undefined) return
    const named = this.#rows.get(name)
    if (named === undefined) this.#rows.set(name, new Map([[text, row]]))
    else named.set(text, row)
  }

  get(name: string, text: string | null | undefined): Row | undefined {
    return text === null || text === undefined ? undefined : this.#rows.get(name)?.get(text)
  }

  /** @param key `name:text` */
  addKey(key: string, row: Row): void {
    this.add(...parted(key), row)
  }

  freeKey(key: string): void {
    const [name, text] = parted(key)
    this.#rows.get(name)?.delete(text)
  }

  /** The row has another value now, or none. */
  free(name: string, text: string | null | undefined, row: Row): void {
    if (text !== null && text !== undefined && this.get(name, text)?.id === row.id) this.#rows.get(name)?.delete(text)
  }
}

/** The name and the text of a key; names have no colon. */
function parted(key: string): [name: string, text: string] {
  const at = key.indexOf(':')
  return [key.slice(0, at), key.slice(at + 1)]
}

/** The unique keys of a row, by the names that the index has them under. */
export type KeysOf<Row> = (row: Row) => readonly (readonly [name: string, text: string | null])[]

/** What a line changes in the keys of rows that belong to its own, as `name:text`. */
export interface PartKeys {
  readonly took?: readonly string[]
  readonly gaveUp?: readonly string[]
}

/** Which row each line of a batch is about, and that no two lines are about the same. */
export class Matcher<Row extends Identified> {
  readonly #index: RowIndex<Row>
  readonly #facts: BulkFacts
  readonly #keysOf: KeysOf<Row>
  readonly #claimed = new Map<string, number>()
  readonly #before = new Map<number, Row>()

  /** @param keysOf all keys that lines can change, but not those of rows that belong to the row */
  constructor(index: RowIndex<Row>, facts: BulkFacts, keysOf: KeysOf<Row>) {
    this.#index = index
    this.#facts = facts
    this.#keysOf = keysOf
  }

  /**
   * The row that the line's key names; undefined: the line is a new one.
   *
   * @throws AppError `duplicate-in-input`, `not-found` when there must be a row, and what `taken` gives when there must be none
   */
  match({ key, number }: BulkItem<unknown>, taken: (keyName: string) => AppError): Row | undefined {
    const row = key && this.#rowOf(key.name, key.texts)
    if (row === undefined) {
      for (const text of key?.texts ?? []) {
        const rehearsed = this.#rehearsed(key?.name ?? '', text)
        if (rehearsed !== undefined) throw duplicateOf(rehearsed)
      }
      if (this.#facts.mode === 'update' || key?.name === 'id') throw noSuchRow(key?.name)
      return undefined
    }
    if (this.#facts.mode === 'create') throw key?.name === 'id' ? idTaken() : taken(key?.name ?? '')
    const first = this.#claimed.get(row.id) ?? this.#facts.firstLineOf(row.id)
    if (first !== undefined && first !== number) throw duplicateOf(first)
    this.#claimed.set(row.id, number)
    this.#before.set(number, row)
    return row
  }

  /**
   * From here on later lines of the batch see the row as this line leaves it: what it gave up is free, what it took is taken.
   *
   * @param parts keys of rows that belong to it, as `name:text`
   */
  settle<Made extends Pick<Plan<Row>, 'kind' | 'row'>>(
    { number }: BulkItem<unknown>,
    plan: Made,
    { took = [], gaveUp = [] }: PartKeys = {},
  ): Made {
    if (plan.kind === 'unchanged') return plan
    const keys = this.#changedKeys(this.#before.get(number), plan.row)
    for (const [name, text] of keys) this.#index.add(name, text, plan.row)
    for (const key of gaveUp) this.#index.freeKey(key)
    for (const key of took) this.#index.addKey(key, plan.row)
    this.#claimed.set(plan.row.id, number)
    if (this.#facts.rehearsed === undefined) return plan
    const taken = keys.filter(([, text]) => text !== null).map(([name, text]) => `${name}:${text}`)
    this.#facts.rehearsed.took(number, [...taken, ...took])
    return plan
  }

  /** The keys that the row has now and had not; what it had instead is free. */
  #changedKeys(before: Row | undefined, after: Row): ReturnType<KeysOf<Row>> {
    if (before === undefined) return this.#keysOf(after)
    const old = new Map(this.#keysOf(before))
    const changed = this.#keysOf(after).filter(([name, text]) => text !== (old.get(name) ?? null))
    for (const [name] of changed) this.#index.free(name, old.get(name), before)
    return changed
  }

  #rehearsed(name: string, text: string | null | undefined): number | undefined {
    if (this.#facts.rehearsed === undefined || text === null || text === undefined) return undefined
    return this.#facts.rehearsed.lineOf(`${name}:${text}`)
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
    if (holder === undefined && this.#rehearsed(unique.name, text) !== undefined) throw takenError(unique)
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
