import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestAws, type TestAws } from '../../../support/local-aws.ts'
import { signedRequest } from '../signed-request.ts'

const Bucket = 'objects'
let aws: TestAws

beforeAll(async () => {
  aws = await startTestAws()
  await aws.s3.send(new CreateBucketCommand({ Bucket }))
})
afterAll(() => aws?.stop())

const put = (Key: string, Body: string | Uint8Array, more: object = {}) =>
  aws.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))
const get = (Key: string, more: object = {}) => aws.s3.send(new GetObjectCommand({ Bucket, Key, ...more }))
const bytes = async (answer: GetObjectCommandOutput) => Buffer.from(await answer.Body!.transformToByteArray())
const text = async (answer: GetObjectCommandOutput) => answer.Body!.transformToString()
const status = (code: number, name?: string) =>
  expect.objectContaining({
    ...(name === undefined ? {} : { name }),
    $metadata: expect.objectContaining({ httpStatusCode: code }),
  })

describe('objects', () => {
  it('come back byte by byte with their type, metadata and MD5', async () => {
    const body = randomBytes(300_001)
    const { ETag, ChecksumCRC32 } = await put('a/x.bin', body, {
      ContentType: 'application/x-y',
      Metadata: { foo: 'bar', empty: '' },
      CacheControl: 'no-cache',
      ContentLanguage: 'de',
      ContentEncoding: 'zstd',
    })
    expect(ETag).toBe(`"${createHash('md5').update(body).digest('hex')}"`)
    expect(ChecksumCRC32).toMatch(/^[\w+/]{6}==$/)
    const answer = await get('a/x.bin')
    expect(answer).toMatchObject({
      ETag,
      ContentType: 'application/x-y',
      CacheControl: 'no-cache',
      ContentLanguage: 'de',
      ContentEncoding: 'zstd',
      ContentLength: body.length,
      Metadata: { foo: 'bar', empty: '' },
    })
    expect(await bytes(answer)).toEqual(body)
    expect(await aws.s3.send(new HeadObjectCommand({ Bucket, Key: 'a/x.bin' }))).toMatchObject({
      ETag,
      ContentLength: body.length,
    })
  })

  it('of length zero are objects', async () => {
    await put('empty', '')
    expect(await bytes(await get('empty'))).toHaveLength(0)
    await expect(get('empty', { Range: 'bytes=0-' })).rejects.toEqual(status(416, 'InvalidRange'))
  })

  it('may come as a stream; its framing is neither stored nor remembered', async () => {
    const body = randomBytes(200_000)
    const pieces = [body.subarray(0, 70_000), body.subarray(70_000)]
    await put('stream', Readable.from(pieces) as unknown as Uint8Array, { ContentLength: body.length })
    const answer = await get('stream')
    expect(answer.ContentEncoding).toBeUndefined()
    expect(await bytes(answer)).toEqual(body)
  })

  it('keep another encoding beside aws-chunked', async () => {
    const pieces = [Buffer.from('zipped')]
    await put('gz', Readable.from(pieces) as unknown as Uint8Array, { ContentLength: 6, ContentEncoding: 'gzip' })
    expect(await aws.s3.send(new HeadObjectCommand({ Bucket, Key: 'gz' }))).toMatchObject({ ContentEncoding: 'gzip' })
  })

  it('sent in signed chunks without a trailer are unframed as well', async () => {
    const chunk = (data: string) => `${data.length.toString(16)};chunk-signature=${'0'.repeat(64)}\r\n${data}\r\n`
    const answer = await signedRequest(aws, {
      method: 'PUT',
      path: `/${Bucket}/signed-chunks`,
      payload: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      headers: { 'content-encoding': 'aws-chunked', 'x-amz-decoded-content-length': '10' },
      body: chunk('hello') + chunk('world') + chunk(''),
    })
    expect(answer.status).toBe(200)
    expect(await text(await get('signed-chunks'))).toBe('helloworld')
  })

  it('have the type binary/octet-stream when none was told', async () => {
    const answer = await signedRequest(aws, { method: 'PUT', path: `/${Bucket}/plain`, body: 'x' })
    expect(answer.status).toBe(200)
    expect((await get('plain')).ContentType).toBe('binary/octet-stream')
  })

  it('keep metadata that is not ASCII, as UTF-8', async () => {
    const sent = await signedRequest(aws, {
      method: 'PUT',
      path: `/${Bucket}/umlaut`,
      headers: { 'x-amz-meta-city': 'Köln 東京' },
      body: 'x',
    })
    expect(sent.status).toBe(200)
    const { headers } = await signedRequest(aws, { path: `/${Bucket}/umlaut` })
    expect(Buffer.from(String(headers['x-amz-meta-city']), 'latin1').toString('utf8')).toBe('Köln 東京')
  })

  it('that are not there are NoSuchKey, NotFound for HEAD, NoSuchBucket without a bucket', async () => {
    await expect(get('nothing')).rejects.toEqual(status(404, 'NoSuchKey'))
    await expect(aws.s3.send(new HeadObjectCommand({ Bucket, Key: 'nothing' }))).rejects.toEqual(
      status(404, 'NotFound'),
    )
    await expect(aws.s3.send(new GetObjectCommand({ Bucket: 'nowhere', Key: 'x' }))).rejects.toEqual(
      status(404, 'NoSuchBucket'),
    )
  })

  it.each([
    "dt=2026-01-01/région=a b/x+y&z%20é'(1)*!~.parquet",
    'a//b/../c/./d',
    ' leading and trailing ',
    'quotes"<tag>&amp;',
    'emoji-😀-\u{10FFFF}',
    '%2F%00%',
    '?versionId=1#x',
  ])('with the key %j survive put, get, list, copy and delete', async (key) => {
    const Key = `odd/${key}`
    await put(Key, 'odd')
    expect(await text(await get(Key))).toBe('odd')
    const listed = await aws.s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'odd/' }))
    expect(listed.Contents?.map((entry) => entry.Key)).toEqual([Key])
    const CopySource = `${Bucket}/${Key.split('/').map(encodeURIComponent).join('/')}`
    await aws.s3.send(new CopyObjectCommand({ Bucket, Key: 'copied', CopySource }))
    expect(await text(await get('copied'))).toBe('odd')
    const deleted = await aws.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }] } }))
    expect(deleted.Deleted?.map((entry) => entry.Key)).toEqual([Key])
    await expect(get(Key)).rejects.toEqual(status(404))
  })
})

