import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { type FieldError, invalid } from '../../errors.ts'

/**
 * Saved queries: one file each in `queries/` (over the snapshots) or `queries/curated/` (over what jobs derive from them), named
 * after it, with a head that says what it answers and what it takes:
 *
 *     -- @title Registrations per day
 *     -- @description New player accounts by day and country
 *     -- @param days integer default=30 min=1 max=3650 | Days before the snapshot
 *     SELECT … WHERE created_at >= date_add('day', -1 * :days, CAST(snapshot_date AS date))
 *
 * `:days` becomes a `?` and its value a parameter of the execution; a value is never pasted into the text.
 */

/** What a query reads: the views of the snapshots, or those of the curated tables. Each has a database of its own. */
export type QueryZone = 'snapshots' | 'curated'

export type ParameterType = 'integer' | 'date' | 'string'

export interface QueryParameter {
  readonly name: string
  readonly type: ParameterType
  readonly description: string
  /** Undefined: the caller must give a value. */
  readonly default: string | number | undefined
  /** Bounds of an integer, or of the length of a string. */
  readonly min: number
  readonly max: number
  /** Values a string may have; undefined: any. */
  readonly oneOf: readonly string[] | undefined
}

export interface SavedQuery {
  /** Unique across the zones. */
  readonly name: string
  readonly zone: QueryZone
  readonly title: string
  readonly description: string
  readonly parameters: readonly QueryParameter[]
  /** With `?` in place of each `:name`. */
  readonly sql: string
  /** For an editor: with the default in place of each `:name`, or `?` where there is none. It runs as it stands. */
  readonly runnable: string
  /** Which parameter stands at each `?`. */
  readonly order: readonly string[]
}

const HEAD = /^-- @(title|description|param) (.+)$/
const PARAM = /^([a-z][a-z0-9_]*) (integer|date|string)((?: [a-z]+=\S+)*) \| (.+)$/
const DATE = /^\d{4}-\d{2}-\d{2}$/
const STRING_CHARS = 200

function parameter(text: string, file: string): QueryParameter {
  const match = PARAM.exec(text)
  if (match === null) throw new Error(`${file}: "@param ${text}" is not "<name> <type> [key=value …] | <description>"`)
  const [, name = '', kind, options = '', description = ''] = match
  const type = kind as ParameterType
  const given = new Map(
    options.split(' ').flatMap((each): [string, string][] => {
      const at = each.indexOf('=')
      return at < 0 ? [] : [[each.slice(0, at), each.slice(at + 1)]]
    }),
  )
  const fallback = given.get('default')
  return {
    name,
    type,
    description,
    default: fallback === undefined || type !== 'integer' ? fallback : Number(fallback),
    min: Number(given.get('min') ?? 0),
    max: Number(given.get('max') ?? (type === 'integer' ? Number.MAX_SAFE_INTEGER : STRING_CHARS)),
    oneOf: given.get('oneof')?.split(','),
  }
}

/** Strings, quoted names and comments are passed over; `:name` outside of them is a parameter, `::` never. */
const PIECES = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|(?<!:):([a-z][a-z0-9_]*)/g

