import { randomBytes } from 'node:crypto'
import type { LakePlace } from '../../src/lake/lake-setup.ts'
import type { TestAws } from './local-aws.ts'

/** The pseudonym key of a test's lake, as a setting. */
export const PSEUDONYM_KEY = '07'.repeat(32)

/** What production sets for a command that works on the lake. */
export function lakeEnvironment(
  databaseUrl: string,
  aws: Pick<TestAws, 'endpoint' | 'region' | 'credentials'>,
  place: LakePlace,
): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    API_KEY_PEPPER: randomBytes(32).toString('hex'),
    CURSOR_KEY: randomBytes(32).toString('hex'),
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_REGION: aws.region,
    AWS_ACCESS_KEY_ID: aws.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.credentials.secretAccessKey,
    LAKE_BUCKET: place.bucket,
    LAKE_RESULTS: place.resultsUri,
    LAKE_RAW_DATABASE: place.rawDatabase,
    LAKE_DATABASE: place.database,
    LAKE_CURATED_DATABASE: place.curatedDatabase,
    LAKE_CRAWLER: place.crawler,
    LAKE_CRAWLER_ROLE: place.crawlerRole,
    ATHENA_WORKGROUP: place.workgroup,
    LAKE_PSEUDONYM_KEY: PSEUDONYM_KEY,
  }
}
