import { randomBytes } from 'node:crypto'
import { link, readdir, readFile, writeFile } from 'node:fs/promises'
import { request as send } from 'node:http'
import { join } from 'node:path'
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterEach, describe, expect, it } from 'vitest'
import { startTestAws, type TestAws } from '../../../support/local-aws.ts'
import { presign, rawRequest } from '../signed-request.ts'

const Bucket = 'durable'
const MIB = 1024 * 1024
let aws: TestAws
afterEach(() => aws?.stop())

async function restart(): Promise<void> {
  await aws.kill()
  aws = await startTestAws(aws.dir)
}
const put = (Key: string, Body: Uint8Array | string) => aws.s3.send(new PutObjectCommand({ Bucket, Key, Body }))
async function read(Key: string) {
  const answer = await aws.s3.send(new GetObjectCommand({ Bucket, Key }))
  return Buffer.from(await answer.Body!.transformToByteArray())
}
const blobs = () => readdir(join(aws.dir, 's3', 'blobs'))

describe('after kill -9', () => {
  it('objects, their metadata and unfinished uploads are there, and another process completes the upload', async () => {
    aws = await startTestAws()
    await aws.s3.send(new CreateBucketCommand({ Bucket }))
    const body = randomBytes(3 * MIB)
    await aws.s3.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: body, Metadata: { a: 'b' } }))
    const { UploadId } = await aws.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'later' }))
    const pieces = [randomBytes(5 * MIB), randomBytes(5 * MIB), randomBytes(100)]
    const upload = async (i: number) => {
      const part = { Bucket, Key: 'later', UploadId, PartNumber: i + 1, Body: pieces[i]! }
      return { PartNumber: i + 1, ETag: (await aws.s3.send(new UploadPartCommand(part))).ETag }
    }
    const Parts = [await upload(0), await upload(1)]
    await restart()
    expect((await read('kept')).equals(body)).toBe(true)
    const head = await aws.s3.send(new HeadObjectCommand({ Bucket, Key: 'kept' }))
    expect(head.Metadata).toEqual({ a: 'b' })
    await expect(read('later')).rejects.toMatchObject({ name: 'NoSuchKey' })
    Parts.push(await upload(2))
    await restart()
    const done = { Bucket, Key: 'later', UploadId, MultipartUpload: { Parts } }
    await aws.s3.send(new CompleteMultipartUploadCommand(done))
    expect((await read('later')).equals(Buffer.concat(pieces))).toBe(true)
    await restart()
    expect((await read('later')).equals(Buffer.concat(pieces))).toBe(true)
  })

  it('every acknowledged object is whole, every other absent, and no file is left over', async () => {
    aws = await startTestAws()
    await aws.s3.send(new CreateBucketCommand({ Bucket }))
    await put('replaced', 'old')
    for (let round = 0; round < 3; round++) {
      const bodies = new Map<string, Buffer>()
      const acknowledged = new Set<string>()
      // by presigned URLs and without retries, so that nothing is sent twice
      const writes = Array.from({ length: 40 }, async (_, i) => {
        const key = `r${round}/${i}`
        bodies.set(key, randomBytes(1 + i * 7_919))
        const path = `/${Bucket}/${key}`
        const answer = await rawRequest(aws, 'PUT', presign(aws, { method: 'PUT', path }), {}, bodies.get(key))
        if (answer.status === 200) acknowledged.add(key)
        // in the middle of the rest
        if (acknowledged.size === 10 + round) process.kill(aws.pid, 'SIGKILL')
      })
      await Promise.allSettled(writes)
      await restart()
      const { Contents = [] } = await aws.s3.send(new ListObjectsV2Command({ Bucket, Prefix: `r${round}/` }))
      const listed = Contents.map((entry) => entry.Key!)
      for (const key of acknowledged) expect(listed).toContain(key)
      for (const key of listed) expect((await read(key)).equals(bodies.get(key)!)).toBe(true)
      const all = await aws.s3.send(new ListObjectsV2Command({ Bucket }))
      expect(await blobs()).toHaveLength(all.KeyCount!)
    }
    expect((await read('replaced')).toString()).toBe('old')
  })

  it('an object that was being replaced is the old one, whole', async () => {
    aws = await startTestAws()
    await aws.s3.send(new CreateBucketCommand({ Bucket }))
    await put('steady', 'old')
    const path = presign(aws, { method: 'PUT', path: `/${Bucket}/steady` })
    const { hostname, port } = new URL(aws.endpoint)
    const headers = { 'content-length': 8 * MIB }
    const outgoing = send({ hostname, port, method: 'PUT', path, headers })
    outgoing.on('error', () => {})
    // half of the body: the write is under way when the process dies
    await new Promise<void>((sent) => outgoing.write(randomBytes(4 * MIB), () => sent()))
    await restart()
    expect((await read('steady')).toString()).toBe('old')
    expect(await blobs()).toHaveLength(1)
  })

  it('files that no object names are removed, and nothing else', async () => {
    aws = await startTestAws()
    await aws.s3.send(new CreateBucketCommand({ Bucket }))
    await put('a', 'a')
    const [named] = await blobs()
    await writeFile(join(aws.dir, 's3', 'blobs', 'orphan'), 'half an object')
    await restart()
    expect(await blobs()).toEqual([named])
  })
})

describe('a body that ends early', () => {
  it('leaves neither object nor file', async () => {
    aws = await startTestAws()
    await aws.s3.send(new CreateBucketCommand({ Bucket }))
    const path = presign(aws, { method: 'PUT', path: `/${Bucket}/cut` })
    const { hostname, port } = new URL(aws.endpoint)
    const outgoing = send({ hostname, port, method: 'PUT', path, headers: { 'content-length': 2 * MIB } })
    const failed = new Promise((done) => outgoing.on('error', done))
    await new Promise<void>((sent) => outgoing.write(randomBytes(MIB), () => sent()))
    outgoing.destroy(new Error('the client went away'))
    await failed
    await put('next', 'x')
    await expect(read('cut')).rejects.toMatchObject({ name: 'NoSuchKey' })
    await aws.kill()
    aws = await startTestAws(aws.dir)
    expect(await blobs()).toHaveLength(1)
  })
})

describe('a blob', () => {
  it('is one immutable file: a hard link keeps its bytes when the name is replaced and deleted', async () => {
    aws = await startTestAws()
    await aws.s3.send(new CreateBucketCommand({ Bucket }))
    await put('linked', 'first')
    const [blob] = await blobs()
    const other = join(aws.dir, 'hard-link')
    await link(join(aws.dir, 's3', 'blobs', blob!), other)
    await put('linked', 'second, longer')
    expect((await readFile(other)).toString()).toBe('first')
    expect((await read('linked')).toString()).toBe('second, longer')
  })
})
