import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ColumnStatistics, PartitionIndex } from '@aws-sdk/client-glue'
import type { Wire, WireDatabase, WirePartition, WireTable } from '../../ports.ts'
import { fileNameOf, makeFolder, parseJson, readIfPresent, removeFolder, writeDurably } from './durable-file.ts'
import { KeyedLog } from './keyed-log.ts'
import { Turns } from './turns.ts'

/** What `table.json` holds: the current version of the table. */
export interface TableRecord {
  readonly table: WireTable
  readonly indexes: readonly Wire<PartitionIndex>[]
}

export interface DatabaseRecord {
  readonly database: WireDatabase
  readonly tags: Readonly<Record<string, string>>
}

/** One table: `table.json`, and beside it the logs of its partitions, older versions and column statistics. */
export interface TableEntry {
  readonly folder: string
  record: TableRecord
  /** By `partitionKey(values)`. */
  readonly partitions: KeyedLog<WirePartition>
  /** Older versions, by version id. */
  readonly versions: KeyedLog<WireTable>
  /** By `statisticsKey(values, column)`. */
  readonly statistics: KeyedLog<Wire<ColumnStatistics>>
}

export interface DatabaseEntry {
  readonly folder: string
  record: DatabaseRecord
  /** By lower-case name. */
  readonly tables: Map<string, TableEntry>
}

export const partitionKey = (values: readonly string[]): string => JSON.stringify(values)

/** `values` undefined: the table's own statistics. */
export const statisticsKey = (values: readonly string[] | undefined, column: string): string =>
  JSON.stringify([values ?? null, column.toLowerCase()])

/**
 * The Data Catalog on disk and in memory:
 *
 *     databases/<database>/database.json
 *     databases/<database>/tables/<table>/{table.json, partitions.log, versions.log, statistics.log}
 *
 * Each method is durable when it resolves and changes memory only after the disk, so what was read or acknowledged once is
 * there after `kill -9`. Methods that write must run inside `exclusive` of their database.
 */
export class CatalogueStore {
  readonly #root: string
  readonly #trash: string
  readonly #turns = new Turns()
  readonly #databases = new Map<string, DatabaseEntry>()

  private constructor(dir: string) {
    this.#root = join(dir, 'databases')
    this.#trash = join(dir, 'trash')
  }

  static async open(dir: string): Promise<CatalogueStore> {
    const store = new CatalogueStore(dir)
    await rm(store.#trash, { recursive: true, force: true })
    await mkdir(store.#root, { recursive: true })
    await makeFolder(store.#root)
    await makeFolder(store.#trash)
    for (const name of await readdir(store.#root)) {
      const entry = await loadDatabase(join(store.#root, name))
      if (entry) store.#databases.set(entry.record.database.Name ?? '', entry)
    }
    return store
  }

  /** In the order of their names. */
  databases(): DatabaseEntry[] {
    return [...this.#databases.keys()].sort().map((name) => this.#databases.get(name)!)
  }

  database(name: string): DatabaseEntry | undefined {
    return this.#databases.get(name)
  }

  /** Changes of one database and its tables take turns. */
  exclusive<T>(database: string, work: () => Promise<T> | T): Promise<T> {
    return this.#turns.take(database, work)
  }

  async createDatabase(name: string, record: DatabaseRecord): Promise<DatabaseEntry> {
    const folder = join(this.#root, fileNameOf(name))
    await makeFolder(folder)
    await makeFolder(join(folder, 'tables'))
    await writeDurably(join(folder, 'database.json'), JSON.stringify(record))
    const entry: DatabaseEntry = { folder, record, tables: new Map() }
    this.#databases.set(name, entry)
    return entry
  }

  async saveDatabase(entry: DatabaseEntry, record: DatabaseRecord): Promise<void> {
    await writeDurably(join(entry.folder, 'database.json'), JSON.stringify(record))
    entry.record = record
  }

  async deleteDatabase(name: string): Promise<void> {
    const entry = this.#databases.get(name)
    if (!entry) return
    await removeFolder(entry.folder, this.#trash)
    this.#databases.delete(name)
  }

  async createTable(database: DatabaseEntry, name: string, record: TableRecord): Promise<TableEntry> {
    const folder = join(database.folder, 'tables', fileNameOf(name))
    // A folder without table.json is what a crash left of a table that was never acknowledged.
    await rm(folder, { recursive: true, force: true })
    await makeFolder(folder)
    await writeDurably(join(folder, 'table.json'), JSON.stringify(record))
    const entry = await openTable(folder, record)
    database.tables.set(name, entry)
    return entry
  }

  /** `archive`: the version that is replaced stays readable. */
  async saveTable(entry: TableEntry, record: TableRecord, options: { readonly archive: boolean }): Promise<void> {
    const old = entry.record.table
    if (options.archive && old.VersionId !== undefined) await entry.versions.write([[old.VersionId, old]])
    await writeDurably(join(entry.folder, 'table.json'), JSON.stringify(record))
    entry.record = record
  }

  async deleteTable(database: DatabaseEntry, name: string): Promise<void> {
    const entry = database.tables.get(name)
    if (!entry) return
    await removeFolder(entry.folder, this.#trash)
    database.tables.delete(name)
  }

  /** Resolves when no change is under way. */
  settled(): Promise<void> {
    return this.#turns.settled()
  }
}

async function loadDatabase(folder: string): Promise<DatabaseEntry | undefined> {
  const text = await readIfPresent(join(folder, 'database.json'))
  if (text === undefined) {
    await rm(folder, { recursive: true, force: true })
    return undefined
  }
  const tables = new Map<string, TableEntry>()
  for (const name of await readdir(join(folder, 'tables'))) {
    const tableFolder = join(folder, 'tables', name)
    const record = await readIfPresent(join(tableFolder, 'table.json'))
    if (record === undefined) {
      await rm(tableFolder, { recursive: true, force: true })
      continue
    }
    const entry = await openTable(tableFolder, parseJson<TableRecord>(record, tableFolder))
    tables.set(entry.record.table.Name ?? '', entry)
  }
  return { folder, record: parseJson<DatabaseRecord>(text, folder), tables }
}

async function openTable(folder: string, record: TableRecord): Promise<TableEntry> {
  return {
    folder,
    record,
    partitions: await KeyedLog.open(join(folder, 'partitions.log')),
    versions: await KeyedLog.open(join(folder, 'versions.log')),
    statistics: await KeyedLog.open(join(folder, 'statistics.log')),
  }
}