describe('ranges', () => {
  const body = randomBytes(70_001)
  beforeAll(() => put('ranged', body))

  it.each([
    ['bytes=100-199', body.subarray(100, 200)],
    ['bytes=69990-', body.subarray(69_990)],
    ['bytes=-8', body.subarray(-8)],
    ['bytes=-9999999', body],
    ['bytes=0-9999999', body],
  ])('%s gives just those bytes', async (Range, expected) => {
    const answer = await get('ranged', { Range })
    expect(answer.$metadata.httpStatusCode).toBe(206)
    const first = body.length - expected.length === 0 ? 0 : body.indexOf(expected)
    expect(answer.ContentRange).toBe(`bytes ${first}-${first + expected.length - 1}/${body.length}`)
    expect(await bytes(answer)).toEqual(expected)
  })

  it.each(['bytes=70001-', 'bytes=-0'])('%s lies beyond the end', async (Range) => {
    await expect(get('ranged', { Range })).rejects.toEqual(status(416, 'InvalidRange'))
  })

  it.each(['bytes=5-2', 'bytes=0-1,5-6', 'lines=1-2', 'bytes=-'])('%s counts as none', async (Range) => {
    const answer = await get('ranged', { Range })
    expect(answer.$metadata.httpStatusCode).toBe(200)
    expect(await bytes(answer)).toEqual(body)
  })
})

