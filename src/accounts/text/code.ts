import { accepted, characters, type Ruled, refused } from './rule.ts'

/** Short texts in ASCII with a fixed form. */

export const SLUG_PATTERN = /^[a-z0-9]+(-[a-z0-9]+)*$/
export const COUNTRY_PATTERN = /^[A-Z]{2}$/

/** Part of an address: `star-haul`. */
export function parseSlug(text: string): Ruled<string> {
  if (text.length < 2) return refused('too-short', 'at least 2 characters')
  if (text.length > 64) return refused('too-long', 'at most 64 characters')
  return SLUG_PATTERN.test(text) ? accepted(text) : refused('format', 'a-z, 0-9 and single - between them')
}

/** ISO 3166-1 alpha-2. */
export function parseCountry(text: string): Ruled<string> {
  return COUNTRY_PATTERN.test(text) ? accepted(text) : refused('format', 'must be two capital letters (ISO 3166-1)')
}

/** An http or https address without a password in it. */
export function parseWebsite(text: string): Ruled<string> {
  if (characters(text) > 2048) return refused('too-long', 'at most 2048 characters')
  const url = /^https?:\/\/[^\s\p{Cc}]+$/u.test(text) ? URL.parse(text) : null
  if (url === null || url.username !== '' || url.password !== '') {
    return refused('format', 'must begin with http:// or https:// and carry no user name')
  }
  return accepted(text)
}

/** Tags that were accepted lately; there are few, and asking costs as much as all other fields of a player together. */
const knownLocales = new Map<string, Ruled<string>>()
const MAX_KNOWN_LOCALES = 1_000

/** BCP 47, in its canonical form: `pt-BR`. */
export function parseLocale(text: string): Ruled<string> {
  const known = knownLocales.get(text)
  if (known !== undefined) return known
  const judged = judgeLocale(text)
  if (judged.ok) {
    if (knownLocales.size >= MAX_KNOWN_LOCALES) knownLocales.clear()
    knownLocales.set(text, judged)
  }
  return judged
}

/** The rule without its memory. */
export function judgeLocale(text: string): Ruled<string> {
  if (text.length > 35) return refused('too-long', 'at most 35 characters')
  try {
    const [canonical] = Intl.getCanonicalLocales(text)
    if (canonical !== undefined && canonical.length <= 35) return accepted(canonical)
  } catch {
    // falls through: not a language tag
  }
  return refused('format', 'must be a BCP 47 language tag such as pt-BR')
}

/** How a studio or game is addressed. */
export type IdOrSlug = { readonly id: string } | { readonly slug: string }
