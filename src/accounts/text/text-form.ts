import type { TextForm } from '../../list.ts'
import { COUNTRY_PATTERN } from './code.ts'

/** What a filter may ask for: a value of another form would silently find nothing. */

export const countryForm: TextForm = {
  pattern: COUNTRY_PATTERN,
  detail: 'two capital letters: an upper case ISO 3166-1 code such as DE',
}

export const slugForm: TextForm = {
  pattern: /^(?=.{2,64}$)[a-z0-9]+(-[a-z0-9]+)*$/,
  prefix: /^(?=.{1,64}$)[a-z0-9]+(-[a-z0-9]+)*-?$/,
  detail: 'in the form of a slug: a-z, 0-9 and single - between them',
  schema: { pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$', minLength: 1, maxLength: 64 },
}

export const referenceForm: TextForm = {
  pattern: /^(?!\s)[^\p{Cc}]{1,128}(?<!\s)$/u,
  detail: 'at most 128 characters without white space at the ends',
  schema: { minLength: 1, maxLength: 128 },
}
