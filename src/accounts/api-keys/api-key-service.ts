import { createSecretKey, type KeyObject } from 'node:crypto'
import { type Context, type Principal, SCOPES, type Scope } from '../../caller.ts'
import type { Database } from '../../database/database.ts'
import { AppError, describe, type FieldError, invalid } from '../../errors.ts'
import type { ListRequest, Page } from '../../list.ts'
import type { Logger } from '../../logger.ts'
import { changesOf } from '../audit/audit-event.ts'
import { appendAudit } from '../audit/audit-store.ts'
import { line } from '../text/line.ts'
import { write } from '../writing/write-service.ts'
import { type ApiKey, hashSecret, isSameHash, MAX_KEY_DAYS, mintKey, parseToken } from './api-key.ts'
import {
  findKey,
  findKeyForCheck,
  insertKey,
  insertSuccessor,
  listKeyPage,
  listKeys,
  lockKey,
  noteKeyUse,
  rehashKey,
  replaceKey,
  revokeKey,
} from './api-key-store.ts'

export interface NewApiKey {
  readonly name: string
  readonly scopes: readonly string[]
  /** 1-366; default 365. */
  readonly validDays?: number
}

export interface CreatedApiKey {
  readonly key: ApiKey
  /** The whole token, `rg_live_…`. It cannot be had a second time. */
  readonly token: string
}

const DEFAULT_DAYS = 365
const parseName = line({ max: 100 })
const parseReason = line({ max: 500 })

/**
 * API keys: made, checked, listed, revoked. Each check reads the database, so a revocation holds for the next request.
 * Implements the authenticator of `http`.
 */
export class ApiKeyService {
  readonly #database: Database
  /** As a key: to make one of the bytes costs five times as much as the hash. */
  readonly #pepper: KeyObject
  readonly #earlierPeppers: readonly KeyObject[]
  readonly #logger: Logger
  /** Compared with when there is no such key, so that unknown and wrong take the same way. */
  readonly #nobody: Buffer

  /**
   * @param peppers 32 bytes from the secret store; without them a stolen table proves no key. Several: the first hashes; keys that were
   *   hashed by another are taken as well, and hashed anew
   */
  constructor(database: Database, peppers: Buffer | readonly Buffer[], logger: Logger) {
    const [pepper, ...earlier] = [peppers].flat().map((each) => {
      if (each.length < 32) throw new RangeError('the API key pepper needs 32 bytes')
      return createSecretKey(each)
    })
    if (pepper === undefined) throw new RangeError('API keys need a pepper')
    this.#database = database
    this.#pepper = pepper
    this.#earlierPeppers = earlier
    this.#logger = logger
    this.#nobody = hashSecret(mintKey().secret, pepper)
  }

