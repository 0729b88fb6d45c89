import { type Command, Option } from 'commander'
import { describe, UsageError } from '../errors.ts'
import { LakeProblem } from '../lake/lake-problem.ts'
import { dryRunSnapshot } from '../lake/snapshot/dry-run.ts'
import { pseudonymKeyOf } from '../lake/snapshot/lake.ts'
import { runSnapshot } from '../lake/snapshot/run.ts'
import type { SnapshotView } from '../lake/snapshot/snapshot-view.ts'
import { listSnapshots } from '../lake/snapshot/snapshots.ts'
import { failUnstarted } from '../lake/snapshot-launch.ts'
import { lakeToWrite, operator, type Program, withDatabase, withProgram } from './composition.ts'
import { whenStarted } from './environment.ts'
import { lakeTrail } from './lake-audit.ts'
import { takeScheduledSnapshot } from './scheduled-snapshot.ts'
import { printDryRun } from './snapshot-dry-run.ts'
import { leavingRun, publishedSummary, sayProblem } from './snapshot-outcome.ts'
import { showProgress } from './snapshot-progress.ts'
import { count, print, say, size, table } from './terminal.ts'

export interface SnapshotOptions {
  readonly id?: string
  readonly scheduled?: string
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** @param engine reads the rows; undefined: that of the settings. */
export async function takeSnapshot(options: SnapshotOptions, engine?: 'node' | 'spark'): Promise<void> {
  const json = options.json === true
  if (options.scheduled !== undefined) {
    if (options.id !== undefined || options.dryRun) throw new UsageError('Give --scheduled, --id or --dry-run alone')
    return takeScheduledSnapshot(options.scheduled, json)
  }
  const work = async (program: Program) => {
    if (options.id === undefined) await whenStarted(program.workplace)
    if (options.dryRun) return printDryRun(await dryRunSnapshot(program.lake().lake), json)
    // First of all: a signal that nobody handles would end this process and not the embedded parts that it brought up.
    const leave = leavingRun(json)
    const progress = showProgress({ json })
    try {
      pseudonymKeyOf(program.lake().config)
      const found = await lakeToWrite(program)
      const lake = engine === undefined ? found : { ...found, settings: { ...found.settings, engine } }
      const done = await runSnapshot(lake, {
        signal: leave.signal,
        ...(options.id === undefined ? {} : { id: options.id }),
        trail: (tx, snapshotId) => lakeTrail(tx, operator(), { action: 'snapshot.request', snapshotId }),
        progress: progress.told,
      })
      progress.end()
      print(json ? JSON.stringify(done, null, 2) : publishedSummary(done))
    } catch (error) {
      progress.end()
      if (!(error instanceof LakeProblem)) {
        // Whoever started this process need not hear how it ended: the row says it.
        if (options.id !== undefined) await failUnstarted(program.database, options.id, describe(error))
        throw error
      }
      sayProblem(error)
      process.exitCode = leave.signal.aborted ? 130 : 1
    }
  }
  await withProgram(work, { ownSignals: options.dryRun !== true })
}

const time = (value: Date | string | null) =>
  value === null ? '' : new Date(value).toISOString().slice(0, 19).replace('T', ' ')

/** With the phase where that says more. */
function stateOf({ abandoned, phase, state }: SnapshotView): string {
  if (abandoned) return `${state}, abandoned`
  return phase === null || phase === state ? state : `${state} (${phase})`
}

async function snapshots({ limit, json }: { limit: string; json?: boolean }): Promise<void> {
  if (!/^[1-9]\d{0,2}$/.test(limit)) throw new UsageError(`--limit ${limit} must be a whole number from 1 to 999`)
  await withDatabase(async ({ database }) => {
    const list = await listSnapshots(database, { limit: Number(limit) })
    if (json) return print(JSON.stringify(list, null, 2))
    const rows = list.map((s) => [
      s.id,
      stateOf(s),
      time(s.takenAt),
      s.totalRows === null ? '' : count(s.totalRows),
      s.totalBytes === null ? '' : size(s.totalBytes),
      s.requestedBy,
      s.problem?.code ?? '',
    ])
    print(table(['snapshot', 'state', 'taken at (UTC)', 'rows', 'bytes', 'requested by', 'problem'], rows))
    const [newest] = list
    if (newest?.problem) sayProblem(newest.problem)
    if (newest?.abandoned)
      say(
        `${newest.id}: its process is gone. "rocketgames recover" finishes or removes it, as the service does every hour.`,
      )
  })
}

export function addSnapshotCommands(program: Command): void {
  program
    .command('snapshot')
    .description('take one snapshot of the database into the lake, and publish it')
    .addOption(new Option('--id <id>', 'run the snapshot that was requested before').hideHelp())
    .option(
      '--scheduled <instant>',
      'the snapshot that a schedule is due to take at that instant: once, however often it is started, and again after failures that may pass',
    )
    .option('--dry-run', 'only say what would be written: keys, estimates, differences of schema and catalogue')
    .option('--json', 'the snapshot as JSON on standard output, one JSON line for each step on standard error')
    .addHelpText(
      'after',
      `
Exit codes: 0 published, or with --scheduled nothing was left to do; 1 it failed (the last two lines say why and what to do), or with --dry-run it would not be published;
2 it could not run; 130 it was told to stop by SIGINT or SIGTERM: before its commit nothing of it is left, after it
"rocketgames recover", or the service by itself, publishes it. A second signal ends the process at once, which recovery mends, too.

Examples:
  rocketgames snapshot --dry-run
  rocketgames snapshot --json 2>steps.ndjson | jq .totalRows
  rocketgames snapshot --scheduled 2026-11-23T02:00:00Z    # as EventBridge Scheduler starts it`,
    )
    .action((options: SnapshotOptions) => takeSnapshot(options))
  program
    .command('snapshots')
    .description('list the snapshots, newest first; of the newest one also what to do when it has a problem')
    .option('--limit <n>', 'how many', '20')
    .option('--json', 'as JSON')
    .action(snapshots)
}
