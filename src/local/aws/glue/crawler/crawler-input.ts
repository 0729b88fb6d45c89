import type { Crawler, S3Target } from '@aws-sdk/client-glue'
import type { JsonObject, Wire } from '../../ports.ts'
import {
  absent,
  checkFields,
  givenName,
  integer,
  invalidInput,
  objects,
  oneOf,
  optionalObject,
  optionalText,
  optionalTexts,
  text,
} from '../request.ts'
import { parseConfiguration } from './crawler-configuration.ts'
import { exclusionGlob } from './exclusion-glob.ts'
import { type CrawlTarget, parseLocation } from './table-layout.ts'

export type WireCrawler = Wire<Crawler>

export const CRAWLER_FIELDS = [
  'Role',
  'DatabaseName',
  'Description',
  'Targets',
  'Schedule',
  'Classifiers',
  'TablePrefix',
  'SchemaChangePolicy',
  'RecrawlPolicy',
  'LineageConfiguration',
  'LakeFormationConfiguration',
  'Configuration',
  'CrawlerSecurityConfiguration',
]

const UPDATE_BEHAVIORS = ['LOG', 'UPDATE_IN_DATABASE'] as const
const DELETE_BEHAVIORS = ['LOG', 'DELETE_FROM_DATABASE', 'DEPRECATE_IN_DATABASE'] as const
const RECRAWL = ['CRAWL_EVERYTHING', 'CRAWL_NEW_FOLDERS_ONLY'] as const

/** The part of a crawler that a caller sets. */
export type CrawlerDefinition = Pick<
  WireCrawler,
  | 'Role'
  | 'DatabaseName'
  | 'Description'
  | 'Targets'
  | 'Schedule'
  | 'TablePrefix'
  | 'SchemaChangePolicy'
  | 'RecrawlPolicy'
  | 'LineageConfiguration'
  | 'LakeFormationConfiguration'
  | 'Configuration'
  | 'Classifiers'
>

/**
 * The definition that CreateCrawler or UpdateCrawler asks for: members that the input leaves out stay as they are in `old`, or have
 * AWS's default. What cannot be crawled here is refused by name.
 */
export function crawlerDefinition(input: JsonObject, old: CrawlerDefinition | undefined): CrawlerDefinition {
  refuseUnsupported(input)
  const databaseName = optionalText(input, 'DatabaseName') ?? old?.DatabaseName
  if (!databaseName) throw invalidInput('DatabaseName is needed for S3 targets')
  const recrawl = recrawlPolicy(input) ?? old?.RecrawlPolicy ?? { RecrawlBehavior: 'CRAWL_EVERYTHING' as const }
  const configuration = optionalText(input, 'Configuration') ?? old?.Configuration
  parseConfiguration(configuration)
  const description = optionalText(input, 'Description') ?? old?.Description
  const schedule = scheduleOf(optionalText(input, 'Schedule'), old?.Schedule)
  return {
    Role: optionalText(input, 'Role') ?? old?.Role ?? text(input, 'Role'),
    DatabaseName: databaseName.toLowerCase(),
    Targets: optionalObject(input, 'Targets') || !old ? targetsOf(input) : (old.Targets ?? {}),
    TablePrefix: tablePrefix(input) ?? old?.TablePrefix ?? '',
    SchemaChangePolicy: changePolicy(input, old, recrawl.RecrawlBehavior === 'CRAWL_NEW_FOLDERS_ONLY'),
    RecrawlPolicy: recrawl,
    LineageConfiguration: { CrawlerLineageSettings: 'DISABLE' },
    LakeFormationConfiguration: { UseLakeFormationCredentials: false, AccountId: '' },
    Classifiers: [],
    ...(description === undefined ? {} : { Description: description }),
    ...(configuration === undefined ? {} : { Configuration: configuration }),
    ...(schedule === undefined ? {} : { Schedule: schedule }),
  }
}

/** The S3 targets in a form to crawl. */
export function crawlTargets(definition: CrawlerDefinition): CrawlTarget[] {
  return (definition.Targets?.S3Targets ?? []).map((target) => ({
    ...parseLocation(target.Path ?? ''),
    exclusions: (target.Exclusions ?? []).map(exclusionGlob),
    ...(target.SampleSize === undefined ? {} : { sampleSize: target.SampleSize }),
  }))
}

