import type { GlueClient, Table } from '@aws-sdk/client-glue'
import { awsErrorName } from '../aws-calls.ts'
import type { TableContract } from '../contract.ts'
import { DriftError } from '../lake-problem.ts'
import type { Manifest } from '../manifest.ts'
import type { Finding, PlannedChanges, RegisterOptions } from '../publication.ts'
import type { RetryBudget, RetryOptions } from '../retries.ts'
import {
  type CrawlPace,
  type CrawlWait,
  crawl,
  createCrawler,
  findCrawler,
  refuseSchedule,
  updateCrawler,
  waitUntilReady,
} from './crawl.ts'
import { type CrawlerDifference, crawlerDefinition, crawlerDifferences } from './crawler-definition.ts'
import { ensureDatabase, hasDatabase } from './databases.ts'
import { type Drift, extraTables, missingTable, partitionDrift, tableDrift } from './drift.ts'
import { findPartition, registerPartitions, unregisterPartitions } from './partitions.ts'
import { partitionsDrift, wrongPartitions } from './partitions-drift.ts'
import { storedViews } from './stored-views.ts'
import { byTable, type PartitionFacts, partitionsOf } from './table-definition.ts'
import { ensureTable, plannedTableChange, tableChangeText, tablesOf } from './tables.ts'

export interface CatalogueSettings {
  readonly bucket: string
  /** Glue database of the tables, `rocketgames_raw`. */
  readonly rawDatabase: string
  readonly crawler: string
  readonly crawlerRole: string
  /** How long a crawl may take, and how long a foreign one is waited for. */
  readonly crawlerWaitMs: number
  readonly pace?: CrawlPace
  /** Of entries that a batch of partitions has failed. */
  readonly retries?: RetryBudget
}

/** Differences that `ensure` makes good. */
const MENDED: ReadonlySet<Drift['code']> = new Set(['table_missing', 'column_missing'])

/** A drift as a finding: code, table and snapshot for scripts, one sentence for people. */
function finding({ code, subject, detail }: Drift): Finding {
  const [table = '', rest] = subject.split(/[/.](.*)/s)
  const snapshotId = subject.includes('/') ? rest?.split('.')[0] : undefined
  return { code, message: `${subject}: ${detail}`, table, ...(snapshotId === undefined ? {} : { snapshotId }) }
}

/**
 * The lake's half of the Glue catalogue: databases, tables, partitions, the crawler, and whether they still say what the
 * contracts say. Everything may be repeated.
 */
export class Catalogue {
  readonly #glue: GlueClient
  readonly #contracts: readonly TableContract[]
  readonly #settings: CatalogueSettings

  constructor(glue: GlueClient, contracts: readonly TableContract[], settings: CatalogueSettings) {
    this.#glue = glue
    this.#contracts = contracts
    this.#settings = settings
  }

  get #definition() {
    const { crawler, crawlerRole, bucket, rawDatabase } = this.#settings
    return crawlerDefinition(this.#contracts, { name: crawler, role: crawlerRole, bucket, database: rawDatabase })
  }

