import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { presign, type RawRequest, rawRequest, signedRequest } from './signed-request.ts'

const Bucket = 'signed'
const path = `/${Bucket}/object`
const MINUTE_MS = 60_000
let aws: TestAws

beforeAll(async () => {
  aws = await startTestAws()
  await aws.s3.send(new CreateBucketCommand({ Bucket }))
  await aws.s3.send(new PutObjectCommand({ Bucket, Key: 'object', Body: 'secret' }))
})
afterAll(() => aws?.stop())

const refused = async (request: RawRequest, status: number, code: string) => {
  const answer = await signedRequest(aws, request)
  expect([answer.status, answer.code]).toEqual([status, code])
  expect(answer.text).not.toContain('secret<')
}
const ago = (minutes: number) => new Date(Date.now() - minutes * MINUTE_MS)

describe('requests signed in a header', () => {
  it('are served when all of it is right, within 15 minutes', async () => {
    for (const date of [new Date(), ago(14), ago(-14)]) {
      expect((await signedRequest(aws, { path, date })).text).toBe('secret')
    }
  })

  it('are refused with an unknown key, a wrong secret, no signature at all', async () => {
    await refused({ path, accessKeyId: 'AKIAUNKNOWN' }, 403, 'InvalidAccessKeyId')
    await refused({ path, secretAccessKey: 'wrong' }, 403, 'SignatureDoesNotMatch')
    await refused({ path, authorization: null }, 403, 'AccessDenied')
    const wrong = { ...aws.credentials, secretAccessKey: 'wrong' }
    const s3 = new S3Client({ endpoint: aws.endpoint, region: aws.region, forcePathStyle: true, credentials: wrong })
    const get = s3.send(new GetObjectCommand({ Bucket, Key: 'object' }))
    await expect(get).rejects.toMatchObject({ name: 'SignatureDoesNotMatch', $metadata: { httpStatusCode: 403 } })
    s3.destroy()
  })

  it('are refused when the clocks differ by more than 15 minutes', async () => {
    await refused({ path, date: ago(16) }, 403, 'RequestTimeTooSkewed')
    await refused({ path, date: ago(-16) }, 403, 'RequestTimeTooSkewed')
  })

  it('are refused when an x-amz header was added or changed on the way', async () => {
    await refused({ path, unsignedHeaders: { 'x-amz-meta-a': 'b' } }, 403, 'AccessDenied')
    const changed = { headers: { 'x-amz-meta-a': 'b' }, unsignedHeaders: { 'x-amz-meta-a': 'c' } }
    await refused({ path, ...changed }, 403, 'SignatureDoesNotMatch')
  })

  it.each([
    ['AWS4-HMAC-SHA256 nonsense', 400, 'AuthorizationHeaderMalformed'],
    ['AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=00', 400, 'AuthorizationHeaderMalformed'],
    ['AWS4-HMAC-SHA256', 400, 'InvalidRequest'],
    ['Basic abc', 400, 'InvalidRequest'],
    ['AWS key:signature', 400, 'InvalidRequest'],
  ])('with the header %j are refused', async (authorization, status, code) => {
    await refused({ path, authorization }, status, code)
  })

  it('may carry a session token, and repeated and padded header values', async () => {
    const headers = { 'x-amz-security-token': 'ignored', 'x-amz-meta-spaces': '  a   b  ' }
    expect((await signedRequest(aws, { path, headers })).status).toBe(200)
  })

  it('may have any bytes of UTF-8 in a header', async () => {
    const headers = { 'x-amz-meta-name': 'Jürgen 東京 ñ' }
    expect((await signedRequest(aws, { method: 'PUT', path, headers, body: 'secret' })).status).toBe(200)
  })

  it('with the query encoded in either way are understood', async () => {
    const query = { 'list-type': '2', prefix: 'a b+c/é&=' }
    const answer = await signedRequest(aws, { path: `/${Bucket}`, query })
    expect(answer.status).toBe(200)
    expect(answer.text).toContain('<Prefix>a b+c/é&amp;=</Prefix>')
  })
})

describe('presigned URLs', () => {
  const fetchStatus = async (url: string) => {
    const answer = await rawRequest(aws, 'GET', url)
    return [answer.status, answer.status === 200 ? answer.text : answer.code]
  }

  it('read and write without a header', async () => {
    const put = presign(aws, { method: 'PUT', path: `/${Bucket}/presigned` })
    expect((await rawRequest(aws, 'PUT', put, {}, 'presigned!')).status).toBe(200)
    expect(await fetchStatus(presign(aws, { path: `/${Bucket}/presigned` }))).toEqual([200, 'presigned!'])
  })

  it('replace headers of the answer', async () => {
    const query = {
      'response-content-disposition': 'attachment; filename="q.csv"',
      'response-content-type': 'text/csv',
    }
    const { headers } = await rawRequest(aws, 'GET', presign(aws, { path, query }))
    expect(headers).toMatchObject({
      'content-disposition': query['response-content-disposition'],
      'content-type': 'text/csv',
    })
  })

  it('expire', async () => {
    const date = ago(10)
    expect(await fetchStatus(presign(aws, { path, date, expires: '900' }))).toEqual([200, 'secret'])
    expect(await fetchStatus(presign(aws, { path, date, expires: '300' }))).toEqual([403, 'AccessDenied'])
    expect(await fetchStatus(presign(aws, { path, date: ago(-20) }))).toEqual([403, 'AccessDenied'])
  })

  it('hold for their method, path and parameters only', async () => {
    const url = presign(aws, { path })
    for (const [method, target] of [
      ['GET', url.replace('/object', '/other')],
      ['DELETE', url],
      ['GET', `${url}&response-content-type=text%2Fhtml`],
      ['GET', url.replace('X-Amz-Expires=60', 'X-Amz-Expires=6000')],
      ['GET', url.replace(/Signature=..../, 'Signature=0000')],
    ] as const) {
      const answer = await rawRequest(aws, method, target)
      expect([answer.status, answer.code]).toEqual([403, 'SignatureDoesNotMatch'])
    }
    const added = await rawRequest(aws, 'GET', url, { 'x-amz-meta-a': 'b' })
    expect(added.status).toBe(403)
  })

  it.each([
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Date',
    'X-Amz-Expires',
    'X-Amz-SignedHeaders',
    'X-Amz-Signature',
  ])('without %s are 400', async (without) => {
    expect(await fetchStatus(presign(aws, { path, without }))).toEqual([400, 'AuthorizationQueryParametersError'])
  })

  it.each(['-1', '604801', 'x', '1e3'])('that expire in %j are 400', async (expires) => {
    expect(await fetchStatus(presign(aws, { path, expires }))).toEqual([400, 'AuthorizationQueryParametersError'])
  })

  it('of signature version 2 are told what to use', async () => {
    const answer = await rawRequest(aws, 'GET', `${path}?AWSAccessKeyId=a&Expires=1&Signature=b`)
    expect([answer.status, answer.code]).toEqual([400, 'InvalidRequest'])
    expect(answer.text).toContain('AWS4-HMAC-SHA256')
  })
})

