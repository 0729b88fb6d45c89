import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BlobFolder } from '../../../../src/local/aws/s3/blob-folder.ts'
import { plainBody } from '../../../../src/local/aws/s3/ingest.ts'
import { Multipart } from '../../../../src/local/aws/s3/multipart.ts'
import { S3ObjectStore } from '../../../../src/local/aws/s3/object-store.ts'
import { NO_DETAILS } from '../../../../src/local/aws/s3/object-table.ts'
import { S3Index } from '../../../../src/local/aws/s3/s3-index.ts'
import type { UploadRecord } from '../../../../src/local/aws/s3/upload-table.ts'

const bucket = 'races'
const key = 'k'
let dir: string
let index: S3Index
let store: S3ObjectStore
let uploads: Multipart

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rocketgames-races-'))
  index = new S3Index(join(dir, 'index.sqlite'))
  store = new S3ObjectStore(index, new BlobFolder(join(dir, 'blobs')))
  uploads = new Multipart(store)
  await index.transact(() => store.buckets.create(bucket, Date.now(), 'us-east-1'))
})
afterEach(async () => {
  await store.blobs.close()
  index.close()
  await rm(dir, { recursive: true, force: true })
})

async function* bytes(text: string) {
  yield Buffer.from(text)
}
const md5 = (text: string) => createHash('md5').update(text).digest('hex')
const put = (upload: UploadRecord, number: number, text: string) =>
  uploads.putPart(upload, number, bytes(text), plainBody(text.length))
const complete = (upload: UploadRecord, number: number, text: string) =>
  uploads.complete(bucket, key, upload.id, {
    parts: [{ number, etag: md5(text), checksums: new Map() }],
    condition: undefined,
    objectSizeBytes: undefined,
    checksumType: undefined,
    expected: new Map(),
  })
const read = () => readFile(store.blobPath(bucket, key)!, 'utf8')

describe('a completed upload', () => {
  it('is never changed by a part whose request began before it was completed', async () => {
    const stale = await uploads.create(bucket, key, NO_DETAILS, undefined)
    await put(stale, 1, 'the object')
    await complete(stale, 1, 'the object')
    await expect(put(stale, 1, 'XXX')).rejects.toMatchObject({ code: 'NoSuchUpload' })
    expect(await read()).toBe('the object')
  })

  it('is never made of a part that is replaced in the same moment', async () => {
    const upload = await uploads.create(bucket, key, NO_DETAILS, undefined)
    // not the first part and small: it has a file of its own
    await put(upload, 2, 'old')
    const transact = index.transact.bind(index)
    let completing: Promise<unknown> | undefined
    index.transact = (work) => {
      const done = transact(work)
      // the completion is asked for when the new part waits for its commit
      completing ??= complete(upload, 2, 'old')
      return done
    }
    await put(upload, 2, 'new')
    await expect(completing).rejects.toMatchObject({ code: 'InvalidPart' })
    index.transact = transact
    await complete(upload, 2, 'new')
    expect(await read()).toBe('new')
  })
})