describe('conditional writes', () => {
  it('If-None-Match: * creates once', async () => {
    await put('once', 'one', { IfNoneMatch: '*' })
    await expect(put('once', 'two', { IfNoneMatch: '*' })).rejects.toEqual(status(412, 'PreconditionFailed'))
    expect(await text(await get('once'))).toBe('one')
  })

  it('of 20 racers one wins and 19 are told', async () => {
    const racers = Array.from({ length: 20 }, (_, i) => put('race', `racer ${i}`, { IfNoneMatch: '*' }))
    const results = await Promise.allSettled(racers)
    const winner = results.findIndex((result) => result.status === 'fulfilled')
    const losers = results.filter((result) => result.status === 'rejected')
    expect(losers.map((result) => result.reason.$metadata.httpStatusCode)).toEqual(Array(19).fill(412))
    expect(await text(await get('race'))).toBe(`racer ${winner}`)
  })

  it('of 20 replacers with one ETag one wins', async () => {
    const { ETag } = await put('swap', 'start')
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => put('swap', `replacer ${i}`, { IfMatch: ETag })),
    )
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
  })

  it('If-Match replaces what it names, and nothing else', async () => {
    const { ETag } = await put('match', 'one')
    await put('match', 'two', { IfMatch: ETag })
    await expect(put('match', 'three', { IfMatch: ETag })).rejects.toEqual(status(412))
    await expect(put('match-missing', 'x', { IfMatch: ETag })).rejects.toEqual(status(404, 'NoSuchKey'))
    expect(await text(await get('match'))).toBe('two')
  })

  it('DeleteObject honours If-Match', async () => {
    const { ETag } = await put('delete-if', 'one')
    const remove = (IfMatch: string) => aws.s3.send(new DeleteObjectCommand({ Bucket, Key: 'delete-if', IfMatch }))
    await expect(remove('"0123"')).rejects.toEqual(status(412))
    await remove(ETag!)
    await expect(get('delete-if')).rejects.toEqual(status(404))
  })

  it('a condition S3 does not know on a write is 501', async () => {
    await expect(put('once', 'x', { IfNoneMatch: '"abc"' })).rejects.toEqual(status(501, 'NotImplemented'))
  })
})

describe('conditional reads', () => {
  it('know tags with and without quotes, lists and stars', async () => {
    const { ETag = '' } = await put('tagged', 'x')
    for (const IfMatch of [ETag, ETag.replaceAll('"', ''), '*', `"other", ${ETag}`]) {
      expect(await text(await get('tagged', { IfMatch }))).toBe('x')
    }
    await expect(get('tagged', { IfMatch: '"other"' })).rejects.toEqual(status(412))
    await expect(get('tagged', { IfNoneMatch: ETag })).rejects.toEqual(status(304))
    await expect(get('tagged', { IfNoneMatch: '*' })).rejects.toEqual(status(304))
    expect(await text(await get('tagged', { IfNoneMatch: '"other"' }))).toBe('x')
  })

  it('know dates, which count only where no tag is given', async () => {
    const { ETag } = await put('dated', 'x')
    const [past, future] = [new Date(0), new Date(Date.now() + 3_600_000)]
    await expect(get('dated', { IfModifiedSince: future })).rejects.toEqual(status(304))
    await expect(get('dated', { IfUnmodifiedSince: past })).rejects.toEqual(status(412))
    expect(await text(await get('dated', { IfModifiedSince: past, IfUnmodifiedSince: future }))).toBe('x')
    expect(await text(await get('dated', { IfMatch: ETag, IfUnmodifiedSince: past }))).toBe('x')
    expect(await text(await get('dated', { IfNoneMatch: '"other"', IfModifiedSince: future }))).toBe('x')
  })
})

