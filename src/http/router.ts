import type { Request, RequestHandler, Response } from 'express'
import type { Context, ExpectedVersion, Principal } from '../caller.ts'
import { AppError } from '../errors.ts'
import type { SnapshotReader } from '../list.ts'
import { ANONYMOUS, type Authenticator, authenticate } from './authentication.ts'
import { hasBody, mediaType, parseJson, rawBody } from './body.ts'
import { parseCreateOnly, parseIfMatch } from './conditional.ts'
import { decodedBody } from './content-coding.ts'
import type { CursorCodec } from './cursor.ts'
import {
  fingerprintOf,
  IDEMPOTENCY_KEY,
  type Idempotency,
  parseIdempotencyKey,
  sendWire,
  wireAnswer,
} from './idempotency.ts'
import type { Limits } from './limits.ts'
import { PathTree } from './path-tree.ts'
import { prefersAsync } from './prefer.ts'
import { NO_QUERY } from './query.ts'
import { parseQueryString, splitTarget } from './query-string.ts'
import { factsOf } from './request-facts.ts'
import { honoursIdempotencyKey, type Refusal, type Route, type RouteGroup } from './route.ts'
import { send } from './send.ts'
import { check } from './validation.ts'
import { requireScope } from './visibility.ts'

export interface RouterServices {
  readonly authenticator: Authenticator
  readonly cursors: CursorCodec
  readonly limits: Limits
  readonly idempotency: Idempotency
  readonly snapshots?: SnapshotReader | undefined
}

const JSON_TYPES = ['application/json']

/** The operations of a path. */
interface Place {
  readonly path: string
  readonly routes: readonly Route[]
  /** In capitals; HEAD is answered by GET. */
  readonly byMethod: ReadonlyMap<string, Route>
}

type Params = Readonly<Record<string, string>>

/** The declared routes as one handler, with 405 and `Allow` for every other method of a path. */
export function routerOf(groups: readonly RouteGroup[], services: RouterServices): RequestHandler {
  const tree = treeOf(groups)
  const refusals = groups.flatMap((group) => group.refusals ?? [])
  return (request, response, next) => {
    const match = tree.find(request.path)
    if (match === undefined) return next()
    const params = decoded(match.raw)
    const { path, routes, byMethod } = match.value
    factsOf(request).route = path
    const route = byMethod.get(request.method)
    if (route === undefined) return refuse(request, response, path, routes, refusals)
    return answer(route, params, request, response, services)
  }
}

function treeOf(groups: readonly RouteGroup[]): PathTree<Place> {
  const tree = new PathTree<Place>()
  const byPath = Map.groupBy(
    groups.flatMap((group) => group.routes),
    (route) => route.path,
  )
  for (const [path, routes] of byPath) {
    const byMethod = new Map<string, Route>()
    for (const route of routes) {
      requireStorable(route)
      if (byMethod.has(route.method.toUpperCase())) throw new Error(`${route.method} ${path} is declared twice`)
      byMethod.set(route.method.toUpperCase(), route)
      if (route.method === 'get') byMethod.set('HEAD', route)
    }
    tree.add(path, { path, routes, byMethod })
  }
  return tree
}

/** @throws AppError `malformed-input` */
function decoded(raw: Params): Params {
  try {
    return Object.fromEntries(Object.entries(raw).map(([name, text]) => [name, decodeURIComponent(text)]))
  } catch {
    throw new AppError('malformed-input', 'The address is not percent-encoded UTF-8')
  }
}

/** What flows by cannot be compared with what flows by the next time. */
function requireStorable(route: Route): void {
  if (route.body?.kind !== 'stream' || !honoursIdempotencyKey(route)) return
  throw new Error(`${route.operation} takes a stream and cannot honour ${IDEMPOTENCY_KEY}: it has to refuse it`)
}

/** Only as many at once as the process can answer; open operations are for probes and always pass. */
async function answer(
  route: Route,
  given: Params,
  request: Request,
  response: Response,
  services: RouterServices,
): Promise<void> {
  if (route.access === 'open') return admitted(route, given, request, response, services)
  services.limits.enter()
  try {
    await admitted(route, given, request, response, services)
  } finally {
    services.limits.leave()
  }
}

/** The checks of a request, in the order in which a caller wants to hear of them. */
async function admitted(
  route: Route,
  given: Params,
  request: Request,
  response: Response,
  services: RouterServices,
): Promise<void> {
  const facts = factsOf(request)
  const principal = await authorised(route, request, response, services)
  facts.keyId = principal.id
  const context: Context = { principal, requestId: facts.requestId }
  const accepted = acceptedOf(route, request)
  const params = readParams(route, given)
  const { path, query } = splitTarget(request.originalUrl)
  const reader = route.query ?? NO_QUERY
  const read = reader.read(parseQueryString(query), { principal, cursors: services.cursors, path })
  requireHeadersAbsent(route, request)
  const key = honoursIdempotencyKey(route) ? readKey(request) : undefined
  const expected = readExpected(route, request)
  const createOnly = route.createOnly === true && parseCreateOnly(request.get('If-None-Match'))
  const wantsJob = route.asJob === true && prefersAsync(request.get('Prefer'))
  const handle = async () => {
    const { body, type, bytes } = await readBody(route, request, response)
    if (route.cacheControl !== undefined) response.set('Cache-Control', route.cacheControl)
    const signal = departure(response)
    const asked = { params, query: read, body, context, expected, createOnly, accepted, wantsJob, signal }
    if (key === undefined) {
      const result = await route.handle({ ...asked, repeat: undefined })
      if (!response.destroyed) await send(result, request, response, services)
      return
    }
    const repeatable = { callerId: principal.id, key, fingerprint: fingerprintOf(request, type, bytes) }
    const { answer, replayed } = await services.idempotency.once(
      repeatable,
      route.effect ?? 'database',
      async (repeat) => wireAnswer(await route.handle({ ...asked, repeat })),
    )
    if (!response.destroyed) sendWire(answer, replayed, response)
  }
  facts.isStream = isBulk(route, accepted)
  if (facts.isStream) await asStream(principal, response, services.limits, handle)
  else await handle()
}

