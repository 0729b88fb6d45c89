import {
  DeleteBucketLifecycleCommand,
  GetBucketLifecycleConfigurationCommand,
  type LifecycleRule,
  PutBucketLifecycleConfigurationCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lakeRuleDifferences, lakeRules, resultRuleDifferences, resultRules } from '../../../src/lake/bucket-rules.ts'
import { bucketDifferences, ensureBuckets } from '../../../src/lake/lake-buckets.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'

const settings = { region: 'us-east-1', bucket: 'lake', resultsUri: 's3://results/athena/' }

let aws: TestAws

beforeAll(async () => {
  aws = await startTestAws()
})

afterAll(async () => {
  await aws?.stop()
})

const month = { ID: 'month', Status: 'Enabled' as const, Filter: { Prefix: '' }, Expiration: { Days: 30 } }

const rulesOf = async (Bucket: string) =>
  (await aws.s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))).Rules ?? []

test('a new lake forgets uploads and the plans of jobs after two days, deleted versions after one, results of queries after seven; rules of others stay', async () => {
  expect(await ensureBuckets(aws.s3, settings)).toHaveLength(4)
  const rules = await rulesOf('lake')
  const named = (wanted: (rule: LifecycleRule) => unknown) =>
    rules.filter((rule) => wanted(rule) !== undefined).map(({ Filter, Status }) => [Status, Filter?.Prefix])
  const [lake, curated, unload] = ['lake/', 'curated/', 'unload/'].map((prefix) => ['Enabled', prefix])
  expect(named((rule) => rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation)).toEqual([lake, curated])
  expect(named((rule) => rule.NoncurrentVersionExpiration?.NoncurrentDays)).toEqual([lake, curated, unload])
  expect(named((rule) => rule.Expiration?.Days)).toEqual([unload])
  expect(rules.map((rule) => rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation)).toContain(2)
  expect((await rulesOf('results')).map((rule) => rule.Expiration?.Days)).toEqual([7])
  expect(await bucketDifferences(aws.s3, settings)).toEqual([])

  const theirs = { ID: 'theirs', Status: 'Enabled' as const, Filter: { Prefix: 'tmp/' }, Expiration: { Days: 3 } }
  const LifecycleConfiguration = { Rules: [theirs] }
  await aws.s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket: 'lake', LifecycleConfiguration }))
  expect(await ensureBuckets(aws.s3, settings)).toEqual([])
  expect((await rulesOf('lake')).map(({ ID }) => ID)).toEqual(['theirs'])
})

test('what the rules of existing buckets lack or do too much is told, and nothing is changed', async () => {
  await ensureBuckets(aws.s3, settings)
  const expire = { ID: 'tidy', Status: 'Enabled' as const, Filter: { Prefix: '' }, Expiration: { Days: 30 } }
  const LifecycleConfiguration = { Rules: [expire] }
  await aws.s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket: 'lake', LifecycleConfiguration }))
  await aws.s3.send(new DeleteBucketLifecycleCommand({ Bucket: 'results' }))
  expect(await bucketDifferences(aws.s3, settings)).toEqual([
    'The bucket lake has no rule that ends forgotten uploads under lake/ and curated/: they cost storage',
    'The bucket lake keeps what jobs write under unload/ after their run is over: no rule deletes it after 2 days',
    'The bucket lake deletes objects under lake/ and lake-meta/ and curated/ and curated-meta/ by its rule "tidy": files go that views still show; retention and jobs delete what is due',
    'The bucket results keeps results of queries: no rule deletes those under /athena/ after 7 days',
  ])
  expect((await rulesOf('lake')).map(({ ID }) => ID)).toEqual(['tidy'])
})

test('rules count for what they cover: a tag, a disabled one, versions that are kept, a class that nobody can read', () => {
  const differences = (rules: Parameters<typeof lakeRuleDifferences>[1], versioned = false) =>
    lakeRuleDifferences('b', rules, versioned).map(
      (text) => /forgotten uploads under \S+|keeps versions|deletes objects|after their run|GLACIER/.exec(text)?.[0],
    )
  const [abort, forget, ...others] = lakeRules as [LifecycleRule, LifecycleRule, ...LifecycleRule[]]
  expect(differences(lakeRules, true)).toEqual([])
  expect(differences([{ ...abort, Filter: { Prefix: '' } }, ...others])).toEqual([])
  const uploads = ['forgotten uploads under lake/:']
  expect(differences([{ ...abort, Filter: { Tag: { Key: 'a', Value: 'b' } } }, ...others])).toEqual(uploads)
  expect(differences([{ ...abort, Status: 'Disabled' }, ...others])).toEqual(uploads)
  expect(differences([abort, ...others], true)).toEqual(['keeps versions'])
  const kept = { NoncurrentDays: 1, NewerNoncurrentVersions: 3 }
  expect(differences([abort, ...others, { ...forget, NoncurrentVersionExpiration: kept }], true)).toEqual([
    'keeps versions',
  ])
  const [curated, , plans] = others as [LifecycleRule, LifecycleRule, LifecycleRule]
  expect(differences([abort, plans])).toEqual(['forgotten uploads under curated/:'])
  expect(differences([abort, curated])).toEqual(['after their run'])
  expect(differences([abort, curated, { ...plans, Expiration: { Days: 3 } }])).toEqual(['after their run'])
  const Expiration = { Date: new Date(0) }
  const expire = (Prefix: string): LifecycleRule => ({ ID: 'x', Status: 'Enabled', Filter: { Prefix }, Expiration })
  expect(differences([...lakeRules, expire('lake/v1/games/')])).toEqual(['deletes objects'])
  expect(differences([...lakeRules, expire('curated/')])).toEqual(['deletes objects'])
  expect(differences([...lakeRules, expire('tmp/')])).toEqual([])
  const Transitions = [{ Days: 90, StorageClass: 'GLACIER' as const }]
  expect(differences([...lakeRules, { ID: 'x', Status: 'Enabled', Filter: {}, Transitions }])).toEqual(['GLACIER'])
  expect(resultRuleDifferences('r', resultRules, 'athena/')).toEqual([])
  expect(resultRuleDifferences('r', [month], '')).toHaveLength(1)
})
