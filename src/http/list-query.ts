import type { Principal } from '../caller.ts'
import {
  COUNT_KINDS,
  type CountKind,
  type Filter,
  type ListRequest,
  type ListSpec,
  type Operator,
  type SortKey,
} from '../list.ts'
import { CursorCodec, listFingerprint } from './cursor.ts'
import type { Expansions } from './expansion.ts'
import { filterDoc, filterValue } from './list-filter.ts'
import type { ParameterDoc, QueryContext, QueryReader } from './query.ts'
import { invalidParameter, parseQueryString, type QueryEntry, unknownParameter } from './query-string.ts'
import { readExpand, readFields, type Selection, selectionDocs } from './selection.ts'
import { requireReadable } from './visibility.ts'

export const DEFAULT_LIMIT = 50
export const MAX_LIMIT = 200
const MAX_SORT_KEYS = 3
const MAX_SEARCH_CHARACTERS = 100
/** What an index on trigrams can begin with: signs are none to it, and it pads the words between them. */
const TRIGRAM =
  /[\p{Alphabetic}\p{Nd}]{3}|[\p{Alphabetic}\p{Nd}]{2}[^\p{Alphabetic}\p{Nd}]|[^\p{Alphabetic}\p{Nd}][\p{Alphabetic}\p{Nd}]/u

/** A list request together with what its cursors are bound to. */
export interface ListQuery extends Partial<Selection> {
  /** The parameter that asks for a page, if one does: an export has none. */
  readonly paging?: string | undefined
  readonly request: ListRequest
  readonly fingerprint: string
}

const PAGING = ['limit', 'cursor', 'count'] as const
const CONTROLS = ['limit', 'cursor', 'sort', 'fields', 'expand', 'count'] as const

/** The query of a list: `limit`, `cursor`, `sort`, `fields`, `expand`, `count`, `q` and the filters that the spec names. */
export function listQuery<Row>(spec: ListSpec, expansions: Expansions<Row> = {}): QueryReader<ListQuery & Selection> {
  const parameters = documented(spec, expansions)
  const names = parameters.map(({ name }) => name)
  return {
    parameters,
    read(entries, context) {
      const controls = new Map<string, string>()
      const filters: Filter[] = []
      for (const entry of entries) {
        if (!names.includes(entry.parameter)) throw unknownParameter(entry, names)
        if (isControl(entry, spec)) controls.set(entry.name, entry.value)
        else filters.push(readFilter(spec, entry, context))
      }
      const sort = readSort(spec, controls.get('sort'), filters, context)
      const search = readSearch(spec, controls.get('q'), context)
      const fingerprint = fingerprintOf(context, filters, search, sort)
      const cursor = controls.get('cursor')
      return {
        fingerprint,
        fields: readFields(spec.table, controls.get('fields'), context),
        expand: readExpand(expansions, controls.get('expand'), context, spec.parts),
        paging: PAGING.find((name) => controls.has(name)),
        request: {
          filters,
          search,
          sort,
          limit: readLimit(controls.get('limit')),
          count: readCount(controls.get('count')),
          position: cursor === undefined ? undefined : context.cursors.decode(cursor, fingerprint),
        },
      }
    },
  }
}

/**
 * The query of a whole list that is not in an address.
 *
 * @throws AppError as `listQuery`
 */
export function wholeListQuery(
  spec: ListSpec,
  parameters: ReadonlyMap<string, string>,
  principal: Principal,
): ListQuery & Selection {
  const paging = PAGING.find((name) => parameters.has(name))
  if (paging !== undefined) throw invalidParameter(paging, 'not-allowed', 'an export is the whole list')
  const encoded = [...parameters].map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  return listQuery(spec).read(parseQueryString(encoded.join('&')), { principal, cursors: NO_CURSORS, path: '' })
}

/** Without a cursor in the query nobody asks for it. */
const NO_CURSORS = new CursorCodec(Buffer.alloc(32))

function isControl(entry: QueryEntry, spec: ListSpec): boolean {
  if (entry.operator !== undefined) return false
  return (CONTROLS as readonly string[]).includes(entry.name) || (entry.name === 'q' && spec.search !== undefined)
}

function fingerprintOf(
  { path, principal }: QueryContext,
  filters: readonly Filter[],
  search: string | undefined,
  sort: readonly SortKey[],
): string {
  const order = (filter: Filter) => `${filter.field}[${filter.operator}]`
  const sorted = [...filters].sort((a, b) => (order(a) < order(b) ? -1 : 1))
  return listFingerprint([path, sorted, search ?? null, sort, [...principal.scopes].sort()])
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > MAX_LIMIT)
    throw invalidParameter('limit', 'range', `must be an integer from 1 to ${MAX_LIMIT}`)
  return limit
}

