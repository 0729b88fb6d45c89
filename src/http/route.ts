import type { z } from 'zod'
import type { Context, ExpectedVersion, Scope } from '../caller.ts'
import type { ErrorCode } from '../errors.ts'
import type { TableName } from '../lake/datasets.ts'
import type { ListSpec } from '../list.ts'
import type { Answer } from './answer.ts'
import type { IncomingStream, JsonBody, StreamBody } from './body.ts'
import type { QueryReader } from './query.ts'

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** `open`: no key at all. `key`: any valid key. Else every scope that is named. */
export type Access = 'open' | 'key' | readonly Scope[]

export type IfMatch = 'required' | 'optional'

/** What an answer looks like in one more media type. */
export interface ContentDoc {
  /** Of the whole text; of one line, where the media type is NDJSON. Default: text. */
  readonly schema?: z.ZodType
  /** In place of the one that is made of the schema's fields; text types need one. */
  readonly example?: unknown
}

/** One answer in the API document. */
export interface AnswerDoc {
  readonly description: string
  /** Absent: no body. Of one line, where the media type is NDJSON. */
  readonly schema?: z.ZodType
  /** Default: the first of `produces`. */
  readonly type?: string
  /** In place of the one that is made of the examples of the schema's fields. */
  readonly example?: unknown
  /** The same answer in further media types. */
  readonly also?: Readonly<Record<string, ContentDoc>>
  /** Carries an ETag. */
  readonly versioned?: true
  readonly headers?: Readonly<Record<string, string>>
}

/** The same for every repeat of one request while its key is kept, and for no other request. */
export interface Repeat {
  /** 64 hexadecimal digits. */
  readonly token: string
  /** When the key was first seen. */
  readonly since: Date
}

/** A request that passed every check that its route declares. */
export interface Exchange<Params, Query, Body, Match extends IfMatch = IfMatch> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly context: Context
  /** What `If-Match` said; undefined only where the route does not require it and the caller sent none. */
  readonly expected: Match extends 'required' ? ExpectedVersion : ExpectedVersion | undefined
  /** `If-None-Match: *` on a route that takes it. */
  readonly createOnly: boolean
  /** Of the operation's media types the one that the caller likes best. */
  readonly accepted: string
  /** `Prefer: respond-async` on a route that can answer so. */
  readonly wantsJob: boolean
  /** Aborted when the client leaves before the answer is whole. */
  readonly signal: AbortSignal
  /** Of a request with an Idempotency-Key: what tells its repeats from other requests. */
  readonly repeat: Repeat | undefined
}

/** What an operation that reads rows shows and can be asked: for whoever walks over all of them, as tests do. */
export interface RouteView {
  readonly table: TableName
  /** Absent: a single row. */
  readonly list?: ListSpec
  /** What `expand` can embed: the name, and the scope that it needs. */
  readonly expand: Readonly<Record<string, Scope>>
}

/**
 * An operation, declared once: Express and the API document both come from it, so neither can promise what the other does not
 * keep. Problems that follow from the declaration (401, 403, 404 of an address, 406, 413, 415, 422 of a body, 428, …) need no
 * mention in `problems`.
 */
export interface RouteSpec<Params, Query, Body, Match extends IfMatch = IfMatch> {
  /** `createStudio`; unique. */
  readonly operation: string
  readonly method: Method
  /** `/v1/studios/{id}`; parameters are whole segments. */
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly access: Access
  /** A strict object over the path's parameters; what it refuses is 404. */
  readonly params?: z.ZodType<Params, unknown>
  /** Default: no query. */
  readonly query?: QueryReader<Query>
  /** Default: no body. */
  readonly body?: JsonBody<Body> | (Body extends IncomingStream ? StreamBody : never)
  /** A body in the API document, in place of the one that is made of the examples of its fields. */
  readonly example?: unknown
  /** `required`: 428 without. `optional`: handed on. Default: ignored, as RFC 9110 allows where no state is compared. */
  readonly ifMatch?: Match
  /** Takes `If-None-Match: *`. */
  readonly createOnly?: true
  /** Can answer 202 with a job when asked by `Prefer: respond-async`. */
  readonly asJob?: true
  /**
   * Of a POST or PATCH: what an Idempotency-Key has to keep from happening twice. Default: changes of the database; they and the
   * stored answer are one transaction. `outside`: the handler has an effect elsewhere, and finds what it did before by
   * `exchange.repeat`.
   */
  readonly effect?: 'outside'
  /** Headers that callers may send elsewhere and must not here, and why: 400. */
  readonly refusedHeaders?: Readonly<Record<string, string>>
  /** Counts as bulk, and holds a place for streams while it is answered: always, or when the answer is one of these media types. */
  readonly bulk?: true | readonly string[]
  /** Media types of the answers; default JSON. */
  readonly produces?: readonly string[]
  readonly answers: Readonly<Record<number, AnswerDoc>>
  readonly problems?: readonly ErrorCode[]
  /** Default `private, no-cache`. */
  readonly cacheControl?: string
  /** Set by `listRoute` and `itemRoute`. */
  readonly view?: RouteView
  readonly handle: (exchange: Exchange<Params, Query, Body, Match>) => Promise<Answer> | Answer
}

/** A declared route; its types are checked where it is declared and forgotten here. */
export interface Route extends Omit<RouteSpec<unknown, unknown, unknown>, 'body'> {
  readonly body?: JsonBody<unknown> | StreamBody
}

export function route<Params = undefined, Query = undefined, Body = undefined, Match extends IfMatch = 'optional'>(
  spec: RouteSpec<Params, Query, Body, Match>,
): Route {
  return spec as unknown as Route
}

/**
 * POST and PATCH do, unless they refuse the header: whoever sends it relies on it. GET, PUT and DELETE are idempotent already
 * (RFC 9110, section 9.2.2); there it means nothing and is ignored.
 */
export function honoursIdempotencyKey({ method, refusedHeaders = {} }: Route): boolean {
  if (method !== 'post' && method !== 'patch') return false
  return !Object.hasOwn(refusedHeaders, 'Idempotency-Key')
}

/** A method that does not exist on purpose: 405 with a sentence that says what to do instead. */
export interface Refusal {
  readonly method: Method
  readonly path: string
  readonly advice: string
}

/** What a part of the API contributes to the application. */
export interface RouteGroup {
  readonly routes: readonly Route[]
  readonly refusals?: readonly Refusal[]
}
