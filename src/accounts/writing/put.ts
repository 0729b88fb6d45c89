import type { ExpectedVersion } from '../../caller.ts'
import { AppError } from '../../errors.ts'
import { requireVersion } from './version.ts'

/** How a caller who puts a record means it. */
export interface PutConditions {
  /** `If-Match`; mostly not needed: the same record again changes nothing. */
  readonly expected: ExpectedVersion | undefined
  /** `If-None-Match: *` */
  readonly createOnly: boolean
}

/**
 * May the record that is there be replaced? Call it on a locked row.
 *
 * @throws AppError `version-mismatch` with the present version as ETag
 */
export function requirePutOver(before: { readonly version: number }, { expected, createOnly }: PutConditions): void {
  if (createOnly) {
    throw new AppError('version-mismatch', 'If-None-Match: * was sent, but the record is there already', {
      headers: { ETag: `"${before.version}"` },
    })
  }
  if (expected !== undefined) requireVersion(before.version, expected)
}

/** @throws AppError `version-mismatch` when the caller counts on a record that is not there */
export function requirePutNew({ expected }: PutConditions): void {
  if (expected === undefined) return
  throw new AppError('version-mismatch', 'If-Match was sent, but there is no such record yet')
}
