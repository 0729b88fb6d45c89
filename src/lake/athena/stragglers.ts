import { retrying } from '../retries.ts'
import { isFinished, type QueryRun } from './query-run.ts'
import type { QueryRunner } from './query-runner.ts'

/** A statement waits in Athena's queue for minutes at most; what was submitted before that is over. */
const LOOK_BACK_MS = 2 * 3_600_000
const MAX_PAGES = 20
const RUNS_PER_PAGE = 50

const movesView = ({ internal, sql }: QueryRun) => internal && /\bCREATE OR REPLACE VIEW\b/.test(sql)

/**
 * Stops the statements that move views and that a process which is gone left in Athena's queue, and waits until each is over: one that ran
 * after ours would move a view back to an older snapshot. Only for the holder of the lease, to whom all such statements belong.
 *
 * @returns how many there were.
 */
export async function endStragglers(runner: QueryRunner, signal?: AbortSignal): Promise<number> {
  const since = Date.now() - LOOK_BACK_MS
  const options = signal === undefined ? {} : { signal }
  const left: QueryRun[] = []
  let token: string | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const at = token
    const { nextToken, runs } = await retrying(() => runner.list(RUNS_PER_PAGE, at), options)
    left.push(...runs.filter((run) => movesView(run) && !isFinished(run)))
    // Newest first.
    if (nextToken === undefined || runs.some(({ submittedAt }) => (submittedAt?.getTime() ?? since) < since)) break
    token = nextToken
  }
  for (const { id } of left) {
    await retrying(() => runner.stop(id), options)
    await runner.finished(id, signal)
  }
  return left.length
}
