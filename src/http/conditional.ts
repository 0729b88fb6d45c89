import type { ExpectedVersion } from '../caller.ts'
import { AppError } from '../errors.ts'

// RFC 9110, section 8.8.3: an entity tag is an optional W/ and a quoted string.
const TAG = /^(?:W\/)?"(\d{1,10})"$/
const ANY_TAG = /^(?:W\/)?"[\x21\x23-\x7e]*"$/

/** The entity tag of a row: its version counter. */
export function etagOf(version: number): string {
  return `"${version}"`
}

/**
 * Reads `If-Match`. `W/"7"` counts as `"7"`, against RFC 9110: proxies that compress weaken strong tags, and a version counter
 * stays exact all the same. A tag that this service never made matches nothing.
 *
 * @throws AppError `malformed-header`
 */
export function parseIfMatch(header: string): ExpectedVersion {
  if (header.trim() === '*') return 'any'
  const versions: number[] = []
  for (const item of header.split(',').map((text) => text.trim())) {
    const match = TAG.exec(item)
    if (match) versions.push(Number(match[1]))
    else if (!ANY_TAG.test(item)) throw malformed('If-Match')
  }
  return versions
}

/** `If-None-Match` of a read: does the caller have this version already? */
export function hasVersion(header: string | undefined, version: number): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return header.split(',').some((item) => TAG.exec(item.trim())?.[1] === String(version))
}

/** `If-None-Match: *` of a write: only create. Other forms make no sense there. */
export function parseCreateOnly(header: string | undefined): boolean {
  if (header === undefined) return false
  if (header.trim() !== '*') throw malformed('If-None-Match', 'only * is allowed here')
  return true
}

function malformed(header: string, detail = 'must be an entity tag such as "7", a list of them, or *'): AppError {
  return new AppError('malformed-header', `${header} ${detail}`, { errors: [{ header, code: 'format', detail }] })
}
