import { z } from 'zod'
import { accepted, noContent, ok, pieces } from '../http/answer.ts'
import { jsonBody } from '../http/body.ts'
import { invalidParameter } from '../http/query-string.ts'
import { type Route, route } from '../http/route.ts'
import type { QueryRun } from './athena/query-run.ts'
import { queryResultCsv, startedRun } from './lake-examples.ts'
import { type LakePage, lakePageQuery } from './lake-page-query.ts'
import { newQuerySchema, queryListSchema, queryResultSchema, queryRunSchema } from './lake-schema.ts'
import type { QueryService } from './query-service.ts'

const QUERY = ['lake:query'] as const
const tag = 'lake queries'
const params = z.strictObject({ id: z.uuid() })
/** Athena's largest pages: of runs, and of rows with their header row. */
const MAX_RUNS = 50
const MAX_ROWS = 999
const CSV = 'text/csv; charset=utf-8'

export function queryRoutes(queries: QueryService): Route[] {
  return [...collectionRoutes(queries), ...runRoutes(queries)]
}

function collectionRoutes(queries: QueryService): Route[] {
  return [
    route({
      operation: 'listQueries',
      method: 'get',
      path: '/v1/lake/queries',
      tag,
      summary: 'The saved queries, and runs of queries, newest first',
      access: QUERY,
      query: lakePageQuery({ defaultLimit: 20, maxLimit: MAX_RUNS }),
      answers: { 200: { description: 'Saved queries and a page of runs', schema: queryListSchema } },
      problems: ['unavailable'],
      async handle({ query }) {
        const { runs, nextToken } = await queries.runs(query.limit, query.after)
        return ok({
          saved: queries.saved.map(presentSaved),
          data: runs.map(presentRun),
          page: pageOf(query, nextToken),
        })
      },
    }),
    route({
      operation: 'startQuery',
      method: 'post',
      path: '/v1/lake/queries',
      tag,
      summary: 'Run a saved query {name, params} or one reading statement {sql}',
      description:
        'One SELECT, WITH, SHOW, DESCRIBE or EXPLAIN. The work group limits the bytes that a query may read; one that reads more is failed with budget-exceeded.',
      access: QUERY,
      body: jsonBody(newQuerySchema),
      answers: {
        202: {
          description: 'It runs',
          schema: queryRunSchema,
          example: startedRun,
          headers: { Location: 'Where it can be followed' },
        },
      },
      problems: ['query-not-allowed', 'not-found', 'unavailable'],
      effect: 'outside',
      async handle({ body, repeat }) {
        const { sql, name = '', params = {} } = body
        const run = await queries.start(sql === undefined ? { name, params } : { sql }, repeat?.token)
        return accepted(`/v1/lake/queries/${run.id}`, presentRun(run), { 'Retry-After': '1' })
      },
    }),
  ]
}

function runRoutes(queries: QueryService): Route[] {
  return [
    route({
      operation: 'getQuery',
      method: 'get',
      path: '/v1/lake/queries/{id}',
      tag,
      summary: 'How far a run is, and how many bytes it read',
      access: QUERY,
      params,
      answers: { 200: { description: 'The run', schema: queryRunSchema, headers: { 'Retry-After': 'While it runs' } } },
      problems: ['unavailable'],
      async handle({ params }) {
        const run = await queries.get(params.id)
        return ok(presentRun(run), run.completedAt === null ? { headers: { 'Retry-After': '1' } } : {})
      },
    }),
    route({
      operation: 'cancelQuery',
      method: 'delete',
      path: '/v1/lake/queries/{id}',
      tag,
      summary: 'Stop a run; one that has ended stays as it is',
      access: QUERY,
      params,
      answers: { 204: { description: 'It is stopped' } },
      problems: ['unavailable'],
      async handle({ params }) {
        await queries.cancel(params.id)
        return noContent()
      },
    }),
    route({
      operation: 'getQueryResults',
      method: 'get',
      path: '/v1/lake/queries/{id}/results',
      tag,
      summary: 'Rows of a run that succeeded: JSON page by page, or all of them as CSV',
      description:
        'In CSV an empty field is NULL, "" an empty text; text that a spreadsheet would run as a formula has a leading apostrophe. limit and cursor hold for JSON only.',
      access: QUERY,
      params,
      query: lakePageQuery({ defaultLimit: 100, maxLimit: MAX_ROWS }),
      produces: ['application/json', 'text/csv'],
      answers: {
        200: { description: 'Rows', schema: queryResultSchema, also: { 'text/csv': { example: queryResultCsv } } },
      },
      problems: ['conflict', 'budget-exceeded', 'unavailable'],
      async handle({ params, query, accepted: type }) {
        if (type === 'text/csv') return csv(queries, params.id, query.given[0])
        const { columns, rows, nextToken } = await queries.page(params.id, query.limit, query.after)
        return ok({ columns, data: rows, page: pageOf(query, nextToken) })
      },
    }),
  ]
}

/** CSV is always the whole result, and a parameter that would do nothing is refused. */
async function csv(queries: QueryService, id: string, parameter: string | undefined) {
  if (parameter !== undefined) throw invalidParameter(parameter, 'not-allowed', 'pages exist in JSON only')
  return pieces(CSV, await queries.csv(id))
}

function pageOf({ limit, cursorOf }: LakePage<unknown>, nextToken: string | undefined) {
  const next = nextToken === undefined ? null : cursorOf(nextToken)
  return { limit, hasMore: next !== null, next, prev: null }
}

function presentRun({ internal: _, retryable: __, statementType: ___, ...run }: QueryRun) {
  return run
}

function presentSaved({ name, database, title, description, sql, parameters }: QueryService['saved'][number]) {
  return {
    ...{ name, database, title, description, sql },
    parameters: parameters.map((each) => ({ ...each, default: each.default ?? null, oneOf: each.oneOf ?? null })),
  }
}
