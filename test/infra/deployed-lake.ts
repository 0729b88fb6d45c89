import type { LifecycleRule } from '@aws-sdk/client-s3'
import { type Resource, resourcesOf, type StackTemplate } from '../../infra/audit/stack-resources.ts'
import type { StageSettings } from '../../infra/stages.ts'
import { synthesized } from '../support/infra.ts'

/** A resource of a template with its references written out. */
export interface Deployed extends Resource {
  readonly deletionPolicy: string | undefined
}

/** All templates of a stage, as the auditor of roles takes them. */
export function stageTemplates(name: StageSettings['name']): StackTemplate[] {
  const { stage } = synthesized(name)
  return stage.synth().stacks.map(({ stackName, template }) => ({ stack: stackName, template: template as unknown }))
}

interface Template {
  readonly Resources: Readonly<Record<string, { readonly DeletionPolicy?: string }>>
}

/** The lake stack of a stage as it would stand in an account: its resources, and the settings by which the program finds them. */
export function deployedLake(name: StageSettings['name']) {
  const { lake } = synthesized(name).stage
  const templates = stageTemplates(name)
  const template = templates.find(({ stack }) => stack === lake.stackName)?.template as Template
  // As a resource of the template, so that references in it are written out with all others.
  const settings = { Type: 'Settings', Properties: lake.resolve(lake.settings) as unknown }
  const probed = { ...template, Resources: { ...template.Resources, Settings: settings } }
  const resources: Deployed[] = resourcesOf(
    templates.map((each) => (each.stack === lake.stackName ? { ...each, template: probed } : each)),
  )
    .filter(({ stack }) => stack === lake.stackName)
    .map((each) => ({ ...each, deletionPolicy: template.Resources[each.logicalId]?.DeletionPolicy }))
  const all = (type: string) => resources.filter((each) => each.type === type)
  const one = (type: string, id = /./): Deployed => {
    const [only, ...others] = all(type).filter(({ logicalId }) => id.test(logicalId))
    if (only !== undefined && others.length === 0) return only
    throw new Error(`One ${type} called ${id} is expected, ${all(type).length} are there`)
  }
  const given = one('Settings').properties
  const setting = (key: string) => String(given[key])
  const place = {
    bucket: setting('LAKE_BUCKET'),
    results: one('AWS::S3::Bucket', /Results/).name,
    resultsUri: setting('LAKE_RESULTS'),
    lakeKey: setting('LAKE_KMS_KEY'),
    resultsKey: one('AWS::KMS::Key', /ResultsKey/).arn,
    rawDatabase: setting('LAKE_RAW_DATABASE'),
    database: setting('LAKE_DATABASE'),
    curatedDatabase: setting('LAKE_CURATED_DATABASE'),
    crawler: setting('LAKE_CRAWLER'),
    crawlerRole: setting('LAKE_CRAWLER_ROLE'),
    unloadJob: setting('LAKE_SPARK_JOB'),
    workgroup: setting('ATHENA_WORKGROUP'),
  }
  return { all, one, place, settings: given }
}

interface TemplateRule {
  readonly Id: string
  readonly Status: 'Enabled' | 'Disabled'
  readonly Prefix?: string
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation: number }
  readonly NoncurrentVersionExpiration?: { readonly NoncurrentDays: number }
  readonly ExpirationInDays?: number
  readonly ExpiredObjectDeleteMarker?: boolean
}

/** The lifecycle rules of a bucket of a template as S3 would tell them. */
export function rulesOfTemplate(bucket: Resource): LifecycleRule[] {
  const { Rules } = bucket.properties.LifecycleConfiguration as { Rules: TemplateRule[] }
  return Rules.map((rule): LifecycleRule => {
    const { ExpirationInDays: days, ExpiredObjectDeleteMarker: marker, Id, Prefix = '', Status, ...rest } = rule
    const expiration = {
      ...(days === undefined ? {} : { Days: days }),
      ...(marker ? { ExpiredObjectDeleteMarker: true } : {}),
    }
    const expires = Object.keys(expiration).length > 0 ? { Expiration: expiration } : {}
    return { ID: Id, Status, Filter: { Prefix }, ...rest, ...expires }
  })
}
