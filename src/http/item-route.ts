import type { z } from 'zod'
import type { Context } from '../caller.ts'
import type { ErrorCode } from '../errors.ts'
import type { TableName } from '../lake/datasets.ts'
import { ok } from './answer.ts'
import { type Expansions, scopesOf, viewSchema, withExpansions } from './expansion.ts'
import type { QueryReader } from './query.ts'
import { unknownParameter } from './query-string.ts'
import { type Access, type AnswerDoc, type Route, route } from './route.ts'
import { readExpand, readFields, type Selection, selectionDocs } from './selection.ts'
import { present } from './visibility.ts'

/** A single resource that can be read. */
export interface ItemRouteSpec<Params, Row extends { readonly version: number }> {
  readonly operation: string
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly access: Access
  readonly params: z.ZodType<Params, unknown>
  readonly table: TableName
  /** Schema of the row, with an id. */
  readonly row: z.ZodObject
  /** What the answer is: `The game`. */
  readonly answer: string
  readonly problems?: readonly ErrorCode[]
  readonly get: (params: Params, context: Context) => Promise<Row>
  readonly expand?: Expansions<Row>
  /** The row can change without its version: an ETag to write with, but never 304. */
  readonly alwaysWhole?: true
}

/**
 * The `GET` of one row, with `fields` and `expand`. The ETag is the row's version; with `expand` there is none, because what is
 * embedded changes without it.
 */
export function itemRoute<Row extends { readonly version: number }, Params>(spec: ItemRouteSpec<Params, Row>): Route {
  const { operation, path, tag, summary, description, access, params, problems, table, row, expand = {} } = spec
  const shape = { description: spec.answer, schema: viewSchema(table, row, expand) }
  const answer: AnswerDoc = spec.alwaysWhole
    ? { ...shape, headers: { ETag: 'The version of the record, for If-Match' } }
    : { ...shape, versioned: true }
  return route({
    ...{ operation, method: 'get', path, tag, summary, access, params },
    ...(description === undefined ? {} : { description }),
    ...(problems === undefined ? {} : { problems }),
    query: itemQuery(table, expand),
    view: { table, expand: scopesOf(expand) },
    answers: { 200: answer },
    async handle({ params, query, context }) {
      const found = await spec.get(params, context)
      const show = (each: Row) => present(table, each, context.principal, query.fields)
      const [body] = await withExpansions([found], query.expand, expand, show, context)
      if (query.expand.length > 0) return ok(body)
      return ok(body, { version: found.version, ...(spec.alwaysWhole ? { alwaysWhole: true } : {}) })
    },
  })
}

function itemQuery<Row>(table: TableName, expansions: Expansions<Row>): QueryReader<Selection> {
  const parameters = selectionDocs(table, expansions)
  const names = parameters.map(({ name }) => name)
  return {
    parameters,
    read(entries, context) {
      for (const entry of entries) if (!names.includes(entry.parameter)) throw unknownParameter(entry, names)
      const given = new Map(entries.map(({ parameter, value }) => [parameter, value]))
      return {
        fields: readFields(table, given.get('fields'), context),
        expand: readExpand(expansions, given.get('expand'), context),
      }
    },
  }
}
