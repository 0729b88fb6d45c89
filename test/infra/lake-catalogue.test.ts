import type { Crawler, CreateCrawlerRequest, Table } from '@aws-sdk/client-glue'
import type { LifecycleRule } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { formerMetaRules } from '../../infra/constructs/lake-buckets.ts'
import { lifecycleRules } from '../../infra/constructs/lifecycle-rules.ts'
import { describeQuery, editorText } from '../../src/lake/athena/named-query-text.ts'
import { loadSavedQueries } from '../../src/lake/athena/saved-queries.ts'
import { workGroupDifferences } from '../../src/lake/athena/work-group.ts'
import { workGroupConfiguration } from '../../src/lake/athena/work-group-definition.ts'
import { lakeRuleDifferences, lakeRules, resultRuleDifferences, resultRules } from '../../src/lake/bucket-rules.ts'
import { crawlerDefinition, crawlerDifferences } from '../../src/lake/catalogue/crawler-definition.ts'
import { tableDrift } from '../../src/lake/catalogue/drift.ts'
import { tableInput } from '../../src/lake/catalogue/table-definition.ts'
import { plannedTableChange } from '../../src/lake/catalogue/tables.ts'
import { contracts } from '../../src/lake/contract.ts'
import { deployedLake, rulesOfTemplate } from './deployed-lake.ts'

const { all, place, one } = deployedLake('dev')

describe('what the template makes of the catalogue', () => {
  it('has the tables that the program would make, property by property', () => {
    const tables = all('AWS::Glue::Table').map(({ properties }) => properties)
    expect(tables.map(({ DatabaseName }) => DatabaseName)).toEqual(contracts.map(() => place.rawDatabase))
    expect(tables.map(({ TableInput }) => TableInput)).toEqual(contracts.map((each) => tableInput(each, place.bucket)))
    for (const contract of contracts) {
      const table = tables.find(({ TableInput }) => (TableInput as Table).Name === contract.name)?.TableInput as Table
      expect(tableDrift(contract, table, place.bucket)).toEqual([])
      expect(plannedTableChange(contract, table, place.bucket)).toEqual({ kind: 'none' })
    }
  })

  it('keeps a table that no contract names any more, and takes back what a deployment that fails has made', () => {
    for (const each of all('AWS::Glue::Table')) {
      expect(each.deletionPolicy, each.logicalId).toBe('RetainExceptOnCreate')
    }
  })

  it('has the crawler as the program would make it, but for lineage, which a template cannot set, and the encryption of its log', () => {
    const { properties } = one('AWS::Glue::Crawler')
    const settings = { name: place.crawler, bucket: place.bucket, database: place.rawDatabase }
    const expected = crawlerDefinition(contracts, {
      ...settings,
      role: `arn:aws:iam::ACCOUNT:role/${place.crawlerRole}`,
    })
    expect(crawlerDifferences(properties as Crawler, expected)).toEqual([])
    const { LineageConfiguration: lineage, Tags: tags, ...definition } = expected
    expect(lineage, 'the default of Glue').toEqual({ CrawlerLineageSettings: 'DISABLE' })
    const {
      CrawlerSecurityConfiguration: encrypted,
      Tags: found,
      ...rest
    } = properties as unknown as CreateCrawlerRequest
    expect(rest).toEqual(definition)
    expect(found).toMatchObject(tags ?? {})
    expect(encrypted).toBe(one('AWS::Glue::SecurityConfiguration').properties.Name)
  })

  it('has the databases that the program would make', () => {
    const databases = all('AWS::Glue::Database').map(({ properties }) => properties.DatabaseInput as { Name: string })
    const { curatedDatabase, database, rawDatabase } = place
    expect(databases.map(({ Name }) => Name)).toEqual([
      ...[rawDatabase, database, curatedDatabase, `${curatedDatabase}_raw`],
    ])
  })

  it('has the work group of the program, and others whose limits nobody can get round', () => {
    const groups = all('AWS::Athena::WorkGroup').map(({ properties }) => properties)
    const own = groups.find(({ Name }) => Name === place.workgroup)
    const settings = { name: place.workgroup, resultsUri: place.resultsUri, kmsKey: place.resultsKey }
    expect(own?.WorkGroupConfiguration).toEqual(workGroupConfiguration(settings))
    const group = { Name: place.workgroup, State: 'ENABLED', Configuration: workGroupConfiguration(settings) } as const
    expect(workGroupDifferences(group, settings)).toEqual([])
    const places = groups.map(({ WorkGroupConfiguration: given }) => {
      const found = given as ReturnType<typeof workGroupConfiguration>
      expect(found.EnforceWorkGroupConfiguration).toBe(true)
      expect(found.BytesScannedCutoffPerQuery).toBeGreaterThan(1024 ** 3)
      return found.ResultConfiguration?.OutputLocation
    })
    expect(new Set(places).size, 'each has a folder of its own').toBe(groups.length)
  })

  it('shows the saved queries word for word, where the program looks for them and where analysts do', () => {
    const queries = loadSavedQueries()
    for (const workgroup of [place.workgroup, `${place.workgroup}-analysts`]) {
      const found = all('AWS::Athena::NamedQuery').filter(({ properties }) => properties.WorkGroup === workgroup)
      expect(found.map(({ properties }) => properties)).toEqual(
        queries.map((query) => ({
          Name: query.name,
          Description: describeQuery(query),
          Database: query.zone === 'curated' ? place.curatedDatabase : place.database,
          QueryString: editorText(query),
          WorkGroup: workgroup,
        })),
      )
    }
  })
})

