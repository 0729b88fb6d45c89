import type { MaybeOptionalInit } from 'openapi-fetch'
import type {
  FilterKeys,
  HttpMethod,
  PathsWithMethod,
  ResponseObjectMap,
  SuccessResponse,
} from 'openapi-typescript-helpers'
import type { paths } from './generated-api.ts'

/** What an operation of the API takes and gives, from the generated types. */

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'
export type PathOf<M extends HttpMethod> = PathsWithMethod<paths, M>
type OperationOf<P extends keyof paths, M extends keyof paths[P]> = paths[P][M] & Record<string | number, unknown>

/** Its success, in JSON. */
export type DataOf<P extends keyof paths, M extends keyof paths[P]> = SuccessResponse<
  ResponseObjectMap<OperationOf<P, M>>,
  'application/json'
>

/** The header parameters, which become options of their own. */
type HeadersOf<P extends keyof paths, M extends keyof paths[P]> = paths[P][M] extends {
  parameters: { header: infer Headers }
}
  ? Headers
  : paths[P][M] extends { parameters: { header?: infer Headers } }
    ? NonNullable<Headers>
    : never

type NeedsIfMatch<P extends keyof paths, M extends keyof paths[P]> = [HeadersOf<P, M>] extends [never]
  ? false
  : HeadersOf<P, M> extends { 'If-Match': string }
    ? true
    : false

type Conditions<P extends keyof paths, M extends keyof paths[P]> =
  NeedsIfMatch<P, M> extends true
    ? {
        /** The ETag that the change is based on: `answer.etag` of the read. `*` overwrites on purpose. */
        readonly ifMatch: string
      }
    : { readonly ifMatch?: string }

interface Further {
  /** `*`: only create. */
  readonly ifNoneMatch?: string
  /** Default: a new one for each call of an operation that takes one. */
  readonly idempotencyKey?: string
  readonly signal?: AbortSignal
  readonly headers?: Readonly<Record<string, string>>
}

type WithoutHeaders<T> = T extends { parameters: infer Parameters }
  ? Omit<T, 'parameters'> & { parameters: Omit<Parameters, 'header'> }
  : T

type Given<P extends keyof paths, M extends keyof paths[P]> = NonNullable<
  MaybeOptionalInit<{ [K in M]: WithoutHeaders<FilterKeys<paths[P], M>> }, M>
>

/** What a call of the operation is given: `params`, `body`, `ifMatch`, … */
export type InitOf<P extends keyof paths, M extends keyof paths[P]> = Pick<Given<P, M>, 'params' | 'body'> &
  Conditions<P, M> &
  Further

type RequiredKeys<T> = { [K in keyof T]-?: object extends Pick<T, K> ? never : K }[keyof T]

/** May be left out where nothing in it is needed. */
export type InitArgument<T> = RequiredKeys<T> extends never ? [init?: T] : [init: T]

/** A success. */
export interface Answer<Data> {
  readonly data: Data
  /** For `ifMatch` of the next change; undefined where the answer has no version. */
  readonly etag: string | undefined
  readonly response: Response
}

export type Call<M extends Method> = <P extends PathOf<M>>(
  path: P,
  ...init: InitArgument<InitOf<P, M & keyof paths[P]>>
) => Promise<Answer<DataOf<P, M & keyof paths[P]>>>
