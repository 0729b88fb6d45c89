import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { FAULT_POINTS } from '../../src/lake/snapshot/faults.ts'
import {
  access,
  contract,
  crawler,
  current,
  databases,
  files,
  granted,
  job,
  lacking,
  lake,
  live,
  manifest,
  NEEDS_OF_KEYS,
  type Need,
  need,
  part,
  place,
  plan,
  ROLES,
  ROOT,
  raw,
  report,
  results,
  retired,
  s3,
  service,
  tables,
} from './lake-roles.ts'

/** Made by the infrastructure, so no role of the program may do it: with a local lake alone the program does it itself. */
const INFRASTRUCTURE = 'infrastructure'

/** Every command of S3, Glue and Athena that the program sends, as IAM knows it (Service Authorization Reference), and on what. */
const CALLS: Readonly<Record<string, readonly Need[] | typeof INFRASTRUCTURE>> = {
  CreateMultipartUpload: [need('s3:PutObject', part)],
  UploadPart: [need('s3:PutObject', part)],
  CompleteMultipartUpload: [need('s3:PutObject', part)],
  AbortMultipartUpload: [need('s3:AbortMultipartUpload', part)],
  ListParts: [need('s3:ListMultipartUploadParts', part)],
  ListMultipartUploads: [need('s3:ListBucketMultipartUploads', lake)],
  ListObjectsV2: [need('s3:ListBucket', lake)],
  HeadBucket: [need('s3:ListBucket', lake, s3(place.results))],
  HeadObject: [need('s3:GetObject', part)],
  GetObject: [need('s3:GetObject', part, manifest, current, contract, plan, report)],
  PutObject: [need('s3:PutObject', contract, manifest, current, plan)],
  DeleteObjects: [need('s3:DeleteObject', part, manifest, plan, report)],
  GetBucketLifecycleConfiguration: INFRASTRUCTURE,
  GetBucketVersioning: INFRASTRUCTURE,
  CreateBucket: INFRASTRUCTURE,
  PutBucketLifecycleConfiguration: INFRASTRUCTURE,
  GetDatabase: [need('glue:GetDatabase', ...databases(place.rawDatabase, place.database))],
  CreateDatabase: INFRASTRUCTURE,
  GetTable: [need('glue:GetTable', ...raw)],
  GetTables: [need('glue:GetTables', ...raw, ...live)],
  CreateTable: [need('glue:CreateTable', ...raw)],
  UpdateTable: [need('glue:UpdateTable', ...raw)],
  BatchCreatePartition: [need('glue:BatchCreatePartition', ...raw)],
  GetPartition: [need('glue:GetPartition', ...raw)],
  GetPartitions: [need('glue:GetPartitions', ...raw)],
  UpdatePartition: [need('glue:UpdatePartition', ...raw)],
  BatchDeletePartition: [need('glue:BatchDeletePartition', ...raw)],
  GetCrawler: [need('glue:GetCrawler', ...crawler)],
  StartCrawler: [need('glue:StartCrawler', ...crawler)],
  CreateCrawler: INFRASTRUCTURE,
  UpdateCrawler: INFRASTRUCTURE,
  StartJobRun: [need('glue:StartJobRun', ...job)],
  GetJobRun: [need('glue:GetJobRun', ...job)],
  GetJobRuns: [need('glue:GetJobRuns', ...job)],
  BatchStopJobRun: [need('glue:BatchStopJobRun', ...job)],
  // Statements run with the rights of whoever starts them: views are made in the catalogue, results written and files read.
  StartQueryExecution: [
    need('athena:StartQueryExecution', ...service),
    need('glue:CreateTable', ...live),
    need('glue:UpdateTable', ...live),
    need('glue:GetTable', ...live, ...raw),
    need('glue:GetPartitions', ...raw),
    need('glue:GetDatabase', ...databases('default')),
    need('s3:PutObject', results),
    need('s3:GetBucketLocation', s3(place.results), lake),
    need('kms:GenerateDataKey', place.resultsKey),
  ],
  GetQueryExecution: [need('athena:GetQueryExecution', ...service)],
  BatchGetQueryExecution: [need('athena:BatchGetQueryExecution', ...service)],
  ListQueryExecutions: [need('athena:ListQueryExecutions', ...service)],
  StopQueryExecution: [need('athena:StopQueryExecution', ...service)],
  GetQueryResults: [
    need('athena:GetQueryResults', ...service),
    need('s3:GetObject', results),
    need('kms:Decrypt', place.resultsKey),
  ],
  GetWorkGroup: [need('athena:GetWorkGroup', ...service)],
  CreateWorkGroup: INFRASTRUCTURE,
  ListNamedQueries: INFRASTRUCTURE,
  BatchGetNamedQuery: INFRASTRUCTURE,
  CreateNamedQuery: INFRASTRUCTURE,
  UpdateNamedQuery: INFRASTRUCTURE,
  DeleteNamedQuery: INFRASTRUCTURE,
}
/** Of verification and of queries, which is what the API does itself. */
const READS = [
  ...['ListMultipartUploads', 'ListObjectsV2', 'HeadBucket', 'HeadObject', 'GetDatabase', 'GetTable', 'GetTables'],
  ...['GetPartition', 'GetPartitions', 'GetCrawler', 'GetQueryExecution', 'BatchGetQueryExecution'],
  ...['ListQueryExecutions', 'StopQueryExecution', 'GetQueryResults', 'GetWorkGroup'],
]

const needsOf = (call: string): readonly Need[] => {
  const needs = CALLS[call]
  return needs === undefined || needs === INFRASTRUCTURE ? [] : needs
}

