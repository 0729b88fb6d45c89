import type { FilterField, FilterValue, Operator, TextForm } from '../list.ts'
import { parseDay, parseInstant } from './instant.ts'
import type { ParameterDoc } from './query.ts'
import { invalidParameter, type QueryEntry } from './query-string.ts'

const MAX_IN_VALUES = 100
const MAX_TEXT_CHARACTERS = 512

/**
 * The value of a filter, checked: one that nothing can have is an error, because an empty list would be a wrong answer.
 *
 * @throws AppError `invalid-parameter`
 */
export function filterValue(field: FilterField, operator: Operator, { parameter, value }: QueryEntry): FilterValue {
  if (operator === 'isNull') {
    if (value === 'true' || value === 'false') return value === 'true'
    throw invalidParameter(parameter, 'not-allowed', 'must be true or false')
  }
  if (operator !== 'in') return scalar(field, operator, parameter, value)
  const items = value.split(',')
  if (items.length > MAX_IN_VALUES) throw invalidParameter(parameter, 'too-long', `at most ${MAX_IN_VALUES} values`)
  return items.map((item) => String(scalar(field, operator, parameter, item)))
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

function scalar(field: FilterField, operator: Operator, parameter: string, text: string): string | number | boolean {
  switch (field.kind) {
    case 'text':
      // Not normalised: what callers can filter by is stored as it was sent.
      return textValue(field.form, operator, parameter, text)
    case 'enum':
      if (field.values?.includes(text)) return text
      throw invalidParameter(parameter, 'not-allowed', `must be one of ${field.values?.join(', ')}`)
    case 'uuid':
      if (UUID.test(text)) return text.toLowerCase()
      throw invalidParameter(parameter, 'format', 'must be a UUID')
    case 'timestamp': {
      const instant = parseInstant(text)
      if (instant !== undefined) return instant.toISOString()
      throw invalidParameter(parameter, 'format', 'must be an instant such as 2026-01-31T12:00:00Z, to the millisecond')
    }
    case 'date':
      if (parseDay(text) !== undefined) return text
      throw invalidParameter(parameter, 'format', 'must be YYYY-MM-DD')
    case 'integer':
      return integerValue(field.range, parameter, text)
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true'
      throw invalidParameter(parameter, 'not-allowed', 'must be true or false')
  }
}

function patternOf(form: TextForm, operator: Operator): RegExp {
  return operator === 'prefix' ? (form.prefix ?? form.pattern) : form.pattern
}

function textValue(form: TextForm | undefined, operator: Operator, parameter: string, text: string): string {
  if (text === '' || [...text].length > MAX_TEXT_CHARACTERS) {
    throw invalidParameter(parameter, 'length', `must have 1 to ${MAX_TEXT_CHARACTERS} characters`)
  }
  if (form === undefined || patternOf(form, operator).test(text)) return text
  throw invalidParameter(parameter, 'format', `must be ${form.detail}`)
}

function integerValue(range: FilterField['range'], parameter: string, text: string): number {
  const value = /^-?\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(value)) throw invalidParameter(parameter, 'format', 'must be an integer')
  if (range === undefined || (value >= range[0] && value <= range[1])) return value
  throw invalidParameter(parameter, 'range', `must be an integer from ${range[0]} to ${range[1]}`)
}

const JSON_SCHEMAS: Readonly<Record<FilterField['kind'], Readonly<Record<string, unknown>>>> = {
  text: { type: 'string', minLength: 1, maxLength: MAX_TEXT_CHARACTERS },
  enum: { type: 'string' },
  uuid: { type: 'string', format: 'uuid' },
  timestamp: { type: 'string', format: 'date-time' },
  date: { type: 'string', format: 'date' },
  integer: { type: 'integer' },
  boolean: { type: 'boolean' },
}

function formSchema({ form, range }: FilterField, operator: Operator): Record<string, unknown> {
  return {
    ...(form === undefined ? {} : (form.schema ?? { pattern: patternOf(form, operator).source })),
    ...(range === undefined ? {} : { minimum: range[0], maximum: range[1] }),
  }
}

/** A filter in the API document. */
export function filterDoc(name: string, field: FilterField, operator: Operator): ParameterDoc {
  const sorted = field.onlySort === undefined ? '' : `; sorts by -${field.onlySort} or ${field.onlySort}`
  const about = `${field.description ?? `Filter by ${name}`}${sorted}`
  if (operator === 'isNull') return { name: `${name}[isNull]`, description: about, schema: { type: 'boolean' } }
  if (operator === 'in') {
    const description = `${about}: up to ${MAX_IN_VALUES} values separated by commas`
    return { name: `${name}[in]`, description, schema: { type: 'string' } }
  }
  const schema = {
    ...JSON_SCHEMAS[field.kind],
    ...(field.values === undefined ? {} : { enum: field.values }),
    ...formSchema(field, operator),
  }
  return { name: operator === 'eq' ? name : `${name}[${operator}]`, description: about, schema }
}
