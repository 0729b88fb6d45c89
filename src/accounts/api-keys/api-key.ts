import { createHmac, type KeyObject, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Scope } from '../../caller.ts'

/** A key that calls the API, without its secret: that is known to its holder alone. */
export interface ApiKey {
  readonly id: string
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly createdBy: string
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly lastUsedAt: Date | null
  readonly revokedAt: Date | null
  /** The key that took its place by a rotation. */
  readonly replacedBy: string | null
}

const PREFIX = 'rg_live_'
const ID_CHARACTERS = '0123456789abcdefghijklmnopqrstuvwxyz'
const ID_LENGTH = 12
const SECRET_BYTES = 32
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** 62^6 > 2^32 */
const CHECKSUM_LENGTH = 6
/** `rg_live_<id>_<43 characters of base64url>_<checksum>`; base64url may contain _ itself, so the lengths tell the parts. */
const TOKEN = /^(rg_live_([0-9a-z]{12})_([A-Za-z0-9_-]{43}))_([0-9A-Za-z]{6})$/

export const MAX_KEY_DAYS = 366
/** A key that was rotated lives on for so long, for those who do not know the new one yet. */
export const ROTATION_OVERLAP_HOURS = 24

/** The parts of a new token. `token` is shown once and kept nowhere. */
export interface MintedKey {
  readonly id: string
  readonly secret: string
  readonly token: string
}

/** 256 random bits; the prefix and the checksum let scanners find leaked keys without asking us. */
export function mintKey(): MintedKey {
  const id = Array.from({ length: ID_LENGTH }, () => ID_CHARACTERS[randomInt(ID_CHARACTERS.length)]).join('')
  const secret = randomBytes(SECRET_BYTES).toString('base64url')
  const body = `${PREFIX}${id}_${secret}`
  return { id, secret, token: `${body}_${checksum(body)}` }
}

/** The parts of a token, or undefined when it cannot be one of ours. */
export function parseToken(token: string): { readonly id: string; readonly secret: string } | undefined {
  const [, body = '', id = '', secret = '', sum] = TOKEN.exec(token) ?? []
  return sum !== undefined && checksum(body) === sum ? { id, secret } : undefined
}

/** CRC-32 (ISO 3309) in base 62, most significant digit first, 6 digits. */
function checksum(text: string): string {
  let rest = crc32(text)
  let digits = ''
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    digits = `${BASE62[rest % 62]}${digits}`
    rest = Math.floor(rest / 62)
  }
  return digits
}

/** What is stored: HMAC-SHA-256 of the secret. 256 random bits cannot be guessed, so no slow hash is needed. */
export function hashSecret(secret: string, pepper: Uint8Array | KeyObject): Buffer {
  return createHmac('sha256', pepper).update(secret).digest()
}

/** In constant time. Both are SHA-256 sums. */
export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
