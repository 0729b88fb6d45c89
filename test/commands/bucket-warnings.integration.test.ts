import { CreateBucketCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { warnOfBuckets } from '../../src/commands/bucket-warnings.ts'
import type { OpenLake } from '../../src/commands/composition.ts'
import { createLogger } from '../../src/logger.ts'
import { startTestAws, type TestAws } from '../support/local-aws.ts'

const config = { region: 'us-east-1', bucket: 'deployed', resultsUri: 's3://deployed-results/service/' }
let aws: TestAws

beforeAll(async () => {
  aws = await startTestAws()
})

afterAll(async () => {
  await aws?.stop()
})

async function warnings(bucket = config.bucket): Promise<string[]> {
  const lines: string[] = []
  const logger = createLogger({ level: 'info', destination: { write: (line) => lines.push(line) } })
  const lake = { clients: aws, config: { ...config, bucket } } as unknown as OpenLake
  await warnOfBuckets(lake, logger)
  return lines.map((line) => (JSON.parse(line) as { msg: string }).msg)
}

test('a service tells what of its buckets would cost files or keep them for ever, and goes on where it cannot look', async () => {
  for (const Bucket of ['deployed', 'deployed-results']) await aws.s3.send(new CreateBucketCommand({ Bucket }))
  expect(await warnings()).toEqual([
    expect.stringContaining('has no rule that ends forgotten uploads under lake/ and curated/'),
    expect.stringContaining('keeps what jobs write under unload/'),
    expect.stringContaining('no rule deletes those under /service/ after 7 days'),
  ])
  expect(await warnings('nowhere')).toEqual(['the rules of the buckets could not be read'])
})
