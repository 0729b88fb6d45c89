import { randomBytes, randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { LakeBucket } from '../../../src/lake/storage/lake-bucket.ts'
import { crc32Base64, MultipartSink, PART_LIMIT, PartSlots } from '../../../src/lake/storage/multipart-sink.ts'
import { unsignedParts } from '../../../src/lake/storage/s3-client.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { type S3Proxy, startS3Proxy, type Verdict } from '../snapshot/s3-proxy.ts'

const MIB = 1024 * 1024
const PART = 5 * MIB
const id = '20261122t020000z-01kaq3c9'
const key = `lake/v1/players/snapshot_date=2026-11-22/snapshot_id=${id}/part-00-00000.parquet`

let aws: TestAws
let proxy: S3Proxy
let client: S3Client
let bucket: LakeBucket

beforeAll(async () => {
  aws = await startTestAws()
})

afterAll(() => aws?.stop())

beforeEach(async () => {
  proxy = await startS3Proxy(aws.endpoint)
  const { credentials, region } = aws
  client = unsignedParts(
    new S3Client({ endpoint: proxy.endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 }),
  )
  const name = `sink-${randomUUID()}`
  await client.send(new CreateBucketCommand({ Bucket: name }))
  bucket = new LakeBucket({ client, bucket: name, retries: { tries: 4, baseMs: 1, capMs: 5, totalMs: 5_000 } })
})

afterEach(async () => {
  client.destroy()
  await proxy.close()
})

async function newSink(slots = new PartSlots(2, PART)): Promise<MultipartSink> {
  return new MultipartSink({ bucket, key, uploadId: await bucket.multipart.create(key, id), partBytes: PART, slots })
}

/** Writes in pieces that do not fit parts, stopping while the sink is busy. */
async function write(sink: MultipartSink, bytes: Buffer, pieceBytes = 700_001): Promise<void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    sink.write(bytes.subarray(at, at + pieceBytes))
    if (sink.busy) await sink.drained()
  }
}

const pending = (sink: MultipartSink, parts: Awaited<ReturnType<MultipartSink['finish']>>, bytes: Buffer) => ({
  ...{ key, uploadId: sink.uploadId, parts, bytes: bytes.length, crc32: crc32Base64(crc32(bytes)) },
})

async function uploads(): Promise<string[]> {
  const found: string[] = []
  for await (const upload of bucket.multipart.pending('lake/')) found.push(upload.uploadId)
  return found
}

