import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  CreateBucketCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runningChecksum } from '../../../../src/local/aws/s3/checksum.ts'
import { startTestAws, type TestAws } from '../../../support/local-aws.ts'
import { signedRequest } from '../signed-request.ts'

const Bucket = 'checksums'
const ALGORITHMS = ['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const
let aws: TestAws

beforeAll(async () => {
  aws = await startTestAws()
  await aws.s3.send(new CreateBucketCommand({ Bucket }))
})
afterAll(() => aws?.stop())

const sum = (algorithm: Parameters<typeof runningChecksum>[0], text: string) => {
  const running = runningChecksum(algorithm)
  running.update(Buffer.from(text))
  return running.digest().toString('base64')
}
const header = (algorithm: string) => `x-amz-checksum-${algorithm.toLowerCase()}`
const isAbsent = async (Key: string) =>
  expect(aws.s3.send(new HeadObjectCommand({ Bucket, Key }))).rejects.toMatchObject({ name: 'NotFound' })

describe('a checksum', () => {
  it.each(ALGORITHMS)('by %s is compared, stored and returned', async (ChecksumAlgorithm) => {
    const field = `Checksum${ChecksumAlgorithm}`
    const Key = `sent-${ChecksumAlgorithm}`
    const put = await aws.s3.send(new PutObjectCommand({ Bucket, Key, Body: 'body', ChecksumAlgorithm }))
    const expected = { [field]: sum(ChecksumAlgorithm, 'body'), ChecksumType: 'FULL_OBJECT' }
    expect(put).toMatchObject(expected)
    expect(await aws.s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }))).toMatchObject(expected)
    const got = await aws.s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }))
    expect(got).toMatchObject(expected)
    expect(await got.Body!.transformToString()).toBe('body')
    const attributes = await aws.s3.send(
      new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ['Checksum'] }),
    )
    expect(attributes.Checksum).toMatchObject(expected)
  })

  it.each(ALGORITHMS)('by %s is taken from a trailer', async (ChecksumAlgorithm) => {
    const pieces = [Buffer.from('str'), Buffer.from('eam')]
    const Body = Readable.from(pieces) as unknown as Uint8Array
    const Key = `trailed-${ChecksumAlgorithm}`
    const put = await aws.s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentLength: 6, ChecksumAlgorithm }))
    expect(put).toMatchObject({ [`Checksum${ChecksumAlgorithm}`]: sum(ChecksumAlgorithm, 'stream') })
  })

  it.each([...ALGORITHMS, 'CRC64NVME'] as const)('by %s that is wrong leaves nothing', async (algorithm) => {
    const Key = `wrong-${algorithm}`
    const headers = { [header(algorithm)]: sum(algorithm, 'other') }
    const answer = await signedRequest(aws, { method: 'PUT', path: `/${Bucket}/${Key}`, headers, body: 'body' })
    expect([answer.status, answer.code]).toEqual([400, 'BadDigest'])
    await isAbsent(Key)
  })

  it('in a trailer that is wrong, malformed or missing leaves nothing', async () => {
    for (const [trailer, code] of [
      [`x-amz-checksum-crc32:${sum('CRC32', 'other')}\r\n`, 'BadDigest'],
      ['x-amz-checksum-crc32:nonsense\r\n', 'InvalidRequest'],
      ['', 'InvalidRequest'],
    ]) {
      const answer = await signedRequest(aws, {
        method: 'PUT',
        path: `/${Bucket}/trailer`,
        payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
        headers: { 'x-amz-trailer': 'x-amz-checksum-crc32', 'x-amz-decoded-content-length': '4' },
        body: `4\r\nbody\r\n0\r\n${trailer}\r\n`,
      })
      expect([answer.status, answer.code]).toEqual([400, code])
      await isAbsent('trailer')
    }
  })

  it('of CRC64NVME is verified', async () => {
    const headers = { [header('CRC64NVME')]: sum('CRC64NVME', 'body') }
    const path = `/${Bucket}/nvme`
    const put = await signedRequest(aws, { method: 'PUT', path, headers, body: 'body' })
    expect(put.headers).toMatchObject({ ...headers, 'x-amz-checksum-type': 'FULL_OBJECT' })
    const head = await signedRequest(aws, { method: 'HEAD', path, headers: { 'x-amz-checksum-mode': 'ENABLED' } })
    expect(head.headers).toMatchObject(headers)
  })

  it('is not told for a range', async () => {
    await aws.s3.send(new PutObjectCommand({ Bucket, Key: 'range', Body: 'body' }))
    const got = await aws.s3.send(
      new GetObjectCommand({ Bucket, Key: 'range', Range: 'bytes=0-1', ChecksumMode: 'ENABLED' }),
    )
    expect(got.ChecksumCRC32).toBeUndefined()
    expect(await got.Body!.transformToString()).toBe('bo')
  })

  it.each([
    [{ 'x-amz-checksum-crc32': 'AAAA' }, 'InvalidRequest'],
    [{ 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-crc32c': 'AAAAAA==' }, 'InvalidRequest'],
    [{ 'content-md5': 'AAAA' }, 'InvalidDigest'],
    [{ 'content-md5': createHash('md5').update('other').digest('base64') }, 'BadDigest'],
  ])('in the headers %j is refused', async (headers, code) => {
    const answer = await signedRequest(aws, { method: 'PUT', path: `/${Bucket}/bad`, headers, body: 'body' })
    expect([answer.status, answer.code]).toEqual([400, code])
    await isAbsent('bad')
  })

  it('of the payload that differs from the signed one is refused', async () => {
    const payload = createHash('sha256').update('other').digest('hex')
    const answer = await signedRequest(aws, { method: 'PUT', path: `/${Bucket}/payload`, payload, body: 'body' })
    expect([answer.status, answer.code]).toEqual([400, 'XAmzContentSHA256Mismatch'])
    await isAbsent('payload')
  })
})
