import type { ExpectedVersion } from '../../caller.ts'
import { AppError } from '../../errors.ts'

/**
 * Is the row still as the writer saw it? Call it on a locked row.
 *
 * @throws AppError `version-mismatch` with the present version as ETag
 */
export function requireVersion(current: number, expected: ExpectedVersion): void {
  if (expected === 'any' || expected.includes(current)) return
  throw new AppError('version-mismatch', 'The record has changed since the version that If-Match names', {
    headers: { ETag: `"${current}"` },
  })
}

/** The fields of a patch that differ from the row: what has to be written, and nothing else. */
export function changedFields<Patch extends object>(before: object, patch: Patch): Partial<Patch> {
  const changed = Object.entries(patch).filter(
    ([field, value]) => value !== undefined && !same((before as Record<string, unknown>)[field], value),
  )
  return Object.fromEntries(changed) as Partial<Patch>
}

/** Equal as values: instants by time, lists and objects by content. */
export function same(a: unknown, b: unknown): boolean {
  if (a instanceof Date || b instanceof Date) {
    return a instanceof Date && b instanceof Date && a.getTime() === b.getTime()
  }
  return a === b || (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b))
}
