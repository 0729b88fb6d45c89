import { setTimeout as later } from 'node:timers'
import type { Command } from 'commander'
import { describe } from '../errors.ts'
import { type CareReport, careForLake } from '../lake/lake-care.ts'
import { LakeProblem } from '../lake/lake-problem.ts'
import type { Lake, Progress } from '../lake/snapshot/lake.ts'
import { lakeToWrite, type Program, withProgram } from './composition.ts'
import { sayRecovery, sayRetention } from './lake-care.ts'
import { scheduleTrail } from './scheduled-snapshot.ts'
import { sayProblem } from './snapshot-outcome.ts'
import { showProgress } from './snapshot-progress.ts'
import { print, say } from './terminal.ts'

/** Shorter than the time that Amazon ECS gives a task to stop: what is left then is for the next care. */
const STOP_MS = 20_000

function careFor(program: Program, lake: Lake, progress: Progress, signal: AbortSignal): Promise<CareReport> {
  const { config } = program.lake()
  // A process without the key takes no snapshots; where the service has the schedule, the service looks for what was missed.
  const schedule = config.scheduler === 'none' && config.pseudonymKey !== undefined ? config : undefined
  return careForLake(lake, { schedule, trail: scheduleTrail, progress, signal })
}

async function care({ json = false }: { json?: boolean }): Promise<void> {
  const leave = new AbortController()
  const onSignal = () => {
    leave.abort(new LakeProblem('cancelled', 'The care was told to stop'))
    later(() => process.exit(130), STOP_MS).unref()
  }
  await withProgram(
    async (program) => {
      process.once('SIGTERM', onSignal).once('SIGINT', onSignal)
      const progress = showProgress({ json })
      try {
        const lake = await lakeToWrite(program)
        const report = await careFor(program, lake, progress.told, leave.signal).finally(() => progress.end())
        tell(report, json)
      } catch (error) {
        if (!leave.signal.aborted) throw error
        say(`Stopped: ${describe(leave.signal.reason)}. What is left is for the next care.`)
        process.exitCode = 130
      }
    },
    { ownSignals: true },
  )
}

function tell(report: CareReport, json: boolean): void {
  const { problems, recovery, retention, scheduled } = report
  const stuck = recovery?.snapshots.some((each) => each.problem !== undefined && each.to !== 'failed') ?? false
  const isAway = recovery === null && retention === null && problems.every(({ code }) => code === 'unavailable')
  if (stuck || problems.length > 0) process.exitCode = isAway ? 2 : 1
  if (json) {
    print(JSON.stringify(report, null, 2))
    return
  }
  if (recovery !== null) sayRecovery(recovery)
  if (scheduled !== null) print(`the snapshot that was due: ${scheduled}`)
  if (retention !== null) sayRetention(retention, false)
  for (const problem of problems) sayProblem(problem)
}

export function addCareCommand(program: Command): void {
  program
    .command('care')
    .description('what a lake needs every hour: recover, then take a snapshot that is overdue, then retention')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
The service does this by itself unless LAKE_SCHEDULER is none: then whoever starts "snapshot --scheduled" starts this every hour, too. A tick
of LAKE_SCHEDULE whose process was never started, or died, is taken here.
Exit codes: 0 done, 1 a part of it failed (the others were done), 2 it could not run, 130 it was told to stop by SIGINT or SIGTERM.`,
    )
    .action(care)
}
