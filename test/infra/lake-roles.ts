import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { type Role, StageAccess } from '../../infra/audit/roles.ts'
import {
  CURRENT_KEY,
  contractKey,
  manifestKey,
  partKey,
  retiredKey,
  unloadPlanKey,
  unloadReportKey,
} from '../../src/lake/object-keys.ts'
import { deployedLake, stageTemplates } from './deployed-lake.ts'

/** The roles of a stage, resources of its lake by their ARNs, and what a role lacks or may do of a list of needs. */

export const ROOT = path.resolve(import.meta.dirname, '../..')
export const { place } = deployedLake('dev')
export const access = new StageAccess(stageTemplates('dev'))

export function roleNamed(pattern: RegExp): Role {
  const [only, ...others] = access.roles.filter(({ resource }) =>
    pattern.test(`${resource.stack} ${resource.logicalId}`),
  )
  if (only === undefined || others.length > 0) throw new Error(`${1 + others.length} roles are called ${pattern}`)
  return only
}

export const ROLES = {
  snapshot: roleNamed(/-tasks SnapshotDefinitionTaskRole/),
  care: roleNamed(/-tasks CareDefinitionTaskRole/),
  api: roleNamed(/-service \w*TaskDefinitionTaskRole|-service \w*DefinitionTaskRole/),
  crawler: roleNamed(/-lake CatalogueCrawlerRole/),
  curate: roleNamed(/-lake CurateRole/),
  unload: roleNamed(/-lake UnloadRole/),
  analysts: roleNamed(/-lake ReadersAnalysts/),
  reports: roleNamed(/-lake ReadersReports/),
  engineers: roleNamed(/-lake ReadersEngineers/),
} as const

export const SNAPSHOT = '20261122t020000z-01kaq3c9'
export const s3 = (bucket: string, key = '') => `arn:aws:s3:::${bucket}${key === '' ? '' : `/${key}`}`
export const glue = (resource: string) => `arn:aws:glue:eu-central-1:ACCOUNT:${resource}`
export const group = (name: string) => `arn:aws:athena:eu-central-1:ACCOUNT:workgroup/${name}`
export const part = s3(place.bucket, partKey('players', SNAPSHOT, 0, 0))
export const manifest = s3(place.bucket, manifestKey(SNAPSHOT))
export const current = s3(place.bucket, CURRENT_KEY)
export const contract = s3(place.bucket, contractKey('players', '0'.repeat(64)))
export const plan = s3(place.bucket, unloadPlanKey(SNAPSHOT))
export const report = s3(place.bucket, unloadReportKey(SNAPSHOT))
export const retired = s3(place.bucket, retiredKey(SNAPSHOT))
export const lake = s3(place.bucket)
export const results = s3(place.results, 'service/0f.csv')
export const tables = (database: string) => [
  glue('catalog'),
  glue(`database/${database}`),
  glue(`table/${database}/players`),
]
export const databases = (...names: string[]) => [glue('catalog'), ...names.map((name) => glue(`database/${name}`))]
export const raw = tables(place.rawDatabase)
export const live = tables(place.database)
export const crawler = [glue(`crawler/${place.crawler}`)]
export const job = [glue(`job/${place.unloadJob}`)]
export const service = [group(place.workgroup)]

export interface Need {
  readonly action: string
  readonly on: readonly string[]
}
export const need = (action: string, ...on: string[]): Need => ({ action, on })

export const NEEDS_OF_KEYS = [need('kms:Decrypt', place.lakeKey), need('kms:GenerateDataKey', place.lakeKey)]

/** Calls by way of S3 hold that condition. */
export const CONTEXT = {
  'kms:viaservice': 's3.eu-central-1.amazonaws.com',
  's3:objectcreationoperation': 'true',
}

export function lacking(role: Role, needs: readonly Need[]): string[] {
  return needs.flatMap(({ action, on }) =>
    on
      .filter((resource) => access.decide(role, action, resource, CONTEXT) !== 'allowed')
      .map((resource) => `${action} ${resource}`),
  )
}

/** Those of them that it may, also under a condition. */
export function granted(role: Role, needs: readonly Need[]): string[] {
  return needs.flatMap(({ action, on }) =>
    on
      .filter((resource) => ['allowed', 'conditional'].includes(access.decide(role, action, resource, CONTEXT)))
      .map((resource) => `${action} ${resource}`),
  )
}

export function files(folder: string, end: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(end))
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'))
}