/** Reads one saved query. @throws Error naming what is wrong with the file: a defect of ours, found when the program starts. */
export function parseSavedQuery(name: string, text: string, zone: QueryZone = 'snapshots'): SavedQuery {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => !HEAD.test(line))
  const head = lines.slice(0, start).map((line) => HEAD.exec(line) ?? [])
  const values = (tag: string) => head.filter(([, t]) => t === tag).map(([, , value = '']) => value)
  const parameters = values('param').map((value) => parameter(value, name))
  const order: string[] = []
  const body = lines.slice(start).join('\n').trim()
  const sql = body.replaceAll(PIECES, (piece, placeholder: string | undefined) => {
    if (placeholder === undefined) return piece
    order.push(placeholder)
    return '?'
  })
  const declared = new Map(parameters.map((each) => [each.name, each]))
  const runnable = body.replaceAll(PIECES, (piece, placeholder: string | undefined) => {
    const { default: value, type } = declared.get(placeholder ?? '') ?? {}
    if (placeholder === undefined) return piece
    return value === undefined || type === undefined ? '?' : literal(value, type)
  })
  const unknown = order.filter((each) => !declared.has(each))
  const unused = [...declared.keys()].filter((each) => !order.includes(each))
  const [title] = values('title')
  if (title === undefined) throw new Error(`${name}: there is no @title`)
  if (unknown.length > 0 || unused.length > 0) {
    throw new Error(`${name}: not declared: ${unknown.join(', ') || 'none'}; not used: ${unused.join(', ') || 'none'}`)
  }
  return { name, zone, title, description: values('description').join(' '), parameters, sql, runnable, order }
}

const QUERIES = path.join(import.meta.dirname, 'queries')
const FOLDERS: Readonly<Record<QueryZone, string>> = { snapshots: QUERIES, curated: path.join(QUERIES, 'curated') }

function queriesOf(zone: QueryZone): SavedQuery[] {
  const folder = FOLDERS[zone]
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => parseSavedQuery(file.slice(0, -'.sql'.length), readFileSync(path.join(folder, file), 'utf8'), zone))
}

/** Those of one zone, or all: over the snapshots first, each in the order of their names. */
export function loadSavedQueries(zone?: QueryZone): SavedQuery[] {
  return zone === undefined ? [...queriesOf('snapshots'), ...queriesOf('curated')] : queriesOf(zone)
}

function isDate(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`)
  return DATE.test(text) && !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

/** What is wrong with a value; never the value itself. */
function fault(
  value: unknown,
  { type, min, max, oneOf }: QueryParameter,
): { code: string; detail: string } | undefined {
  if (type === 'integer') {
    if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) return undefined
    return { code: 'range', detail: `must be a whole number from ${min} to ${max}` }
  }
  if (typeof value !== 'string') return { code: 'type', detail: 'must be a string' }
  if (type === 'date') return isDate(value) ? undefined : { code: 'format', detail: 'must be a date as YYYY-MM-DD' }
  if (oneOf !== undefined) {
    return oneOf.includes(value) ? undefined : { code: 'not-allowed', detail: `must be one of ${oneOf.join(', ')}` }
  }
  if (value.length >= min && value.length <= max) return undefined
  return { code: 'length', detail: `must have ${min} to ${max} characters` }
}

/** A value as the SQL literal that Athena takes as an execution parameter. */
function literal(value: unknown, type: ParameterType): string {
  if (type === 'integer') return String(value)
  const text = `'${String(value).replaceAll("'", "''")}'`
  return type === 'date' ? `DATE ${text}` : text
}

/**
 * The parameters of an execution, in the order of the `?`.
 *
 * @throws AppError `validation` with one pointer per parameter that is unknown, missing or not allowed.
 */
export function bindParameters(query: SavedQuery, given: Readonly<Record<string, unknown>>): string[] {
  const errors: FieldError[] = []
  const bound = new Map<string, string>()
  const known = new Set(query.parameters.map((each) => each.name))
  for (const name of Object.keys(given)) {
    if (!known.has(name))
      errors.push({ pointer: `/params/${name}`, code: 'unknown-field', detail: 'no such parameter' })
  }
  for (const each of query.parameters) {
    const pointer = `/params/${each.name}`
    const value = Object.hasOwn(given, each.name) ? given[each.name] : each.default
    if (value === undefined) {
      errors.push({ pointer, code: 'required', detail: 'must be given' })
      continue
    }
    const wrong = fault(value, each)
    if (wrong === undefined) bound.set(each.name, literal(value, each.type))
    else errors.push({ pointer, ...wrong })
  }
  if (errors.length > 0) throw invalid(errors)
  return query.order.map((name) => bound.get(name) ?? '')
}
