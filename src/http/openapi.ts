import { z } from 'zod'
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi'
import type { ErrorCode } from '../errors.ts'
import { problemSchema } from './about-schema.ts'
import { PROBLEMS } from './problems.ts'
import { NO_QUERY } from './query.ts'
import type { AnswerDoc, Refusal, Route, RouteGroup } from './route.ts'

export interface ApiInfo {
  readonly title: string
  readonly version: string
  readonly description: string
}

/** The API document, OpenAPI 3.1, from the same declarations that Express runs. */
export function openApiOf(groups: readonly RouteGroup[], info: ApiInfo): Record<string, unknown> {
  const routes = groups.flatMap((group) => group.routes)
  const refusals = groups.flatMap((group) => group.refusals ?? [])
  const paths: ZodOpenApiPathsObject = {}
  for (const route of routes) {
    const item = { ...paths[route.path] }
    if (item[route.method] !== undefined) throw new Error(`${route.method} ${route.path} is declared twice`)
    item[route.method] = operationOf(route, refusals)
    paths[route.path] = item
  }
  const document = createDocument({
    openapi: '3.1.1',
    info: { title: info.title, version: info.version, description: info.description },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'rg_live_<id>_<secret>_<checksum>' },
      },
    },
  })
  return document as unknown as Record<string, unknown>
}

function operationOf(route: Route, refusals: readonly Refusal[]): ZodOpenApiOperationObject {
  const advice = refusals.filter((refusal) => refusal.path === route.path).map((refusal) => refusal.advice)
  const scopes = typeof route.access === 'string' ? [] : route.access
  const description = [route.description, ...advice, scopes.length > 0 ? `Scope: ${scopes.join(', ')}.` : undefined]
  const parameters = parametersOf(route)
  return {
    operationId: route.operation,
    tags: [route.tag],
    summary: route.summary,
    description: description.filter((line) => line !== undefined).join('\n\n'),
    security: route.access === 'open' ? [] : [{ apiKey: [] }],
    ...(scopes.length > 0 ? { 'x-scopes': scopes } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body === undefined ? {} : { requestBody: requestBodyOf(route.body) }),
    responses: { ...answersOf(route), ...problemAnswersOf(route) },
  } as unknown as ZodOpenApiOperationObject
}

function requestBodyOf(body: NonNullable<Route['body']>) {
  const schema = body.kind === 'json' ? body.schema : z.string().meta({ description: body.description })
  return { required: true, content: Object.fromEntries(body.types.map((type) => [type, { schema }])) }
}

function parametersOf(route: Route): Record<string, unknown>[] {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: pathSchema(route, name),
  }))
  const inQuery = (route.query ?? NO_QUERY).parameters.map(({ name, description, required, schema }) => ({
    name,
    in: 'query',
    description,
    required: required ?? false,
    schema,
  }))
  return [...inPath, ...inQuery, ...headersOf(route)]
}

function headersOf(route: Route): Record<string, unknown>[] {
  const headers: Record<string, unknown>[] = []
  const header = (name: string, required: boolean, description: string) =>
    headers.push({ name, in: 'header', required, description, schema: { type: 'string' } })
  if (route.ifMatch !== undefined) {
    header('If-Match', route.ifMatch === 'required', 'The ETag that the change is based on; * overwrites on purpose')
  }
  if (route.createOnly) header('If-None-Match', false, '* only creates')
  if (isRevalidated(route))
    header('If-None-Match', false, 'The ETag that the caller has: 304 when it is still the same')
  return headers
}

/** May the answer be 304? */
function isRevalidated(route: Route): boolean {
  return route.method === 'get' && route.answers[200]?.versioned === true
}

function pathSchema(route: Route, name: string): Record<string, unknown> {
  const shape = (route.params as { shape?: Record<string, z.ZodType> } | undefined)?.shape
  const schema = shape?.[name]
  if (schema === undefined) throw new Error(`${route.path} does not say what ${name} is`)
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input' })
  return json
}

function answersOf(route: Route): Record<string, unknown> {
  const unchanged: AnswerDoc = { description: 'Unchanged since the version in If-None-Match', versioned: true }
  const answers = isRevalidated(route) ? { ...route.answers, 304: unchanged } : route.answers
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [status, answerOf(answer, route.produces?.[0])]),
  )
}

function answerOf({ description, schema, type, versioned, headers }: AnswerDoc, produced = 'application/json') {
  const all: Record<string, string> = { ...headers, ...(versioned ? { ETag: 'The version of the record' } : {}) }
  const named = Object.entries(all).map(([name, text]) => [name, { description: text, schema: { type: 'string' } }])
  const content = schema ?? (type === undefined ? undefined : z.string())
  return {
    description,
    ...(named.length > 0 ? { headers: Object.fromEntries(named) } : {}),
    ...(content === undefined ? {} : { content: { [type ?? produced]: { schema: content } } }),
  }
}

/** The problems that an operation may answer, by status: those it names and those that follow from its declaration. */
function problemAnswersOf(route: Route): Record<string, unknown> {
  const byStatus = Map.groupBy(problemCodes(route), (code) => PROBLEMS[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `${code}: ${PROBLEMS[code].title}`).join('; '),
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    ]),
  )
}

function problemCodes(route: Route): ErrorCode[] {
  // 415 without a body too: an operation that takes none refuses one.
  const codes = new Set<ErrorCode>([
    'unknown-parameter',
    'method-not-allowed',
    'not-acceptable',
    'uri-too-long',
    'unsupported-media-type',
  ])
  if (route.query !== undefined) codes.add('invalid-parameter')
  if (route.query?.parameters.some(({ name }) => name === 'cursor')) codes.add('invalid-cursor')
  if (route.params !== undefined) codes.add('not-found')
  if (route.access !== 'open')
    for (const code of ['unauthenticated', 'forbidden', 'unavailable'] as const) codes.add(code)
  if (route.body !== undefined) {
    for (const code of ['malformed-json', 'malformed-input', 'payload-too-large', 'validation'] as const)
      codes.add(code)
  }
  if (route.ifMatch !== undefined) {
    for (const code of ['malformed-header', 'version-mismatch', 'precondition-required'] as const) codes.add(code)
  }
  for (const code of route.problems ?? []) codes.add(code)
  codes.add('internal')
  return [...codes]
}
