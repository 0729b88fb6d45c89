import type { TableContract } from '../contract.ts'
import { isSnapshotId } from '../object-keys.ts'
import type { PublishedSnapshot } from '../publication.ts'

/**
 * The views that analysts read, as text; all of them come from one list of snapshots. Their predicates are literals only: a
 * filter in a subquery would make the engine list every partition and read files of snapshots that nobody asked for.
 */
export interface View {
  readonly name: string
  /** The SELECT of the view. */
  readonly body: string
  /** Ids of the snapshots whose rows it shows, ascending by sequence. */
  readonly snapshotIds: readonly string[]
}

export interface ViewPlace {
  /** Database of the views, `rocketgames`. */
  readonly database: string
  /** Database of the tables, `rocketgames_raw`. */
  readonly rawDatabase: string
}

/** Names stand unquoted in views: lower case, no reserved word. The contract's lint holds that; this makes sure. */
function identifier(name: string): string {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) throw new RangeError(`${JSON.stringify(name)} is no name of the lake`)
  return name
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

function checked(snapshot: PublishedSnapshot): PublishedSnapshot {
  if (!isSnapshotId(snapshot.snapshotId) || !/^\d{4}-\d{2}-\d{2}$/.test(snapshot.snapshotDate)) {
    throw new RangeError('A view needs snapshot ids and dates in their own form')
  }
  return snapshot
}

/** `= 'a'` for one value, `IN ('a', 'b')` for several; no snapshot matches the empty text. */
function equals(column: string, values: readonly string[]): string {
  const distinct = [...new Set(values)]
  if (distinct.length <= 1) return `${column} = ${text(distinct[0] ?? '')}`
  return `${column} IN (${distinct.map(text).join(', ')})`
}

/** A lake table as views show it: the columns of its current version, out of whichever version a snapshot holds. */
interface ShownTable {
  readonly current: TableContract
  /** All versions, the newest first. */
  readonly versions: readonly TableContract[]
}

function shownTables(contracts: readonly TableContract[]): ShownTable[] {
  return contracts
    .filter((contract) => !contract.earlier)
    .map((current) => {
      const versions = contracts.filter((contract) => contract.lakeTable === current.lakeTable)
      return { current, versions: versions.sort((a, b) => b.version - a.version) }
    })
}

/** The newest version that a snapshot holds. */
function heldVersion({ versions }: ShownTable, snapshot: PublishedSnapshot): TableContract | undefined {
  return versions.find((version) => snapshot.tableRows[version.name] !== undefined)
}

const TRINO_TYPES: Readonly<Record<string, string>> = { string: 'varchar', timestamp: 'timestamp(3)', int: 'integer' }

/** The current columns out of an earlier version: what it cannot give as the current type is NULL. */
function columnsFrom(version: TableContract, current: TableContract): string[] {
  const before = new Map(version.columns.map((column) => [column.name, column]))
  return current.columns.map(({ about, action, athenaType, name }) => {
    const old = before.get(name) ?? before.get(about?.renamedFrom ?? '')
    const type = TRINO_TYPES[athenaType] ?? athenaType
    // A value of another action means something else: a pseudonym is no id.
    if (old === undefined || old.action !== action) return `CAST(NULL AS ${type}) AS ${identifier(name)}`
    if (old.athenaType !== athenaType) return `TRY_CAST(${identifier(old.name)} AS ${type}) AS ${identifier(name)}`
    return old.name === name ? identifier(name) : `${identifier(old.name)} AS ${identifier(name)}`
  })
}

function select(
  version: TableContract,
  current: TableContract,
  { rawDatabase }: ViewPlace,
  shown: readonly PublishedSnapshot[],
): string {
  const columns = [...columnsFrom(version, current), 'snapshot_date', 'snapshot_id']
  const dates = equals(
    'snapshot_date',
    shown.map((s) => s.snapshotDate),
  )
  const ids = equals(
    'snapshot_id',
    shown.map((s) => s.snapshotId),
  )
  return `SELECT ${columns.join(', ')}\nFROM ${identifier(rawDatabase)}.${identifier(version.name)}\nWHERE ${dates} AND ${ids}`
}

function tableView(name: string, table: ShownTable, place: ViewPlace, shown: readonly PublishedSnapshot[]): View {
  const { current, versions } = table
  const parts = versions.flatMap((version) => {
    const held = shown.filter((snapshot) => heldVersion(table, snapshot) === version)
    return held.length > 0 ? [select(version, current, place, held)] : []
  })
  return {
    name,
    body: parts.length > 0 ? parts.join('\nUNION ALL\n') : select(current, current, place, []),
    snapshotIds: shown.map((s) => s.snapshotId),
  }
}

/** The last snapshot of each day, ascending. */
function lastOfEachDay(ascending: readonly PublishedSnapshot[]): PublishedSnapshot[] {
  return [...new Map(ascending.map((snapshot) => [snapshot.snapshotDate, snapshot])).values()]
}

const SNAPSHOT_COLUMNS = [
  ['snapshot_id', 'varchar'],
  ['snapshot_date', 'varchar'],
  ['sequence', 'bigint'],
  ['taken_at', 'timestamp(3)'],
  ['wal_lsn', 'varchar'],
  ['total_rows', 'bigint'],
  ['total_bytes', 'bigint'],
  ['contract_fingerprint', 'varchar'],
] as const

