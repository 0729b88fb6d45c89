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

/** Addresses of ASCII letters and digits in their most common form, which no other rule can refuse. Without `--`: see `xn--`. */
const PLAIN_LOCAL = /^[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*$/
const PLAIN_DOMAIN = /^(?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+[A-Za-z]{2,}$/
/** Of a label of a domain, RFC 1035; a short domain cannot have a longer one. */
const MAX_LABEL_OCTETS = 63

/**
 * Trimmed, otherwise as typed. The key folds the local part and writes the domain in ASCII. Dots and `+tag` stay: they are
 * different mailboxes with some providers.
 */
export function parseEmail(text: string): Ruled<Email> {
  const at = text.indexOf('@')
  if (at > 0 && at <= MAX_LOCAL_OCTETS && text.length - at - 1 <= MAX_LABEL_OCTETS) {
    const isPlain = PLAIN_LOCAL.test(text.slice(0, at)) && PLAIN_DOMAIN.test(text.slice(at + 1))
    if (isPlain) return accepted({ address: text, key: text.toLowerCase() })
  }
  return judgeEmail(text)
}

/** The rules in full, without the short way that most addresses take. */
export function judgeEmail(text: string): Ruled<Email> {
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
