import { listFingerprint } from '../http/cursor.ts'
import type { ListQuery } from '../http/list-query.ts'
import type { ParameterDoc, QueryReader } from '../http/query.ts'
import { invalidParameter, unknownParameter } from '../http/query-string.ts'

/** A page of a list that has one order and is walked forward: snapshots, query runs, rows of a result. */
export interface LakePage<Filters> {
  readonly limit: number
  /** Parameters that the caller gave. */
  readonly given: readonly string[]
  readonly filters: Filters
  /** Where the page begins, as it was given to `cursorOf`; undefined: at the beginning. */
  readonly after: string | undefined
  /** The text of a cursor for the page that begins there. */
  readonly cursorOf: (after: string) => string
  /** For `page` answers of the HTTP layer. */
  readonly list: ListQuery
}

export interface LakePageOptions<Name extends string> {
  readonly defaultLimit: number
  readonly maxLimit: number
  /** Parameters with the values that each may have. */
  readonly filters?: Readonly<Record<Name, { readonly values: readonly string[]; readonly description: string }>>
}

/** `limit`, `cursor` and filters of fixed values. The cursor belongs to the path, the filters and the caller's scopes. */
export function lakePageQuery<Name extends string = never>(
  options: LakePageOptions<Name>,
): QueryReader<LakePage<Partial<Record<Name, string>>>> {
  const parameters = documented(options)
  const names = parameters.map(({ name }) => name)
  return {
    parameters,
    read(entries, { path, principal, cursors }) {
      const given = new Map<string, string>()
      for (const entry of entries) {
        if (!names.includes(entry.parameter)) throw unknownParameter(entry, names)
        given.set(entry.parameter, entry.value)
      }
      const limit = readLimit(given.get('limit'), options)
      const filters = readFilters(given, options)
      const fingerprint = listFingerprint([path, filters, [...principal.scopes].sort()])
      const cursor = given.get('cursor')
      const position = cursor === undefined ? undefined : cursors.decode(cursor, fingerprint)
      return {
        limit,
        given: [...given.keys()],
        filters,
        after: position?.id,
        cursorOf: (after) => cursors.encode({ values: [], id: after, backward: false }, fingerprint),
        list: { fingerprint, request: { filters: [], search: undefined, sort: [], position, limit } },
      }
    },
  }
}

function readLimit(text: string | undefined, { defaultLimit, maxLimit }: LakePageOptions<string>): number {
  if (text === undefined) return defaultLimit
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= maxLimit) return limit
  throw invalidParameter('limit', 'range', `must be an integer from 1 to ${maxLimit}`)
}

function readFilters<Name extends string>(
  given: ReadonlyMap<string, string>,
  { filters }: LakePageOptions<Name>,
): Partial<Record<Name, string>> {
  const read: Partial<Record<Name, string>> = {}
  for (const name of Object.keys(filters ?? {}) as Name[]) {
    const value = given.get(name)
    if (value === undefined) continue
    const allowed = filters?.[name].values ?? []
    if (!allowed.includes(value)) {
      throw invalidParameter(name, 'not-allowed', `must be one of ${allowed.join(', ')}`)
    }
    read[name] = value
  }
  return read
}

function documented<Name extends string>(options: LakePageOptions<Name>): ParameterDoc[] {
  const { defaultLimit, maxLimit, filters } = options
  const names = Object.keys(filters ?? {}) as Name[]
  return [
    {
      name: 'limit',
      description: 'Rows a page',
      schema: { type: 'integer', minimum: 1, maximum: maxLimit, default: defaultLimit },
    },
    { name: 'cursor', description: 'page.next of the page before', schema: { type: 'string' } },
    ...names.map((name) => ({
      name,
      description: filters?.[name].description ?? '',
      schema: { type: 'string', enum: filters?.[name].values ?? [] },
    })),
  ]
}
