import {
  CreateBucketCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestAws, type TestAws } from '../../../support/local-aws.ts'
import { signedRequest } from '../signed-request.ts'

const Bucket = 'listing'
// in UTF-8 order, which is not the order of UTF-16: U+FFFD sorts before the emoji
const KEYS = [
  'a/1',
  'a/2',
  'a/b/1',
  'a0',
  'b\r\n<&>',
  'dt=1/part-0',
  'dt=1/part-1',
  'dt=2/part-0',
  'z',
  'é',
  '\uFFFD',
  '😀',
  '\u{10FFFF}/x',
  '\u{10FFFF}\u{10FFFF}/y',
]
let aws: TestAws

beforeAll(async () => {
  aws = await startTestAws()
  await aws.s3.send(new CreateBucketCommand({ Bucket }))
  await Promise.all(KEYS.toReversed().map((Key) => aws.s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))))
})
afterAll(() => aws?.stop())

const list = (more: object = {}) => aws.s3.send(new ListObjectsV2Command({ Bucket, ...more }))
const keys = (page: { Contents?: { Key?: string | undefined }[] | undefined }) =>
  (page.Contents ?? []).map((entry) => entry.Key)
const prefixes = (page: { CommonPrefixes?: { Prefix?: string | undefined }[] | undefined }) =>
  (page.CommonPrefixes ?? []).map((one) => one.Prefix)

/** What a listing must hold, computed naively. */
function expected(prefix: string, delimiter: string): { keys: string[]; prefixes: string[] } {
  const found = { keys: [] as string[], prefixes: new Set<string>() }
  for (const key of KEYS) {
    if (!key.startsWith(prefix)) continue
    const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    if (at < 0) found.keys.push(key)
    else found.prefixes.add(key.slice(0, at + delimiter.length))
  }
  return { keys: found.keys, prefixes: [...found.prefixes] }
}

describe('listings', () => {
  it('are in the byte order of UTF-8', async () => {
    const page = await list()
    expect(keys(page)).toEqual(KEYS)
    expect(page).toMatchObject({ KeyCount: KEYS.length, IsTruncated: false })
    expect(page.Contents?.[0]).toMatchObject({ Size: 3, StorageClass: 'STANDARD', ChecksumAlgorithm: ['CRC32'] })
  })

  it.each([
    ['', '/'],
    ['a/', '/'],
    ['a', '/'],
    ['dt=', '='],
    ['', 'a'],
    ['', 'part-'],
    ['nothing', '/'],
    ['', ''],
    ['\u{10FFFF}', '/'],
  ])('of prefix %j and delimiter %j are the same in pages of any size', async (Prefix, Delimiter) => {
    const wanted = expected(Prefix, Delimiter)
    for (const pageSize of [1, 2, 3, 1000]) {
      const found = { keys: [] as (string | undefined)[], prefixes: [] as (string | undefined)[] }
      const input = { Bucket, Prefix, ...(Delimiter === '' ? {} : { Delimiter }) }
      for await (const page of paginateListObjectsV2({ client: aws.s3, pageSize }, input)) {
        expect(page.KeyCount).toBeLessThanOrEqual(pageSize)
        found.keys.push(...keys(page))
        found.prefixes.push(...prefixes(page))
      }
      expect(found).toEqual(wanted)
    }
  })

  it('start behind StartAfter, be it a key or not', async () => {
    expect(keys(await list({ StartAfter: 'a/2', MaxKeys: 2 }))).toEqual(['a/b/1', 'a0'])
    expect(keys(await list({ StartAfter: 'a/1zzz', MaxKeys: 1 }))).toEqual(['a/2'])
    expect(keys(await list({ StartAfter: 'a', Prefix: 'dt=1/' }))).toEqual(['dt=1/part-0', 'dt=1/part-1'])
    expect(keys(await list({ StartAfter: 'z', Prefix: 'dt=1/' }))).toEqual([])
  })

  it('with FetchOwner tell the owner, else not', async () => {
    expect((await list({ MaxKeys: 1, FetchOwner: true })).Contents?.[0]?.Owner?.ID).toMatch(/^\d{12}$/)
    expect((await list({ MaxKeys: 1 })).Contents?.[0]?.Owner).toBeUndefined()
  })

  it('encode keys when asked to', async () => {
    const page = await list({ EncodingType: 'url', Prefix: 'b' })
    expect(keys(page)).toEqual(['b%0D%0A%3C%26%3E'])
    expect(page.EncodingType).toBe('url')
  })

  it('of no keys at all are not truncated', async () => {
    const page = await list({ MaxKeys: 0 })
    expect(page).toMatchObject({ KeyCount: 0, IsTruncated: false, MaxKeys: 0 })
  })

  it.each(['-1', 'x', '1.5', '99999999999'])('max-keys=%s is 400', async (max) => {
    const query = { 'list-type': '2', 'max-keys': max }
    const answer = await signedRequest(aws, { path: `/${Bucket}`, query })
    expect([answer.status, answer.code]).toEqual([400, 'InvalidArgument'])
  })

  it.each(['', '%%%', 'no-token!'])('the continuation token %j is 400', async (token) => {
    const answer = await signedRequest(aws, {
      path: `/${Bucket}`,
      query: { 'list-type': '2', 'continuation-token': token },
    })
    expect([answer.status, answer.code]).toEqual([400, 'InvalidArgument'])
  })

  it('of the first version page by Marker; NextMarker comes with a delimiter only', async () => {
    const plain = await aws.s3.send(new ListObjectsCommand({ Bucket, MaxKeys: 2 }))
    expect([keys(plain), plain.IsTruncated, plain.NextMarker]).toEqual([['a/1', 'a/2'], true, undefined])
    const next = await aws.s3.send(new ListObjectsCommand({ Bucket, MaxKeys: 1, Marker: 'a/2' }))
    expect(keys(next)).toEqual(['a/b/1'])
    const grouped = await aws.s3.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 1 }))
    expect([prefixes(grouped), grouped.NextMarker]).toEqual([['a/'], 'a/'])
    const behind = await aws.s3.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 1, Marker: 'a/' }))
    expect(keys(behind)).toEqual(['a0'])
  })

  it('of versions tell each object once, as version null', async () => {
    const page = await aws.s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'dt=1/' }))
    expect(page.Versions?.map((one) => [one.Key, one.VersionId, one.IsLatest])).toEqual([
      ['dt=1/part-0', 'null', true],
      ['dt=1/part-1', 'null', true],
    ])
  })
})
