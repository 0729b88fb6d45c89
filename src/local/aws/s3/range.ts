import { s3Error } from './s3-error.ts'

/** First and last byte, both included. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

/**
 * `Range` of a read: `bytes=a-b`, `bytes=a-` or `bytes=-n`. Anything else, several ranges included, counts as no range,
 * as RFC 9110 allows and S3 does.
 *
 * @throws AwsError 416 when no byte of the object lies in the range.
 */
export function readRange(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  const [, from = '', to = ''] = match
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined
  const first = from === '' ? Math.max(0, sizeBytes - Number(to)) : Number(from)
  const last = from === '' || to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1)
  if (first > last) {
    throw s3Error('InvalidRange', undefined, { RangeRequested: header, ActualObjectSize: sizeBytes })
  }
  return { first, last }
}

/**
 * `x-amz-copy-source-range`: only `bytes=a-b`, inside the source.
 *
 * @throws AwsError 400 for any other.
 */
export function readCopyRange(header: string, sizeBytes: number): ByteRange {
  const match = /^bytes=(\d+)-(\d+)$/.exec(header.trim())
  const range = match && { first: Number(match[1]), last: Number(match[2]) }
  if (!range || range.first > range.last) {
    throw s3Error('InvalidArgument', 'The x-amz-copy-source-range value must be of the form bytes=first-last.', {
      ArgumentName: 'x-amz-copy-source-range',
      ArgumentValue: header,
    })
  }
  if (range.last >= sizeBytes) {
    throw s3Error('InvalidArgument', `Range specified is not valid for source object of size: ${sizeBytes}`, {
      ArgumentName: 'x-amz-copy-source-range',
      ArgumentValue: header,
    })
  }
  return range
}
