import { createHash } from 'node:crypto'
import type { FieldError } from '../errors.ts'
import { type InputLine, isRecord, MAX_LINE_BYTES } from './input.ts'

/** What the last line of an export claims about the file: checked, never imported. */
export interface EndClaim {
  readonly rows: number
  /** Over all bytes before the line, in hex. */
  readonly sha256: string | undefined
}

const NEWLINE = 0x0a
const FORM = 'must be alone in its line and have rows, a count, and if anything else sha256, 64 hex digits'

/** Is this value an end line, and what does it claim? Undefined: it is a line like any other. */
export function endClaimOf(value: Readonly<Record<string, unknown>>): EndClaim | FieldError | undefined {
  if (!Object.hasOwn(value, '_end')) return undefined
  const { _end: end, ...beside } = value
  const malformed = { pointer: '/_end', code: 'format', detail: FORM }
  if (!isRecord(end) || Object.keys(beside).length > 0) return malformed
  const { rows, sha256, ...more } = end
  if (!Number.isSafeInteger(rows) || (rows as number) < 0 || Object.keys(more).length > 0) return malformed
  if (sha256 === undefined) return { rows: rows as number, sha256: undefined }
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/i.test(sha256)) return malformed
  return { rows: rows as number, sha256: sha256.toLowerCase() }
}

/**
 * What an end line is compared with: the rows before it, and the SHA-256 of the bytes before it. The digest runs along while the
 * lines are read; the bytes of the line that is being read are held back, since it may be the end line.
 */
export class EndCheck {
  readonly #hash = createHash('sha256')
  #held: Buffer[] = []
  #heldBytes = 0
  #rows = 0
  #endedAt: number | undefined

  /** A line that is data, or was meant to be. */
  countRow(): void {
    this.#rows++
  }

  /** The line that has been the end line, once there was one. */
  get endedAt(): number | undefined {
    return this.#endedAt
  }

  /**
   * A chunk has been read.
   *
   * @param open where in it the line begins that is not complete yet; undefined: it began in an earlier chunk
   */
  read(chunk: Buffer, open: number | undefined): void {
    if (this.#endedAt !== undefined) return
    if (open !== undefined) {
      this.#release()
      this.#hash.update(chunk.subarray(0, open))
    }
    const rest = chunk.subarray(open ?? 0)
    if (rest.length === 0) return
    // Too long for an end line, so it is held no longer.
    if (this.#heldBytes + rest.length > MAX_LINE_BYTES + 1) {
      this.#release()
      this.#hash.update(rest)
      return
    }
    this.#held.push(Buffer.from(rest))
    this.#heldBytes += rest.length
  }

  /**
   * The end line has come: compares it with what was before it.
   *
   * @param line where it stands
   * @param before the part of the present chunk before it; undefined: it began in an earlier chunk
   * @returns the error of the line, if the file is not what it claims
   */
  end(claim: EndClaim, line: number, before: Buffer | undefined): FieldError | undefined {
    this.#endedAt = line
    if (before !== undefined) {
      this.#release()
      this.#hash.update(before)
    }
    const sha256 = this.#hash.digest('hex')
    if (claim.rows !== this.#rows) {
      const detail = `the end line counts ${claim.rows} rows, and ${this.#rows} are before it`
      return { pointer: '/_end/rows', code: 'incomplete', detail }
    }
    if (claim.sha256 === undefined || claim.sha256 === sha256) return undefined
    const detail = 'the bytes before the end line are not those that were exported'
    return { pointer: '/_end/sha256', code: 'digest-mismatch', detail }
  }

  #release(): void {
    for (const held of this.#held) this.#hash.update(held)
    this.#held = []
    this.#heldBytes = 0
  }
}

/** The error of a line behind the end line. */
export function afterEnd(line: number, endedAt: number): InputLine {
  const detail = `line ${endedAt} said that the file ends there`
  return { line, error: { pointer: '', code: 'after-end', detail } }
}

/** Where the last line of a chunk begins; undefined: before the chunk. */
export function openLineOf(chunk: Buffer): number | undefined {
  const at = chunk.lastIndexOf(NEWLINE)
  return at < 0 ? undefined : at + 1
}
