import { decodePercent } from '../request-target.ts'
import type { S3Call } from './s3-call.ts'
import { s3Error } from './s3-error.ts'

/**
 * `x-amz-copy-source`: `[/]<bucket>/<key>[?versionId=null]`, percent-encoded.
 *
 * @throws AwsError 400 when malformed, 501 for an access point.
 */
export function readCopySource(call: S3Call): { bucket: string; key: string } {
  const header = call.header('x-amz-copy-source') ?? ''
  if (header.startsWith('arn:')) {
    throw s3Error('NotImplemented', 'A copy source that is an access point is not implemented.', {
      Header: 'x-amz-copy-source',
    })
  }
  // cut before decoding: a key may hold an encoded question mark
  const [path = '', version] = header.split('?', 2)
  if (version !== undefined && version !== 'versionId=null') {
    throw s3Error('InvalidArgument', 'Invalid version id specified', { ArgumentName: 'versionId' })
  }
  const decoded = decodePercent(path).replace(/^\//, '')
  const slash = decoded.indexOf('/')
  if (slash < 1 || slash === decoded.length - 1) {
    throw s3Error('InvalidArgument', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey', {
      ArgumentName: 'x-amz-copy-source',
    })
  }
  return { bucket: decoded.slice(0, slash), key: decoded.slice(slash + 1) }
}
