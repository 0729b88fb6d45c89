import { randomUUID } from 'node:crypto'
import { systemContext } from '../caller.ts'
import { describe } from '../errors.ts'
import { LakeProblem } from '../lake/lake-problem.ts'
import type { ScheduleTrail } from '../lake/schedule-tick.ts'
import { parseDue, type ScheduledResult, takeScheduled } from '../lake/scheduled-snapshot.ts'
import { pseudonymKeyOf } from '../lake/snapshot/lake.ts'
import { lakeToWrite, withProgram } from './composition.ts'
import { lakeTrail } from './lake-audit.ts'
import { leavingRun, publishedSummary, sayProblem } from './snapshot-outcome.ts'
import { showProgress } from './snapshot-progress.ts'
import { print, say } from './terminal.ts'

/** Tells the audit trail that the schedule asked for a snapshot. */
export const scheduleTrail: ScheduleTrail = (tx, snapshotId) =>
  lakeTrail(tx, systemContext('schedule', randomUUID()), { action: 'snapshot.request', snapshotId })

/** `snapshot --scheduled`: what the schedule of a service does for one tick, as a process that somebody else starts when it is due. */
export async function takeScheduledSnapshot(instant: string, json: boolean): Promise<void> {
  const due = parseDue(instant)
  await withProgram(
    async (program) => {
      const leave = leavingRun(json)
      const { config } = program.lake()
      pseudonymKeyOf(config)
      const lake = await lakeToWrite(program)
      const progress = showProgress({ json })
      try {
        const result = await takeScheduled(lake, {
          ...{ due, schedule: config, signal: leave.signal, trail: scheduleTrail, progress: progress.told },
        }).finally(() => progress.end())
        tell(result, json)
      } catch (error) {
        if (!leave.signal.aborted) throw error
        sayProblem(new LakeProblem('cancelled', 'The run was told to stop'))
        process.exitCode = 130
      }
    },
    { ownSignals: true },
  )
}

function tell(result: ScheduledResult, json: boolean): void {
  if (result.kind === 'failed') {
    sayFailed(result.problem)
  } else if (result.kind === 'published') {
    print(json ? JSON.stringify(result.snapshot, null, 2) : publishedSummary(result.snapshot))
  } else if (json) print(JSON.stringify({ result: result.kind }))
  else say(result.kind === 'over' ? 'Nothing is left to do for this tick.' : 'Another process takes this snapshot.')
}

function sayFailed(problem: unknown): void {
  if (problem instanceof LakeProblem) sayProblem(problem)
  else say(`The snapshot failed: ${describe(problem)}`)
  process.exitCode = 1
}
