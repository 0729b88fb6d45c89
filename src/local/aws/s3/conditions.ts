import type { WriteCondition } from './object-store.ts'
import type { ObjectRecord } from './object-table.ts'
import type { S3Call } from './s3-call.ts'
import { s3Error } from './s3-error.ts'

const failed = (condition: string) => s3Error('PreconditionFailed', undefined, { Condition: condition })

/** A list of entity tags, `*` included; S3A sends them without quotes. */
function matches(list: string, etag: string): boolean {
  return list.split(',').some((one) => {
    const tag = one.trim()
    return tag === '*' || tag.replace(/^W\//, '').replace(/^"(.*)"$/, '$1') === etag
  })
}

/** Milliseconds of an HTTP date; undefined when the header is absent or no date, which counts as absent (RFC 9110). */
function httpDate(text: string | undefined): number | undefined {
  const ms = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}

/** Last-Modified as a client knows it: whole seconds. */
const wholeSeconds = (record: ObjectRecord) => Math.floor(record.modifiedMs / 1000) * 1000

/**
 * Conditions of GET and HEAD in the order of RFC 9110, 13.2.2.
 *
 * @returns `not-modified` for 304.
 * @throws AwsError 412.
 */
export function checkRead(call: S3Call, record: ObjectRecord): 'send' | 'not-modified' {
  const ifMatch = call.header('if-match')
  const unmodifiedSince = httpDate(call.header('if-unmodified-since'))
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, record.etag)) throw failed('If-Match')
  } else if (unmodifiedSince !== undefined && wholeSeconds(record) > unmodifiedSince) {
    throw failed('If-Unmodified-Since')
  }
  const ifNoneMatch = call.header('if-none-match')
  const modifiedSince = httpDate(call.header('if-modified-since'))
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, record.etag) ? 'not-modified' : 'send'
  return modifiedSince !== undefined && wholeSeconds(record) <= modifiedSince ? 'not-modified' : 'send'
}

/** Conditions on the source of a copy. @throws AwsError 412, whichever of them fails. */
export function checkCopySource(call: S3Call, record: ObjectRecord): void {
  const header = (name: string) => call.header(`x-amz-copy-source-if-${name}`)
  const ifMatch = header('match')
  const unmodifiedSince = httpDate(header('unmodified-since'))
  if (ifMatch !== undefined) {
    // a matching tag wins over an older date, as S3 documents it
    if (!matches(ifMatch, record.etag)) throw failed('x-amz-copy-source-If-Match')
  } else if (unmodifiedSince !== undefined && wholeSeconds(record) > unmodifiedSince) {
    throw failed('x-amz-copy-source-If-Unmodified-Since')
  }
  const ifNoneMatch = header('none-match')
  const modifiedSince = httpDate(header('modified-since'))
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, record.etag)) throw failed('x-amz-copy-source-If-None-Match')
  } else if (modifiedSince !== undefined && wholeSeconds(record) <= modifiedSince) {
    throw failed('x-amz-copy-source-If-Modified-Since')
  }
}

/**
 * Conditions of a write, to be decided when it commits. S3 knows `If-None-Match: *` and `If-Match: <etag>` there and
 * nothing else.
 *
 * @throws AwsError 501 for another form, at once.
 */
export function writeCondition(call: S3Call): WriteCondition | undefined {
  const ifNoneMatch = call.header('if-none-match')?.trim()
  const ifMatch = call.header('if-match')
  for (const name of ['if-modified-since', 'if-unmodified-since']) {
    if (call.header(name) !== undefined) throw notOnWrites(name)
  }
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') throw notOnWrites('If-None-Match')
  if (ifNoneMatch === undefined && ifMatch === undefined) return undefined
  return (current) => {
    if (ifNoneMatch !== undefined && current !== undefined) throw failed('If-None-Match')
    if (ifMatch === undefined) return
    if (current === undefined) throw s3Error('NoSuchKey', undefined, { Key: call.key })
    if (!matches(ifMatch, current.etag)) throw failed('If-Match')
  }
}

const notOnWrites = (name: string) =>
  s3Error(
    'NotImplemented',
    `A header you provided implies functionality that is not implemented: ${name} on this write.`,
    {
      Header: name,
    },
  )
