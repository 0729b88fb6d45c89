import { describe } from '../../errors.ts'
import { DriftError, LakeProblem } from '../lake-problem.ts'
import { commit } from './commit.ts'
import { type ControlRows, problemOf } from './control-rows.ts'
import { enterPhase } from './enter-phase.ts'
import type { Lake, Progress } from './lake.ts'
import { publish } from './publish.ts'
import { rollBack } from './roll-back.ts'

export interface FinishOptions {
  /** Aborts when the lease is lost or the process is asked to stop. */
  readonly signal: AbortSignal
  readonly progress?: Progress | undefined
}

type Unfinished = 'prepared' | 'committing' | 'committed'

/** Codes after which nothing of the snapshot may stay: an upload or object is not what was prepared. */
const NO_WAY_ON = new Set(['rolled_back', 'object_mismatch'])

/**
 * Steps 4 to 8 of the protocol, from wherever a snapshot stands: the runner and recovery go the same way.
 *
 * What fails leaves the snapshot in its state, with the problem in its row, so that it can be finished later; only where the
 * prepared bytes are lost is it rolled back and `failed`.
 */
export async function finish(
  lake: Lake,
  rows: ControlRows,
  from: Unfinished,
  body: string,
  { progress, signal }: FinishOptions,
): Promise<void> {
  const enter = (state: string) => progress?.({ kind: 'state', snapshotId: rows.snapshotId, state })
  let phase: Unfinished = from
  try {
    if (phase === 'prepared') {
      await enterPhase(lake, rows, progress, 'crawler_wait')
      await lake.publisher.crawlerReady(new Date(Date.now() + lake.settings.crawlerWaitMs), signal)
      signal.throwIfAborted()
      phase = 'committing'
    }
    if (phase === 'committing') {
      enter('committing')
      await commit(lake, { rows, body }, { signal, enter: (each) => enterPhase(lake, rows, progress, each) })
      phase = 'committed'
    }
    enter('committed')
    signal.throwIfAborted()
    await publish(lake, rows, body, { signal, enter: (each) => enterPhase(lake, rows, progress, each) })
    enter('published')
  } catch (error) {
    await unfinished(lake, rows, phase, error)
    throw error
  }
}

async function unfinished(lake: Lake, rows: ControlRows, phase: Unfinished, error: unknown): Promise<void> {
  const { logger } = lake
  const problem = problemOf(error, phase)
  if (problem.code === 'fenced') return
  if (error instanceof DriftError) lake.measurements.driftFindings = error.findings.length
  logger.error(
    { snapshotId: rows.snapshotId, phase, code: problem.code, reason: problem.message },
    'snapshot not finished',
  )
  try {
    if (phase === 'committing' && error instanceof LakeProblem && NO_WAY_ON.has(error.code)) {
      await rollBack(lake, rows, error, phase)
    } else {
      await rows.update({ problem })
    }
  } catch (second) {
    logger.error({ snapshotId: rows.snapshotId, reason: describe(second) }, 'snapshot left for recovery')
  }
}
