import { manifestKey, newSnapshotId, partKey } from '../object-keys.ts'
import { contractReport } from './contract-gate.ts'
import type { Lake } from './lake.ts'
import { publishedManifests } from './publish.ts'
import { applicationName, openSource } from './source.ts'

/** What a snapshot would do; nothing of it is done. */
export interface DryRun {
  /** An id as it would be made; every run makes its own. */
  readonly snapshotId: string
  readonly manifestKey: string
  readonly tables: readonly {
    readonly name: string
    readonly firstKey: string
    /** From the planner's statistics; null before the first ANALYZE. */
    readonly estimatedRows: number | null
    /** From the last snapshot's bytes per row; null before the first. */
    readonly estimatedBytes: number | null
  }[]
  readonly schema: {
    readonly breaking: readonly string[]
    readonly additive: readonly string[]
    readonly notes: readonly string[]
  }
  readonly catalogueChanges: readonly string[]
}

export async function dryRunSnapshot(lake: Lake): Promise<DryRun> {
  const snapshotId = newSnapshotId(new Date())
  const live = await publishedManifests(lake)
  const previous = live.at(-1)
  const source = await openSource(lake.sourceUrl, applicationName('dry-run'))
  try {
    const { additive, breaking, notes } = await contractReport(source.client, lake.contracts, live)
    const { rows } = await source.client.query<{ name: string; rows: number }>(
      'SELECT n AS name, c.reltuples::float8 AS rows FROM unnest($1::text[]) n JOIN pg_class c ON c.oid = to_regclass(quote_ident(n))',
      [lake.contracts.map((contract) => contract.table)],
    )
    const estimates = new Map(rows.map((row) => [row.name, row.rows < 0 ? null : Math.round(row.rows)]))
    const tables = lake.contracts.map((contract) => {
      const estimatedRows = estimates.get(contract.table) ?? null
      const before = previous?.tables.find((table) => table.name === contract.name)
      const perRow = before && before.rows > 0 ? before.bytes / before.rows : null
      return {
        name: contract.name,
        firstKey: partKey(contract.name, snapshotId, 0, 0),
        estimatedRows,
        estimatedBytes: perRow === null || estimatedRows === null ? null : Math.round(perRow * estimatedRows),
      }
    })
    return {
      snapshotId,
      manifestKey: manifestKey(snapshotId),
      tables,
      schema: { breaking, additive, notes },
      catalogueChanges: await lake.publisher.plannedChanges(),
    }
  } finally {
    await source.client.end()
  }
}
