/** Headers of requests and answers, once, as components of the API document. */

interface HeaderDoc {
  readonly description: string
  readonly example: string
  readonly pattern?: string
}

interface RequestHeaderDoc {
  readonly name: string
  readonly required: boolean
  readonly description: string
  readonly example?: string
}

const answerHeaders = {
  ETag: { description: 'The version of the record, for If-Match', example: '"7"', pattern: '^"\\d{1,10}"$' },
  Link: {
    description: 'RFC 8288: the page after (rel="next") and before (rel="prev"), where there are some',
    example: '</v1/studios?limit=2&cursor=eyJ2IjoxfQ>; rel="next"',
  },
  'X-Request-Id': {
    description: 'Names the request in our log; your own if you sent one of 8 to 128 letters, digits, ".", "_" and "-"',
    example: '0193c0de-5b7e-7c1d-9a55-0e7c0f3d2b11',
    pattern: '^[A-Za-z0-9._-]{8,128}$',
  },
  'RateLimit-Policy': {
    description: 'Quotas of the key: q requests in w seconds (draft-ietf-httpapi-ratelimit-headers)',
    example: '"default";q=6000;w=60',
  },
  RateLimit: { description: 'Of each quota, r requests are left for t seconds', example: '"default";r=5998;t=41' },
  'Retry-After': { description: 'Seconds to wait', example: '2', pattern: '^\\d{1,6}$' },
  'Idempotency-Replayed': {
    description: 'true: this is the stored answer of an earlier request with the same Idempotency-Key',
    example: 'true',
    pattern: '^true$',
  },
  Allow: { description: 'The methods that exist here', example: 'GET, HEAD, OPTIONS' },
  Accept: { description: 'The media types that a body may have here', example: 'application/json' },
  'Accept-Encoding': { description: 'The codings that a body may have here', example: 'gzip, identity' },
  'WWW-Authenticate': { description: 'How to authenticate', example: 'Bearer realm="rocketgames-accounts"' },
} as const satisfies Readonly<Record<string, HeaderDoc>>

/** Examples only where a value must be sent: pages that try operations out fill them in. */
const requestHeaders = {
  IfMatch: {
    name: 'If-Match',
    required: true,
    description: 'The ETag of the state that the change is based on; * overwrites on purpose',
    example: '"7"',
  },
  IfMatchOptional: {
    name: 'If-Match',
    required: false,
    description: 'The ETag of the state that the change is based on; needed once there is something to overwrite',
  },
  CreateOnly: { name: 'If-None-Match', required: false, description: '* only creates' },
  IfNoneMatch: {
    name: 'If-None-Match',
    required: false,
    description: 'The ETag that you have: 304 when it is still the same',
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    required: false,
    description:
      'Makes the request safe to repeat for 24 hours: 8 to 255 visible characters, best a new UUID for each change',
  },
  Prefer: {
    name: 'Prefer',
    required: false,
    description: 'respond-async: 202 and a job as soon as the body is here (RFC 7240)',
  },
  ContentEncoding: {
    name: 'Content-Encoding',
    required: false,
    description: 'gzip, when the body is compressed so',
  },
} as const satisfies Readonly<Record<string, RequestHeaderDoc>>

export type AnswerHeader = keyof typeof answerHeaders
export type RequestHeader = keyof typeof requestHeaders

export const headerRef = (name: AnswerHeader) => ({ $ref: `#/components/headers/${name}` })
export const parameterRef = (name: RequestHeader) => ({ $ref: `#/components/parameters/${name}` })

/** `components.headers` */
export const headerComponents: Readonly<Record<string, object>> = Object.fromEntries(
  Object.entries<HeaderDoc>(answerHeaders).map(([name, { description, example, pattern }]) => [
    name,
    { description, schema: { type: 'string', ...(pattern === undefined ? {} : { pattern }) }, example },
  ]),
)

/** `components.parameters` */
export const parameterComponents: Readonly<Record<string, object>> = Object.fromEntries(
  Object.entries<RequestHeaderDoc>(requestHeaders).map(([id, { name, ...doc }]) => [
    id,
    { name, in: 'header', ...doc, schema: { type: 'string' } },
  ]),
)

export function isAnswerHeader(name: string): name is AnswerHeader {
  return Object.hasOwn(answerHeaders, name)
}
