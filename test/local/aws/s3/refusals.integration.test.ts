import { createHash } from 'node:crypto'
import {
  CreateBucketCommand,
  DeleteBucketLifecycleCommand,
  DeleteObjectTaggingCommand,
  GetBucketAclCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketTaggingCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestAws, type TestAws } from '../../../support/local-aws.ts'
import { type RawRequest, signedRequest } from '../signed-request.ts'

const Bucket = 'refusals'
const Key = 'object'
let aws: TestAws

beforeAll(async () => {
  aws = await startTestAws()
  await aws.s3.send(new CreateBucketCommand({ Bucket }))
  await aws.s3.send(new PutObjectCommand({ Bucket, Key, Body: 'untouched' }))
})
afterAll(() => aws?.stop())

const refused = async (request: RawRequest, code: string, status: number) => {
  const answer = await signedRequest(aws, request)
  expect([answer.status, answer.code]).toEqual([status, code])
  return answer
}

describe('what is not offered', () => {
  it.each(['legal-hold', 'retention', 'acl', 'torrent', 'restore', 'encryption', 'renameObject', 'anything'])(
    'PUT key?%s is 501, names itself, and leaves the object alone',
    async (name) => {
      const path = `/${Bucket}/${Key}`
      const answer = await refused({ method: 'PUT', path, query: { [name]: '' }, body: '<x/>' }, 'NotImplemented', 501)
      expect(answer.text).toContain(name)
      const got = await aws.s3.send(new GetObjectCommand({ Bucket, Key }))
      expect(await got.Body!.transformToString()).toBe('untouched')
    },
  )

  it.each([
    ['PUT', 'versioning'],
    ['PUT', 'acl'],
    ['PUT', 'policy'],
    ['PUT', 'cors'],
    ['DELETE', 'policy'],
    ['GET', 'website'],
    ['GET', 'encryption'],
    ['POST', 'select'],
    ['PUT', 'notification'],
  ])('%s bucket?%s is 501', async (method, name) => {
    await refused({ method, path: `/${Bucket}`, query: { [name]: '' } }, 'NotImplemented', 501)
  })

  it('a form POST to a bucket (presigned POST) is 501', async () => {
    const headers = { 'content-type': 'multipart/form-data; boundary=x' }
    await refused({ method: 'POST', path: `/${Bucket}`, headers, body: '--x--' }, 'NotImplemented', 501)
  })

  it.each([
    ['x-amz-acl', 'public-read'],
    ['x-amz-grant-read', 'id=1'],
    ['x-amz-storage-class', 'GLACIER'],
    ['x-amz-server-side-encryption', 'aws:kms'],
    ['x-amz-server-side-encryption-customer-algorithm', 'AES256'],
    ['x-amz-object-lock-mode', 'GOVERNANCE'],
    ['x-amz-website-redirect-location', '/x'],
    ['x-amz-write-offset-bytes', '5'],
  ])('a PUT with %s: %s is 501 and names the header', async (name, value) => {
    const request = { method: 'PUT', path: `/${Bucket}/header`, headers: { [name]: value }, body: 'x' }
    expect((await refused(request, 'NotImplemented', 501)).text).toContain(name)
    await refused({ path: `/${Bucket}/header` }, 'NoSuchKey', 404)
  })

  it('values that mean nothing else here are taken', async () => {
    const headers = { 'x-amz-acl': 'bucket-owner-full-control', 'x-amz-storage-class': 'STANDARD' }
    const answer = await signedRequest(aws, { method: 'PUT', path: `/${Bucket}/fine`, headers, body: 'x' })
    expect(answer.status).toBe(200)
  })

  it('an empty header asks for nothing', async () => {
    const answer = await signedRequest(aws, {
      method: 'PUT',
      path: `/${Bucket}/empty-acl`,
      headers: { 'x-amz-acl': '' },
      body: 'x',
    })
    expect(answer.status).toBe(200)
  })

  it('a header of the answer cannot be asked for with a line break in it', async () => {
    const query = { 'response-content-type': 'text/plain\r\nx-other: 1' }
    const answer = await refused({ path: `/${Bucket}/${Key}`, query }, 'InvalidArgument', 400)
    expect(answer.text).toContain('response-content-type')
  })

  it('another version than null, and another owner, are refused', async () => {
    const path = `/${Bucket}/${Key}`
    await refused({ path, query: { versionId: 'abc' } }, 'InvalidArgument', 400)
    expect((await signedRequest(aws, { path, query: { versionId: 'null' } })).text).toBe('untouched')
    await refused({ path, headers: { 'x-amz-expected-bucket-owner': '123456789012' } }, 'AccessDenied', 403)
  })
})

