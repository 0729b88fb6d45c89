import { ACCOUNT_ID } from '../../account-id.ts'
import { AwsError, type ObjectStore, type WireTable } from '../../ports.ts'
import { nowSeconds } from '../request.ts'
import type { CatalogueStore, DatabaseEntry } from '../store/catalogue-store.ts'
import { applyTable } from './apply-table.ts'
import { type ApplyContext, type ChangePolicy, DEPRECATED, UPDATED_BY } from './change-policy.ts'
import type { CrawlLog } from './crawl-log.ts'
import type { CrawlSummary } from './crawl-summary.ts'
import { type DetectedTable, detectTable } from './detect-table.ts'
import type { SchemaCache } from './schema-cache.ts'
import { type CrawlTarget, findTables, normalLocation, type TableLayout } from './table-layout.ts'

export interface CrawlPlan {
  readonly database: string
  readonly targets: readonly CrawlTarget[]
  readonly policy: ChangePolicy
  /** Folders of earlier crawls, when only new ones are to be looked at. */
  readonly knownFolders?: ReadonlySet<string>
}

export interface CrawlContext {
  readonly catalogue: CatalogueStore
  readonly objects: ObjectStore
  readonly schemas: SchemaCache
  readonly log: CrawlLog
  readonly summary: CrawlSummary
  readonly signal: AbortSignal
}

/**
 * One crawl: lists the targets, reads the footers, and only then changes the catalogue, a table at a time. Gives other work its turn
 * all along. Returns the folders it saw.
 *
 * @throws AwsError when a target cannot be crawled; the signal's reason when it is stopped
 */
export async function crawl(plan: CrawlPlan, context: CrawlContext): Promise<string[]> {
  const layouts: TableLayout[] = []
  for (const target of plan.targets) layouts.push(...(await findInTarget(plan, target, context)))
  const folders = layouts.flatMap((layout) => layout.leaves.map((leaf) => leaf.location))
  const detected = new Map<string, DetectedTable>()
  for (const layout of layouts) {
    // Targets may overlap: the first one that covers a table's folder has it.
    if (detected.has(layout.location)) continue
    const table = await detectTable(onlyNew(layout, plan.knownFolders), context)
    if (table) detected.set(table.location, table)
  }
  checkThreshold(plan, detected.size)
  const apply = { store: context.catalogue, database: plan.database, policy: plan.policy, ...context }
  await ensureDatabase(apply)
  for (const table of detected.values()) {
    context.signal.throwIfAborted()
    await inDatabase(apply, (database) => applyTable(database, table, apply))
  }
  const present = new Set(layouts.map((layout) => layout.location))
  await inDatabase(apply, (database) => removeVanished(database, present, plan, apply))
  return folders
}

async function findInTarget(plan: CrawlPlan, target: CrawlTarget, context: CrawlContext): Promise<TableLayout[]> {
  const { bucket, prefix } = target
  if (!context.objects.hasBucket(bucket)) {
    throw new AwsError(
      'EntityNotFoundException',
      `The specified bucket does not exist: ${bucket} (target s3://${bucket}/${prefix})`,
    )
  }
  const { tableLevel } = plan.policy.configuration
  const found = await findTables(context.objects, target, { tableLevel, signal: context.signal })
  context.log.info(`s3://${bucket}/${prefix}: ${found.length} folders of tables`)
  return found
}

const onlyNew = (layout: TableLayout, known: ReadonlySet<string> | undefined): TableLayout =>
  known ? { ...layout, leaves: layout.leaves.filter((leaf) => !known.has(leaf.location)) } : layout

function checkThreshold(plan: CrawlPlan, tables: number): void {
  const { tableThreshold } = plan.policy.configuration
  if (tableThreshold === undefined || tables <= tableThreshold) return
  throw new AwsError(
    'InvalidInputException',
    `The crawl found ${tables} tables, more than its TableThreshold of ${tableThreshold}; the catalogue was not changed`,
  )
}

/** As in AWS, a crawler makes its database. */
async function ensureDatabase({ store, database, log }: ApplyContext): Promise<void> {
  await store.exclusive(database, async () => {
    if (store.database(database)) return
    const record = { Name: database, Parameters: {}, CreateTime: nowSeconds(), CatalogId: ACCOUNT_ID }
    await store.createDatabase(database, { database: { ...record, CreateTableDefaultPermissions: [] }, tags: {} })
    log.info(`created database ${database}`)
  })
}

function inDatabase<T>({ store, database }: ApplyContext, work: (entry: DatabaseEntry) => Promise<T>): Promise<T> {
  return store.exclusive(database, () => {
    const entry = store.database(database)
    if (!entry) throw new AwsError('EntityNotFoundException', `Database ${database} was deleted during the crawl`)
    return work(entry)
  })
}

/** Tables that this crawler wrote, below its targets, whose folders have no files any more. */
async function removeVanished(
  database: DatabaseEntry,
  present: ReadonlySet<string>,
  plan: CrawlPlan,
  { store, policy, log, summary }: ApplyContext,
): Promise<void> {
  if (policy.deleteBehavior === 'IGNORE') return
  const roots = plan.targets.map(({ bucket, prefix }) => `s3://${bucket}/${prefix}`)
  for (const [name, entry] of [...database.tables]) {
    const { table } = entry.record
    const location = normalLocation(table.StorageDescriptor?.Location)
    if (table.Parameters?.[UPDATED_BY] !== policy.crawlerName || location === undefined) continue
    if (present.has(location) || !roots.some((root) => location.startsWith(root))) continue
    if (policy.deleteBehavior === 'LOG') {
      log.info(`table ${name} has no files any more`)
    } else if (policy.deleteBehavior === 'DELETE_FROM_DATABASE') {
      await store.deleteTable(database, name)
      summary.table('DELETE', name)
    } else if (table.Parameters[DEPRECATED] === undefined) {
      await store.saveTable(entry, { ...entry.record, table: deprecated(table) }, { archive: true })
      summary.table('UPDATE', name)
    }
  }
}

const deprecated = (table: WireTable): WireTable => ({
  ...table,
  Parameters: { ...table.Parameters, [DEPRECATED]: String(Date.now()) },
  UpdateTime: nowSeconds(),
  VersionId: String(Number(table.VersionId ?? 0) + 1),
})
