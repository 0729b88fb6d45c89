import type { Principal } from '../caller.ts'
import { AppError } from '../errors.ts'

/**
 * Checks a bearer secret. Unknown, wrong, expired and revoked all answer `undefined`, in the same time, so that nobody can
 * tell them apart. May be called any number of times; throws only when it cannot know (`unavailable`).
 */
export interface Authenticator {
  authenticate(secret: string): Promise<Principal | undefined>
}

/** The principal of open operations: it may do nothing that needs a scope. */
export const ANONYMOUS: Principal = {
  type: 'api_key',
  id: 'anonymous',
  name: 'anonymous',
  scopes: new Set(),
  expiresAt: null,
}

const BEARER = /^Bearer +([!-~]{1,512})$/i

/** @throws AppError `unauthenticated`, one and the same for every cause */
export async function authenticate(authenticator: Authenticator, header: string | undefined): Promise<Principal> {
  const secret = BEARER.exec(header ?? '')?.[1]
  const principal = secret === undefined ? undefined : await authenticator.authenticate(secret)
  if (principal !== undefined) return principal
  throw new AppError('unauthenticated', 'The request carries no API key that is valid now', {
    headers: { 'WWW-Authenticate': 'Bearer realm="rocketgames-accounts"' },
  })
}
