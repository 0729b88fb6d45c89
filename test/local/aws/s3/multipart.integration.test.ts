import { createHash, randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  AbortMultipartUploadCommand,
  type ChecksumAlgorithm,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestAws, type TestAws } from '../../../support/local-aws.ts'
import { signedRequest } from '../signed-request.ts'

const Bucket = 'multipart'
const MIB = 1024 * 1024
let aws: TestAws

beforeAll(async () => {
  aws = await startTestAws()
  await aws.s3.send(new CreateBucketCommand({ Bucket }))
})
afterAll(() => aws?.stop())

const status = (code: number, name?: string) =>
  expect.objectContaining({
    ...(name === undefined ? {} : { name }),
    $metadata: expect.objectContaining({ httpStatusCode: code }),
  })
const create = async (Key: string, more: object = {}) =>
  (await aws.s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }))).UploadId!
async function part(Key: string, UploadId: string, PartNumber: number, Body: Uint8Array | string, more: object = {}) {
  const answer = await aws.s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ...more }))
  const { ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 } = answer
  return { PartNumber, ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 }
}
const complete = (Key: string, UploadId: string, Parts: CompletedPart[], more: object = {}) =>
  aws.s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...more }))
async function read(Key: string, more: object = {}) {
  const answer = await aws.s3.send(new GetObjectCommand({ Bucket, Key, ...more }))
  return Buffer.from(await answer.Body!.transformToByteArray())
}
const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest()

