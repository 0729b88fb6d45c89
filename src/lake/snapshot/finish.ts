import { describe } from '../../errors.ts'
import { DriftError, LakeProblem, stopped } from '../lake-problem.ts'
import { commit } from './commit.ts'
import type { ControlRows } from './control-rows.ts'
import { enterPhase } from './enter-phase.ts'
import type { Lake, Progress } from './lake.ts'
import { publish } from './publish.ts'
import { rollBack } from './roll-back.ts'
import { problemOf } from './stored-problem.ts'

export interface FinishOptions {
  /** Aborts when the lease is lost or the process is asked to stop. */
  readonly signal: AbortSignal
  /** For the snapshot's own run: asked to stop before the commit it leaves nothing behind. Recovery leaves such a one to the next. */
  readonly removeWhenStopped?: boolean
  readonly progress?: Progress | undefined
}

type Unfinished = 'prepared' | 'committing' | 'committed'

/** Codes after which nothing of the snapshot may stay: an upload or object is not what was prepared. */
const NO_WAY_ON = new Set(['rolled_back', 'object_mismatch'])

/**
 * Steps 4 to 8 of the protocol, from wherever a snapshot stands: the runner and recovery go the same way.
 *
 * What fails leaves the snapshot in its state, with the problem in its row, so that it can be finished later; only where the
 * prepared bytes are lost, or nobody wants it any more, is it rolled back and `failed`.
 */
export async function finish(
  lake: Lake,
  rows: ControlRows,
  from: Unfinished,
  body: string,
  { progress, removeWhenStopped = false, signal }: FinishOptions,
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
    const problem = signal.aborted ? stopped(signal.reason) : error
    const remove = phase !== 'committed' && (signal.aborted ? removeWhenStopped : isLost(phase, problem))
    await unfinished(lake, rows, phase, problem, remove)
    throw problem
  }
}

/** Are the prepared bytes not there any more? */
function isLost(phase: Unfinished, error: unknown): boolean {
  return phase === 'committing' && error instanceof LakeProblem && NO_WAY_ON.has(error.code)
}

async function unfinished(
  lake: Lake,
  rows: ControlRows,
  phase: Unfinished,
  error: unknown,
  remove: boolean,
): Promise<void> {
  const { logger } = lake
  const problem = problemOf(error, phase)
  if (problem.code === 'fenced') return
  if (error instanceof DriftError) lake.measurements.driftFindings = error.findings.length
  logger.error(
    { snapshotId: rows.snapshotId, phase, code: problem.code, reason: problem.message },
    'snapshot not finished',
  )
  try {
    if (remove) await rollBack(lake, rows, error, phase)
    else await rows.update({ problem })
  } catch (second) {
    logger.error({ snapshotId: rows.snapshotId, reason: describe(second) }, 'snapshot left for recovery')
  }
}