function refuseUnsupported(input: JsonObject): void {
  if (optionalTexts(input, 'Classifiers')?.length) throw refused('Classifiers')
  if (optionalText(input, 'CrawlerSecurityConfiguration')) throw refused('CrawlerSecurityConfiguration')
  if (optionalObject(input, 'LineageConfiguration')?.CrawlerLineageSettings === 'ENABLE') {
    throw refused('LineageConfiguration.CrawlerLineageSettings ENABLE')
  }
  if (optionalObject(input, 'LakeFormationConfiguration')?.UseLakeFormationCredentials === true) {
    throw refused('LakeFormationConfiguration.UseLakeFormationCredentials')
  }
}

const refused = (what: string) => invalidInput(`${what} is not supported by the local endpoint`)

function targetsOf(input: JsonObject): NonNullable<WireCrawler['Targets']> {
  const targets = optionalObject(input, 'Targets') ?? {}
  for (const [kind, value] of Object.entries(targets)) {
    if (kind !== 'S3Targets' && Array.isArray(value) && value.length > 0) throw refused(`Targets.${kind}`)
  }
  const s3 = absent(targets.S3Targets) ? [] : objects(targets, 'S3Targets', Number.POSITIVE_INFINITY, 'Targets.')
  if (s3.length === 0) throw invalidInput('At least one S3 target is needed')
  return { S3Targets: s3.map(s3Target) }
}

function s3Target(target: JsonObject): Wire<S3Target> {
  checkFields(target, { required: ['Path'], optional: ['Exclusions', 'SampleSize'] }, 'Targets.S3Targets.')
  const path = text(target, 'Path')
  parseLocation(path)
  const exclusions = optionalTexts(target, 'Exclusions') ?? []
  for (const exclusion of exclusions) exclusionGlob(exclusion)
  const sampleSize = integer(target, 'SampleSize', 1, 249)
  return { Path: path, Exclusions: exclusions, ...(sampleSize === undefined ? {} : { SampleSize: sampleSize }) }
}

function tablePrefix(input: JsonObject): string | undefined {
  const prefix = optionalText(input, 'TablePrefix')
  if (prefix !== undefined && prefix.length > 128) throw invalidInput('TablePrefix is longer than 128 characters')
  return prefix
}

function recrawlPolicy(input: JsonObject): WireCrawler['RecrawlPolicy'] {
  const policy = optionalObject(input, 'RecrawlPolicy')
  if (!policy) return undefined
  if (policy.RecrawlBehavior === 'CRAWL_EVENT_MODE') throw refused('RecrawlPolicy.RecrawlBehavior CRAWL_EVENT_MODE')
  return { RecrawlBehavior: oneOf(policy, 'RecrawlBehavior', RECRAWL) ?? 'CRAWL_EVERYTHING' }
}

function changePolicy(
  input: JsonObject,
  old: CrawlerDefinition | undefined,
  newFoldersOnly: boolean,
): WireCrawler['SchemaChangePolicy'] {
  const given = optionalObject(input, 'SchemaChangePolicy')
  if (given) checkFields(given, { optional: ['UpdateBehavior', 'DeleteBehavior'] }, 'SchemaChangePolicy.')
  const update = given && oneOf(given, 'UpdateBehavior', UPDATE_BEHAVIORS)
  const remove = given && oneOf(given, 'DeleteBehavior', DELETE_BEHAVIORS)
  if (!newFoldersOnly) {
    return {
      UpdateBehavior: update ?? old?.SchemaChangePolicy?.UpdateBehavior ?? 'UPDATE_IN_DATABASE',
      DeleteBehavior: remove ?? old?.SchemaChangePolicy?.DeleteBehavior ?? 'DEPRECATE_IN_DATABASE',
    }
  }
  if ((update && update !== 'LOG') || (remove && remove !== 'LOG')) {
    throw invalidInput(
      'The SchemaChangePolicy for "Crawl new folders only" Amazon S3 target can have only LOG DeleteBehavior value and LOG UpdateBehavior value.',
    )
  }
  return { UpdateBehavior: 'LOG', DeleteBehavior: 'LOG' }
}

/** Schedules are kept and shown, never run: crawls begin by StartCrawler. An empty one removes it. */
function scheduleOf(given: string | undefined, old: WireCrawler['Schedule']): WireCrawler['Schedule'] {
  if (given === undefined) return old
  if (given === '') return undefined
  if (!/^cron\(\S+( \S+){5}\)$/.test(given))
    throw invalidInput(`Schedule ${given} is not of the form cron(a b c d e f)`)
  return { ScheduleExpression: given, State: 'SCHEDULED' }
}

/** A crawler's name is kept as it is given. */
export const crawlerName = (input: JsonObject, member = 'Name'): string => givenName(input, member)
