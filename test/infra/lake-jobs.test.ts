import path from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  access,
  CONTEXT,
  current,
  files,
  granted,
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
  s3,
  service,
  tables,
} from './lake-roles.ts'

const curatedFile = s3(place.bucket, 'curated/v1/dim_game/run_id=x/part.parquet')
const curatedMeta = s3(place.bucket, 'curated-meta/v1/CURRENT.json')
const curatedTables = [...tables(place.curatedDatabase), ...tables(`${place.curatedDatabase}_raw`)]

/** What the jobs' sources call, by boto3's names; undefined: another job's, below. */
const OF_CURATE: Readonly<Record<string, readonly Need[]>> = {
  get_object: [need('s3:GetObject', part, manifest, curatedFile, curatedMeta)],
  put_object: [need('s3:PutObject', curatedMeta)],
  delete_objects: [need('s3:DeleteObject', curatedFile, curatedMeta)],
  abort_multipart_upload: [need('s3:AbortMultipartUpload', curatedFile)],
  list_multipart_uploads: [need('s3:ListBucketMultipartUploads', lake)],
  list_objects_v2: [need('s3:ListBucket', lake)],
  get_database: [need('glue:GetDatabase', ...curatedTables.filter((each) => !each.includes('table/')))],
  get_table: [need('glue:GetTable', ...curatedTables)],
  get_tables: [need('glue:GetTables', ...curatedTables)],
  create_table: [need('glue:CreateTable', ...curatedTables)],
  update_table: [need('glue:UpdateTable', ...curatedTables)],
  get_partition: [need('glue:GetPartition', ...curatedTables)],
  update_partition: [need('glue:UpdatePartition', ...curatedTables)],
  batch_create_partition: [need('glue:BatchCreatePartition', ...curatedTables)],
  batch_delete_partition: [need('glue:BatchDeletePartition', ...curatedTables)],
  start_query_execution: [need('athena:StartQueryExecution', ...service), need('s3:PutObject', results)],
  get_query_execution: [need('athena:GetQueryExecution', ...service)],
  get_query_results: [need('athena:GetQueryResults', ...service), need('s3:GetObject', results)],
  stop_query_execution: [need('athena:StopQueryExecution', ...service)],
}
/** `create_database`: the infrastructure makes them. */
const OTHERS = [
  ...['create_database', 'upload_part', 'get_secret_value', 'execute_statement', 'batch_execute_statement'],
  ...['describe_statement', 'get_statement_result', 'cancel_statement'],
]

describe('the roles of the Glue jobs', () => {
  it('let the curate job make every call of its sources', () => {
    const text = files(path.join(ROOT, 'glue-jobs/rocketgames_glue'), '.py').join('\n')
    const direct = [...text.matchAll(/\b(?:_?client|glue)\.([a-z]+_[a-z_0-9]+)\(/g)]
    const named = [...text.matchAll(/(?:get_paginator|_pages|_call)\(\s*"([a-z_0-9]+)"/g)]
    const called = new Set(
      [...direct, ...named].map(([, name = '']) => name).filter((name) => name !== 'get_paginator'),
    )
    expect([...called].sort()).toEqual([...Object.keys(OF_CURATE), ...OTHERS].sort())
    expect(lacking(ROLES.curate, [...Object.values(OF_CURATE).flat(), ...NEEDS_OF_KEYS])).toEqual([])
  })

  it('let the curate job change no snapshot', () => {
    const not = [need('s3:PutObject', part, manifest, current), need('s3:DeleteObject', part, manifest)]
    expect(granted(ROLES.curate, [...not, need('glue:UpdateTable', raw[2] ?? '', live[2] ?? '')])).toEqual([])
  })

  it('let the unload job send parts, and neither make an object of the lake nor complete one', () => {
    const parts = { ...CONTEXT, 's3:objectcreationoperation': 'false' }
    expect(access.decide(ROLES.unload, 's3:PutObject', part, parts)).toBe('allowed')
    expect(access.decide(ROLES.unload, 's3:PutObject', part, CONTEXT)).toBe('not granted')
    expect(lacking(ROLES.unload, [need('s3:GetObject', plan), need('s3:PutObject', report), ...NEEDS_OF_KEYS])).toEqual(
      [],
    )
    const secret = access.resources.find(
      ({ logicalId, type }) => type === 'AWS::SecretsManager::Secret' && /Pseudonym/.test(logicalId),
    )
    expect(access.decide(ROLES.unload, 'secretsmanager:GetSecretValue', secret?.arn ?? '')).toBe('allowed')
    const not = [
      need('s3:GetObject', part, manifest, current),
      need('s3:PutObject', plan, manifest, current, curatedFile),
      need('s3:DeleteObject', part, plan, report),
      need('s3:AbortMultipartUpload', part),
      need('s3:ListBucket', lake),
      need('glue:GetTable', ...raw),
    ]
    expect(granted(ROLES.unload, not)).toEqual([])
  })
})