describe('multipart uploads', () => {
  it('become one object whose ETag is the MD5 of the MD5s, whatever order the parts came in', async () => {
    const body = randomBytes(17 * MIB + 13)
    const id = await create('ordered', { Metadata: { a: 'b' } })
    const pieces = [0, 1, 2, 3].map((i) => body.subarray(i * 5 * MIB, (i + 1) * 5 * MIB))
    const sent = await Promise.all([3, 1, 0, 2].map((i) => part('ordered', id, i + 1, pieces[i]!)))
    const { ETag } = await complete(
      'ordered',
      id,
      sent.sort((a, b) => a.PartNumber - b.PartNumber),
    )
    expect(ETag).toBe(`"${md5(Buffer.concat(pieces.map(md5))).toString('hex')}-4"`)
    expect((await read('ordered')).equals(body)).toBe(true)
    const head = await aws.s3.send(new HeadObjectCommand({ Bucket, Key: 'ordered' }))
    expect(head).toMatchObject({ ETag, ContentLength: body.length, Metadata: { a: 'b' } })
  })

  it('may have parts of any sizes, replaced parts, and parts that are left out', async () => {
    const sizes = [6 * MIB, 5 * MIB, 7 * MIB, 3]
    const pieces = sizes.map((size) => randomBytes(size))
    const id = await create('uneven')
    await part('uneven', id, 3, randomBytes(6 * MIB))
    await part('uneven', id, 7, randomBytes(5 * MIB))
    const sent: CompletedPart[] = []
    for (const [i, number] of [1, 2, 3, 9].entries()) sent.push(await part('uneven', id, number, pieces[i]!))
    await complete('uneven', id, sent)
    expect((await read('uneven')).equals(Buffer.concat(pieces))).toBe(true)
  })

  it('keep a part whose replacement failed', async () => {
    const good = randomBytes(5 * MIB)
    const id = await create('kept')
    const sent = [await part('kept', id, 1, good)]
    await expect(part('kept', id, 1, randomBytes(5 * MIB), { ChecksumCRC32: 'AAAAAA==' })).rejects.toEqual(status(400))
    await complete('kept', id, sent)
    expect((await read('kept')).equals(good)).toBe(true)
  })

  it('are invisible until they are complete', async () => {
    const id = await create('hidden/x')
    await part('hidden/x', id, 1, 'data')
    await expect(read('hidden/x')).rejects.toEqual(status(404, 'NoSuchKey'))
    await expect(aws.s3.send(new HeadObjectCommand({ Bucket, Key: 'hidden/x' }))).rejects.toEqual(status(404))
    const listed = await aws.s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'hidden/' }))
    expect(listed.KeyCount).toBe(0)
  })

  it('list their parts page by page', async () => {
    const id = await create('parts')
    for (const number of [1, 2, 3]) await part('parts', id, number, `part ${number}`)
    const page = (more: object) => aws.s3.send(new ListPartsCommand({ Bucket, Key: 'parts', UploadId: id, ...more }))
    const first = await page({ MaxParts: 2 })
    expect(first).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2' })
    expect(first.Parts?.map((one) => [one.PartNumber, one.Size])).toEqual([
      [1, 6],
      [2, 6],
    ])
    const second = await page({ MaxParts: 2, PartNumberMarker: first.NextPartNumberMarker })
    expect(second.Parts?.map((one) => one.PartNumber)).toEqual([3])
    expect(second.IsTruncated).toBe(false)
  })

  it('are listed by prefix and page by page', async () => {
    const ids = new Map<string, string>()
    for (const key of ['list/a', 'list/b', 'list/b', 'list/c/d', 'lisu']) ids.set(await create(key), key)
    const page = (more: object) => aws.s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'list/', ...more }))
    const all = await page({})
    expect(all.Uploads?.map((upload) => upload.Key)).toEqual(['list/a', 'list/b', 'list/b', 'list/c/d'])
    const seen: (string | undefined)[] = []
    let markers: object = {}
    for (let i = 0; i < 4; i++) {
      const one = await page({ MaxUploads: 1, ...markers })
      seen.push(...(one.Uploads ?? []).map((upload) => upload.UploadId))
      expect(one.IsTruncated).toBe(i < 3)
      markers = { KeyMarker: one.NextKeyMarker, UploadIdMarker: one.NextUploadIdMarker }
    }
    expect(seen).toEqual(all.Uploads?.map((upload) => upload.UploadId))
    const grouped = await page({ Delimiter: '/' })
    expect(grouped.CommonPrefixes).toEqual([{ Prefix: 'list/c/' }])
    expect(grouped.Uploads).toHaveLength(3)
  })

  it('are gone when aborted', async () => {
    const id = await create('aborted')
    await part('aborted', id, 1, 'x')
    await aws.s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'aborted', UploadId: id }))
    await expect(part('aborted', id, 2, 'x')).rejects.toEqual(status(404, 'NoSuchUpload'))
    await expect(complete('aborted', id, [{ PartNumber: 1, ETag: 'x' }])).rejects.toEqual(status(404, 'NoSuchUpload'))
  })

  it('copy parts and ranges of objects', async () => {
    const body = randomBytes(6 * MIB)
    await aws.s3.send(new PutObjectCommand({ Bucket, Key: 'source', Body: body }))
    const id = await create('copied')
    const copy = async (PartNumber: number, more: object = {}) => {
      const CopySource = `${Bucket}/source`
      const command = new UploadPartCopyCommand({
        Bucket,
        Key: 'copied',
        UploadId: id,
        PartNumber,
        CopySource,
        ...more,
      })
      const { CopyPartResult } = await aws.s3.send(command)
      expect(CopyPartResult?.LastModified).toBeInstanceOf(Date)
      return { PartNumber, ETag: CopyPartResult?.ETag }
    }
    const sent = [await copy(1), await copy(2, { CopySourceRange: 'bytes=10-19' })]
    for (const CopySourceRange of ['bytes=10-', 'bytes=5-2', `bytes=0-${body.length}`, 'x']) {
      await expect(copy(3, { CopySourceRange })).rejects.toEqual(status(400, 'InvalidArgument'))
    }
    await complete('copied', id, sent)
    expect((await read('copied')).equals(Buffer.concat([body, body.subarray(10, 20)]))).toBe(true)
  })

  it('are read part by part', async () => {
    const pieces = [randomBytes(5 * MIB), Buffer.from('last')]
    const id = await create('by-part')
    const sent = [await part('by-part', id, 1, pieces[0]!), await part('by-part', id, 2, pieces[1]!)]
    await complete('by-part', id, sent)
    const second = await aws.s3.send(new GetObjectCommand({ Bucket, Key: 'by-part', PartNumber: 2 }))
    expect(second).toMatchObject({ PartsCount: 2, ContentRange: `bytes ${5 * MIB}-${5 * MIB + 3}/${5 * MIB + 4}` })
    expect(await second.Body!.transformToString()).toBe('last')
    await expect(read('by-part', { PartNumber: 3 })).rejects.toEqual(status(416, 'InvalidPartNumber'))
  })
})

