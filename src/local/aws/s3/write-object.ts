import type { FileHandle } from 'node:fs/promises'
import { element, xmlDocument } from '../xml-writer.ts'
import { bodyPlan, MAX_PUT_BYTES, readText } from './body-plan.ts'
import { type Checksum, type ChecksumAlgorithm, readAlgorithm } from './checksum.ts'
import { checkCopySource, writeCondition } from './conditions.ts'
import { readCopySource } from './copy-source.ts'
import { plainBody } from './ingest.ts'
import { checksumHeaders, readDetails } from './object-headers.ts'
import { checkKey, type S3ObjectStore } from './object-store.ts'
import type { ObjectDetails, ObjectRecord } from './object-table.ts'
import type { S3Answer, S3Call } from './s3-call.ts'
import { s3Error } from './s3-error.ts'
import { readTagHeader } from './tagging.ts'
import { childElements, childText, readXml, requiredText, S3_NAMESPACE } from './xml-reader.ts'

const MAX_DELETED_KEYS = 1000

const fullObject = (algorithm: ChecksumAlgorithm | undefined, value: string | undefined): Checksum | undefined =>
  algorithm && value ? { algorithm, type: 'FULL_OBJECT', value } : undefined

export async function putObject(store: S3ObjectStore, call: S3Call): Promise<S3Answer> {
  const { bucket, key } = call
  store.bucket(bucket)
  const details = readDetails(call)
  const plan = bodyPlan(call)
  const condition = writeCondition(call)
  // a write that must fail is refused before its body is taken; the decision itself falls at the commit
  condition?.(store.objects.get(bucket, key))
  const received = await store.receive(call.body(), plan)
  const checksum = fullObject(plan.checksum?.algorithm, received.checksum)
  const { blob, sizeBytes, md5: etag } = received
  const record = await store.publish({ bucket, key, blob, sizeBytes, etag, checksum, details }, condition)
  return { status: 200, headers: { etag: `"${record.etag}"`, ...checksumHeaders(checksum) } }
}

/** COPY or REPLACE; anything else is refused. */
function directive(call: S3Call, header: string): 'COPY' | 'REPLACE' {
  const value = call.header(header) ?? 'COPY'
  if (value !== 'COPY' && value !== 'REPLACE') throw s3Error('InvalidArgument', `${header} must be COPY or REPLACE.`)
  return value
}

function copiedDetails(call: S3Call, source: ObjectRecord): ObjectDetails {
  const replaceMetadata = directive(call, 'x-amz-metadata-directive') === 'REPLACE'
  const replaceTags = directive(call, 'x-amz-tagging-directive') === 'REPLACE'
  const own = replaceMetadata ? readDetails(call) : source.details
  const tags = replaceTags ? readTagHeader(call.header('x-amz-tagging')) : source.details.tags
  if (call.bucket === source.bucket && call.key === source.key && !replaceMetadata) {
    throw s3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    )
  }
  return { headers: own.headers, metadata: own.metadata, tags }
}

/**
 * A second name for the same bytes where nothing about them has to be computed anew; a multipart object is read once,
 * because a copy's ETag and checksum are those of an object put in one piece.
 */
export async function copyObject(store: S3ObjectStore, call: S3Call): Promise<S3Answer> {
  const { bucket, key } = call
  store.bucket(bucket)
  const source = readCopySource(call)
  const condition = writeCondition(call)
  const { record, handle } = await store.openObject(source.bucket, source.key)
  try {
    checkCopySource(call, record)
    if (record.sizeBytes > MAX_PUT_BYTES) {
      throw s3Error(
        'InvalidRequest',
        `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_PUT_BYTES}`,
      )
    }
    const details = copiedDetails(call, record)
    condition?.(store.objects.get(bucket, key))
    const asked = call.header('x-amz-checksum-algorithm')
    const algorithm = asked === undefined ? record.checksum?.algorithm : readAlgorithm(asked)
    const copied = await copyBytes(store, record, handle, algorithm)
    const published = await store.publish({ bucket, key, ...copied, details }, condition)
    const { checksum } = published
    const root = element(
      'CopyObjectResult',
      element('LastModified', new Date(published.modifiedMs).toISOString()),
      element('ETag', `"${published.etag}"`),
      checksum ? element(`Checksum${checksum.algorithm}`, checksum.value) : undefined,
      checksum ? element('ChecksumType', checksum.type) : undefined,
    )
    return { status: 200, xml: xmlDocument(root, S3_NAMESPACE) }
  } finally {
    await handle.close()
  }
}

async function copyBytes(
  store: S3ObjectStore,
  source: ObjectRecord,
  handle: FileHandle,
  algorithm: ChecksumAlgorithm | undefined,
) {
  const { sizeBytes } = source
  if (!source.etag.includes('-') && source.checksum?.algorithm === algorithm) {
    const blob = store.blobs.newId()
    try {
      await store.blobs.link(source.blob, blob)
      await store.blobs.syncFolder()
      return { blob, sizeBytes, etag: source.etag, checksum: source.checksum }
    } catch (error) {
      // the source was replaced meanwhile; its bytes live on behind the open handle
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  const bytes = handle.createReadStream({ start: 0, highWaterMark: 1024 * 1024, autoClose: false })
  const { blob, md5, checksum } = await store.receive(bytes, plainBody(sizeBytes), algorithm)
  return { blob, sizeBytes, etag: md5, checksum: fullObject(algorithm, checksum) }
}

export async function deleteObject(store: S3ObjectStore, call: S3Call): Promise<S3Answer> {
  const ifMatch = call.header('if-match')
  await store.deleteObjects(call.bucket, [call.key], ifMatch === undefined ? undefined : writeCondition(call))
  return { status: 204 }
}

/** Up to 1,000 keys in one transaction; keys that cannot be are answered each with its error. */
export async function deleteObjects(store: S3ObjectStore, call: S3Call): Promise<S3Answer> {
  store.bucket(call.bucket)
  const request = readXml(await readText(call, { hashRequired: true }), 'Delete')
  const entries = childElements(request, 'Object')
  if (entries.length === 0 || entries.length > MAX_DELETED_KEYS) {
    throw s3Error('MalformedXML', `Delete must name 1 to ${MAX_DELETED_KEYS} objects; it names ${entries.length}.`)
  }
  const quiet = childText(request, 'Quiet') === 'true'
  const keys: string[] = []
  const errors: ReturnType<typeof element>[] = []
  for (const entry of entries) {
    const key = requiredText(entry, 'Key')
    const refusal = refusalOf(entry, key)
    if (refusal === undefined) keys.push(key)
    else
      errors.push(
        element('Error', element('Key', key), element('Code', refusal.code), element('Message', refusal.message)),
      )
  }
  await store.deleteObjects(call.bucket, keys)
  const deleted = quiet ? [] : keys.map((key) => element('Deleted', element('Key', key)))
  return { status: 200, xml: xmlDocument(element('DeleteResult', deleted, errors), S3_NAMESPACE) }
}

function refusalOf(entry: ReturnType<typeof readXml>, key: string): { code: string; message: string } | undefined {
  for (const field of ['ETag', 'LastModifiedTime', 'Size']) {
    if (childText(entry, field) !== undefined) {
      return { code: 'NotImplemented', message: `${field} in DeleteObjects is not implemented here.` }
    }
  }
  if ((childText(entry, 'VersionId') ?? 'null') !== 'null') {
    return { code: 'NoSuchVersion', message: 'The specified version does not exist.' }
  }
  try {
    checkKey(key)
    return undefined
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    return { code, message }
  }
}
