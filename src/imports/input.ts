import type { FieldError } from '../errors.ts'

/** The most bytes that one input line may have. */
export const MAX_LINE_BYTES = 64 * 1024

/**
 * One input line after reading and before validation. `line` is physical and 1-based in every format (a CSV header is line 1);
 * a CSV record that spans lines has the number of its first. A line that could not be read carries `error` and no value.
 */
export type InputLine =
  | { readonly line: number; readonly value: Readonly<Record<string, unknown>> }
  | { readonly line: number; readonly error: FieldError }

/** What the last line of an export claims about the file: checked, never imported. */
export interface EndLine {
  /** Where it stands. */
  readonly line: number
  readonly rows: number
  readonly sha256: string | undefined
}
