import { enterStage } from '../../tracing.ts'
import type { ControlRows } from './control-rows.ts'
import type { Lake, Progress } from './lake.ts'
import type { Phase } from './run-measurements.ts'

/** Says where a run is now: its measurements, its trace, its row, and whoever watches. @throws LakeProblem `fenced`. */
export async function enterPhase(
  lake: Lake,
  rows: ControlRows,
  progress: Progress | undefined,
  phase: Phase,
): Promise<void> {
  lake.measurements.enter(phase)
  enterStage(phase)
  progress?.({ kind: 'phase', snapshotId: rows.snapshotId, phase })
  await rows.noteMeasurements()
}
