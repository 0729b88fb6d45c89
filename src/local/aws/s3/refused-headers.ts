import type { S3Call } from './s3-call.ts'
import { s3Error } from './s3-error.ts'

/**
 * Request headers that would change what a request means and that this endpoint does not act on, with the values that
 * change nothing here. Any other value is refused: taking it silently would promise encryption, locks or access rules
 * that do not exist.
 */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'x-amz-acl': ['private', 'bucket-owner-full-control'],
  'x-amz-grant-full-control': [],
  'x-amz-grant-read': [],
  'x-amz-grant-read-acp': [],
  'x-amz-grant-write': [],
  'x-amz-grant-write-acp': [],
  'x-amz-storage-class': ['STANDARD'],
  'x-amz-server-side-encryption': [],
  'x-amz-server-side-encryption-aws-kms-key-id': [],
  'x-amz-server-side-encryption-bucket-key-enabled': ['false'],
  'x-amz-server-side-encryption-context': [],
  'x-amz-server-side-encryption-customer-algorithm': [],
  'x-amz-server-side-encryption-customer-key': [],
  'x-amz-server-side-encryption-customer-key-md5': [],
  'x-amz-copy-source-server-side-encryption-customer-algorithm': [],
  'x-amz-copy-source-server-side-encryption-customer-key': [],
  'x-amz-copy-source-server-side-encryption-customer-key-md5': [],
  'x-amz-website-redirect-location': [],
  'x-amz-object-lock-mode': [],
  'x-amz-object-lock-retain-until-date': [],
  'x-amz-object-lock-legal-hold': ['OFF'],
  'x-amz-bucket-object-lock-enabled': ['false'],
  'x-amz-object-ownership': ['BucketOwnerEnforced'],
  'x-amz-bypass-governance-retention': ['false'],
  'x-amz-mfa': [],
  'x-amz-write-offset-bytes': [],
  'x-amz-if-match-last-modified-time': [],
  'x-amz-if-match-size': [],
  'x-amz-rename-source': [],
}

/** @throws AwsError 501 naming the header. */
export function checkHeaders(call: S3Call): void {
  for (const name of call.headerNames()) {
    const harmless = REFUSED[name]
    if (harmless === undefined) continue
    const value = call.header(name) ?? ''
    // asks for nothing; s3fs sends an empty x-amz-acl
    if (value === '') continue
    if (harmless.some((allowed) => allowed.toLowerCase() === value.toLowerCase())) continue
    const allowed = harmless.length > 0 ? `: only ${harmless.join(' or ')}` : ''
    throw s3Error(
      'NotImplemented',
      `A header you provided implies functionality that is not implemented: ${name}${allowed}.`,
      {
        Header: name,
      },
    )
  }
}