  /** Creates the database, the tables and the crawler that are missing. Returns what it made, one phrase each. */
  async ensure(): Promise<string[]> {
    const { rawDatabase, crawler } = this.#settings
    const made: string[] = []
    if (await ensureDatabase(this.#glue, rawDatabase, 'Tables of the lake, one partition a snapshot; read the views')) {
      made.push(`database ${rawDatabase}`)
    }
    made.push(...(await this.#ensureTables()))
    if ((await findCrawler(this.#glue, crawler)) === undefined) {
      await createCrawler(this.#glue, this.#definition)
      made.push(`crawler ${crawler}`)
    }
    return made
  }

  /** Settings in which the existing crawler differs from its definition; the definition changes with the contracts. */
  async crawlerDifferences(): Promise<CrawlerDifference[]> {
    const found = await findCrawler(this.#glue, this.#settings.crawler)
    return found === undefined ? [] : crawlerDifferences(found, this.#definition)
  }

  /** Brings the existing crawler to its definition. For whoever owns the crawler; elsewhere the infrastructure does. */
  async updateCrawler(): Promise<void> {
    await updateCrawler(this.#glue, this.#definition, this.#wait())
  }

  #retries(signal?: AbortSignal): RetryOptions {
    const { retries: budget } = this.#settings
    return { ...(budget === undefined ? {} : { budget }), ...(signal === undefined ? {} : { signal }) }
  }

  #wait(signal?: AbortSignal, deadline = new Date(Date.now() + this.#settings.crawlerWaitMs)): CrawlWait {
    return { deadline, pace: this.#settings.pace, signal }
  }

  async #ensureTables(): Promise<string[]> {
    const made: string[] = []
    const tables = await this.#tables()
    for (const contract of this.#contracts) {
      // Most of the time nothing is to be done, and one call tells so for all of them.
      if (plannedTableChange(contract, tables.get(contract.name), this.#settings.bucket).kind === 'none') continue
      const change = await ensureTable(this.#glue, contract, this.#place)
      const text = tableChangeText(contract.name, change)
      if (text !== undefined) made.push(text)
    }
    return made
  }

  get #place() {
    return { bucket: this.#settings.bucket, database: this.#settings.rawDatabase }
  }

  /**
   * Resolves when no crawl is under way and none can begin by itself.
   *
   * @param signal ends the waiting at once; what it is aborted with is thrown.
   * @throws LakeProblem `crawler_busy` at the deadline, `crawler_scheduled` when the crawler has a schedule.
   */
  async crawlerReady(deadline: Date, signal?: AbortSignal): Promise<void> {
    await this.ensure()
    const { crawler } = this.#settings
    refuseSchedule(await findCrawler(this.#glue, crawler, signal), crawler)
    refuseSchedule(await waitUntilReady(this.#glue, crawler, this.#wait(signal, deadline)), crawler)
  }

  /**
   * Tables, partitions, one crawl after them, then the comparison: of the tables, the new partitions, and those that the views show besides.
   *
   * @throws DriftError when Glue differs from the contracts.
   */
  async register(manifest: Manifest, { signal, crawling, live = [] }: RegisterOptions = {}): Promise<void> {
    const { rawDatabase, crawler } = this.#settings
    await this.ensure()
    const partitions = partitionsOf(manifest, this.#settings.bucket)
    signal?.throwIfAborted()
    await registerPartitions(this.#glue, rawDatabase, partitions, this.#retries(signal))
    await crawling?.()
    await crawl(this.#glue, crawler, this.#wait(signal))
    const tables = await this.#tables()
    const drifts = [
      ...(await this.#tableDrifts(tables)),
      ...(await this.#partitionDrifts(partitions)),
      ...(await wrongPartitions(this.#glue, rawDatabase, this.#expected(live, tables))),
    ]
    if (drifts.length > 0) throw new DriftError(drifts.map(finding))
  }

  async unregister(manifest: Manifest): Promise<void> {
    const { bucket, rawDatabase } = this.#settings
    await unregisterPartitions(this.#glue, rawDatabase, partitionsOf(manifest, bucket), this.#retries())
  }

  /** Read only: the SELECT of every view of a database, by name. */
  storedViews(database: string): Promise<Map<string, string>> {
    return storedViews(this.#glue, database)
  }

  /** All tables of the raw database; none where there is no such database. */
  async #tables(): ReturnType<typeof tablesOf> {
    try {
      return await tablesOf(this.#glue, this.#settings.rawDatabase)
    } catch (error) {
      if (awsErrorName(error) !== 'EntityNotFoundException') throw error
      return new Map()
    }
  }

  async #tableDrifts(tables: ReadonlyMap<string, Table>): Promise<Drift[]> {
    const known = this.#contracts.flatMap((c) => tableDrift(c, tables.get(c.name), this.#settings.bucket))
    return [...known, ...extraTables(this.#contracts, tables.values())]
  }

  async #partitionDrifts(partitions: readonly PartitionFacts[]): Promise<Drift[]> {
    const { rawDatabase } = this.#settings
    const drifts = partitions.map(async (expected) => {
      const values = [expected.snapshotDate, expected.snapshotId]
      return partitionDrift(expected, await findPartition(this.#glue, rawDatabase, expected.table, values))
    })
    return (await Promise.all(drifts)).flat()
  }

  /** The partitions that snapshots stand for, by table, of those tables that are there. */
  #expected(live: readonly Manifest[], tables: ReadonlyMap<string, Table>): Map<string, PartitionFacts[]> {
    const all = byTable(live.flatMap((manifest) => partitionsOf(manifest, this.#settings.bucket)))
    return new Map([...all].filter(([name]) => tables.has(name)))
  }

  /** Read only: how tables, partitions and crawler differ from the contracts and the manifests of all live snapshots. */
  async findings(live: readonly Manifest[]): Promise<Finding[]> {
    const tables = await this.#tables()
    const drifts = await this.#tableDrifts(tables)
    const expected = this.#expected(live, tables)
    // Of an older version or a retired table, which no contract names any more.
    const names = new Set(live.flatMap((manifest) => manifest.tables.map((table) => table.name)))
    const gone = [...names].filter((name) => !tables.has(name) && !this.#contracts.some((c) => c.name === name))
    drifts.push(...gone.map(missingTable))
    for (const { name } of this.#contracts) if (tables.has(name) && !expected.has(name)) expected.set(name, [])
    const ofPartitions = [...expected].map((each) => partitionsDrift(this.#glue, this.#settings.rawDatabase, ...each))
    drifts.push(...(await Promise.all(ofPartitions)).flat())
    return [...drifts.map(finding), ...(await this.#crawlerFindings())]
  }

  async #crawlerFindings(): Promise<Finding[]> {
    const { crawler } = this.#settings
    const found = await findCrawler(this.#glue, crawler)
    if (found === undefined) return [{ code: 'crawler_missing', message: `There is no crawler ${crawler}` }]
    return crawlerDifferences(found, this.#definition).map(({ setting, expected, found: actual }) => ({
      code: setting === 'Schedule' ? 'crawler_scheduled' : 'crawler_drift',
      message: `The crawler ${crawler} differs in ${setting}: expected ${expected}, found ${actual}`,
    }))
  }

  /** Read only: what `register` would make or change, how the crawler differs, and what would stop the publication. */
  async plannedChanges(): Promise<PlannedChanges> {
    const { bucket, crawler, rawDatabase } = this.#settings
    const tables = await this.#tables()
    const changes = this.#contracts.flatMap((contract) => {
      const text = tableChangeText(contract.name, plannedTableChange(contract, tables.get(contract.name), bucket))
      return text === undefined ? [] : [text]
    })
    const drifts = (await this.#tableDrifts(tables)).filter(({ code }) => !MENDED.has(code))
    const found = await findCrawler(this.#glue, crawler)
    return {
      changes: [
        ...((await hasDatabase(this.#glue, rawDatabase)) ? [] : [`database ${rawDatabase}`]),
        ...changes,
        ...(found === undefined ? [`crawler ${crawler}`] : []),
      ],
      crawler: found === undefined ? [] : (await this.#crawlerFindings()).map((finding) => finding.message),
      drifts: drifts.map((drift) => `${drift.code} ${drift.subject}: ${drift.detail}`),
    }
  }
}
