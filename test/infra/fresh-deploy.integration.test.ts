import { CreateNamedQueryCommand, CreateWorkGroupCommand } from '@aws-sdk/client-athena'
import { CreateCrawlerCommand, CreateDatabaseCommand, CreateTableCommand } from '@aws-sdk/client-glue'
import { CreateBucketCommand, PutBucketLifecycleConfigurationCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ensureLake, type LakePlace, lakeParts } from '../../src/lake/lake-setup.ts'
import { runSnapshot } from '../../src/lake/snapshot/run.ts'
import { verifySnapshots } from '../../src/lake/snapshot/verify.ts'
import { seedAccounts } from '../lake/snapshot/seed.ts'
import { type OpenLake, openLake } from '../lake/snapshot/test-lake.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startTestAws, type TestAws } from '../support/local-aws.ts'
import { type Deployed, deployedLake, rulesOfTemplate } from './deployed-lake.ts'

const deployed = deployedLake('dev')
/** What CloudFormation would call them; the template leaves the names to it. */
const NAMES: Readonly<Record<string, string>> = { BucketsLake: 'fresh-lake', BucketsResults: 'fresh-results' }
/** Of the local endpoint. */
const ACCOUNT = '000000000000'

function named<T>(value: T): T {
  const text = Object.entries({ ...NAMES, ACCOUNT }).reduce(
    (all, [id, name]) => all.replaceAll(id, name),
    JSON.stringify(value),
  )
  return JSON.parse(text) as T
}

/** A request of the SDK out of the resource of a template, whose members have the same names. */
const request = <T>({ properties }: Deployed) => named(properties) as unknown as T

let database: TestDatabase
let aws: TestAws
let open: OpenLake

/** As CloudFormation would: each resource of the template once, by the API of its service. */
async function deploy({ athena, glue, s3 }: TestAws): Promise<void> {
  for (const [id, Bucket] of Object.entries(NAMES)) {
    const rules = rulesOfTemplate(deployed.one('AWS::S3::Bucket', new RegExp(id)))
    await s3.send(new CreateBucketCommand({ Bucket }))
    await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: rules } }))
  }
  const { all } = deployed
  type Given<C extends new (input: never) => unknown> = ConstructorParameters<C>[0]
  for (const each of all('AWS::Glue::Database')) {
    await glue.send(new CreateDatabaseCommand(request<Given<typeof CreateDatabaseCommand>>(each)))
  }
  for (const each of all('AWS::Glue::Table')) {
    await glue.send(new CreateTableCommand(request<Given<typeof CreateTableCommand>>(each)))
  }
  for (const each of all('AWS::Glue::Crawler')) {
    // The local endpoint writes no log that could be encrypted.
    const { CrawlerSecurityConfiguration: _, ...crawler } = request<Given<typeof CreateCrawlerCommand>>(each)
    await glue.send(new CreateCrawlerCommand(crawler))
  }
  for (const each of all('AWS::Athena::WorkGroup')) {
    const { Description, Name, WorkGroupConfiguration: Configuration } = request<Record<string, never>>(each)
    await athena.send(new CreateWorkGroupCommand({ Name, Description, Configuration }))
  }
  for (const each of all('AWS::Athena::NamedQuery')) {
    await athena.send(new CreateNamedQueryCommand(request<Given<typeof CreateNamedQueryCommand>>(each)))
  }
}

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await Promise.all([seedAccounts(database.url, 200), deploy(aws)])
})

afterAll(async () => {
  await open?.close()
  await Promise.all([database?.drop(), aws?.stop()])
})

it('finds nothing missing and nothing different after a deployment, before the first snapshot, after it and when it verifies', async () => {
  const { bucket, ...given } = named(deployed.place)
  const place: LakePlace = { ...given, bucket, kmsKey: undefined, region: aws.region, crawlerWaitMs: 30_000 }
  const nothing = { created: [], differing: [] }
  expect(await ensureLake(place, aws, { owned: false })).toEqual(nothing)
  const { publisher } = lakeParts(place, aws)
  expect(await publisher.plannedChanges()).toEqual({ changes: [], crawler: [], drifts: [] })

  const { credentials, dir, endpoint, region } = aws
  open = openLake({ databaseUrl: database.url, credentials, endpoint, region, bucket, publisherDir: dir })
  const lake = { ...open.lake, publisher }
  const { id } = await runSnapshot(lake)
  expect(await verifySnapshots(lake, { all: true })).toMatchObject({ snapshots: [id], findings: [] })
  expect(await ensureLake(place, aws, { owned: false })).toEqual(nothing)
})
