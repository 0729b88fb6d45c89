import { newId } from '../identifier.ts'

const ACCEPTED = /^[A-Za-z0-9._-]{8,128}$/

/** The caller's `X-Request-Id` if it has the accepted form, else a new UUID v7. */
export function requestIdOf(header: string | undefined): string {
  return header !== undefined && ACCEPTED.test(header) ? header : newId()
}
