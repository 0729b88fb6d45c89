import type { FieldError } from '../errors.ts'

/** The most bytes that one input line may have. */
export const MAX_LINE_BYTES = 64 * 1024

/** The most elements of a JSON array, and the most lines of an import that is all or nothing. */
export const MAX_WHOLE_LINES = 1000

export const IMPORT_FORMATS = ['ndjson', 'csv', 'json'] as const
export type ImportFormat = (typeof IMPORT_FORMATS)[number]

/**
 * One input line after reading and before validation. `line` is physical and 1-based in every format (a CSV header is line 1);
 * a CSV record that spans lines has the number of its first, an element of a JSON array that of the line on which it begins.
 * `index` counts the elements of an array from 0: several may stand on one line. A line that could not be read carries `error`
 * and no value.
 */
export type InputLine =
  | { readonly line: number; readonly index?: number; readonly value: Readonly<Record<string, unknown>> }
  | { readonly line: number; readonly index?: number; readonly error: FieldError }

/** Bytes in, cut anywhere, lines out. */
export interface LineReader {
  /** Lines completed by this chunk. The chunk may be reused after the call. */
  push(chunk: Buffer): InputLine[]
  /** What is left when the input has ended. */
  finish(): InputLine[]
}

/** A line that is not blank says what it is, or why it cannot be read. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
