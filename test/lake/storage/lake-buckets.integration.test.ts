import { GetBucketLifecycleConfigurationCommand, PutBucketLifecycleConfigurationCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensureBuckets } from '../../../src/lake/lake-buckets.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'

const settings = { region: 'us-east-1', bucket: 'lake', resultsUri: 's3://results/athena/' }

let aws: TestAws

beforeAll(async () => {
  aws = await startTestAws()
})

afterAll(async () => {
  await aws?.stop()
})

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

  const theirs = { ID: 'theirs', Status: 'Enabled' as const, Filter: { Prefix: 'tmp/' }, Expiration: { Days: 3 } }
  const LifecycleConfiguration = { Rules: [theirs] }
  await aws.s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket: 'lake', LifecycleConfiguration }))
  expect(await ensureBuckets(aws.s3, settings)).toEqual([])
  expect((await rulesOf('lake')).map(({ ID }) => ID)).toEqual(['theirs'])
})