describe('the services', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const json = (target: string) => ({ 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' })
  const call = (request: Omit<RawRequest, 'path'>) => signedRequest(aws, { method: 'POST', path: '/', ...request })

  it('STS tells who calls', async () => {
    const body = 'Action=GetCallerIdentity&Version=2011-06-15'
    const { status, text } = await call({ service: 'sts', headers: form, body })
    expect(status).toBe(200)
    expect(text).toMatch(/<Account>\d{12}<\/Account>/)
    expect(text).toMatch(/<Arn>arn:aws:iam::\d{12}:/)
    expect(text).toContain(`<UserId>${aws.credentials.accessKeyId}</UserId>`)
  })

  it('STS offers nothing else', async () => {
    const answer = await call({ service: 'sts', headers: form, body: 'Action=AssumeRole&Version=2011-06-15' })
    expect([answer.status, answer.code]).toEqual([400, 'InvalidAction'])
    expect(answer.text).toContain('AssumeRole')
  })

  it('refuse bad signatures in their own protocol', async () => {
    const sts = await call({
      service: 'sts',
      headers: form,
      body: 'Action=GetCallerIdentity',
      secretAccessKey: 'wrong',
    })
    expect([sts.status, sts.code]).toEqual([403, 'SignatureDoesNotMatch'])
    const glue = { service: 'glue', headers: json('AWSGlue.GetDatabases'), body: '{}' }
    const wrong = await call({ ...glue, secretAccessKey: 'wrong' })
    expect([wrong.status, wrong.code]).toEqual([403, 'InvalidSignatureException'])
    expect(wrong.headers['x-amzn-errortype']).toBe('InvalidSignatureException')
    const unknown = await call({ ...glue, accessKeyId: 'AKIAUNKNOWN' })
    expect([unknown.status, unknown.code]).toEqual([403, 'UnrecognizedClientException'])
    const unsigned = await call({ ...glue, authorization: null })
    expect([unsigned.status, unsigned.code]).toEqual([403, 'MissingAuthenticationTokenException'])
  })

  it('sign their body', async () => {
    const headers = json('AWSGlue.GetDatabases')
    const answer = await call({ service: 'glue', headers, body: '{}', payload: '0'.repeat(64) })
    expect([answer.status, answer.code]).toEqual([403, 'InvalidSignatureException'])
  })

  it('are told by the signature; an operation that is not offered names itself', async () => {
    const answer = await call({ service: 'glue', headers: json('AWSGlue.StartJobRun'), body: '{}' })
    expect([answer.status, answer.code]).toEqual([400, 'UnknownOperationException'])
    expect(answer.text).toContain('AWSGlue.StartJobRun')
    const crossed = await call({ service: 'glue', headers: json('AmazonAthena.ListWorkGroups'), body: '{}' })
    expect(crossed.code).toBe('UnknownOperationException')
    const inherited = await call({ service: 'glue', headers: json('AWSGlue.constructor'), body: '{}' })
    expect(inherited.code).toBe('UnknownOperationException')
  })

  it('that are not offered are refused in their protocol and never reach S3', async () => {
    const dynamo = await call({ service: 'dynamodb', headers: json('DynamoDB_20120810.ListTables'), body: '{}' })
    expect([dynamo.status, dynamo.code]).toEqual([400, 'UnknownOperationException'])
    expect(dynamo.text).toContain('dynamodb')
    const iam = await call({ service: 'iam', headers: form, body: 'Action=ListUsers' })
    expect([iam.status, iam.code]).toEqual([400, 'InvalidAction'])
    const rest = await signedRequest(aws, { method: 'PUT', path: `/${Bucket}/object`, service: 'lambda', body: 'x' })
    expect(rest.code).toBe('UnknownOperationException')
    expect((await signedRequest(aws, { path })).text).toBe('secret')
  })

  it('read JSON of 10 MiB at most, and objects only', async () => {
    const glue = { service: 'glue', headers: json('AWSGlue.GetDatabases') }
    const large = await call({ ...glue, body: ' '.repeat(10 * 1024 * 1024 + 1) })
    expect(large.status).toBe(413)
    for (const body of ['{', '[]', 'null', '1']) {
      const answer = await call({ ...glue, body })
      expect([answer.status, answer.code]).toEqual([400, 'SerializationException'])
    }
  })
})