  /** Undefined for every token that is not valid now. @throws AppError `unavailable` */
  async authenticate(token: string): Promise<Principal | undefined> {
    const parts = parseToken(token)
    if (parts === undefined) return undefined
    const hash = hashSecret(parts.secret, this.#pepper)
    const known = await findKeyForCheck(this.#database, parts.id)
    const stored = known?.secretHash ?? this.#nobody
    const matches = isSameHash(hash, stored)
    const earlier = !matches && this.#isEarlier(parts.secret, stored)
    if (known === undefined || !(matches || earlier) || !known.isLive) return undefined
    // Processes with the peppers the other way round would hash it back: once a minute at most.
    const rehash = earlier && known.isStale ? { from: stored, to: hash } : undefined
    if (known.isStale) await this.#noteUse(known.key.id, rehash)
    const { id, name, scopes, expiresAt } = known.key
    return { type: 'api_key', id, name, scopes: new Set(scopes), expiresAt }
  }

  /**
   * @throws AppError `validation`; `forbidden` when the new key would have a scope that its maker does not have
   */
  create(input: NewApiKey, context: Context): Promise<CreatedApiKey> {
    const { name, scopes, validDays } = checkedKey(input)
    requireOwnScopes(scopes, context)
    const minted = mintKey()
    return write(this.#database, async (tx) => {
      const secretHash = hashSecret(minted.secret, this.#pepper)
      const createdBy = context.principal.id
      const key = await insertKey(tx, { id: minted.id, name, scopes, secretHash, createdBy, validDays })
      const changes = changesOf('api_key', undefined, key)
      await appendAudit(tx, context, { action: 'api_key.create', entityType: 'api_key', entityId: key.id, changes })
      return { key, token: minted.token }
    })
  }

  /** A key with every scope, for the first start and for operators who lost theirs. */
  createAdmin(name: string, context: Context): Promise<CreatedApiKey> {
    return this.create({ name, scopes: SCOPES }, context)
  }

  /** Every key, oldest first, revoked and expired ones too. */
  list(_context: Context): Promise<ApiKey[]> {
    return listKeys(this.#database.prisma)
  }

  /** Keys page by page, revoked and expired ones too. */
  page(request: ListRequest, _context: Context): Promise<Page<ApiKey>> {
    return listKeyPage(this.#database.prisma, request)
  }

  /** @throws AppError `not-found` */
  async get(id: string, _context: Context): Promise<ApiKey> {
    const key = await findKey(this.#database.prisma, id)
    if (key === undefined) throw noSuchKey()
    return key
  }

  /**
   * Another key with the same name and scopes, valid for as long as this one was made for. This one lives on for a day, so that
   * nobody who still sends it is refused meanwhile.
   *
   * @throws AppError `not-found`; `conflict` when it is not valid any more or was rotated before; `forbidden` when it has a scope
   *   that the caller does not have, who would get a stronger key than their own
   */
  rotate(id: string, context: Context): Promise<CreatedApiKey & { readonly replaced: ApiKey }> {
    const minted = mintKey()
    return write(this.#database, async (tx) => {
      const locked = await lockKey(tx, id)
      if (locked === undefined) throw noSuchKey()
      const { key: before, isLive } = locked
      requireOwnScopes(before.scopes, context)
      if (!isLive) throw new AppError('conflict', 'The key is revoked or has expired: make a new one')
      if (before.replacedBy !== null) {
        throw new AppError('conflict', 'The key was rotated before: rotate the one that took its place', {
          extra: { replacedBy: before.replacedBy },
        })
      }
      const secretHash = hashSecret(minted.secret, this.#pepper)
      const key = await insertSuccessor(tx, id, { id: minted.id, secretHash, createdBy: context.principal.id })
      const replaced = await replaceKey(tx, id, key.id)
      const entity = { entityType: 'api_key' } as const
      await appendAudit(
        tx,
        context,
        { action: 'api_key.create', ...entity, entityId: key.id, changes: changesOf('api_key', undefined, key) },
        { action: 'api_key.rotate', ...entity, entityId: id, changes: changesOf('api_key', before, replaced) },
      )
      return { key, token: minted.token, replaced }
    })
  }

  /** Holds from the next request on. Revoking again changes nothing. @throws AppError `not-found`, `validation` of the reason */
  async revoke(id: string, context: Context, why: string | null = null): Promise<ApiKey> {
    const reason = why === null ? null : checkedReason(why)
    return write(this.#database, async (tx) => {
      const outcome = await revokeKey(tx, id)
      if (outcome === undefined) throw noSuchKey()
      if (outcome.revoked) {
        const changes = { revokedAt: { from: null, to: outcome.key.revokedAt?.toISOString() } }
        const event = { action: 'api_key.revoke', entityType: 'api_key', entityId: id, reason, changes } as const
        await appendAudit(tx, context, event)
      }
      return outcome.key
    })
  }

  /** All are tried, whatever the first says: how long it takes tells nothing. */
  #isEarlier(secret: string, stored: Uint8Array): boolean {
    return this.#earlierPeppers.filter((pepper) => isSameHash(hashSecret(secret, pepper), stored)).length > 0
  }

  /** A note that fails must not refuse a request that is allowed. */
  async #noteUse(id: string, rehash?: { readonly from: Uint8Array; readonly to: Buffer }): Promise<void> {
    try {
      if (rehash !== undefined && (await rehashKey(this.#database.prisma, id, rehash))) {
        this.#logger.info({ keyId: id }, 'an API key was hashed anew')
      }
      await noteKeyUse(this.#database.prisma, id)
    } catch (error) {
      this.#logger.warn({ keyId: id, cause: describe(error) }, 'the use of an API key could not be noted')
    }
  }
}

/** @throws AppError `forbidden` */
function requireOwnScopes(scopes: readonly Scope[], { principal }: Context): void {
  const beyond = scopes.filter((scope) => !principal.scopes.has(scope))
  const [scope] = beyond
  if (scope === undefined) return
  const detail = `A key cannot make a key with scopes it does not have: ${beyond.join(', ')}`
  throw new AppError('forbidden', detail, { extra: { scope } })
}

function noSuchKey(): AppError {
  return new AppError('not-found', 'There is no such API key')
}

function checkedReason(text: string): string {
  const reason = parseReason(text)
  if (reason.ok) return reason.value
  throw invalid([{ pointer: '/reason', code: reason.code, detail: reason.detail }])
}

function checkedKey(input: NewApiKey): { name: string; scopes: Scope[]; validDays: number } {
  const errors: FieldError[] = []
  const name = parseName(input.name)
  if (!name.ok) errors.push({ pointer: '/name', code: name.code, detail: name.detail })
  const known = new Set<string>(SCOPES)
  const scopes = [...new Set(input.scopes)]
  if (scopes.length === 0) errors.push({ pointer: '/scopes', code: 'too-short', detail: 'at least 1 scope' })
  for (const [index, scope] of scopes.entries()) {
    const detail = `must be one of ${SCOPES.join(', ')}`
    if (!known.has(scope)) errors.push({ pointer: `/scopes/${index}`, code: 'not-allowed', detail })
  }
  const validDays = input.validDays ?? DEFAULT_DAYS
  if (!Number.isInteger(validDays) || validDays < 1 || validDays > MAX_KEY_DAYS) {
    errors.push({ pointer: '/validDays', code: 'range', detail: `must be an integer from 1 to ${MAX_KEY_DAYS}` })
  }
  if (!name.ok || errors.length > 0) throw invalid(errors)
  return { name: name.value, scopes: scopes as Scope[], validDays }
}
