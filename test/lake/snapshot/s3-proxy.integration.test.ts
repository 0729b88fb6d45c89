import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { GetDatabasesCommand, GlueClient } from '@aws-sdk/client-glue'
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { faultRate, operationOf, type S3Proxy, serviceOf, startS3Proxy, type Verdict } from './s3-proxy.ts'

const Bucket = 'proxied'
const Body = randomBytes(300_000)

let aws: TestAws
let proxy: S3Proxy
let s3: S3Client
let glue: GlueClient

beforeAll(async () => {
  aws = await startTestAws()
  await aws.s3.send(new CreateBucketCommand({ Bucket }))
  await aws.s3.send(new PutObjectCommand({ Bucket, Key: 'there', Body }))
  proxy = await startS3Proxy(aws.endpoint, { slowBytesPerSecond: 2_000_000, slowStartMs: 20 })
  const settings = {
    ...{ endpoint: proxy.endpoint, region: aws.region, credentials: aws.credentials, maxAttempts: 1 },
    requestHandler: { requestTimeout: 300, throwOnRequestTimeout: true },
  }
  s3 = new S3Client({ ...settings, forcePathStyle: true })
  glue = new GlueClient(settings)
})

afterAll(async () => {
  s3?.destroy()
  glue?.destroy()
  await proxy?.close()
  await aws?.stop()
})

beforeEach(() => {
  proxy.decide = () => 'pass'
})

const put = (Key: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body }))
const get = async () => {
  const answer = await s3.send(new GetObjectCommand({ Bucket, Key: 'there' }))
  return Buffer.from((await answer.Body?.transformToByteArray()) ?? [])
}
/** Asked behind the proxy's back. */
const isThere = (Key: string) =>
  aws.s3.send(new HeadObjectCommand({ Bucket, Key })).then(
    () => true,
    () => false,
  )
const errorOf = (call: Promise<unknown>) =>
  call.then(
    () => 'none',
    // the SDK calls a broken connection a TimeoutError too
    (error: Error & { code?: string }) => (error.code === 'ECONNRESET' ? error.code : error.name),
  )

describe('what a client sees of each verdict', () => {
  test.each<[Verdict, string, boolean]>([
    ['pass', 'none', true],
    ['slow', 'none', true],
    ['slow-down', 'SlowDown', false],
    ['internal-error', 'InternalError', false],
    ['refuse', 'AccessDenied', false],
    ['reset', 'ECONNRESET', false],
    ['time-out', 'TimeoutError', false],
    ['lost-answer', 'ECONNRESET', true],
    ['cut-answer', 'ECONNRESET', true],
  ])('%s: a PUT ends with %s, the object is there: %s', async (verdict, error, there) => {
    const before = proxy.verdicts[verdict]
    proxy.decide = () => verdict
    expect(await errorOf(put(verdict))).toBe(error)
    expect(await isThere(verdict)).toBe(there)
    expect(proxy.verdicts[verdict]).toBe(before + 1)
  })

  test('flip: a changed PUT is refused by its checksum, a changed answer arrives with one bit changed', async () => {
    proxy.decide = () => 'flip'
    expect(await errorOf(put('flipped'))).toMatch(/XAmzContentSHA256Mismatch|BadDigest|XAmzContentChecksumMismatch/)
    expect(await isThere('flipped')).toBe(false)
    const raw = await fetchSigned()
    const bits = raw.reduce((sum, byte, index) => sum + ones(byte ^ (Body[index] ?? 0)), 0)
    expect(raw.length).toBe(Body.length)
    expect(bits).toBe(1)
  })

  test('cut-answer: the body of a GET ends early, with an error', async () => {
    proxy.decide = () => 'cut-answer'
    await expect(get()).rejects.toThrow()
    proxy.decide = () => 'slow'
    expect(
      createHash('md5')
        .update(await get())
        .digest('hex'),
    ).toBe(createHash('md5').update(Body).digest('hex'))
  })
})

const ones = (byte: number) => byte.toString(2).replaceAll('0', '').length

/** Without the SDK's own check of the answer's checksum. */
async function fetchSigned(): Promise<Buffer> {
  const plain = new S3Client({
    ...{ endpoint: proxy.endpoint, region: aws.region, credentials: aws.credentials, forcePathStyle: true },
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const answer = await plain.send(new GetObjectCommand({ Bucket, Key: 'there' }))
  const bytes = Buffer.from((await answer.Body?.transformToByteArray()) ?? [])
  plain.destroy()
  return bytes
}

test('a rate of faults meets S3 alone; Glue passes untouched at the same address', async () => {
  const decide = faultRate(1, ['slow-down'], 1)
  const services: string[] = []
  proxy.decide = (request) => {
    services.push(serviceOf(request))
    return decide(request)
  }
  expect((await glue.send(new GetDatabasesCommand({}))).DatabaseList).toBeDefined()
  expect(await errorOf(s3.send(new ListObjectsV2Command({ Bucket })))).toBe('SlowDown')
  expect(services).toEqual(['glue', 's3'])
  proxy.decide = faultRate(1, ['slow-down'], 1, { services: ['glue'] })
  expect(await errorOf(glue.send(new GetDatabasesCommand({})))).not.toBe('none')
  expect(await errorOf(s3.send(new ListObjectsV2Command({ Bucket })))).toBe('none')
})

describe('a rate of faults', () => {
  const call = (method: string, url: string) => ({ method, url, headers: {} }) as IncomingMessage
  const part = (number: number) =>
    call('PUT', `/lake-${number}/lake/v1/x.parquet?partNumber=${number}&uploadId=${number}`)
  const verdicts: Verdict[] = ['slow-down', 'reset', 'lost-answer']

  test('of one seed repeats itself, whatever ids the keys have and whatever is called in between', () => {
    const first = faultRate(0.5, verdicts, 7)
    const again = faultRate(0.5, verdicts, 7)
    const other = faultRate(0.5, verdicts, 8)
    const fates = Array.from({ length: 200 }, (_, i) => first(part(i)))
    const fatesAgain = Array.from({ length: 200 }, (_, i) => {
      again(call('GET', `/bucket/${i}`))
      return again(part(i + 1_000))
    })
    expect(fatesAgain).toEqual(fates)
    expect(Array.from({ length: 200 }, (_, i) => other(part(i)))).not.toEqual(fates)
  })

  test('is the share that it says, spread over all the ways to fail', () => {
    const decide = faultRate(0.1, verdicts, 3)
    const fates = Array.from({ length: 10_000 }, (_, i) => decide(part(i)))
    for (const verdict of verdicts) {
      const share = fates.filter((fate) => fate === verdict).length / fates.length
      expect(share).toBeGreaterThan(0.025)
      expect(share).toBeLessThan(0.042)
    }
  })

  test('tells operations apart by method, place and parameters', () => {
    expect(operationOf(part(1))).toBe('PUT object partNumber uploadId')
    expect(operationOf(call('GET', '/bucket?list-type=2&prefix=a&x-id=ListObjectsV2'))).toBe(
      'GET bucket list-type prefix',
    )
  })
})