describe('copies', () => {
  const copy = (Key: string, from: string, more: object = {}) =>
    aws.s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/${from}`, ...more }))

  it('keep bytes and metadata, or replace the latter', async () => {
    await put('source', 'copied bytes', { Metadata: { kept: 'yes' }, ContentType: 'text/x', Tagging: 'a=1' })
    const { CopyObjectResult } = await copy('target', 'source')
    const target = await get('target')
    expect(target).toMatchObject({
      ETag: CopyObjectResult?.ETag,
      Metadata: { kept: 'yes' },
      ContentType: 'text/x',
      TagCount: 1,
    })
    expect(await text(target)).toBe('copied bytes')
    await copy('target', 'source', {
      MetadataDirective: 'REPLACE',
      Metadata: { new: 'one' },
      TaggingDirective: 'REPLACE',
    })
    expect(await get('target')).toMatchObject({ Metadata: { new: 'one' } })
    const tags = await aws.s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'target' }))
    expect(tags.TagSet).toEqual([])
  })

  it('do not follow their source: it may change or go', async () => {
    await put('origin', 'first')
    await copy('snapshot', 'origin')
    await put('origin', 'second')
    await aws.s3.send(new DeleteObjectCommand({ Bucket, Key: 'origin' }))
    expect(await text(await get('snapshot'))).toBe('first')
  })

  it('honour the conditions on their source', async () => {
    const { ETag } = await put('source-if', 'x')
    await copy('t', 'source-if', { CopySourceIfMatch: ETag })
    const past = new Date(0)
    const future = new Date(Date.now() + 3_600_000)
    for (const condition of [
      { CopySourceIfMatch: '"other"' },
      { CopySourceIfNoneMatch: ETag },
      { CopySourceIfModifiedSince: future },
      { CopySourceIfUnmodifiedSince: past },
    ]) {
      await expect(copy('t', 'source-if', condition)).rejects.toEqual(status(412, 'PreconditionFailed'))
    }
  })

  it('onto themselves are refused unless they replace the metadata', async () => {
    await put('self', 'x')
    await expect(copy('self', 'self')).rejects.toEqual(status(400, 'InvalidRequest'))
    await copy('self', 'self', { MetadataDirective: 'REPLACE', Metadata: { a: 'b' } })
    const answer = await get('self')
    expect(answer.Metadata).toEqual({ a: 'b' })
    expect(await text(answer)).toBe('x')
  })

  it('of what is not there are NoSuchKey', async () => {
    await expect(copy('t', 'no-such-source')).rejects.toEqual(status(404, 'NoSuchKey'))
  })
})

describe('deletes and buckets', () => {
  it('delete what is there and what is not, quietly or not', async () => {
    await put('d1', 'x')
    const remove = (Quiet: boolean) =>
      aws.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Quiet, Objects: [{ Key: 'd1' }, { Key: 'd2' }] } }))
    expect((await remove(false)).Deleted).toHaveLength(2)
    expect((await remove(true)).Deleted).toBeUndefined()
    await aws.s3.send(new DeleteObjectCommand({ Bucket, Key: 'd1' }))
  })

  it('delete 1,000 keys at once and refuse one more', async () => {
    const keys = (count: number) => Array.from({ length: count }, (_, i) => ({ Key: `many/${i}` }))
    const remove = (count: number) =>
      aws.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys(count) } }))
    expect((await remove(1000)).Deleted).toHaveLength(1000)
    await expect(remove(1001)).rejects.toEqual(status(400, 'MalformedXML'))
  })

  it('buckets are made, found, listed, and removed when empty', async () => {
    const name = 'short-lived'
    await aws.s3.send(
      new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } }),
    )
    await aws.s3.send(new CreateBucketCommand({ Bucket: name }))
    await aws.s3.send(new HeadBucketCommand({ Bucket: name }))
    const location = await aws.s3.send(new GetBucketLocationCommand({ Bucket: name }))
    expect(location.LocationConstraint).toBe('eu-central-1')
    const { Buckets } = await aws.s3.send(new ListBucketsCommand({ Prefix: 'short' }))
    expect(Buckets?.map((bucket) => bucket.Name)).toEqual([name])
    await aws.s3.send(new PutObjectCommand({ Bucket: name, Key: 'k', Body: 'x' }))
    await expect(aws.s3.send(new DeleteBucketCommand({ Bucket: name }))).rejects.toEqual(status(409, 'BucketNotEmpty'))
    await aws.s3.send(new DeleteObjectCommand({ Bucket: name, Key: 'k' }))
    await aws.s3.send(new DeleteBucketCommand({ Bucket: name }))
    await expect(aws.s3.send(new HeadBucketCommand({ Bucket: name }))).rejects.toEqual(status(404))
  })

  it.each(['ab', 'UPPER-case', 'has_underscore', '192.168.1.1', 'two..dots', '-begins'])(
    'refuse the bucket name %s',
    async (name) => {
      const answer = await signedRequest(aws, { method: 'PUT', path: `/${name}` })
      expect([answer.status, answer.code]).toEqual([400, 'InvalidBucketName'])
    },
  )
})
