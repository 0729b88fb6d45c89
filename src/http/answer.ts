import type { ListStatement, Page } from '../list.ts'
import { etagOf } from './conditional.ts'
import type { ExportShape } from './export-writer.ts'
import type { ListQuery } from './list-query.ts'

type Headers = Readonly<Record<string, string>>

/** What a handler gives back: data, so that it can be stored, replayed and tested without a server. */
export type Answer =
  | JsonAnswer
  | { readonly kind: 'empty'; readonly status: number; readonly headers: Headers }
  | { readonly kind: 'text'; readonly status: number; readonly headers: Headers; readonly text: string }
  | PageAnswer
  | LinesAnswer
  | PiecesAnswer
  | ExportAnswer

export interface JsonAnswer {
  readonly kind: 'json'
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
  /** Never 304: the version does not tell every change of what is shown. */
  readonly alwaysWhole?: true
}

export interface PageAnswer {
  readonly kind: 'page'
  readonly list: ListQuery
  readonly page: Pick<Page<unknown>, 'next' | 'previous' | 'total'>
  readonly data: readonly unknown[]
}

/** NDJSON: each yielded array is written as one piece, with back-pressure; a client that leaves ends the iteration. */
export interface LinesAnswer {
  readonly kind: 'lines'
  readonly status: number
  readonly headers: Headers
  readonly batches: AsyncIterable<readonly unknown[]>
}

/** Text or bytes of any type, piece by piece with back-pressure; a client that leaves ends the iteration. */
export interface PiecesAnswer {
  readonly kind: 'pieces'
  readonly status: number
  readonly headers: Headers
  readonly pieces: AsyncIterable<string | Uint8Array>
  /** May be sent compressed when the client takes that. */
  readonly compressible?: true
}

/** A whole list: read, written and proved while it is sent. */
export interface ExportAnswer {
  readonly kind: 'export'
  readonly statement: ListStatement
  readonly shape: ExportShape
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal
}

export interface OkOptions {
  /** Becomes the ETag of a single resource. */
  readonly version?: number
  readonly headers?: Headers
  readonly alwaysWhole?: true
}

/** 200 with a JSON body. */
export function ok(body: unknown, { version, headers = {}, ...how }: OkOptions = {}): Answer {
  return { kind: 'json', status: 200, body, headers: withEtag(headers, version), ...how }
}

export function created(location: string, body: unknown, version?: number): Answer {
  return { kind: 'json', status: 201, body, headers: withEtag({ Location: location }, version) }
}

export function noContent(headers: Headers = {}): Answer {
  return { kind: 'empty', status: 204, headers }
}

export function text(type: string, content: string): Answer {
  return { kind: 'text', status: 200, text: content, headers: { 'Content-Type': type } }
}

export function lines(batches: AsyncIterable<readonly unknown[]>, headers: Headers = {}): Answer {
  return { kind: 'lines', status: 200, batches, headers }
}

export function pieces(
  type: string,
  content: PiecesAnswer['pieces'],
  { headers = {}, ...how }: Partial<Pick<PiecesAnswer, 'headers' | 'compressible'>> = {},
): Answer {
  return { kind: 'pieces', status: 200, pieces: content, headers: { 'Content-Type': type, ...headers }, ...how }
}

/** 202: the work goes on; `location` tells how far it is. */
export function accepted(location: string, body: unknown, headers: Headers = {}): Answer {
  return { kind: 'json', status: 202, body, headers: { Location: location, ...headers } }
}

function withEtag(headers: Headers, version: number | undefined): Headers {
  return version === undefined ? headers : { ...headers, ETag: etagOf(version) }
}