describe('CompleteMultipartUpload', () => {
  it('refuses lists that are empty, out of order, unknown, or of small parts; the upload lives on', async () => {
    const id = await create('strict')
    const one = await part('strict', id, 1, 'small')
    const two = await part('strict', id, 2, 'last')
    const empty = '<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></CompleteMultipartUpload>'
    const request = { method: 'POST', path: `/${Bucket}/strict`, query: { uploadId: id } }
    for (const body of ['', empty, '<Complete/>', '<CompleteMultipartUpload>']) {
      const answer = await signedRequest(aws, { ...request, body })
      expect([answer.status, answer.code]).toEqual([400, 'MalformedXML'])
    }
    await expect(complete('strict', id, [two, one])).rejects.toEqual(status(400, 'InvalidPartOrder'))
    await expect(complete('strict', id, [one, one])).rejects.toEqual(status(400, 'InvalidPartOrder'))
    await expect(complete('strict', id, [{ ...one, ETag: '"0"' }])).rejects.toEqual(status(400, 'InvalidPart'))
    await expect(complete('strict', id, [{ ...one, PartNumber: 3 }])).rejects.toEqual(status(400, 'InvalidPart'))
    await expect(complete('strict', id, [one, two])).rejects.toEqual(status(400, 'EntityTooSmall'))
    await complete('strict', id, [two])
    expect((await read('strict')).toString()).toBe('last')
  })

  it.each([0, 10_001, -1, 'x'])('part number %s is 400', async (number) => {
    const id = await create('numbers')
    const query = { uploadId: id, partNumber: String(number) }
    const answer = await signedRequest(aws, { method: 'PUT', path: `/${Bucket}/numbers`, query, body: 'x' })
    expect([answer.status, answer.code]).toEqual([400, 'InvalidArgument'])
  })

  it('checks MpuObjectSize', async () => {
    const id = await create('sized')
    const sent = [await part('sized', id, 1, 'four')]
    await expect(complete('sized', id, sent, { MpuObjectSize: 5 })).rejects.toEqual(status(400, 'InvalidRequest'))
    await complete('sized', id, sent, { MpuObjectSize: 4 })
  })

  it('repeated, answers as the first time', async () => {
    const id = await create('repeated')
    const sent = [await part('repeated', id, 1, 'x')]
    const first = await complete('repeated', id, sent)
    const second = await complete('repeated', id, sent)
    expect(second.ETag).toBe(first.ETag)
  })

  it('decides If-None-Match: * at the end: of 20 uploads of one key one wins, and losers can still be aborted', async () => {
    const uploads = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const id = await create('mp-race')
        return { id, sent: [await part('mp-race', id, 1, `upload ${i}`)] }
      }),
    )
    const results = await Promise.allSettled(
      uploads.map(({ id, sent }) => complete('mp-race', id, sent, { IfNoneMatch: '*' })),
    )
    const winner = results.findIndex((result) => result.status === 'fulfilled')
    const losers = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    expect(losers.map((reason) => reason.$metadata.httpStatusCode)).toEqual(Array(19).fill(412))
    expect((await read('mp-race')).toString()).toBe(`upload ${winner}`)
    const loser = uploads[winner === 0 ? 1 : 0]!
    await aws.s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'mp-race', UploadId: loser.id }))
    const rest = await aws.s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'mp-race' }))
    expect(rest.Uploads).toHaveLength(18)
  })

  it('leaves one file for the object and none for its parts', async () => {
    const blobs = () => readdir(join(aws.dir, 's3', 'blobs'))
    const before = (await blobs()).length
    const id = await create('one-file')
    const sent = []
    for (const number of [1, 2, 3]) sent.push(await part('one-file', id, number, randomBytes(5 * MIB)))
    expect(await blobs()).toHaveLength(before + 1)
    await complete('one-file', id, sent)
    expect(await blobs()).toHaveLength(before + 1)
  })
})

