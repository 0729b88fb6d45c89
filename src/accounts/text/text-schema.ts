import { z } from 'zod'
import { parseDay, parseInstant } from '../../http/instant.ts'
import { type IdOrSlug, parseCountry, parseLocale, parseSlug, parseWebsite } from './code.ts'
import { type Email, parseEmail } from './email.ts'
import { line, reference } from './line.ts'
import { prose } from './prose.ts'
import { accepted, type Rule, refused } from './rule.ts'
import { parseUsername } from './username.ts'

/** A field whose text is judged and normalised by a rule; the rule's code and detail become the field's error. */
export function ruled<T>(rule: Rule<T>, meta: Readonly<Record<string, unknown>> = {}): z.ZodType<T, string> {
  return z
    .string()
    .meta(meta)
    .transform((text, context) => {
      const outcome = rule(text)
      if (outcome.ok) return outcome.value
      context.addIssue({ code: 'custom', message: outcome.detail, params: { code: outcome.code } })
      return z.NEVER
    })
}

export const slugField = ruled(parseSlug, {
  pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
  minLength: 2,
  maxLength: 64,
  example: 'comet-forge',
})
export const countryField = ruled(parseCountry, {
  pattern: '^[A-Z]{2}$',
  description: 'ISO 3166-1 alpha-2',
  example: 'SE',
})
export const websiteField = ruled(parseWebsite, {
  format: 'uri',
  maxLength: 2048,
  example: 'https://comet-forge.example/',
})
export const localeField = ruled(parseLocale, { maxLength: 35, description: 'BCP 47', example: 'sv-SE' })
export const externalRefField = ruled(reference(128), {
  minLength: 1,
  maxLength: 128,
  description: 'Your own key',
  example: 'crm-1042',
})
export const emailField: z.ZodType<Email, string> = ruled(parseEmail, {
  maxLength: 254,
  format: 'idn-email',
  example: 'nova@example.com',
})
export const usernameField = ruled(parseUsername, { minLength: 3, maxLength: 32, example: 'nova' })

/** A line of text of at most `max` characters; `meta` describes the field. */
export function lineField(max: number, meta: Readonly<Record<string, unknown>> = {}): z.ZodType<string, string> {
  return ruled(line({ max }), { minLength: 1, maxLength: max, ...meta })
}

/** Text of several lines. */
export function proseField(max: number, meta: Readonly<Record<string, unknown>> = {}): z.ZodType<string, string> {
  return ruled(prose(max), { minLength: 1, maxLength: max, ...meta })
}

/** An instant to the millisecond; more digits would be cut off by the database. */
export const instantField: z.ZodType<Date, string> = ruled(
  (text) => {
    const instant = parseInstant(text)
    return instant === undefined
      ? refused('format', 'must be an instant such as 2026-01-31T12:00:00.000Z')
      : accepted(instant)
  },
  { format: 'date-time' },
)

/** A day, `YYYY-MM-DD`; stays text. */
export const dayField: z.ZodType<string, string> = ruled(
  (text) => {
    const day = parseDay(text)
    return day === undefined ? refused('format', 'must be YYYY-MM-DD') : accepted(day)
  },
  { format: 'date' },
)

const UUID = z.uuid()

/** An id in an address. */
export const idParam = UUID.transform((id) => id.toLowerCase())

/** An id, or `slug:` and the slug. */
export const idOrSlugParam: z.ZodType<IdOrSlug, string> = z
  .string()
  .meta({ description: 'An id, or slug: and the slug', example: 'slug:comet-forge' })
  .transform((text, context): IdOrSlug => {
    if (text.startsWith('slug:')) {
      const slug = parseSlug(text.slice(5))
      if (slug.ok) return { slug: slug.value }
    } else if (UUID.safeParse(text).success) return { id: text.toLowerCase() }
    context.addIssue({ code: 'custom', message: 'must be an id or slug:…' })
    return z.NEVER
  })
