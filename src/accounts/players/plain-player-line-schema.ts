import { parseDay, parseInstant } from '../../http/instant.ts'
import { isStorableText } from '../../http/validation.ts'
import { today } from '../text/calendar-date.ts'
import { parseCountry, parseLocale, parseSlug } from '../text/code.ts'
import { parseEmail } from '../text/email.ts'
import { line as lineRule, parseDisplayName } from '../text/line.ts'
import type { Rule } from '../text/rule.ts'
import { parseUsername } from '../text/username.ts'
import { IDENTITY_PROVIDERS, type IdentityProvider, identityErrors, parseSubject } from './identity.ts'
import type { IdentityLine } from './identity-import.ts'
import { FIRST_BIRTH_DATE } from './player.ts'
import type { PlayerLine } from './player-import.ts'

/**
 * A line without any fault, read as `playerLineSchema` reads it; undefined: let the schema judge. These are the schema's rules by
 * hand: the schema finds every fault and tells it well, but takes several times as long to find none, and most lines have none.
 */
export function plainPlayerLine(input: unknown): PlayerLine | undefined {
  if (!isPlainObject(input)) return undefined
  const line: Writable<PlayerLine> = {}
  for (const name in input) if (!readField(line, name, input[name])) return undefined
  return line as PlayerLine
}

type Writable<T> = { -readonly [name in keyof T]: T[name] | undefined }

function isPlainObject(input: unknown): input is Readonly<Record<string, unknown>> {
  return typeof input === 'object' && input !== null && Object.getPrototypeOf(input) === Object.prototype
}

/** What the rule makes of a text; undefined: it refuses it, or it is none. */
function ruled<T>(value: unknown, rule: Rule<T>): T | undefined {
  if (typeof value !== 'string' || !isStorableText(value)) return undefined
  const outcome = rule(value)
  return outcome.ok ? outcome.value : undefined
}

function orNull<T>(value: unknown, read: (value: unknown) => T | undefined): T | null | undefined {
  return value === null ? null : read(value)
}

const username = (value: unknown) => ruled(value, parseUsername)
const email = (value: unknown) => ruled(value, parseEmail)
const displayName = (value: unknown) => ruled(value, parseDisplayName)
const country = (value: unknown) => ruled(value, parseCountry)
const locale = (value: unknown) => ruled(value, parseLocale)
const instant = (value: unknown) => (typeof value === 'string' ? parseInstant(value) : undefined)

function birthDate(value: unknown): string | undefined {
  const day = typeof value === 'string' ? parseDay(value) : undefined
  return day !== undefined && day >= FIRST_BIRTH_DATE && day <= today() ? day : undefined
}

/** False: not a field, or not surely without a fault. */
function readField(line: Writable<PlayerLine>, field: string, value: unknown): boolean {
  switch (field) {
    case 'username': {
      const read = username(value)
      line.username = read?.name
      line.usernameKey = read?.key
      return read !== undefined
    }
    case 'email': {
      const read = orNull(value, email)
      line.email = read === null ? null : read?.address
      line.emailKey = read === null ? null : read?.key
      return read !== undefined
    }
    case 'displayName':
      line.displayName = orNull(value, displayName)
      return line.displayName !== undefined
    case 'birthDate':
      line.birthDate = orNull(value, birthDate)
      return line.birthDate !== undefined
    case 'country':
      line.country = orNull(value, country)
      return line.country !== undefined
    case 'locale':
      line.locale = orNull(value, locale)
      return line.locale !== undefined
    case 'emailVerifiedAt':
      line.emailVerifiedAt = orNull(value, instant)
      return line.emailVerifiedAt !== undefined
    case 'createdAt':
      line.createdAt = instant(value)
      return line.createdAt !== undefined
    case 'status':
      line.status = value === 'active' || value === 'closed' ? value : undefined
      return line.status !== undefined
    case 'identities':
      line.identities = identities(value)
      return line.identities !== undefined
    default:
      return false
  }
}

const MAX_PLAIN_IDENTITIES = 20
const PROVIDERS: ReadonlySet<unknown> = new Set(IDENTITY_PROVIDERS)
const parseProviderName = lineRule({ max: 128 })

function identities(value: unknown): IdentityLine[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_PLAIN_IDENTITIES) return undefined
  const all: IdentityLine[] = []
  for (const item of value) {
    const identity = plainIdentity(item)
    if (identity === undefined) return undefined
    all.push(identity)
  }
  return all
}

function plainIdentity(item: unknown): IdentityLine | undefined {
  if (!isPlainObject(item)) return undefined
  const { provider, namespace = '', subject, ...facts } = item
  if (!PROVIDERS.has(provider)) return undefined
  const key = {
    provider: provider as IdentityProvider,
    namespace: namespace === '' ? '' : ruled(namespace, parseSlug),
    subject: ruled(subject, parseSubject),
  }
  if (key.namespace === undefined || key.subject === undefined) return undefined
  const identity: Writable<IdentityLine> = { ...key, namespace: key.namespace, subject: key.subject }
  for (const name in facts) if (!readFact(identity, name, facts[name])) return undefined
  const judged = { providerName: null, verifiedAt: null, ...key, namespace: key.namespace, subject: key.subject }
  return identityErrors(judged).length === 0 ? (identity as IdentityLine) : undefined
}

function readFact(identity: Writable<IdentityLine>, name: string, value: unknown): boolean {
  switch (name) {
    case 'providerName':
      identity.providerName = orNull(value, (text) => ruled(text, parseProviderName))
      return identity.providerName !== undefined
    case 'verifiedAt':
      identity.verifiedAt = orNull(value, instant)
      return identity.verifiedAt !== undefined
    case 'linkedAt':
      identity.linkedAt = instant(value)
      return identity.linkedAt !== undefined
    default:
      return false
  }
}