describe('checksums of multipart objects', () => {
  const cases: [ChecksumAlgorithm, 'COMPOSITE' | 'FULL_OBJECT'][] = [
    ['CRC32', 'COMPOSITE'],
    ['CRC32', 'FULL_OBJECT'],
    ['CRC32C', 'COMPOSITE'],
    ['CRC32C', 'FULL_OBJECT'],
    ['SHA1', 'COMPOSITE'],
    ['SHA256', 'COMPOSITE'],
  ]
  it.each(cases)('%s of type %s are joined, returned, and compared', async (algorithm, type) => {
    const Key = `sum-${algorithm}-${type}`
    const field = `Checksum${algorithm}` as 'ChecksumCRC32'
    const id = await create(Key, { ChecksumAlgorithm: algorithm, ChecksumType: type })
    const pieces = [randomBytes(5 * MIB), randomBytes(1000)]
    const sent: CompletedPart[] = []
    for (const [i, piece] of pieces.entries())
      sent.push(await part(Key, id, i + 1, piece, { ChecksumAlgorithm: algorithm }))
    const wrong = sent.map((one) => ({ ...one, [field]: 'AAAA' }))
    await expect(complete(Key, id, wrong)).rejects.toEqual(status(400, 'InvalidPart'))
    if (type === 'COMPOSITE') {
      const bare = sent.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }))
      await expect(complete(Key, id, bare)).rejects.toEqual(status(400, 'InvalidRequest'))
    }
    const done = await complete(Key, id, sent, { ChecksumType: type })
    expect(done[field]).toMatch(type === 'COMPOSITE' ? /-2$/ : /=$/)
    const put = await aws.s3.send(
      new PutObjectCommand({ Bucket, Key: 'plain', Body: Buffer.concat(pieces), ChecksumAlgorithm: algorithm }),
    )
    if (type === 'FULL_OBJECT') expect(done[field]).toBe(put[field])
    const head = await aws.s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }))
    expect(head).toMatchObject({ [field]: done[field], ChecksumType: type })
    const attributes = await aws.s3.send(
      new GetObjectAttributesCommand({
        Bucket,
        Key,
        ObjectAttributes: ['Checksum', 'ObjectParts', 'ObjectSize', 'ETag'],
      }),
    )
    expect(attributes).toMatchObject({
      ObjectSize: 5 * MIB + 1000,
      ETag: done.ETag?.replaceAll('"', ''),
      Checksum: { [field]: done[field], ChecksumType: type },
      ObjectParts: { TotalPartsCount: 2, Parts: sent.map((one, i) => ({ PartNumber: i + 1, [field]: one[field] })) },
    })
    // the SDK holds what it reads against a full checksum
    expect((await read(Key, { ChecksumMode: 'ENABLED' })).equals(Buffer.concat(pieces))).toBe(true)
  })

  it('CRC64NVME is of the full object, and computed where a part brings none', async () => {
    const id = await create('nvme', { ChecksumAlgorithm: 'CRC64NVME' })
    const pieces = [randomBytes(5 * MIB), randomBytes(77)]
    const sent: CompletedPart[] = []
    for (const [i, body] of pieces.entries()) {
      const query = { uploadId: id, partNumber: String(i + 1) }
      const answer = await signedRequest(aws, { method: 'PUT', path: `/${Bucket}/nvme`, query, body })
      expect(answer.headers['x-amz-checksum-crc64nvme']).toMatch(/^.{11}=$/)
      sent.push({ PartNumber: i + 1, ETag: answer.headers.etag as string })
    }
    const done = await complete('nvme', id, sent)
    expect(done.ChecksumType).toBe('FULL_OBJECT')
    const sum = await signedRequest(aws, {
      method: 'PUT',
      path: `/${Bucket}/nvme-plain`,
      headers: { 'x-amz-checksum-crc64nvme': done.ChecksumCRC64NVME! },
      body: Buffer.concat(pieces),
    })
    expect(sum.status).toBe(200)
  })

  it('another algorithm than the declared one is refused with the part', async () => {
    const id = await create('declared', { ChecksumAlgorithm: 'SHA256' })
    await expect(part('declared', id, 1, 'x', { ChecksumAlgorithm: 'CRC32' })).rejects.toEqual(
      status(400, 'InvalidRequest'),
    )
    await expect(create('x', { ChecksumAlgorithm: 'SHA256', ChecksumType: 'FULL_OBJECT' })).rejects.toEqual(status(400))
  })
})
