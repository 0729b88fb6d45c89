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

test('a new lake forgets uploads after two days, deleted versions after one, results of queries after seven; rules of others stay', async () => {
  expect(await ensureBuckets(aws.s3, settings)).toHaveLength(4)
  const rules = await rulesOf('lake')
  expect(rules.map(({ Filter, Status }) => [Status, Filter?.Prefix])).toEqual(rules.map(() => ['Enabled', 'lake/']))
  expect(rules.map((rule) => rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation)).toContain(2)
  expect(rules.map((rule) => rule.NoncurrentVersionExpiration?.NoncurrentDays)).toContain(1)
  expect(rules.filter((rule) => rule.Expiration?.Days !== undefined)).toEqual([])
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
    'The bucket lake has no rule that ends forgotten uploads under lake/: they cost storage',
    'The bucket lake deletes objects under lake/ and lake-meta/ by its rule "tidy": files go from snapshots that views still show; retention deletes what is due',
    'The bucket results keeps results of queries: no rule deletes those under /athena/ after 7 days',
  ])
  expect((await rulesOf('lake')).map(({ ID }) => ID)).toEqual(['tidy'])
})

test('rules count for what they cover: a tag, a disabled one, versions that are kept, a class that nobody can read', () => {
  const differences = (rules: Parameters<typeof lakeRuleDifferences>[1], versioned = false) =>
    lakeRuleDifferences('b', rules, versioned).map(
      (text) => /forgotten uploads|keeps versions|deletes|GLACIER/.exec(text)?.[0],
    )
  const [abort, forget] = lakeRules as [LifecycleRule, LifecycleRule]
  expect(differences(lakeRules, true)).toEqual([])
  expect(differences([{ ...abort, Filter: { Prefix: '' } }])).toEqual([])
  expect(differences([{ ...abort, Filter: { Tag: { Key: 'a', Value: 'b' } } }])).toEqual(['forgotten uploads'])
  expect(differences([{ ...abort, Status: 'Disabled' }])).toEqual(['forgotten uploads'])
  expect(differences([abort], true)).toEqual(['keeps versions'])
  const kept = { NoncurrentDays: 1, NewerNoncurrentVersions: 3 }
  expect(differences([abort, { ...forget, NoncurrentVersionExpiration: kept }], true)).toEqual(['keeps versions'])
  const Expiration = { Date: new Date(0) }
  expect(
    differences([abort, { ID: 'x', Status: 'Enabled', Filter: { Prefix: 'lake/v1/games/' }, Expiration }]),
  ).toEqual(['deletes'])
  expect(differences([abort, { ID: 'x', Status: 'Enabled', Filter: { Prefix: 'curated/' }, Expiration }])).toEqual([])
  const Transitions = [{ Days: 90, StorageClass: 'GLACIER' as const }]
  expect(differences([abort, { ID: 'x', Status: 'Enabled', Filter: {}, Transitions }])).toEqual(['GLACIER'])
  expect(resultRuleDifferences('r', resultRules, 'athena/')).toEqual([])
  expect(resultRuleDifferences('r', [month], '')).toHaveLength(1)
})
