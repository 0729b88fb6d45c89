import { setTimeout as later } from 'node:timers'
import type { Command } from 'commander'
import { describe } from '../errors.ts'
import { LakeProblem } from '../lake/lake-problem.ts'
import { overdueTick, type ScheduledResult, takeScheduled } from '../lake/scheduled-snapshot.ts'
import type { Lake, Progress } from '../lake/snapshot/lake.ts'
import { type RecoveryReport, recoverSnapshots } from '../lake/snapshot/recover.ts'
import { type RetentionReport, retainSnapshots } from '../lake/snapshot/retention.ts'
import { lakeToWrite, type Program, withProgram } from './composition.ts'
import { sayRecovery, sayRetention } from './lake-care.ts'
import { scheduleTrail } from './scheduled-snapshot.ts'
import { sayProblem } from './snapshot-outcome.ts'
import { showProgress } from './snapshot-progress.ts'
import { print, say } from './terminal.ts'

/** Shorter than the time that Amazon ECS gives a task to stop: what is left then is for the next care. */
const STOP_MS = 20_000

interface CareReport {
  recovery: RecoveryReport | null
  /** Of the last tick, where nobody had taken it; else null. */
  scheduled: ScheduledResult['kind'] | null
  retention: RetentionReport | null
  readonly problems: { readonly step: string; readonly code: string; readonly message: string }[]
}

/** What the service does every hour, one after the other, and whatever fails of it keeps nothing else from its turn. */
async function careFor(program: Program, progress: Progress, signal: AbortSignal): Promise<CareReport> {
  const lake = await lakeToWrite(program)
  const report: CareReport = { recovery: null, scheduled: null, retention: null, problems: [] }
  const step = async (name: string, work: () => Promise<void>) => {
    signal.throwIfAborted()
    try {
      await work()
    } catch (error) {
      if (signal.aborted || !(error instanceof LakeProblem)) throw error
      report.problems.push({ step: name, code: error.code, message: error.message })
    }
  }
  await step('recovery', async () => {
    report.recovery = await recoverUnlessBusy(lake, progress, signal)
  })
  await step('snapshot', async () => {
    report.scheduled = await takeOverdue(program, lake, progress, signal)
  })
  await step('retention', async () => {
    report.retention = await retainSnapshots(lake, { progress, signal })
  })
  return report
}

/** Whoever works on the lake for so long has recovered what was left when it began. */
async function recoverUnlessBusy(lake: Lake, progress: Progress, signal: AbortSignal): Promise<RecoveryReport | null> {
  try {
    return await recoverSnapshots(lake, { progress, signal })
  } catch (error) {
    if (error instanceof LakeProblem && error.code === 'lease_taken') return null
    throw error
  }
}

/**
 * The schedule lives elsewhere and has started a process for each tick. One that was never started, or that died, is found here, where
 * the schedule of the service would have found it.
 */
async function takeOverdue(program: Program, lake: Lake, progress: Progress, signal: AbortSignal) {
  const { config } = program.lake()
  if (config.scheduler !== 'none' || config.pseudonymKey === undefined) return null
  const due = overdueTick(config, new Date())
  if (due === undefined) return null
  const result = await takeScheduled(lake, {
    ...{ due, schedule: config, patient: false, signal, trail: scheduleTrail, progress },
  })
  if (result.kind === 'failed' && result.problem !== undefined) throw result.problem
  // It was taken when it was due, as nearly always.
  return result.kind === 'over' ? null : result.kind
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
        const report = await careFor(program, progress.told, leave.signal).finally(() => progress.end())
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
  if (stuck || problems.length > 0) process.exitCode = 1
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