/** `2026-11-22T02:00:05.123456+00:00` as Trino writes a timestamp of milliseconds in UTC. */
function timestamp(iso: string): string {
  return new Date(iso).toISOString().slice(0, 23).replace('T', ' ')
}

function snapshotRow(s: PublishedSnapshot): string {
  const numbers = [s.sequence, s.totalRows, s.totalBytes]
  if (!numbers.every(Number.isSafeInteger)) throw new RangeError('Sequence, rows and bytes are whole numbers')
  const values = [
    text(s.snapshotId),
    text(s.snapshotDate),
    s.sequence,
    text(timestamp(s.takenAt)),
    text(s.walLsn),
    s.totalRows,
    s.totalBytes,
    text(s.contractFingerprint),
  ]
  return `(${values.join(', ')})`
}

/** Athena takes statements of at most 262,144 bytes; the rows of `snapshots` get what the rest of its statement leaves. */
const SNAPSHOT_ROWS_BYTES = 250_000

/** The newest ones that fit into one statement: all of them, unless there are well over a thousand. */
function listed(ascending: readonly PublishedSnapshot[]): PublishedSnapshot[] {
  let bytes = 0
  const fitting = [...ascending].reverse().filter((snapshot) => {
    bytes += Buffer.byteLength(snapshotRow(snapshot)) + 4
    return bytes <= SNAPSHOT_ROWS_BYTES
  })
  return fitting.reverse()
}

/** One row a live snapshot, newest last. */
function snapshotsView(live: readonly PublishedSnapshot[]): View {
  const ascending = listed(live)
  const columns = SNAPSHOT_COLUMNS.map(([name, type]) => `CAST(${name} AS ${type}) AS ${name}`)
  const none = ascending.length === 0
  const rows = none ? [`('', '', 0, '1970-01-01 00:00:00.000', '', 0, 0, '')`] : ascending.map(snapshotRow)
  const names = SNAPSHOT_COLUMNS.map(([name]) => name).join(', ')
  const values = `(VALUES\n  ${rows.join(',\n  ')}\n) AS live (${names})`
  return {
    name: 'snapshots',
    body: `SELECT ${columns.join(', ')}\nFROM ${values}${none ? "\nWHERE snapshot_id <> ''" : ''}`,
    snapshotIds: ascending.map((s) => s.snapshotId),
  }
}

/**
 * All views over the live snapshots: `snapshots`, then for each table `<table>_daily` (the last snapshot of each day) and
 * `<table>_latest` (the one with the highest sequence), with the columns of the current contract version. A snapshot that holds an
 * earlier version only is shown in the current one's types; one that lacks the table is left out of that table's views.
 */
export function viewsOf(
  contracts: readonly TableContract[],
  live: readonly PublishedSnapshot[],
  place: ViewPlace,
): View[] {
  const ascending = live.map(checked).sort((a, b) => a.sequence - b.sequence)
  const tables = shownTables(contracts).flatMap((table) => {
    const holding = ascending.filter((snapshot) => heldVersion(table, snapshot) !== undefined)
    const { lakeTable } = table.current
    return [
      tableView(`${lakeTable}_daily`, table, place, lastOfEachDay(holding)),
      tableView(`${lakeTable}_latest`, table, place, holding.slice(-1)),
    ]
  })
  return [snapshotsView(ascending), ...tables]
}

export function createView({ name, body }: View, { database }: ViewPlace): string {
  return `CREATE OR REPLACE VIEW ${identifier(database)}.${identifier(name)} AS\n${body}`
}

/** What the latest snapshot of a table must count. */
export interface ExpectedCount {
  readonly table: string
  /** Undefined for an earlier version of a table, which no view shows. */
  readonly view: string | undefined
  /** Selects the rows from the table itself. */
  readonly body: string
  readonly rows: number
}

/** The rows that the newest snapshot has of each table, which `_latest` must show: those of its manifest, or none. */
export function expectedCounts(
  contracts: readonly TableContract[],
  live: readonly PublishedSnapshot[],
  place: ViewPlace,
): ExpectedCount[] {
  const ascending = live.map(checked).sort((a, b) => a.sequence - b.sequence)
  const shown = new Map(shownTables(contracts).map((table) => [table.current, table]))
  return contracts.map((contract) => {
    const table = shown.get(contract) ?? { current: contract, versions: [contract] }
    const last = ascending.filter((snapshot) => heldVersion(table, snapshot) !== undefined).slice(-1)
    const view = `${contract.lakeTable}_latest`
    const held = last[0] && heldVersion(table, last[0])
    return {
      table: contract.name,
      view: contract.earlier ? undefined : view,
      body: tableView(view, table, place, last).body,
      rows: (held && last[0]?.tableRows[held.name]) ?? 0,
    }
  })
}

/** Counts all given sources in one query: a row each, `(name, rows)`. */
export function countQuery(sources: readonly { readonly name: string; readonly from: string }[]): string {
  return sources
    .map(({ name, from }) => `SELECT ${text(name)} AS name, count(*) AS n FROM ${from}`)
    .join('\nUNION ALL\n')
}
