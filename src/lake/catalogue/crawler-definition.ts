import type { Crawler, CreateCrawlerRequest } from '@aws-sdk/client-glue'
import type { TableContract } from '../contract.ts'
import { tableLocation } from './table-definition.ts'

export interface CrawlerSettings {
  readonly name: string
  readonly role: string
  readonly bucket: string
  /** The Glue database of the tables, `rocketgames_raw`. */
  readonly database: string
}

/** Ours carry this description; a crawler of the same name with another one belongs to somebody else. */
export const CRAWLER_DESCRIPTION = 'Started by a snapshot after its commit; no schedule'

const EXCLUSIONS = ['**/_*', '**/.*', '**.json', '**.tmp']

/** bucket (1), `lake` (2), `v1` (3), table (4) */
const TABLE_LEVEL = 4

/**
 * The crawler over all lake tables, one target a table. It is a witness, not the author of the tables: `MergeNewColumns` never
 * removes a column, `InheritFromTable` keeps partitions readable, `LOG` leaves partitions to retention, and crawling everything
 * is the one mode in which it reports schema changes at all. It has no schedule: a snapshot starts it after its commit.
 */
export function crawlerDefinition(
  contracts: readonly TableContract[],
  settings: CrawlerSettings,
): CreateCrawlerRequest {
  return {
    Name: settings.name,
    Role: settings.role,
    DatabaseName: settings.database,
    Description: CRAWLER_DESCRIPTION,
    Targets: {
      S3Targets: contracts.map((contract) => ({
        Path: tableLocation(settings.bucket, contract.name),
        Exclusions: EXCLUSIONS,
        SampleSize: 2,
      })),
    },
    RecrawlPolicy: { RecrawlBehavior: 'CRAWL_EVERYTHING' },
    LineageConfiguration: { CrawlerLineageSettings: 'DISABLE' },
    SchemaChangePolicy: { UpdateBehavior: 'UPDATE_IN_DATABASE', DeleteBehavior: 'LOG' },
    Configuration: JSON.stringify({
      Version: 1.0,
      CreatePartitionIndex: true,
      Grouping: { TableGroupingPolicy: 'CombineCompatibleSchemas', TableLevelConfiguration: TABLE_LEVEL },
      CrawlerOutput: {
        // One more than there are tables: the threshold is described both as "greater than" and as "less than".
        Tables: { AddOrUpdateBehavior: 'MergeNewColumns', TableThreshold: contracts.length + 1 },
        Partitions: { AddOrUpdateBehavior: 'InheritFromTable' },
      },
    }),
    Tags: { app: 'rocketgames-accounts' },
  }
}

/** A setting of the existing crawler that is not as it should be. */
export interface CrawlerDifference {
  readonly setting: string
  readonly expected: string
  readonly found: string
}

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, sorted(each)]))
}

const canonical = (value: unknown): string => JSON.stringify(sorted(value)) ?? 'not set'

function configuration(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null')
  } catch {
    return text
  }
}

/** Role names are given with or without their ARN prefix. */
const roleName = (role: string | undefined) => role?.replace(/^arn:[^/]*\//, '')

const targets = (crawler: Pick<Crawler, 'Targets'>) =>
  (crawler.Targets?.S3Targets ?? [])
    .map(({ Path, Exclusions, SampleSize }) => ({ Path, Exclusions: [...(Exclusions ?? [])], SampleSize }))
    .sort((a, b) => ((a.Path ?? '') < (b.Path ?? '') ? -1 : 1))

/** Compares an existing crawler with its definition, setting by setting. A schedule is a difference: ours has none. */
export function crawlerDifferences(found: Crawler, expected: CreateCrawlerRequest): CrawlerDifference[] {
  const settings: [string, unknown, unknown][] = [
    ['Role', roleName(expected.Role), roleName(found.Role)],
    ['DatabaseName', expected.DatabaseName, found.DatabaseName],
    ['Targets', targets(expected), targets(found)],
    ['RecrawlPolicy', expected.RecrawlPolicy, found.RecrawlPolicy],
    ['SchemaChangePolicy', expected.SchemaChangePolicy, found.SchemaChangePolicy],
    ['Configuration', configuration(expected.Configuration), configuration(found.Configuration)],
    ['Schedule', undefined, found.Schedule?.ScheduleExpression || undefined],
  ]
  return settings
    .map(([setting, a, b]) => ({ setting, expected: canonical(a), found: canonical(b) }))
    .filter((difference) => difference.expected !== difference.found)
}
