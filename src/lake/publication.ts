import type { FindingCode } from './finding-guide.ts'
import type { Manifest } from './manifest.ts'

/** One thing that `verify` found: a stable code for scripts, a sentence for people. */
export interface Finding {
  readonly code: FindingCode
  readonly message: string
  readonly snapshotId?: string
  readonly table?: string
  readonly key?: string
}

/** A snapshot that the views may show. */
export interface PublishedSnapshot {
  readonly snapshotId: string
  readonly snapshotDate: string
  readonly sequence: number
  /** ISO time of the database transaction that read the rows. */
  readonly takenAt: string
  readonly walLsn: string
  readonly totalRows: number
  readonly totalBytes: number
  readonly contractFingerprint: string
  /** Rows by Glue table, for the smoke queries. */
  readonly tableRows: Readonly<Record<string, number>>
}

export interface RegisterOptions {
  readonly signal?: AbortSignal | undefined
  /** The other snapshots that the views are going to show: a partition of theirs that reads something else stops the publication, too. */
  readonly live?: readonly Manifest[] | undefined
  /** Told when the partitions are there and the crawl is about to begin. */
  readonly crawling?: (() => void | Promise<void>) | undefined
}

/**
 * Makes a committed snapshot visible: the catalogue (Glue) and the views (Athena). Every method may be repeated, by another
 * process as well, at any moment after a crash; the second call finds what the first one did and succeeds.
 *
 * Errors are `LakeProblem`s: `crawler_busy`, `crawler_failed`, `catalogue_failed`, `query_failed`, `smoke_mismatch`, and
 * `DriftError` when the catalogue differs from the contract. After any error of `register` the views are as they were.
 *
 * A `signal` ends waits and work between two calls to the services, at once, and its reason is thrown; what was done stays done, and a
 * later call goes on from there.
 */
export interface Publisher {
  /**
   * Resolves when the crawler is READY and has no schedule, so that no crawl can see files of a commit under way. Creates
   * databases, tables and crawler where they are missing.
   *
   * @throws LakeProblem `crawler_busy` at the deadline, `crawler_scheduled` at once.
   */
  crawlerReady(deadline: Date, signal?: AbortSignal): Promise<void>
  /**
   * Tables, then the snapshot's partitions (every entry of `Errors[]` is read), then one crawl that starts after this call, then
   * the comparison of Glue with the contract.
   *
   * @throws DriftError when they differ.
   */
  register(manifest: Manifest, options?: RegisterOptions): Promise<void>
  /**
   * Replaces all views: `<table>_latest` shows the one with the highest sequence, `<table>_daily` the last of each day, `snapshots`
   * lists all. Then counts each `_latest` view against `tableRows`. An empty list leaves no row in any view.
   */
  publishViews(live: readonly PublishedSnapshot[], signal?: AbortSignal): Promise<void>
  /** Removes the snapshot's partitions; those already gone are success. Tables stay. */
  unregister(manifest: Manifest, options?: RegisterOptions): Promise<void>
  /** Read only: partitions without a manifest or with a wrong location, columns and types that differ, views on other ids. */
  findings(live: readonly Manifest[]): Promise<Finding[]>
  /** Read only: what `register` would find and change in the catalogue as it is. */
  plannedChanges(): Promise<PlannedChanges>
}

/** How the catalogue differs from the contracts, one phrase each. */
export interface PlannedChanges {
  /** Databases, tables, columns and words that would be made or brought up to date. */
  readonly changes: readonly string[]
  /** Settings of the crawler that differ from its definition. */
  readonly crawler: readonly string[]
  /** What is somebody's decision and would keep the views where they are. */
  readonly drifts: readonly string[]
}

/** What the views need to know of a snapshot, from its manifest. */
export function publishedSnapshot(manifest: Manifest): PublishedSnapshot {
  return {
    snapshotId: manifest.snapshot_id,
    snapshotDate: manifest.snapshot_date,
    sequence: manifest.sequence,
    takenAt: manifest.source.taken_at,
    walLsn: manifest.source.wal_lsn,
    totalRows: manifest.totals.rows,
    totalBytes: manifest.totals.bytes,
    contractFingerprint: manifest.contract_set_fingerprint,
    tableRows: Object.fromEntries(manifest.tables.map((table) => [table.name, table.rows])),
  }
}
