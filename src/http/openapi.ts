import { z } from 'zod'
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi'
import type { ErrorCode } from '../errors.ts'
import { problemSchema } from './about-schema.ts'
import { addExamples, type Operations } from './openapi-examples.ts'
import {
  type AnswerHeader,
  headerComponents,
  headerRef,
  isAnswerHeader,
  parameterComponents,
  parameterRef,
  type RequestHeader,
} from './openapi-headers.ts'
import { problemCodes } from './openapi-problems.ts'
import { PROBLEMS } from './problems.ts'
import { NO_QUERY } from './query.ts'
import { type AnswerDoc, honoursIdempotencyKey, type Refusal, type Route, type RouteGroup } from './route.ts'

export interface ApiInfo {
  readonly title: string
  readonly version: string
  readonly description: string
  /** What each tag is about, in the order in which pages show them. */
  readonly tags?: Readonly<Record<string, string>>
}

const SECURITY = {
  apiKey: {
    type: 'http',
    scheme: 'bearer',
    description:
      'An API key, `rg_live_<id>_<secret>_<checksum>`. Each operation names the scopes that the key needs; `GET /v1/whoami` ' +
      'tells which it has.',
  },
} as const

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
  const { title, version, description, tags = {} } = info
  const used = [...new Set([...Object.keys(tags), ...routes.map((route) => route.tag)])]
  const document = createDocument({
    openapi: '3.1.1',
    info: { title, version, description },
    servers: [{ url: '/', description: 'This service' }],
    tags: used
      .filter((name) => routes.some((route) => route.tag === name))
      .map((name) => ({ name, ...(tags[name] === undefined ? {} : { description: tags[name] }) })),
    paths,
    components: { securitySchemes: SECURITY },
  }) as unknown as ApiDocumentDraft
  document.components.headers = headerComponents
  document.components.parameters = parameterComponents
  addExamples(document, routes)
  document.components.responses = sharedResponses(document.paths)
  return document as unknown as Record<string, unknown>
}

interface ApiDocumentDraft {
  readonly paths: Operations
  readonly components: Record<string, unknown> & { readonly schemas?: Readonly<Record<string, unknown>> }
}

/** Moves answers that stand in the document again and again into one component each. */
function sharedResponses(paths: Operations): Record<string, unknown> {
  const operations = Object.values(paths).flatMap((item) => Object.values(item) as { responses: Responses }[])
  const places = operations.flatMap(({ responses }) => Object.keys(responses).map((status) => ({ responses, status })))
  const shared: Record<string, unknown> = {}
  for (const alike of Map.groupBy(places, ({ responses, status }) => JSON.stringify(responses[status])).values()) {
    const [first] = alike
    if (first === undefined || alike.length < MIN_SHARED) continue
    const { responses, status } = first
    const codes = Object.keys(responses[status]?.content?.['application/problem+json']?.examples ?? {})
    const base = [status, ...codes].join('.')
    const name = shared[base] === undefined ? base : `${base}.${Object.keys(shared).length}`
    shared[name] = responses[status]
    for (const place of alike) place.responses[place.status] = { $ref: `#/components/responses/${name}` }
  }
  return shared
}

const MIN_SHARED = 3

interface SharedResponse {
  readonly $ref?: string
  readonly content?: Readonly<Record<string, { readonly examples?: object }>>
}

type Responses = Record<string, SharedResponse>

function operationOf(route: Route, refusals: readonly Refusal[]): ZodOpenApiOperationObject {
  const advice = refusals.filter((refusal) => refusal.path === route.path).map((refusal) => refusal.advice)
  const scopes = typeof route.access === 'string' ? [] : route.access
  const needed = scopes.length > 0 ? `Scope: ${scopes.map((scope) => `\`${scope}\``).join(', ')}.` : undefined
  const parameters = parametersOf(route)
  return {
    operationId: route.operation,
    tags: [route.tag],
    summary: route.summary,
    description: [route.description, ...advice, needed].filter((line) => line !== undefined).join('\n\n'),
    security: route.access === 'open' ? [] : [{ apiKey: [...scopes] }],
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
  return [...inPath, ...inQuery, ...headersOf(route).map(parameterRef)]
}

function headersOf(route: Route): RequestHeader[] {
  const headers: RequestHeader[] = []
  if (route.ifMatch === 'required') headers.push('IfMatch')
  if (route.ifMatch === 'optional') headers.push('IfMatchOptional')
  if (route.createOnly) headers.push('CreateOnly')
  if (isRevalidated(route)) headers.push('IfNoneMatch')
  if (honoursIdempotencyKey(route)) headers.push('IdempotencyKey')
  if (route.asJob) headers.push('Prefer')
  if (route.body?.kind === 'stream') headers.push('ContentEncoding')
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
    Object.entries(answers).map(([status, answer]) => [status, answerOf(Number(status), answer, route)]),
  )
}

function answerOf(status: number, answer: AnswerDoc, route: Route) {
  const { description, schema, type, versioned, headers, also = {} } = answer
  const [produced = 'application/json'] = route.produces ?? []
  const content = schema ?? (type === undefined ? undefined : z.string())
  const contents = content === undefined ? [] : [[type ?? produced, { schema: content }] as const]
  const more = Object.entries(also).map(([name, doc]) => [name, { schema: doc.schema ?? z.string() }] as const)
  const named = Object.entries(headers ?? {}).map(([name, text]) => [
    name,
    isAnswerHeader(name) ? headerRef(name) : { description: text, schema: { type: 'string' } },
  ])
  const standard: AnswerHeader[] = [...(versioned ? ['ETag' as const] : []), ...everywhere(route)]
  if (status === 202) standard.push('Retry-After')
  if (honoursIdempotencyKey(route)) standard.push('Idempotency-Replayed')
  if (isList(route)) standard.push('Link')
  return {
    description,
    headers: { ...Object.fromEntries(named), ...refsOf(standard) },
    ...(contents.length + more.length > 0 ? { content: Object.fromEntries([...contents, ...more]) } : {}),
  }
}

function isList(route: Route): boolean {
  return route.method === 'get' && route.query?.parameters.some(({ name }) => name === 'cursor') === true
}

const refsOf = (names: readonly AnswerHeader[]) => Object.fromEntries(names.map((name) => [name, headerRef(name)]))

/** What every answer carries; quotas are those of the key. */
function everywhere(route: Route): AnswerHeader[] {
  return route.access === 'open' ? ['X-Request-Id'] : ['X-Request-Id', 'RateLimit-Policy', 'RateLimit']
}

/** Refused before a key is known, or for want of one. */
const WITHOUT_QUOTA: readonly number[] = [401, 405, 414]

const HEADERS_OF_STATUS: Readonly<Record<number, readonly AnswerHeader[]>> = {
  401: ['WWW-Authenticate'],
  405: ['Allow'],
  409: ['Retry-After'],
  412: ['ETag'],
  415: ['Accept', 'Accept-Encoding'],
  429: ['Retry-After'],
  503: ['Retry-After'],
}

/** The problems that an operation may answer, by status: those it names and those that follow from its declaration. */
function problemAnswersOf(route: Route): Record<string, unknown> {
  const byStatus = Map.groupBy(problemCodes(route), (code: ErrorCode) => PROBLEMS[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('; '),
        headers: refsOf([
          ...(WITHOUT_QUOTA.includes(status) ? (['X-Request-Id'] as const) : everywhere(route)),
          ...(HEADERS_OF_STATUS[status] ?? []),
        ]),
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    ]),
  )
}
