import type pg from 'pg'
import type { TableContract } from '../contract.ts'
import type { Manifest } from '../manifest.ts'
import { PART_LIMIT } from '../storage/multipart-sink.ts'
import type { SnapshotSettings } from './lake.ts'
import { tableBytes } from './table-plan.ts'
import { tableRanges, tableSizes } from './table-ranges.ts'

/** Of one table: an upload and a control row each, opened before the first row is read. */
const MOST_FILES = 5_000
/** How much more a file may hold than its estimate before it runs out of parts. */
const SAFETY = 4

/** The ranges of one table: each becomes one file. */
export interface TableRanges {
  readonly contract: TableContract
  readonly ranges: readonly string[]
  /** In the whole table, as the planner believes. */
  readonly rows: number
}

/** Into how many files a table goes. @param heapBytes what it takes in the database, the bound for a wrong estimate. */
export function fileCount(
  estimatedBytes: number,
  heapBytes: number,
  { fileTargetBytes, partBytes }: Pick<SnapshotSettings, 'fileTargetBytes' | 'partBytes'>,
): number {
  const byTarget = Math.ceil(estimatedBytes / fileTargetBytes)
  const byParts = Math.ceil((heapBytes * SAFETY) / (partBytes * PART_LIMIT))
  return Math.min(MOST_FILES, Math.max(1, byTarget, byParts))
}

/**
 * Splits every table so that a range becomes a file of about the target size. Ranges are equal shares of the pages, or of the
 * planner's histogram of the key; the rows of a page that is filled later belong to the last one. A table of which
 * nothing is known, or that is empty, is one range.
 *
 * Call it in the transaction that holds the snapshot and its locks.
 */
export async function sparkRanges(
  client: pg.Client,
  contracts: readonly TableContract[],
  { live, settings }: { readonly live: readonly Manifest[]; readonly settings: SnapshotSettings },
): Promise<TableRanges[]> {
  const estimates = await tableBytes(client, contracts, live)
  const sizes = new Map((await tableSizes(client, contracts)).map(({ bytes, table }) => [table, bytes]))
  const split: TableRanges[] = []
  for (const contract of contracts) {
    const { bytes = 0, rows = 0 } = estimates.get(contract.name) ?? {}
    const files = fileCount(bytes, sizes.get(contract.table) ?? 0, settings)
    split.push({ contract, rows, ranges: await tableRanges(client, contract, files) })
  }
  return split
}