/** Of the media types of the operation the one that the caller likes best. @throws AppError `not-acceptable` */
function acceptedOf(route: Route, request: Request): string {
  const types = route.produces ?? JSON_TYPES
  const header = request.headers.accept
  const [first = ''] = types
  // What nearly everybody sends, without the search for the best of several.
  if (header === undefined || header === '*/*' || (header === first && types.length === 1)) return first
  const accepted = request.accepts([...types])
  if (accepted === false) throw notAcceptable(route)
  return accepted
}

function isBulk({ bulk }: Route, accepted: string): boolean {
  return bulk === true || bulk?.includes(accepted) === true
}

async function asStream(principal: Principal, response: Response, limits: Limits, work: () => Promise<void>) {
  response.set(await limits.startStream(principal.id, String(response.getHeader('RateLimit'))))
  try {
    await work()
  } finally {
    limits.endStream(principal.id)
  }
}

async function authorised(
  route: Route,
  request: Request,
  response: Response,
  { authenticator, limits }: RouterServices,
): Promise<Principal> {
  if (route.access === 'open') return ANONYMOUS
  const principal = await authenticate(authenticator, request.get('Authorization'))
  // Known before the scopes are, so that the log names who was refused.
  factsOf(request).keyId = principal.id
  response.set(limits.countRequest(principal.id))
  if (route.access !== 'key') for (const scope of route.access) requireScope(principal, scope)
  return principal
}

function readParams(route: Route, given: Params): unknown {
  if (route.params === undefined) return undefined
  const checked = check(route.params, given)
  if (checked.ok) return checked.value
  throw new AppError('not-found', 'The address names nothing that can exist: an id or a name in it has another form')
}

function requireHeadersAbsent({ refusedHeaders = {} }: Route, request: Request): void {
  for (const [header, why] of Object.entries(refusedHeaders)) {
    if (request.get(header) === undefined) continue
    throw new AppError('malformed-header', `${header} is not taken here. ${why}`, {
      errors: [{ header, code: 'not-allowed', detail: why }],
    })
  }
}

function readKey(request: Request): string | undefined {
  const header = request.get(IDEMPOTENCY_KEY)
  return header === undefined ? undefined : parseIdempotencyKey(header)
}

function readExpected(route: Route, request: Request): ExpectedVersion | undefined {
  if (route.ifMatch === undefined) return undefined
  const header = request.get('If-Match')
  if (header !== undefined) return parseIfMatch(header)
  if (route.ifMatch === 'optional') return undefined
  throw preconditionRequired()
}

/** For routes that need `If-Match` only when there is something to overwrite. */
export function preconditionRequired(): AppError {
  return new AppError('precondition-required', 'Send If-Match with the ETag of the state that the change is based on')
}

interface ReadBody {
  readonly body: unknown
  /** The media type; empty without a body. */
  readonly type: string
  /** As they were sent, without their content coding; empty for a stream. */
  readonly bytes: Uint8Array
}

const NO_BYTES = new Uint8Array(0)

async function readBody(route: Route, request: Request, response: Response): Promise<ReadBody> {
  if (route.body === undefined) {
    if (!hasBody(request)) return { body: undefined, type: '', bytes: NO_BYTES }
    throw new AppError('unsupported-media-type', 'This operation takes no body')
  }
  const type = mediaType(request.get('Content-Type'), route.body.types)
  if (route.body.kind === 'stream') {
    const stream = decodedBody(request, request.get('Content-Encoding'), route.body.maxBytes)
    // What the handler left unread would keep the connection waiting for a reader.
    response.once('finish', () => {
      stream.destroy()
      request.unpipe().resume()
    })
    return { body: { type, stream }, type, bytes: NO_BYTES }
  }
  const bytes = await rawBody(request, response)
  return { body: route.body.read(parseJson(bytes)), type, bytes }
}

function departure(response: Response): AbortSignal {
  const controller = new AbortController()
  const leave = () => {
    if (!response.writableFinished) controller.abort(new Error('the client left'))
  }
  // While the key was checked, perhaps.
  if (response.destroyed) leave()
  else response.once('close', leave)
  return controller.signal
}

export function notAcceptable(route: Pick<Route, 'produces'>): AppError {
  const types = route.produces ?? JSON_TYPES
  return new AppError('not-acceptable', `This operation answers with ${types.join(' or ')}`)
}

function refuse(
  request: Request,
  response: Response,
  path: string,
  routes: readonly Route[],
  refusals: readonly Refusal[],
): void {
  if (request.method === 'OPTIONS') {
    response.status(204).set('Allow', allowOf(routes)).end()
    return
  }
  const refusal = refusals.find((r) => r.path === path && r.method.toUpperCase() === request.method)
  throw methodNotAllowed(request.method, routes, refusal?.advice)
}

/** What the path of these routes answers to. */
function allowOf(routes: readonly Pick<Route, 'method'>[]): string {
  const methods = routes.map((route) => route.method.toUpperCase())
  return [...new Set([...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'])].join(', ')
}

/** @param routes all of the path */
export function methodNotAllowed(
  method: string,
  routes: readonly Pick<Route, 'method'>[],
  advice = `Allowed: ${allowOf(routes)}`,
): AppError {
  return new AppError('method-not-allowed', `${method} does not exist here. ${advice}`, {
    headers: { Allow: allowOf(routes) },
  })
}
