import type { FieldError } from '../../errors.ts'
import { accepted, characters, type Ruled, refused } from '../text/rule.ts'

export const IDENTITY_PROVIDERS = [
  'steam',
  'epic',
  'psn',
  'xbox',
  'nintendo',
  'apple',
  'google',
  'discord',
  'studio',
] as const
export type IdentityProvider = (typeof IDENTITY_PROVIDERS)[number]

/** An account of a player elsewhere. Unlinked, the row stays and names nobody. */
export interface Identity {
  readonly id: string
  readonly playerId: string
  readonly provider: IdentityProvider
  /** The studio's slug when the provider is `studio`, else empty. */
  readonly namespace: string
  /** The provider's own key of the account, byte for byte; NULL when unlinked. */
  readonly subject: string | null
  /** The name that the account has there. */
  readonly providerName: string | null
  readonly verifiedAt: Date | null
  readonly linkedAt: Date
  readonly unlinkedAt: Date | null
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** An identity that may be linked: checked, nothing looked up yet. */
export interface IdentityDraft extends Pick<Identity, 'provider' | 'namespace' | 'providerName' | 'verifiedAt'> {
  readonly subject: string
}

const MAX_SUBJECT_CHARACTERS = 255
const STEAM_ID = /^7656119\d{10}$/

/** The key of an account elsewhere: never folded or trimmed, it belongs to the provider. */
export function parseSubject(text: string): Ruled<string> {
  if (text === '') return refused('too-short', 'at least 1 character')
  if (characters(text) > MAX_SUBJECT_CHARACTERS) {
    return refused('too-long', `at most ${MAX_SUBJECT_CHARACTERS} characters`)
  }
  return /[\s\p{Cc}]/u.test(text) ? refused('character', 'no white space and no control characters') : accepted(text)
}

/** What a provider asks of namespace and subject. */
export function identityErrors({ provider, namespace, subject }: IdentityDraft): FieldError[] {
  const errors: FieldError[] = []
  if (provider === 'studio' && namespace === '') {
    errors.push({ pointer: '/namespace', code: 'required', detail: 'the slug of the studio' })
  }
  if (provider !== 'studio' && namespace !== '') {
    errors.push({ pointer: '/namespace', code: 'not-allowed', detail: 'only with the provider studio' })
  }
  if (provider === 'steam' && !STEAM_ID.test(subject)) {
    errors.push({
      pointer: '/subject',
      code: 'format',
      detail: 'must be a SteamID64: 17 digits that begin with 7656119',
    })
  }
  return errors
}
