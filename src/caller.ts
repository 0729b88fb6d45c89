/**
 * Who calls and what for: the one thing every route, service and store method is told. Imports nothing.
 */

/** Every scope of the API. A write scope never includes the personal read scope of the same resource. */
export const SCOPES = [
  'players:read',
  'players:read.personal',
  'players:write',
  'studios:read',
  'studios:write',
  'owners:read',
  'owners:read.personal',
  'owners:write',
  'games:read',
  'games:write',
  'games:transition',
  'library:read',
  'library:write',
  'imports:write',
  'exports:read',
  'lake:read',
  'lake:snapshot',
  'lake:query',
  'audit:read',
  'keys:manage',
] as const

export type Scope = (typeof SCOPES)[number]

/** Somebody whose secret was checked, or the service itself. */
export interface Principal {
  readonly type: 'api_key' | 'user' | 'system'
  /** Goes into the audit trail and log lines: a key's id, never its secret or name. */
  readonly id: string
  readonly name: string
  readonly scopes: ReadonlySet<Scope>
  readonly expiresAt: Date | null
}

/** Passed to every service method: who asks, and under which request. */
export interface Context {
  readonly principal: Principal
  readonly requestId: string
}

/** The version of a row that a writer has seen: `If-Match`. `any` overwrites on purpose and is audited as such. */
export type ExpectedVersion = 'any' | readonly number[]

/** The service acting on its own or for an operator at the command line; holds every scope. */
export function systemContext(id: string, requestId: string): Context {
  return { principal: { type: 'system', id, name: id, scopes: new Set(SCOPES), expiresAt: null }, requestId }
}