describe('hostile input', () => {
  it('a key of more than 1,024 bytes is refused, one of 1,024 taken', async () => {
    const put = (key: string) => signedRequest(aws, { method: 'PUT', path: `/${Bucket}/${key}`, body: 'x' })
    expect((await put('k'.repeat(1024))).status).toBe(200)
    expect((await put('k'.repeat(1025))).code).toBe('KeyTooLongError')
    expect((await put('%C3%A4'.repeat(513))).code).toBe('KeyTooLongError')
  })

  it('metadata of more than 2 KiB is refused', async () => {
    const headers = { 'x-amz-meta-a': 'x'.repeat(2048) }
    await refused({ method: 'PUT', path: `/${Bucket}/meta`, headers, body: 'x' }, 'MetadataTooLarge', 400)
  })

  it.each(['/%', '/refusals/%zz', '/refusals/%FF'])('the path %s is InvalidURI', async (path) => {
    await refused({ path }, 'InvalidURI', 400)
  })

  it.each([
    '<Delete><Object><Key>x</Key></Object>',
    '<!DOCTYPE d [<!ENTITY a "b">]><Delete><Object><Key>&a;</Key></Object></Delete>',
    '<Delete><Object></Object></Delete>',
    '<Delete></Delete>',
    'not xml',
    '',
  ])('the document %j is MalformedXML', async (body) => {
    const headers = { 'content-md5': createHash('md5').update(body).digest('base64') }
    await refused({ method: 'POST', path: `/${Bucket}`, query: { delete: '' }, headers, body }, 'MalformedXML', 400)
  })

  it('DeleteObjects without a hash of its body is refused', async () => {
    const body = '<Delete><Object><Key>object</Key></Object></Delete>'
    await refused({ method: 'POST', path: `/${Bucket}`, query: { delete: '' }, body }, 'InvalidRequest', 400)
  })

  it('a document of more than 10 MiB is refused', async () => {
    const body = Buffer.alloc(10 * 1024 * 1024 + 1, ' ')
    const request = { method: 'POST', path: `/${Bucket}`, query: { delete: '' }, body }
    await refused(request, 'MaxMessageLengthExceeded', 413)
  })

  it('a body of unknown length is 411, one longer or shorter than announced 400', async () => {
    const request = { method: 'PUT', path: `/${Bucket}/length`, body: 'four' }
    const unsignedHeaders = { 'transfer-encoding': 'chunked' }
    await refused({ ...request, unsignedHeaders }, 'MissingContentLength', 411)
    for (const length of ['3', '5']) {
      const headers = { 'x-amz-decoded-content-length': length }
      const framed = { headers, payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', body: '4\r\nfour\r\n0\r\n\r\n' }
      await refused({ ...request, ...framed }, 'IncompleteBody', 400)
    }
    await refused({ path: `/${Bucket}/length` }, 'NoSuchKey', 404)
  })
})

describe('settings of buckets and objects', () => {
  it('that are never there have their own 404', async () => {
    for (const [query, code] of [
      ['policy', 'NoSuchBucketPolicy'],
      ['cors', 'NoSuchCORSConfiguration'],
      ['publicAccessBlock', 'NoSuchPublicAccessBlockConfiguration'],
      ['ownershipControls', 'OwnershipControlsNotFoundError'],
      ['lifecycle', 'NoSuchLifecycleConfiguration'],
      ['tagging', 'NoSuchTagSet'],
    ] as const) {
      await refused({ path: `/${Bucket}`, query: { [query]: '' } }, code, 404)
    }
  })

  it('versioning is off and the owner has full control', async () => {
    const versioning = await aws.s3.send(new GetBucketVersioningCommand({ Bucket }))
    expect(versioning.Status).toBeUndefined()
    for (const acl of [new GetBucketAclCommand({ Bucket }), new GetObjectAclCommand({ Bucket, Key })]) {
      const { Owner, Grants } = await aws.s3.send(acl as GetBucketAclCommand)
      expect(Grants).toMatchObject([{ Permission: 'FULL_CONTROL', Grantee: { ID: Owner?.ID, Type: 'CanonicalUser' } }])
    }
  })

  it('tags of objects are put, got, counted and deleted', async () => {
    const TagSet = [
      { Key: 'a', Value: '1 & 2' },
      { Key: 'b', Value: '' },
    ]
    const get = () => aws.s3.send(new GetObjectTaggingCommand({ Bucket, Key }))
    await aws.s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet } }))
    expect((await get()).TagSet).toEqual(TagSet)
    expect((await aws.s3.send(new GetObjectCommand({ Bucket, Key }))).TagCount).toBe(2)
    const twice = { TagSet: [TagSet[0]!, TagSet[0]!] }
    const again = aws.s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: twice }))
    await expect(again).rejects.toMatchObject({ name: 'InvalidTag' })
    await aws.s3.send(new DeleteObjectTaggingCommand({ Bucket, Key }))
    expect((await get()).TagSet).toEqual([])
  })

  it('tags and lifecycle rules of buckets are stored and returned', async () => {
    const TagSet = [{ Key: 'team', Value: 'lake' }]
    await aws.s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }))
    expect((await aws.s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet).toEqual(TagSet)
    const Rules = [{ ID: 'tmp', Status: 'Enabled' as const, Filter: { Prefix: 'tmp/' }, Expiration: { Days: 3 } }]
    await aws.s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }))
    expect((await aws.s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))).Rules).toEqual(Rules)
    await aws.s3.send(new DeleteBucketLifecycleCommand({ Bucket }))
    await refused({ path: `/${Bucket}`, query: { lifecycle: '' } }, 'NoSuchLifecycleConfiguration', 404)
  })
})
