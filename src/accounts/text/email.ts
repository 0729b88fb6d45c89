import { domainToASCII } from 'node:url'
import validator from 'validator'
import { fold } from './fold.ts'
import { accepted, octets, type Ruled, refused } from './rule.ts'

/** An e-mail address as typed, and the key under which it is unique. */
export interface Email {
  readonly address: string
  readonly key: string
}

const MAX_OCTETS = 254
const MAX_LOCAL_OCTETS = 64

/**
 * Trimmed, otherwise as typed. The key folds the local part and writes the domain in ASCII. Dots and `+tag` stay: they are
 * different mailboxes with some providers.
 */
export function parseEmail(text: string): Ruled<Email> {
  const address = text.trim()
  const at = address.lastIndexOf('@')
  const size = octets(address)
  if (size > MAX_OCTETS) return refused('too-long', `at most ${MAX_OCTETS} bytes`)
  if (at < 1 || size < 3) return refused('format', 'must be an e-mail address')
  const local = address.slice(0, at)
  if (octets(local) > MAX_LOCAL_OCTETS) return refused('too-long', `at most ${MAX_LOCAL_OCTETS} bytes before the @`)
  const domain = domainToASCII(address.slice(at + 1))
  const foldedLocal = fold(local)
  const key = `${foldedLocal}@${domain}`
  // The domain is judged in ASCII: validator does not know every script.
  if (!domain.includes('.') || !validator.isEmail(`${local}@${domain}`, { ignore_max_length: true })) {
    return refused('format', 'must be an e-mail address whose domain has a dot')
  }
  if (
    octets(key) > MAX_OCTETS ||
    foldedLocal.includes('@') ||
    /[A-Z\s\p{Cc}\p{Default_Ignorable_Code_Point}]/u.test(key)
  ) {
    return refused('character', 'has characters that an e-mail address cannot have')
  }
  return accepted({ address, key })
}
