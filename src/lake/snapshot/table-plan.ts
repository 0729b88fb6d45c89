import type pg from 'pg'
import { type ExportColumn, type TableContract, versionName } from '../contract.ts'
import type { Manifest } from '../manifest.ts'
import { partKey } from '../object-keys.ts'
import type { SnapshotSettings } from './lake.ts'
import { readerCount } from './parallel-readers.ts'
import { type TableEstimate, tableEstimates } from './table-estimates.ts'
import { tableSizes } from './table-ranges.ts'

/** What a snapshot would write of one table. Rows and bytes are estimates: nothing is counted. */
export interface TablePlan {
  /** Lake table, with its version. */
  readonly name: string
  /** Postgres table. */
  readonly table: string
  /** The first one of each reader; the others count up from it. */
  readonly firstKeys: readonly string[]
  readonly files: number
  /** Connections that share the table. */
  readonly readers: number
  readonly rows: number
  readonly rowsFrom: TableEstimate['rowsFrom']
  readonly bytes: number
  /** `snapshot`: bytes a row of the last one. `widths`: there is none, what such columns take in a file. */
  readonly bytesFrom: 'snapshot' | 'widths'
  /** Of the last published snapshot; null where it has no such table. */
  readonly lastRows: number | null
  readonly lastBytes: number | null
}

/** What a value takes in a file, compressed: ids do not compress, labels and flags are in a dictionary. */
const FILE_BYTES: Readonly<Record<string, number>> = {
  ...{ uuid: 18, enum: 0.5, boolean: 0.2, date: 2, 'timestamptz(3)': 4, smallint: 1, integer: 2, bigint: 3, jsonb: 8 },
}
const TEXT_BYTES = 8

function fileBytes({ pgType, source }: ExportColumn, widths: Readonly<Record<string, number>>): number {
  // Half of what a text takes in the table, where ANALYZE has seen it.
  if (pgType === 'text') return widths[source] === undefined ? TEXT_BYTES : widths[source] / 2
  return FILE_BYTES[pgType] ?? TEXT_BYTES
}

function bytesOf(
  contract: TableContract,
  { rows, widths }: TableEstimate,
  live: readonly Manifest[],
): Pick<TablePlan, 'bytes' | 'bytesFrom'> {
  const before = live.at(-1)?.tables ?? []
  // A version that was never written takes about what the one before it does.
  const earlier = (contract.entry.earlier ?? []).map(({ version }) => versionName(contract.lakeTable, version))
  const last = [contract.name, ...earlier].flatMap((name) => before.find((table) => table.name === name) ?? [])[0]
  if (last !== undefined && last.rows > 0) {
    return { bytes: Math.round((last.bytes / last.rows) * rows), bytesFrom: 'snapshot' }
  }
  const perRow = contract.columns.reduce((sum, column) => sum + fileBytes(column, widths), 0)
  return { bytes: Math.round(perRow * rows), bytesFrom: 'widths' }
}

const ABSENT: TableEstimate = { rows: 0, rowsFrom: 'size', widths: {} }

/** Rows and bytes of each table of the lake, by its name: as `tablePlans` estimates them. */
export async function tableBytes(
  client: pg.Client,
  contracts: readonly TableContract[],
  live: readonly Manifest[],
): Promise<Map<string, { readonly rows: number; readonly bytes: number }>> {
  const estimates = await tableEstimates(client, contracts)
  return new Map(
    contracts.map((contract) => {
      const estimate = estimates.get(contract.table) ?? ABSENT
      return [contract.name, { rows: estimate.rows, bytes: bytesOf(contract, estimate, live).bytes }]
    }),
  )
}

/** Reads the catalogue of Postgres only. Tables that are not there have no rows. */
export async function tablePlans(
  client: pg.Client,
  contracts: readonly TableContract[],
  { live, settings, snapshotId }: { live: readonly Manifest[]; settings: SnapshotSettings; snapshotId: string },
): Promise<TablePlan[]> {
  const estimates = await tableEstimates(client, contracts)
  const sizes = new Map((await tableSizes(client, contracts)).map(({ table, bytes }) => [table, bytes]))
  return contracts.map((contract): TablePlan => {
    const { name, table } = contract
    const estimate = estimates.get(table) ?? ABSENT
    const { rows, rowsFrom } = estimate
    const bytes = bytesOf(contract, estimate, live)
    const readers = (sizes.get(table) ?? 0) > settings.parallelTableBytes ? readerCount(settings) : 1
    const last = live.at(-1)?.tables.find((each) => each.name === name)
    return {
      ...{ name, table, readers, rows, rowsFrom, ...bytes },
      firstKeys: Array.from({ length: readers }, (_, reader) => partKey(name, snapshotId, reader, 0)),
      files: Math.max(readers, Math.ceil(bytes.bytes / settings.fileTargetBytes)),
      lastRows: last?.rows ?? null,
      lastBytes: last?.bytes ?? null,
    }
  })
}
