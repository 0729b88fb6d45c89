import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestAws, type TestAws } from '../../../support/local-aws.ts'

const Bucket = 'streaming'
const MIB = 1024 * 1024
const OBJECT_MIB = 300
/** About 190 MiB in practice, most of it Node and the modules; an object held in memory would not fit. */
const LIMIT_MIB = 280
let aws: TestAws

beforeAll(async () => {
  aws = await startTestAws()
  await aws.s3.send(new CreateBucketCommand({ Bucket }))
})
afterAll(() => aws?.stop())

it('an object larger than the memory allowed is taken and given as a stream', async () => {
  const block = Buffer.alloc(MIB, 'rocket')
  const sent = createHash('md5')
  for (let i = 0; i < OBJECT_MIB; i++) sent.update(block)
  const blocks = function* () {
    for (let i = 0; i < OBJECT_MIB; i++) yield block
  }
  const Body = Readable.from(blocks(), { objectMode: false }) as unknown as Uint8Array
  const put = await aws.s3.send(new PutObjectCommand({ Bucket, Key: 'large', Body, ContentLength: OBJECT_MIB * MIB }))
  const digest = sent.digest('hex')
  expect(put.ETag).toBe(`"${digest}"`)
  const got = await aws.s3.send(new GetObjectCommand({ Bucket, Key: 'large' }))
  const received = createHash('md5')
  for await (const chunk of got.Body as Readable) received.update(chunk as Buffer)
  expect(received.digest('hex')).toBe(digest)
  const peak = /VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${aws.pid}/status`, 'utf8'))
  expect(Number(peak?.[1]) / 1024).toBeLessThan(LIMIT_MIB)
})