/** Groups of Glue's logs, named after the configuration and the role. */
const LOGS = 'arn:aws:logs:eu-central-1:ACCOUNT:log-group:/aws-glue/GROUP'

describe('the roles of the program', () => {
  it('are known to this test for every command of S3, Glue and Athena in the sources', () => {
    const clients = /from '@aws-sdk\/client-(s3|glue|athena)'/
    const sent = files(path.join(ROOT, 'src/lake'), '.ts')
      .filter((text) => clients.test(text))
      .flatMap((text) => [...text.matchAll(/new ([A-Z]\w+)Command\(/g)].map(([, name = '']) => name))
    expect([...new Set(sent)].sort()).toEqual(Object.keys(CALLS).sort())
  })

  it('let a snapshot make every call at which a test may end one', () => {
    const calls = new Set(
      FAULT_POINTS.filter((point) => !point.includes('-control-')).map((point) => point.split('-')[1] ?? ''),
    )
    const unknown = [...calls].filter((call) => CALLS[call] === undefined)
    expect(unknown).toEqual([])
    const needs = [...[...calls].flatMap(needsOf), ...NEEDS_OF_KEYS]
    expect(needs.length).toBeGreaterThan(30)
    expect(lacking(ROLES.snapshot, needs)).toEqual([])
    expect(lacking(ROLES.care, [...needs, need('s3:PutObject', retired)])).toEqual([])
  })

  it('let the API read and query, and change nothing', () => {
    const reads = [
      ...READS.flatMap(needsOf),
      need('s3:GetObject', part, manifest, current, s3(place.bucket, 'curated/v1/dim_game/run_id=x/part.parquet')),
      need('glue:GetTable', ...tables(place.curatedDatabase), ...tables(`${place.curatedDatabase}_raw`)),
      need('athena:StartQueryExecution', ...service),
      need('s3:PutObject', results),
      need('kms:Decrypt', place.lakeKey),
    ]
    expect(lacking(ROLES.api, reads)).toEqual([])
    const writes = Object.keys(CALLS)
      .filter(
        (call) => !READS.includes(call) && /^(Create|Upload|Complete|Abort|Put|Delete|Update|Batch|Start)/.test(call),
      )
      .filter((call) => call !== 'StartQueryExecution')
      .flatMap(needsOf)
    expect(writes.length).toBeGreaterThan(10)
    const closed = [
      plan,
      report,
      retired.replace('lake-meta', 'other'),
      s3(place.bucket, 'curated-meta/v1/CURRENT.json'),
    ]
    expect(granted(ROLES.api, [need('s3:GetObject', ...closed)])).toEqual([])
    expect(granted(ROLES.api, [...writes, need('kms:GenerateDataKey', place.lakeKey)])).toEqual([])
  })

  it('let nobody remove a version of an object for good, change a bucket or remove a table', () => {
    const never = [
      need('s3:DeleteObjectVersion', part, manifest, current),
      need('s3:PutLifecycleConfiguration', lake),
      need('s3:PutBucketVersioning', lake),
      need('s3:PutBucketPolicy', lake),
      need('glue:DeleteTable', ...raw, ...live),
      need('glue:DeleteDatabase', ...raw),
      need('glue:UpdateCrawler', ...crawler),
      need('athena:UpdateWorkGroup', ...service),
      need('kms:ScheduleKeyDeletion', place.lakeKey),
    ]
    for (const role of Object.values(ROLES)) expect(granted(role, never), role.resource.name).toEqual([])
  })

  it('keep the prefixes apart: snapshots write no curated tables, only care keeps manifests of what it removes', () => {
    const curated = s3(place.bucket, 'curated/v1/dim_game/run_id=x/part.parquet')
    expect(granted(ROLES.snapshot, [need('s3:PutObject', curated, retired, s3(place.bucket, 'other/x'))])).toEqual([])
    expect(granted(ROLES.care, [need('s3:PutObject', curated), need('s3:DeleteObject', retired, current)])).toEqual([])
    expect(granted(ROLES.snapshot, [need('s3:GetObject', s3(place.results, 'analysts/0f.csv'))])).toEqual([])
  })

  it('let the crawler update tables and make none', () => {
    const may = [
      need('glue:UpdateTable', ...raw),
      need('glue:BatchCreatePartition', ...raw),
      need('s3:GetObject', part),
    ]
    expect(lacking(ROLES.crawler, [...may, need('kms:Decrypt', place.lakeKey)])).toEqual([])
    const not = [need('glue:CreateTable', ...raw), need('s3:PutObject', part), need('s3:GetObject', manifest, plan)]
    expect(granted(ROLES.crawler, [...not, need('glue:UpdateTable', live[2] ?? '')])).toEqual([])
  })

  it('let Glue find the keys of the logs by the roles of everything that has a security configuration', () => {
    const find = [need('glue:GetSecurityConfiguration', '*'), need('logs:AssociateKmsKey', LOGS)]
    for (const role of [ROLES.crawler, ROLES.curate, ROLES.unload]) {
      const logs = role === ROLES.crawler ? 'crawlers-role/x' : 'jobs/x-role/y'
      const on = find.map(({ action, on: [first = ''] }) => need(action, first.replace('GROUP', logs)))
      expect(lacking(role, on), role.resource.logicalId).toEqual([])
    }
  })

  it('fit into roles, whose own policies may have 10,240 characters together', () => {
    const sizes = access.roles.map(
      ({ resource, statements }) => [resource.name, JSON.stringify(statements).length] as const,
    )
    // References stand for names that are longer: of a bucket by up to 50 characters, and a role names it some twenty times.
    expect(sizes.filter(([, size]) => size > 10_240 - 20 * 50)).toEqual([])
  })
})
