import type { AppError, ErrorCode, FieldError } from '../errors.ts'
import { PROBLEMS } from '../http/problems.ts'

/** The row is as the line wants it. `unchanged`: it was so before, and nothing was written. */
export interface RowAnswer {
  /** Physical line of the input, 1-based; of objects their place, 1-based. */
  readonly line: number
  /** In a JSON array: the place of the element, from 0. */
  readonly index?: number
  readonly status: 'created' | 'updated' | 'unchanged'
  /** Absent, as the version is, of a record that a dry run would create. */
  readonly id?: string
  readonly version?: number
}

/** The line changed nothing. The problem points into the line and never quotes it. */
export interface ErrorAnswer {
  readonly line: number
  readonly index?: number
  readonly status: 'error'
  readonly problem: LineProblem
}

/** A problem of RFC 9457 without the members that every line would repeat. */
export interface LineProblem {
  readonly code: ErrorCode
  readonly status: number
  readonly detail: string
  readonly errors?: readonly FieldError[]
  readonly [extension: string]: unknown
}

export interface ImportTotals {
  /** Lines that were answered; blank ones are not. */
  readonly lines: number
  readonly created: number
  readonly updated: number
  readonly unchanged: number
  readonly errors: number
  /** Nothing was written; the lines say what would have been. */
  readonly dryRun: boolean
  /** With `atomic`: a line was refused, so nothing was written. */
  readonly rolledBack?: true
  /** Of a job: it was cancelled, and the rest of the input was not looked at. */
  readonly cancelled?: true
  /** With `onError: 'abort'`: the import stopped at an error, and the rest of the input was not looked at. */
  readonly aborted?: true
}

/** Always the last one; an answer without it is cut off. */
export interface EndAnswer {
  readonly _end: ImportTotals
}

/** In place of the end: the import could not go on, for example because its body broke off. */
export interface FailedAnswer {
  readonly _problem: LineProblem
  /** What was answered until then; it stays. */
  readonly totals: Readonly<Record<'lines' | 'created' | 'updated' | 'unchanged' | 'errors', number>>
}

export type LineAnswer = RowAnswer | ErrorAnswer
export type ImportAnswer = LineAnswer | EndAnswer

export function isEnd(answer: ImportAnswer): answer is EndAnswer {
  return '_end' in answer
}

/** The text form of a line's error: what its author wrote, and nothing of an unexpected one. */
export function lineProblem({ code, message, errors, extra }: AppError): LineProblem {
  const { status } = PROBLEMS[code]
  return { code, status, detail: message, ...extra, ...(errors.length === 0 ? {} : { errors }) }
}
