import type { Context } from '../../caller.ts'
import { AppError } from '../../errors.ts'

/** The key by which a line finds its row, such as `slug`; a line with several identities has several texts. */
export interface BulkKey {
  readonly name: string
  readonly texts: readonly string[]
}

/** A checked line on its way into the database. */
export interface BulkItem<Line> {
  /** Physical line of the input, for `firstLine`. */
  readonly number: number
  readonly line: Line
  /** Undefined: the line carries none of the resource's keys, so it can only be new. */
  readonly key: BulkKey | undefined
}

export type BulkMode = 'create' | 'update' | 'upsert'

/** What holds for every line of a batch. */
export interface BulkFacts {
  readonly context: Context
  readonly mode: BulkMode
  /** The database's clock at the start of the transaction. */
  readonly now: Date
  /** The line of an earlier batch, or of an earlier part of this one, that led to this row. */
  readonly firstLineOf: (rowId: string) => number | undefined
  /** Of a dry run: the keys that lines of earlier batches, which are undone, would have taken. */
  readonly rehearsed?: RehearsedKeys | undefined
}

/** Unique keys as `name:text`, each with the line that took it. */
export interface RehearsedKeys {
  lineOf(key: string): number | undefined
  /** The keys that a line took; said again, it replaces what was said of the line before. */
  took(line: number, keys: readonly string[]): void
}

/** What became of a line. */
export type Outcome =
  | { readonly status: 'created' | 'updated' | 'unchanged'; readonly id: string; readonly version: number }
  | { readonly status: 'error'; readonly error: AppError }

export function failed(error: AppError): Outcome {
  return { status: 'error', error }
}

/** The result, or the expected failure that it threw: one line's rule must not stop the others. */
export function judged<T>(judge: () => T): T | AppError {
  try {
    return judge()
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

export function duplicateOf(firstLine: number): AppError {
  const detail = 'An earlier line of the input is about the same record'
  return new AppError('duplicate-in-input', detail, { extra: { firstLine } })
}
