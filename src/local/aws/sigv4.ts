/**
 * AWS Signature Version 4, the receiving side: header-signed and presigned requests
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html). Signatures of single chunks of a
 * `STREAMING-*` body are not verified; the seed signature and the checksums are.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { AwsError } from './ports.ts'
import { decodePercent, decodeQuery, requestTarget } from './request-target.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** What a request claims about its signature; nothing of it is proved before `verifySignature`. */
export interface Claim {
  readonly presigned: boolean
  readonly accessKeyId: string
  readonly day: string
  readonly region: string
  readonly service: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
  readonly timestamp: string
  readonly expiresSeconds: number | undefined
}

const MAX_SKEW_MS = 15 * 60_000
const MAX_EXPIRES_SECONDS = 604_800
const ALGORITHM = 'AWS4-HMAC-SHA256'
const SIGV2_SENTENCE =
  'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256 (Signature Version 4).'

const malformedHeader = (message: string) => new AwsError('AuthorizationHeaderMalformed', message, 400)
const malformedQuery = (message: string) => new AwsError('AuthorizationQueryParametersError', message, 400)

/**
 * Reads the claim from the header or the query.
 *
 * @throws AwsError in S3's vocabulary (`AccessDenied` when there is no signature at all); `signatureErrorFor` translates
 *   it for the other services.
 */
export function readClaim(request: IncomingMessage): Claim {
  const query = decodeQuery(requestTarget(request).query)
  const header = request.headers.authorization
  if (query.has('X-Amz-Algorithm') || query.has('X-Amz-Signature') || query.has('X-Amz-Credential')) {
    return presignedClaim(query)
  }
  if (header === undefined) {
    if (query.has('AWSAccessKeyId')) throw new AwsError('InvalidRequest', SIGV2_SENTENCE, 400)
    throw new AwsError('AccessDenied', 'Access Denied. Requests must be signed with Signature Version 4.', 403)
  }
  if (header.startsWith('AWS ')) throw new AwsError('InvalidRequest', SIGV2_SENTENCE, 400)
  if (!header.startsWith(`${ALGORITHM} `)) {
    throw new AwsError('InvalidRequest', `Unsupported Authorization type. Please use ${ALGORITHM}.`, 400)
  }
  const fields = new Map(
    header
      .slice(ALGORITHM.length + 1)
      .split(',')
      .map((pair) => {
        const at = pair.indexOf('=')
        return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const
      }),
  )
  const [credential, signedHeaders, signature] = ['Credential', 'SignedHeaders', 'Signature'].map((k) => fields.get(k))
  if (!credential || !signedHeaders || !signature) {
    throw malformedHeader('The authorization header needs Credential, SignedHeaders and Signature.')
  }
  const timestamp = request.headers['x-amz-date']
  if (typeof timestamp !== 'string') {
    throw new AwsError('AccessDenied', 'AWS authentication requires a valid x-amz-date header.', 403)
  }
  return {
    presigned: false,
    ...readScope(credential, malformedHeader),
    signedHeaders: signedHeaders.split(';'),
    signature,
    timestamp,
    expiresSeconds: undefined,
  }
}

function presignedClaim(query: ReadonlyMap<string, string>): Claim {
  const need = (name: string): string => {
    const value = query.get(name)
    if (!value) throw malformedQuery(`A presigned URL needs the parameter ${name}; it is missing or empty.`)
    return value
  }
  if (need('X-Amz-Algorithm') !== ALGORITHM) throw malformedQuery(`X-Amz-Algorithm only supports "${ALGORITHM}".`)
  const expires = need('X-Amz-Expires')
  const expiresSeconds = /^\d{1,9}$/.test(expires) ? Number(expires) : -1
  if (expiresSeconds < 0 || expiresSeconds > MAX_EXPIRES_SECONDS) {
    throw malformedQuery(`X-Amz-Expires must be a number of seconds from 0 to ${MAX_EXPIRES_SECONDS} (a week).`)
  }
  return {
    presigned: true,
    ...readScope(need('X-Amz-Credential'), malformedQuery),
    signedHeaders: need('X-Amz-SignedHeaders').split(';'),
    signature: need('X-Amz-Signature'),
    timestamp: need('X-Amz-Date'),
    expiresSeconds,
  }
}

function readScope(credential: string, malformed: (message: string) => AwsError) {
  const parts = credential.split('/')
  // the access key itself holds no slash here: this endpoint makes its own
  const [accessKeyId, day, region, service, terminator] = parts
  if (parts.length !== 5 || !accessKeyId || !day || !region || !service || terminator !== 'aws4_request') {
    throw malformed('The credential must have the form <access key>/<YYYYMMDD>/<region>/<service>/aws4_request.')
  }
  return { accessKeyId, day, region, service }
}

/** Milliseconds since 1970 of `20261123T034500Z`; NaN when it is none. */
function parseTimestamp(text: string): number {
  const m = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text)
  return m ? Date.parse(`${m[1]}-${m[2]}-${m[3]}T${m[4]}:${m[5]}:${m[6]}Z`) : Number.NaN
}

function checkTime(claim: Claim, nowMs: number): void {
  const signedMs = parseTimestamp(claim.timestamp)
  if (Number.isNaN(signedMs) || !claim.timestamp.startsWith(claim.day)) {
    throw new AwsError(
      'AccessDenied',
      'The date of the signature must be YYYYMMDDTHHMMSSZ and fall on the day of the credential scope.',
      403,
    )
  }
  if (claim.expiresSeconds === undefined) {
    if (Math.abs(nowMs - signedMs) > MAX_SKEW_MS) {
      throw new AwsError(
        'RequestTimeTooSkewed',
        'The difference between the request time and the current time is too large.',
        403,
        {
          RequestTime: claim.timestamp,
          ServerTime: new Date(nowMs).toISOString(),
          MaxAllowedSkewMilliseconds: MAX_SKEW_MS,
        },
      )
    }
    return
  }
  if (signedMs - nowMs > MAX_SKEW_MS) throw new AwsError('AccessDenied', 'Request is not yet valid', 403)
  if (nowMs > signedMs + claim.expiresSeconds * 1000) {
    throw new AwsError('AccessDenied', 'Request has expired', 403, { ServerTime: new Date(nowMs).toISOString() })
  }
}