describe('a sink', () => {
  test('shows nothing before the object is completed, and then every byte', async () => {
    const bytes = randomBytes(2 * PART + 12_345)
    const sink = await newSink()
    await write(sink, bytes)
    const parts = await sink.finish()
    expect(parts.map((part) => [part.number, part.bytes])).toEqual([
      [1, PART],
      [2, PART],
      [3, 12_345],
    ])
    expect(await bucket.head(key)).toBeUndefined()
    expect(await bucket.multipart.complete(pending(sink, parts, bytes))).toBe('completed')
    expect(await bucket.head(key)).toMatchObject({ bytes: bytes.length, crc32: crc32Base64(crc32(bytes)) })
    expect((await bucket.range(key, 0, bytes.length)).equals(bytes)).toBe(true)
    expect((await bucket.tail(key, 99)).equals(bytes.subarray(-99))).toBe(true)
    // A second process that completes the same upload finds the object and is content.
    expect(await bucket.multipart.complete(pending(sink, parts, bytes))).toBe('completed')
  })

  test('sends a failed part again, from the same bytes', async () => {
    const failed = new Set<string>()
    proxy.decide = ({ url = '' }) => {
      if (!url.includes('partNumber') || failed.has(url)) return 'pass'
      failed.add(url)
      return failed.size % 2 === 0 ? 'reset' : 'slow-down'
    }
    const bytes = randomBytes(3 * PART)
    const sink = await newSink()
    await write(sink, bytes)
    const parts = await sink.finish()
    expect(failed.size).toBe(3)
    await bucket.multipart.complete(pending(sink, parts, bytes))
    expect((await bucket.range(key, 0, bytes.length)).equals(bytes)).toBe(true)
  })

  test('is busy while more parts wait than may be under way', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let underWay = 0
    proxy.decide = async ({ url = '' }): Promise<Verdict> => {
      if (!url.includes('partNumber')) return 'pass'
      underWay++
      await held
      return 'pass'
    }
    const sink = await newSink()
    sink.write(Buffer.alloc(2 * PART))
    expect(sink.busy).toBe(false)
    sink.write(Buffer.alloc(PART))
    expect(sink.busy).toBe(true)
    const drained = sink.drained()
    await expect.poll(() => underWay).toBe(2)
    release()
    await drained
    expect(sink.busy).toBe(false)
    expect(await sink.finish()).toHaveLength(3)
  })

  test('is busy while parts of other files wait, so that many files in a row take no more memory than one', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    proxy.decide = async ({ url = '' }): Promise<Verdict> => {
      if (url.includes('partNumber')) await held
      return 'pass'
    }
    const slots = new PartSlots(2, PART)
    const [first, second, third] = [await newSink(slots), await newSink(slots), await newSink(slots)]
    // Files that end with a small part each: a part takes the memory of a whole one.
    const finished = [first, second].map((sink) => {
      sink.write(Buffer.alloc(100))
      return sink.finish()
    })
    expect(third.busy).toBe(false)
    third.write(Buffer.alloc(PART))
    expect(third.busy).toBe(true)
    const drained = third.drained()
    release()
    await drained
    expect(third.busy).toBe(false)
    await Promise.all([...finished, third.finish()])
  })

  test('that waits for parts of other files hears when it is cancelled', async () => {
    proxy.decide = ({ url = '' }) => (url.includes('partNumber') ? new Promise(() => {}) : 'pass')
    const slots = new PartSlots(1, PART)
    const [first, second] = [await newSink(slots), await newSink(slots)]
    first.write(Buffer.alloc(2 * PART))
    expect(second.busy).toBe(true)
    const drained = second.drained()
    second.cancel()
    await expect(drained).rejects.toMatchObject({ code: 'cancelled' })
    await first.abort()
  })

  test('ends with the first failure, told to every later call, and leaves no upload when aborted', async () => {
    proxy.decide = ({ url = '' }) => (url.includes('partNumber') ? 'refuse' : 'pass')
    const sink = await newSink()
    sink.write(Buffer.alloc(PART))
    await expect(sink.finish()).rejects.toMatchObject({ code: 'storage_denied', facts: { key } })
    expect(() => sink.write(Buffer.alloc(1))).toThrow(expect.objectContaining({ code: 'storage_denied' }))
    await sink.abort()
    expect(await uploads()).toEqual([])
  })

  test('never tells a file without a part that failed after everything had been written', async () => {
    proxy.decide = ({ url = '' }) => (url.includes('partNumber=2') ? 'refuse' : 'pass')
    const sink = await newSink()
    await write(sink, randomBytes(PART + 1))
    await expect(sink.finish()).rejects.toMatchObject({ code: 'storage_denied', facts: { key } })
    // A second attempt to end it hears the same, and not the parts that happened to be safe.
    await expect(sink.finish()).rejects.toMatchObject({ code: 'storage_denied' })
    await sink.abort()
    expect(await uploads()).toEqual([])
  })

  test('can be aborted while parts are under way', async () => {
    let arrived = () => {}
    const waiting = new Promise<void>((resolve) => {
      arrived = resolve
    })
    proxy.decide = ({ url = '' }) => {
      if (!url.includes('partNumber')) return 'pass'
      arrived()
      return new Promise(() => {})
    }
    const sink = await newSink()
    sink.write(Buffer.alloc(PART))
    await waiting
    await sink.abort()
    expect(await uploads()).toEqual([])
  })

  test('refuses a file that needs too many parts', async () => {
    const slots = new PartSlots(2, 1)
    let sent = 0
    const multipart = Object.assign(Object.create(bucket.multipart) as typeof bucket.multipart, {
      sendPart: async (_: unknown, part: { number: number; bytes: Uint8Array; crc32: string }) => {
        sent++
        return { number: part.number, etag: '"x"', crc32: part.crc32, bytes: part.bytes.length }
      },
    })
    const fake = Object.defineProperty(Object.create(bucket) as LakeBucket, 'multipart', { value: multipart })
    const sink = new MultipartSink({ bucket: fake, key, uploadId: 'x', partBytes: 1, slots })
    expect(() => sink.write(Buffer.alloc(PART_LIMIT))).toThrow(expect.objectContaining({ code: 'part_limit' }))
    await expect(sink.finish()).rejects.toMatchObject({ code: 'part_limit' })
    // Those that had begun before it end; none begins after.
    expect(sent).toBeLessThanOrEqual(slots.limit)
  })
})

describe('an object', () => {
  test('is never overwritten: another one under its key is an error', async () => {
    const first = randomBytes(100)
    const sink = await newSink()
    sink.write(first)
    await bucket.multipart.complete(pending(sink, await sink.finish(), first))
    const second = randomBytes(100)
    const other = await newSink()
    other.write(second)
    const parts = await other.finish()
    await expect(bucket.multipart.complete(pending(other, parts, second))).rejects.toMatchObject({
      code: 'object_mismatch',
    })
    expect((await bucket.range(key, 0, 100)).equals(first)).toBe(true)
  })

  test('whose bytes differ from the declared checksum is not made', async () => {
    const sink = await newSink()
    sink.write(Buffer.alloc(100))
    const parts = await sink.finish()
    const wrong = { ...pending(sink, parts, Buffer.alloc(100)), crc32: crc32Base64(1) }
    await expect(bucket.multipart.complete(wrong)).rejects.toMatchObject({ code: 'object_mismatch' })
    expect(await bucket.head(key)).toBeUndefined()
  })

  test('whose upload and bytes are both gone is absent', async () => {
    const sink = await newSink()
    sink.write(Buffer.alloc(100))
    const parts = await sink.finish()
    await bucket.multipart.abort(key, sink.uploadId)
    expect(await bucket.multipart.complete(pending(sink, parts, Buffer.alloc(100)))).toBe('absent')
  })

  test('of text is written only under its condition', async () => {
    const at = 'lake-meta/v1/CURRENT.json'
    expect(await bucket.putText(at, 'one', { etag: '"none"' })).toBe(false)
    expect(await bucket.putText(at, 'one', '*')).toBe(true)
    expect(await bucket.putText(at, 'two', '*')).toBe(false)
    const stored = await bucket.getText(at)
    expect(stored?.text).toBe('one')
    expect(await bucket.putText(at, 'two', { etag: stored?.etag ?? '' })).toBe(true)
    expect(await bucket.putText(at, 'three', { etag: stored?.etag ?? '' })).toBe(false)
    expect((await bucket.getText(at))?.text).toBe('two')
  })
})
