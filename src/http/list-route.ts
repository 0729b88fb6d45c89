import { z } from 'zod'
import type { Context } from '../caller.ts'
import type { ErrorCode } from '../errors.ts'
import type { ListRequest, ListSpec, Page } from '../list.ts'
import { exportEndSchema, pageSchema } from './about-schema.ts'
import { type Expansions, scopesOf, viewSchema, withExpansions } from './expansion.ts'
import { EXPORT_TYPES } from './export-stream.ts'
import { exportShape, formatOf, requireEmbeddable, WHOLE_LIST_TYPES } from './list-export.ts'
import { listQuery } from './list-query.ts'
import { type Access, type Route, route } from './route.ts'
import { present, visibleFieldNames } from './visibility.ts'

/** A collection that can be listed, page by page. */
export interface ListRouteSpec<Params, Row extends object> {
  readonly operation: string
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly access: Access
  readonly params?: z.ZodType<Params, unknown>
  readonly list: ListSpec
  /** Schema of one row, with an id. */
  readonly row: z.ZodObject
  readonly problems?: readonly ErrorCode[]
  readonly page: (request: ListRequest, params: Params, context: Context) => Promise<Page<Row>>
  /** How a row becomes JSON; default: `present` of the list's table. Must heed `fields`. */
  readonly present?: (row: Row, context: Context, fields?: ReadonlySet<string>) => Record<string, unknown>
  /** What `expand` can embed. */
  readonly expand?: Expansions<Row>
}

/** The `GET` of a collection: query, `fields`, `expand`, `count`, pages and their documentation from one declaration. */
export function listRoute<Row extends object, Params = undefined>(spec: ListRouteSpec<Params, Row>): Route {
  const { list, row, expand = {} } = spec
  const { operation, path, tag, summary, description, access, params, problems } = spec
  return route({
    ...{ operation, method: 'get', path, tag, summary, access },
    ...(description === undefined ? {} : { description }),
    ...(params === undefined ? {} : { params }),
    ...(problems === undefined ? {} : { problems }),
    query: listQuery(list, expand),
    view: { table: list.table, list, expand: scopesOf(expand) },
    produces: ['application/json', ...WHOLE_LIST_TYPES],
    bulk: WHOLE_LIST_TYPES,
    answers: {
      200: {
        description: 'A page; as NDJSON or CSV the whole list with an end line (scope exports:read)',
        schema: pageOfRows(list, row, expand),
        also: {
          [EXPORT_TYPES.ndjson]: { schema: z.union([viewSchema(list.table, row, {}), exportEndSchema]) },
          [EXPORT_TYPES.csv]: { example: csvExample(list.table) },
        },
      },
    },
    async handle({ params, query, context, accepted, signal }) {
      const format = formatOf(accepted)
      if (format !== undefined) {
        const shape = exportShape(list, query, format, context)
        const { statement } = await spec.page({ ...query.request, whole: true }, params, context)
        if (statement === undefined) throw new Error(`${operation} does not tell how to read its whole list`)
        const present = spec.present && ((each: object) => spec.present?.(each as Row, context, query.fields) ?? {})
        return { kind: 'export', statement, shape: { ...shape, present }, signal }
      }
      requireEmbeddable(query.expand, expand)
      const page = await spec.page(query.request, params, context)
      const show = (each: Row) =>
        spec.present?.(each, context, query.fields) ?? present(list.table, each, context.principal, query.fields)
      const data = await withExpansions(page.rows, query.expand, expand, show, context)
      return { kind: 'page', list: query, page, data }
    },
  })
}

function csvExample(table: ListSpec['table']): string {
  const fields = visibleFieldNames(table)
  const end = '"{""_end"":{""rows"":0,""sha256"":""9f2c…""}}"'
  return `${fields.join(',')}\r\n${end}${','.repeat(fields.length - 1)}\r\n`
}

const PAGES = new WeakMap<z.ZodType, z.ZodType>()

/** One page schema for each row schema, so that two lists of the same rows share its name. */
function pageOfRows<Row>(list: ListSpec, row: z.ZodObject, expand: Expansions<Row>): z.ZodType {
  const view = viewSchema(list.table, row, expand)
  const known = PAGES.get(view)
  if (known !== undefined) return known
  const page = pageSchema(view, `${row.meta()?.id}Page`)
  PAGES.set(view, page)
  return page
}