function readCount(text: string | undefined): CountKind | undefined {
  const kind = COUNT_KINDS.find((known) => known === text)
  if (text !== undefined && kind === undefined) {
    throw invalidParameter('count', 'not-allowed', `must be one of ${COUNT_KINDS.join(', ')}`)
  }
  return kind
}

function readSort(
  spec: ListSpec,
  text: string | undefined,
  filters: readonly Filter[],
  context: QueryContext,
): SortKey[] {
  const bound = filters.find(({ field }) => spec.filters[field]?.onlySort !== undefined)
  const only = bound && spec.filters[bound.field]?.onlySort
  const standard = only === undefined ? spec.defaultSort : `-${only}`
  const keys = (text ?? standard).split(',').map((part) => {
    const descending = part.startsWith('-')
    return { field: descending ? part.slice(1) : part, descending }
  })
  const fields = keys.map(({ field }) => field)
  const most = spec.maxSortKeys ?? MAX_SORT_KEYS
  if (keys.length > most || new Set(fields).size < fields.length) {
    const detail = most === 1 ? 'one field' : `at most ${most} different fields, separated by commas`
    throw invalidParameter('sort', 'invalid', detail)
  }
  for (const { field } of keys) {
    if (!Object.hasOwn(spec.sorts, field)) {
      const allowed = Object.keys(spec.sorts).join(', ')
      throw invalidParameter('sort', 'not-allowed', `fields: ${allowed}; a leading - sorts downwards`)
    }
    requireReadable(spec.table, field, context.principal, 'sort')
    if (only !== undefined && field !== only) {
      throw invalidParameter('sort', 'not-allowed', `with a filter of ${bound?.field} the sort is ${only} or -${only}`)
    }
  }
  return keys
}

function readSearch(spec: ListSpec, text: string | undefined, context: QueryContext): string | undefined {
  if (text === undefined) return undefined
  for (const field of spec.search ?? []) requireReadable(spec.table, field, context.principal, 'q')
  const search = text.normalize('NFC')
  const length = [...search].length
  const least = spec.minSearchCharacters ?? 1
  if (length < least || length > MAX_SEARCH_CHARACTERS) {
    throw invalidParameter('q', 'length', `must have ${least} to ${MAX_SEARCH_CHARACTERS} characters`)
  }
  if (spec.minSearchCharacters !== undefined && !TRIGRAM.test(search)) {
    const detail =
      'must have three letters or digits in a row, two at the end of a word or one at the beginning of another'
    throw invalidParameter('q', 'format', detail)
  }
  return search
}

function readFilter(spec: ListSpec, entry: QueryEntry, context: QueryContext): Filter {
  const field = spec.filters[entry.name]
  if (field === undefined) throw new Error(`${entry.name} is documented but not a filter`)
  requireReadable(spec.table, field.column ?? entry.name, context.principal, entry.parameter)
  const operator = (entry.operator ?? 'eq') as Operator
  return { field: entry.name, operator, value: filterValue(field, operator, entry) }
}

function documented<Row>(spec: ListSpec, expansions: Expansions<Row>): ParameterDoc[] {
  const sorts = Object.keys(spec.sorts).join(', ')
  const docs: ParameterDoc[] = [
    {
      name: 'limit',
      description: 'Rows a page',
      schema: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
    },
    {
      name: 'cursor',
      description: 'page.next or page.prev of an earlier answer to the same filter and sort',
      schema: { type: 'string' },
    },
    {
      name: 'sort',
      description: `${spec.maxSortKeys === 1 ? `One of ${sorts}` : `Up to ${spec.maxSortKeys ?? MAX_SORT_KEYS} of ${sorts}, separated by commas`}; a leading - sorts downwards; NULL comes last`,
      schema: { type: 'string', default: spec.defaultSort },
    },
    ...selectionDocs(spec.table, expansions, spec.parts),
    {
      name: 'count',
      description:
        'Adds page.total: estimated is what the planner expects and costs next to nothing, exact counts every row',
      schema: { type: 'string', enum: COUNT_KINDS },
    },
  ]
  if (spec.search !== undefined) {
    const description = `Text that ${spec.search.join(' or ')} contains, in any letter case`
    docs.push({
      name: 'q',
      description,
      schema: { type: 'string', minLength: spec.minSearchCharacters ?? 1, maxLength: MAX_SEARCH_CHARACTERS },
    })
  }
  for (const [name, field] of Object.entries(spec.filters)) {
    for (const operator of field.operators) docs.push(filterDoc(name, field, operator))
  }
  return docs
}