describe("the buckets' rules in the template", () => {
  it('are those of the program, and one more for pointers and manifests that were replaced', () => {
    const lake = one('AWS::S3::Bucket', /BucketsLake/)
    expect(rulesOfTemplate(lake)).toEqual([...lakeRules, ...formerMetaRules])
    expect(lakeRuleDifferences(place.bucket, rulesOfTemplate(lake), true)).toEqual([])
    expect(lake.properties.VersioningConfiguration).toEqual({ Status: 'Enabled' })
    const results = one('AWS::S3::Bucket', /Results/)
    expect(rulesOfTemplate(results)).toEqual(resultRules)
    expect(resultRuleDifferences(place.results, rulesOfTemplate(results), 'service/')).toEqual([])
    expect(results.properties.VersioningConfiguration, 'a deleted result would stay').toBeUndefined()
  })

  it('would lose nothing on their way into it: a member that is not carried over stops the synthesis', () => {
    const rule: LifecycleRule = {
      ID: 'archive',
      Status: 'Enabled',
      Transitions: [{ Days: 9, StorageClass: 'GLACIER' }],
    }
    expect(() => lifecycleRules([rule])).toThrow('archive has Transitions')
  })

  it('stand on buckets that are encrypted under keys of their own, closed, logged, and stay when the stack goes', () => {
    for (const bucket of all('AWS::S3::Bucket')) {
      expect(bucket.deletionPolicy).toBe('Retain')
      expect(bucket.properties.PublicAccessBlockConfiguration).toEqual({
        ...{ BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
      })
    }
    const keys = [/BucketsLake/, /Results/].map((id) => {
      const { BucketEncryption: encryption, LoggingConfiguration: logging } = one('AWS::S3::Bucket', id).properties
      expect(logging).toMatchObject({ DestinationBucketName: 'BucketsAccessLogs' })
      return JSON.stringify(encryption)
    })
    expect(keys[0]).toContain('aws:kms')
    expect(keys[0]).not.toBe(keys[1])
    expect(one('AWS::S3::Bucket', /BucketsLake/).properties.NotificationConfiguration).toEqual({
      EventBridgeConfiguration: { EventBridgeEnabled: true },
    })
  })
})
