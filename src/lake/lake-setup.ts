import type { AthenaClient } from '@aws-sdk/client-athena'
import type { GlueClient } from '@aws-sdk/client-glue'
import type { S3Client } from '@aws-sdk/client-s3'
import { UsageError } from '../errors.ts'
import { LakeViews } from './athena/lake-views.ts'
import { ensureNamedQueries } from './athena/named-queries.ts'
import { QueryRunner } from './athena/query-runner.ts'
import { loadSavedQueries } from './athena/saved-queries.ts'
import { ensureWorkGroup } from './athena/work-group.ts'
import { awsErrorName } from './aws-calls.ts'
import { Catalogue } from './catalogue/catalogue.ts'
import type { CrawlPace } from './catalogue/crawl.ts'
import { ensureDatabase } from './catalogue/databases.ts'
import { contracts as allContracts, type TableContract } from './contract.ts'
import { bucketDifferences, ensureBuckets, missingBuckets } from './lake-buckets.ts'
import { LakePublisher } from './lake-publisher.ts'
import type { RetryBudget } from './retries.ts'

/** The part of `LakeConfig` that says where the lake is. */
export interface LakePlace {
  readonly region: string
  readonly bucket: string
  readonly resultsUri: string
  readonly kmsKey?: string | undefined
  readonly rawDatabase: string
  readonly database: string
  readonly curatedDatabase: string
  readonly crawler: string
  readonly crawlerRole: string
  readonly workgroup: string
  readonly crawlerWaitMs: number
  /** How often a crawl is looked at, and how long an entry of a batch is tried again; shorter in tests. */
  readonly pace?: CrawlPace
  readonly retries?: RetryBudget
}

export interface LakeClients {
  readonly s3: S3Client
  readonly glue: GlueClient
  readonly athena: AthenaClient
}

/** The catalogue, the views and the queries of one lake, wired. */
export interface LakeParts {
  readonly catalogue: Catalogue
  readonly views: LakeViews
  readonly runner: QueryRunner
  readonly publisher: LakePublisher
}

export function lakeParts(
  place: LakePlace,
  { glue, athena }: Pick<LakeClients, 'glue' | 'athena'>,
  contracts: readonly TableContract[] = allContracts,
): LakeParts {
  const catalogue = new Catalogue(glue, contracts, place)
  const runner = new QueryRunner(athena, place)
  const views = new LakeViews(runner, contracts, place, () => catalogue.storedViews(place.database))
  return { catalogue, views, runner, publisher: new LakePublisher(catalogue, views) }
}

export interface LakeSetupReport {
  /** What was made, one phrase each. */
  readonly created: readonly string[]
  /** What exists and differs from what it should be, one sentence each; left as it is. */
  readonly differing: readonly string[]
}

export interface LakeSetupOptions {
  /**
   * True: this program owns the infrastructure (the local default), makes the buckets and keeps the crawler's definition up to
   * date. False: somebody else does, and what is missing or different there is told.
   */
  readonly owned: boolean
}

/**
 * Brings the lake's resources into being: buckets, Glue databases and tables, the crawler, the work group and its saved queries. May be repeated at
 * every start, and by several processes at once.
 *
 * @throws UsageError when a bucket is missing that somebody else has to make.
 */
export async function ensureLake(
  place: LakePlace,
  clients: LakeClients,
  { owned }: LakeSetupOptions,
  contracts: readonly TableContract[] = allContracts,
): Promise<LakeSetupReport> {
  const created: string[] = []
  const differing: string[] = []
  if (owned) created.push(...(await ensureBuckets(clients.s3, place)))
  else await requireBuckets(clients.s3, place)
  differing.push(...(await bucketDifferences(clients.s3, place)))
  created.push(...(await ensureDatabases(clients.glue, place)))
  const { catalogue } = lakeParts(place, clients, contracts)
  created.push(...(await catalogue.ensure()))
  const crawler = await catalogue.crawlerDifferences()
  if (owned && crawler.length > 0) {
    await catalogue.updateCrawler()
    created.push(`crawler ${place.crawler}: ${crawler.map((each) => each.setting).join(', ')}`)
  } else {
    differing.push(
      ...crawler.map(({ setting, expected, found }) => {
        return `The crawler ${place.crawler} differs in ${setting}: expected ${expected}, found ${found}`
      }),
    )
  }
  const group = await ensureWorkGroup(clients.athena, { ...place, name: place.workgroup })
  if (group.created) created.push(`work group ${place.workgroup}`)
  const queries = await savedQueries(clients.athena, place, owned)
  created.push(...queries.done)
  return { created, differing: [...differing, ...group.differences, ...queries.refused] }
}

/** Analysts can do without them: a role that may not write them starts all the same, and is told. */
async function savedQueries(athena: AthenaClient, place: LakePlace, owned: boolean) {
  try {
    const { workgroup, database, curatedDatabase } = place
    const done = await ensureNamedQueries(athena, { workgroup, database }, loadSavedQueries('snapshots'))
    const curated = { workgroup, database: curatedDatabase }
    done.push(...(await ensureNamedQueries(athena, curated, loadSavedQueries('curated'))))
    return { done, refused: [] }
  } catch (error) {
    if (owned || awsErrorName(error) !== 'AccessDeniedException') throw error
    const refused = `The saved queries of the work group ${place.workgroup} may not be written by this role`
    return { done: [], refused: [refused] }
  }
}

async function requireBuckets(s3: S3Client, place: LakePlace): Promise<void> {
  const missing = await missingBuckets(s3, place)
  if (missing.length === 0) return
  throw new UsageError(
    `${missing.join(' and ')} cannot be found; deploy the infrastructure first, or correct LAKE_BUCKET and LAKE_RESULTS`,
  )
}

async function ensureDatabases(glue: GlueClient, place: LakePlace): Promise<string[]> {
  const wanted = [
    [place.database, 'Views of the lake: what analysts read'],
    [place.curatedDatabase, 'Views of what jobs derive from the lake'],
    [`${place.curatedDatabase}_raw`, 'Tables of what jobs derive from the lake; read the views'],
  ] as const
  const made: string[] = []
  for (const [name, description] of wanted) {
    if (await ensureDatabase(glue, name, description)) made.push(`database ${name}`)
  }
  return made
}
