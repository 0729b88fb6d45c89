import type { LifecycleRule } from '@aws-sdk/client-s3'
import { LAKE_PREFIX } from './object-keys.ts'

/** Longer than a prepared snapshot may wait for its commit: the rule is the last net, not the first. */
const ABORT_UPLOADS_DAYS = 2
/** Where a bucket keeps versions, what retention deletes is gone for good so much later. */
const FORGET_DELETED_DAYS = 1
const RESULT_DAYS = 7
/** Of every version of the layout. */
const LAKE_FOLDER = LAKE_PREFIX.slice(0, LAKE_PREFIX.indexOf('/') + 1)
const META_FOLDER = 'lake-meta/'
/** Classes from which an object must be restored before anybody can read it. */
const ARCHIVES: ReadonlySet<string> = new Set(['GLACIER', 'DEEP_ARCHIVE'])

export const lakeRules: LifecycleRule[] = [
  {
    ID: 'abort-forgotten-uploads',
    Status: 'Enabled',
    Filter: { Prefix: LAKE_FOLDER },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: ABORT_UPLOADS_DAYS },
  },
  {
    ID: 'forget-deleted-files',
    Status: 'Enabled',
    Filter: { Prefix: LAKE_FOLDER },
    NoncurrentVersionExpiration: { NoncurrentDays: FORGET_DELETED_DAYS },
    Expiration: { ExpiredObjectDeleteMarker: true },
  },
]

export const resultRules: LifecycleRule[] = [
  { ID: 'expire-query-results', Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: RESULT_DAYS } },
]

const prefixOf = ({ Filter, Prefix }: LifecycleRule) => Filter?.And?.Prefix ?? Filter?.Prefix ?? Prefix ?? ''

/** Does the rule hold for every object below the folder? */
function covers(rule: LifecycleRule, folder: string): boolean {
  const { And, ObjectSizeGreaterThan, ObjectSizeLessThan, Tag } = rule.Filter ?? {}
  const some = [And, Tag, ObjectSizeGreaterThan, ObjectSizeLessThan].some((part) => part !== undefined)
  return !some && folder.startsWith(prefixOf(rule))
}

/** Does it hold for any? */
function touches(rule: LifecycleRule, folder: string): boolean {
  return folder.startsWith(prefixOf(rule)) || prefixOf(rule).startsWith(folder)
}

const enabled = (rules: readonly LifecycleRule[]) => rules.filter(({ Status }) => Status === 'Enabled')
const nameOf = ({ ID }: LifecycleRule) => `rule ${JSON.stringify(ID ?? '')}`

/**
 * Why a bucket's lifecycle rules do not suit a lake, one sentence each.
 *
 * @param versioned whether the bucket keeps what is deleted.
 */
export function lakeRuleDifferences(bucket: string, found: readonly LifecycleRule[], versioned: boolean): string[] {
  const rules = enabled(found)
  const covering = rules.filter((rule) => covers(rule, LAKE_FOLDER))
  const differing: string[] = []
  if (!covering.some((rule) => rule.AbortIncompleteMultipartUpload !== undefined)) {
    differing.push(
      `The bucket ${bucket} has no rule that ends forgotten uploads under ${LAKE_FOLDER}: they cost storage`,
    )
  }
  const forgets = ({ NoncurrentVersionExpiration: each }: LifecycleRule) =>
    (each?.NoncurrentDays ?? Number.POSITIVE_INFINITY) <= FORGET_DELETED_DAYS && !each?.NewerNoncurrentVersions
  if (versioned && !covering.some(forgets)) {
    differing.push(
      `The bucket ${bucket} keeps versions, and no rule removes noncurrent ones under ${LAKE_FOLDER} after ${FORGET_DELETED_DAYS} day: what retention deletes stays, erased persons included`,
    )
  }
  for (const rule of rules) {
    const touched = [LAKE_FOLDER, META_FOLDER].filter((folder) => touches(rule, folder)).join(' and ')
    if (touched === '') continue
    if (rule.Expiration?.Days !== undefined || rule.Expiration?.Date !== undefined) {
      differing.push(
        `The bucket ${bucket} deletes objects under ${touched} by its ${nameOf(rule)}: files go from snapshots that views still show; retention deletes what is due`,
      )
    }
    const archive = rule.Transitions?.find(({ StorageClass: name = '' }) => ARCHIVES.has(name))?.StorageClass
    if (archive !== undefined) {
      differing.push(
        `The bucket ${bucket} moves objects under ${touched} to ${archive} by its ${nameOf(rule)}: nobody can read them there`,
      )
    }
  }
  return differing
}

/** The same of the bucket that Athena writes results to. @param folder of the results in it, `''` or `athena/`. */
export function resultRuleDifferences(bucket: string, found: readonly LifecycleRule[], folder: string): string[] {
  const ends = (rule: LifecycleRule) => (rule.Expiration?.Days ?? Number.POSITIVE_INFINITY) <= RESULT_DAYS
  if (enabled(found).some((rule) => covers(rule, folder) && ends(rule))) return []
  return [
    `The bucket ${bucket} keeps results of queries: no rule deletes those under /${folder} after ${RESULT_DAYS} days`,
  ]
}
