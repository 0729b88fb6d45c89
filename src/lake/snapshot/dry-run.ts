import { manifestKey, newSnapshotId } from '../object-keys.ts'
import type { PlannedChanges } from '../publication.ts'
import { contractReport, type GateReport } from './contract-gate.ts'
import type { TableDifference } from './contract-history.ts'
import { patchText } from './contract-patch.ts'
import type { Lake } from './lake.ts'
import { publishedManifests } from './publish.ts'
import { applicationName, openSource } from './source.ts'
import { type TablePlan, tablePlans } from './table-plan.ts'

/** What a snapshot would do; nothing of it is done. */
export interface DryRun {
  /** `breaking`: the gate would refuse it. `drift`: its views would not move. `ready`: neither. */
  readonly verdict: 'ready' | 'breaking' | 'drift'
  /** An id as it would be made; every run makes its own. */
  readonly snapshotId: string
  readonly manifestKey: string
  /** The snapshot that everything is compared with; null before the first. */
  readonly previousSnapshotId: string | null
  /** A snapshot that is on its way now, and that a run would wait for. */
  readonly running: { readonly id: string; readonly state: string } | null
  readonly tables: readonly TablePlan[]
  readonly totals: { readonly rows: number; readonly bytes: number; readonly files: number }
  readonly schema: Pick<GateReport, 'outcome' | 'breaking' | 'additive' | 'notes'> & {
    /** Tables whose contract is not the one of the last snapshot, with what was added, removed and retyped. */
    readonly differences: readonly TableDifference[]
    /** What to paste into datasets.ts so that nothing is breaking any more; empty for nothing. */
    readonly patch: string
  }
  /** What the catalogue says now and would say. */
  readonly catalogue: PlannedChanges
}

/** Reads databases and catalogue, and writes to neither; takes no lock and no lease, so it may run beside a snapshot. */
export async function dryRunSnapshot(lake: Lake): Promise<DryRun> {
  const snapshotId = newSnapshotId(new Date())
  const live = await publishedManifests(lake)
  const source = await openSource(lake.sourceUrl, applicationName('dry-run'))
  try {
    // The session could not write if it wanted to.
    await source.client.query('SET default_transaction_read_only = on')
    const report = await contractReport(source.client, lake.contracts, live)
    const { settings } = lake
    const written = lake.contracts.filter((contract) => !contract.retired)
    const tables = await tablePlans(source.client, written, { live, settings, snapshotId })
    const catalogue = await lake.publisher.plannedChanges()
    const { additive, breaking, differences, notes, outcome, patches } = report
    return {
      verdict: outcome === 'breaking' ? 'breaking' : catalogue.drifts.length > 0 ? 'drift' : 'ready',
      snapshotId,
      manifestKey: manifestKey(snapshotId),
      previousSnapshotId: live.at(-1)?.snapshot_id ?? null,
      running: await running(lake),
      tables,
      totals: {
        rows: tables.reduce((sum, table) => sum + table.rows, 0),
        bytes: tables.reduce((sum, table) => sum + table.bytes, 0),
        files: tables.reduce((sum, table) => sum + table.files, 0),
      },
      schema: { outcome, breaking, additive, notes, differences, patch: patches.map(patchText).join('\n') },
      catalogue,
    }
  } finally {
    await source.client.end()
  }
}

async function running({ database }: Lake): Promise<DryRun['running']> {
  return database.prisma.lakeSnapshot.findFirst({ where: { running: true }, select: { id: true, state: true } })
}
