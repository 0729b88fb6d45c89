import createFetchClient from 'openapi-fetch'
import { type Change, changed } from './change.ts'
import type { Connection } from './connection.ts'
import { type ExportOf, type ExportPath, exportRows } from './export-stream.ts'
import { type components, operationsWithKey, type paths } from './generated-api.ts'
import {
  type ImportedFrom,
  type ImportQuery,
  type ImportResource,
  type ImportStream,
  importRecords,
} from './import-stream.ts'
import { type ListPath, type PageOf, pagesOf, type RowOf, rowsOf } from './pages.ts'
import { problemError } from './problem-error.ts'
import { type RetryOptions, retryingFetch } from './retrying-fetch.ts'
import type { Answer, Call, InitArgument, InitOf, Method } from './typed-call.ts'

export interface ClientOptions extends RetryOptions {
  /** `http://localhost:3000` */
  readonly baseUrl: string
  readonly apiKey: string
}

/** Every operation of the API, typed; `createClient` makes one. */
export interface AccountsClient {
  readonly get: Call<'get'>
  readonly post: Call<'post'>
  readonly put: Call<'put'>
  readonly patch: Call<'patch'>
  readonly delete: Call<'delete'>
  /** The pages of a list, one after the other, from the first or the one that `cursor` names. */
  pages<P extends ListPath>(path: P, ...init: InitArgument<InitOf<P, 'get'>>): AsyncGenerator<PageOf<P>>
  /** Every row of a list; the next page is fetched when it is needed. */
  rows<P extends ListPath>(path: P, ...init: InitArgument<InitOf<P, 'get'>>): AsyncGenerator<RowOf<P>>
  /**
   * Reads a record, changes it and writes it back with `If-Match`; when somebody else was faster, once more with what they left.
   * `change` gives the fields to change, or undefined to leave all as it is.
   */
  readonly change: Change
  /** Brings records in, line by line, and answers line by line; the answer is read while the input is sent. */
  import(resource: ImportResource, from: ImportedFrom, query?: ImportQuery): ImportStream
  /** The whole of a list from one snapshot, checked to its last byte. */
  export<P extends ExportPath>(path: P, ...init: InitArgument<InitOf<P, 'get'>>): ExportOf<P>
}

/** What every call may be given, whatever its operation. */
interface AnyInit {
  readonly params?: Record<string, unknown>
  readonly body?: unknown
  readonly ifMatch?: string
  readonly ifNoneMatch?: string
  readonly idempotencyKey?: string
  readonly signal?: AbortSignal
  readonly headers?: Readonly<Record<string, string>>
}

type AnyRequest = (path: string, init: object) => Promise<{ data?: unknown; error?: unknown; response: Response }>

/**
 * A client of the API.
 *
 * Every call answers with `{ data, etag, response }` or throws a `ProblemError`. Requests that are safe to repeat are: a POST or
 * PATCH gets an Idempotency-Key of its own.
 */
export function createClient(options: ClientOptions): AccountsClient {
  const baseUrl = options.baseUrl.replace(/\/+$/, '')
  const send = retryingFetch(options)
  const connection: Connection = { baseUrl, apiKey: options.apiKey, send, sendOnce: options.fetch ?? fetch }
  const raw = createFetchClient<paths>({
    baseUrl,
    headers: { Authorization: `Bearer ${options.apiKey}`, Accept: 'application/json' },
    fetch: send,
  })
  const call =
    (method: Method) =>
    async (path: string, init: AnyInit = {}) => {
      const { params, body, signal } = init
      const request = raw[method.toUpperCase() as 'GET'] as unknown as AnyRequest
      const answer = await request(path, {
        params,
        headers: headersOf(method, path, init),
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
        parseAs: 'stream',
      })
      const { response } = answer
      // Its body is read by then, as JSON where it was JSON.
      if (!response.ok) throw problemError(textOf(answer.error), response)
      return { data: await dataOf(response), etag: response.headers.get('ETag') ?? undefined, response }
    }
  const get = call('get') as unknown as Call<'get'>
  const patch = call('patch') as unknown as Call<'patch'>
  return {
    get,
    patch,
    post: call('post') as unknown as Call<'post'>,
    put: call('put') as unknown as Call<'put'>,
    delete: call('delete') as unknown as Call<'delete'>,
    pages: (path, ...init) => pagesOf(get, path, ...init),
    rows: (path, ...init) => rowsOf(get, path, ...init),
    change: changed(get, patch),
    import: (resource, from, query) => importRecords(connection, resource, from, query),
    export: (path, ...init) => exportRows(connection, path, ...init),
  }
}

function headersOf(method: Method, path: string, init: AnyInit): Record<string, string> {
  const takesKey = operationsWithKey.has(`${method} ${path}`)
  const key = init.idempotencyKey ?? (takesKey ? crypto.randomUUID() : undefined)
  return {
    ...(method === 'patch' ? { 'Content-Type': 'application/merge-patch+json' } : {}),
    ...(init.ifMatch === undefined ? {} : { 'If-Match': init.ifMatch }),
    ...(init.ifNoneMatch === undefined ? {} : { 'If-None-Match': init.ifNoneMatch }),
    ...(key === undefined ? {} : { 'Idempotency-Key': key }),
    ...init.headers,
  }
}

const textOf = (error: unknown) => (typeof error === 'string' ? error : JSON.stringify(error ?? ''))

async function dataOf(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined
  const type = response.headers.get('Content-Type') ?? ''
  return /^application\/(json|[\w.-]+\+json)/.test(type) ? response.json() : response.text()
}

export type Schemas = components['schemas']
export type { Answer }
