import type { LifecycleRule } from '@aws-sdk/client-s3'
import { Duration } from 'aws-cdk-lib'
import type * as s3 from 'aws-cdk-lib/aws-s3'

const days = (count: number | undefined) => (count === undefined ? undefined : Duration.days(count))

/** What `lifecycleRules` knows how to say: a rule that says more must not lose it on its way into a template. */
const KNOWN: ReadonlySet<string> = new Set([
  ...['ID', 'Status', 'Filter', 'Filter.Prefix', 'AbortIncompleteMultipartUpload'],
  ...['AbortIncompleteMultipartUpload.DaysAfterInitiation', 'NoncurrentVersionExpiration'],
  ...['NoncurrentVersionExpiration.NoncurrentDays', 'Expiration', 'Expiration.Days'],
  'Expiration.ExpiredObjectDeleteMarker',
])

function members(value: object, path = ''): string[] {
  return Object.entries(value).flatMap(([name, each]) => {
    const own = `${path}${name}`
    return typeof each === 'object' && each !== null ? [own, ...members(each, `${own}.`)] : [own]
  })
}

/**
 * The program's lifecycle rules as a bucket of a template takes them.
 *
 * @throws Error for a member that is not carried over.
 */
export function lifecycleRules(rules: readonly LifecycleRule[]): s3.LifecycleRule[] {
  return rules.map((rule) => {
    const unknown = members(rule).filter((name) => !KNOWN.has(name))
    if (unknown.length > 0) throw new Error(`The rule ${rule.ID} has ${unknown.join(', ')}, unknown to this construct`)
    const { AbortIncompleteMultipartUpload: abort, Expiration: expiration, Filter: filter } = rule
    const settings = {
      id: rule.ID,
      prefix: filter?.Prefix || undefined,
      abortIncompleteMultipartUploadAfter: days(abort?.DaysAfterInitiation),
      noncurrentVersionExpiration: days(rule.NoncurrentVersionExpiration?.NoncurrentDays),
      expiration: days(expiration?.Days),
      expiredObjectDeleteMarker: expiration?.ExpiredObjectDeleteMarker,
    }
    const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
    return { ...given, enabled: rule.Status === 'Enabled' }
  })
}
