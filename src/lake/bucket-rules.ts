import type { LifecycleRule } from '@aws-sdk/client-s3'
import { LAKE_PREFIX, META_PREFIX, UNLOAD_PREFIX } from './object-keys.ts'

/** Longer than a prepared snapshot may wait for its commit: the rule is the last net, not the first. */
const ABORT_UPLOADS_DAYS = 2
/** Where a bucket keeps versions, what retention deletes is gone for good so much later. */
const FORGET_DELETED_DAYS = 1
const RESULT_DAYS = 7
/** Longer than any job goes on after its run: what it writes then, nobody reads. */
const UNLOAD_DAYS = 2
/** Of every version of the layout. */
const folderOf = (prefix: string) => prefix.slice(0, prefix.indexOf('/') + 1)
/** Files that queries read. Jobs write the second; its layout is in `glue-jobs`. */
const DATA_FOLDERS = [folderOf(LAKE_PREFIX), 'curated/'] as const
const UNLOAD_FOLDER = folderOf(UNLOAD_PREFIX)
/** Where nothing goes but by retention, or by the job that wrote it. */
const KEPT_FOLDERS = [DATA_FOLDERS[0], folderOf(META_PREFIX), DATA_FOLDERS[1], 'curated-meta/']
/** Classes from which an object must be restored before anybody can read it. */
const ARCHIVES: ReadonlySet<string> = new Set(['GLACIER', 'DEEP_ARCHIVE'])

const rulesOfData = (Prefix: string): LifecycleRule[] => [
  {
    ID: `abort-forgotten-uploads-${Prefix.slice(0, -1)}`,
    Status: 'Enabled',
    Filter: { Prefix },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: ABORT_UPLOADS_DAYS },
  },
  {
    ID: `forget-deleted-files-${Prefix.slice(0, -1)}`,
    Status: 'Enabled',
    Filter: { Prefix },
    NoncurrentVersionExpiration: { NoncurrentDays: FORGET_DELETED_DAYS },
    Expiration: { ExpiredObjectDeleteMarker: true },
  },
]

export const lakeRules: LifecycleRule[] = [
  ...DATA_FOLDERS.flatMap(rulesOfData),
  {
    ID: 'expire-plans-of-jobs',
    Status: 'Enabled',
    Filter: { Prefix: UNLOAD_FOLDER },
    Expiration: { Days: UNLOAD_DAYS },
    NoncurrentVersionExpiration: { NoncurrentDays: FORGET_DELETED_DAYS },
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
  const without = (folders: readonly string[], does: (rule: LifecycleRule) => boolean) =>
    folders.filter((folder) => !rules.some((rule) => covers(rule, folder) && does(rule))).join(' and ')
  const differing: string[] = []
  const kept = without(DATA_FOLDERS, (rule) => rule.AbortIncompleteMultipartUpload !== undefined)
  if (kept !== '') {
    differing.push(`The bucket ${bucket} has no rule that ends forgotten uploads under ${kept}: they cost storage`)
  }
  const forgets = ({ NoncurrentVersionExpiration: each }: LifecycleRule) =>
    (each?.NoncurrentDays ?? Number.POSITIVE_INFINITY) <= FORGET_DELETED_DAYS && !each?.NewerNoncurrentVersions
  const remembered = versioned ? without([...DATA_FOLDERS, UNLOAD_FOLDER], forgets) : ''
  if (remembered !== '') {
    differing.push(
      `The bucket ${bucket} keeps versions, and no rule removes noncurrent ones under ${remembered} after ${FORGET_DELETED_DAYS} day: what is deleted there stays, erased persons included`,
    )
  }
  const ends = (rule: LifecycleRule) => (rule.Expiration?.Days ?? Number.POSITIVE_INFINITY) <= UNLOAD_DAYS
  if (without([UNLOAD_FOLDER], ends) !== '') {
    differing.push(
      `The bucket ${bucket} keeps what jobs write under ${UNLOAD_FOLDER} after their run is over: no rule deletes it after ${UNLOAD_DAYS} days`,
    )
  }
  for (const rule of rules) {
    const touched = KEPT_FOLDERS.filter((folder) => touches(rule, folder)).join(' and ')
    if (touched === '') continue
    if (rule.Expiration?.Days !== undefined || rule.Expiration?.Date !== undefined) {
      differing.push(
        `The bucket ${bucket} deletes objects under ${touched} by its ${nameOf(rule)}: files go that views still show; retention and jobs delete what is due`,
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