const encodeStrictly = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

function canonicalQuery(query: string): string {
  const pairs: [string, string][] = []
  for (const [name, value] of decodeQuery(query, true)) {
    if (name !== 'X-Amz-Signature') pairs.push([encodeStrictly(name), encodeStrictly(value)])
  }
  const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  return pairs
    .sort((a, b) => order(a[0], b[0]) || order(a[1], b[1]))
    .map((pair) => pair.join('='))
    .join('&')
}

/** S3 signs the path encoded once, as sent; the other services sign it encoded twice. */
function canonicalPath(path: string, service: string): string {
  const once = path.split('/').map((segment) => encodeStrictly(decodePercent(segment)))
  return (service === 's3' ? once : once.map(encodeStrictly)).join('/')
}

function checkSignedHeaders(request: IncomingMessage, claim: Claim): void {
  const signed = new Set(claim.signedHeaders)
  if (!signed.has('host')) throw new AwsError('SignatureDoesNotMatch', 'The host header must be signed.', 403)
  // what is not signed could have been added on the way; a presigned URL binds its payload by UNSIGNED-PAYLOAD alone
  const unsigned = Object.keys(request.headers).filter(
    (name) => name.startsWith('x-amz-') && !signed.has(name) && name !== 'x-amz-content-sha256',
  )
  if (unsigned.length > 0) {
    throw new AwsError('AccessDenied', 'There were headers present in the request which were not signed', 403, {
      HeadersNotSigned: unsigned.join(', '),
    })
  }
}

// The signing key depends on day, region and service only, and costs four HMACs.
const signingKeys = new Map<string, Buffer>()

function signingKey(secret: string, claim: Claim): Buffer {
  const name = `${secret}/${claim.day}/${claim.region}/${claim.service}`
  let key = signingKeys.get(name)
  if (key === undefined) {
    const hmac = (k: string | Buffer, text: string) => createHmac('sha256', k).update(text).digest()
    key = hmac(hmac(hmac(hmac(`AWS4${secret}`, claim.day), claim.region), claim.service), 'aws4_request')
    if (signingKeys.size >= 100) signingKeys.clear()
    signingKeys.set(name, key)
  }
  return key
}

/**
 * Proves the claim.
 *
 * @param payloadHash `x-amz-content-sha256` for S3; SHA-256 of the body, in hex, for the other services.
 * @throws AwsError 403 in S3's vocabulary.
 */
export function verifySignature(
  request: IncomingMessage,
  claim: Claim,
  credentials: Credentials,
  payloadHash: string,
  nowMs = Date.now(),
): void {
  if (claim.accessKeyId !== credentials.accessKeyId) {
    throw new AwsError('InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.', 403)
  }
  checkTime(claim, nowMs)
  checkSignedHeaders(request, claim)
  const { path, query } = requestTarget(request)
  const headers = claim.signedHeaders
    .map((name) => {
      const values = request.headersDistinct[name] ?? []
      return `${name}:${values.map((value) => value.trim().replace(/ +/g, ' ')).join(',')}\n`
    })
    .join('')
  const canonical = [
    request.method,
    canonicalPath(path, claim.service),
    canonicalQuery(query),
    headers,
    claim.signedHeaders.join(';'),
    payloadHash,
  ].join('\n')
  // Node hands header values out byte by byte (latin-1); hashing them the same way signs the bytes that were sent
  const digest = createHash('sha256').update(canonical, 'latin1').digest('hex')
  const scope = `${claim.day}/${claim.region}/${claim.service}/aws4_request`
  const wanted = createHmac('sha256', signingKey(credentials.secretAccessKey, claim))
    .update([ALGORITHM, claim.timestamp, scope, digest].join('\n'))
    .digest()
  const given = /^[0-9a-f]{64}$/.test(claim.signature) ? Buffer.from(claim.signature, 'hex') : Buffer.alloc(32)
  if (!timingSafeEqual(wanted, given)) {
    throw new AwsError(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      403,
    )
  }
}

const JSON_CODES: Readonly<Record<string, string>> = {
  AccessDenied: 'MissingAuthenticationTokenException',
  InvalidAccessKeyId: 'UnrecognizedClientException',
  AuthorizationHeaderMalformed: 'IncompleteSignatureException',
  AuthorizationQueryParametersError: 'IncompleteSignatureException',
  InvalidRequest: 'IncompleteSignatureException',
}
const QUERY_CODES: Readonly<Record<string, string>> = {
  AccessDenied: 'MissingAuthenticationToken',
  InvalidAccessKeyId: 'InvalidClientTokenId',
  AuthorizationHeaderMalformed: 'IncompleteSignature',
  AuthorizationQueryParametersError: 'IncompleteSignature',
  InvalidRequest: 'IncompleteSignature',
}

/** The same refusal in the vocabulary of AWS JSON services or of query services (STS). */
export function signatureErrorFor(protocol: 'json' | 'query', error: AwsError): AwsError {
  const code =
    protocol === 'json'
      ? (JSON_CODES[error.code] ?? 'InvalidSignatureException')
      : (QUERY_CODES[error.code] ?? 'SignatureDoesNotMatch')
  return new AwsError(code, error.message, error.status)
}
