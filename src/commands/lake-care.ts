import type { Command } from 'commander'
import { describe, UsageError } from '../errors.ts'
import { FINDING_GUIDE } from '../lake/finding-guide.ts'
import { LakeProblem } from '../lake/lake-problem.ts'
import { type RestoreReport, settleRestored } from '../lake/snapshot/after-restore.ts'
import { type RecoveryReport, recoverSnapshots } from '../lake/snapshot/recover.ts'
import { type RetentionReport, retainSnapshots } from '../lake/snapshot/retention.ts'
import { type VerifyReport, verifySnapshots } from '../lake/snapshot/verify.ts'
import { lakeToWrite, type Program, withProgram } from './composition.ts'
import { sayProblem } from './snapshot-outcome.ts'
import { showProgress } from './snapshot-progress.ts'
import { count, print, say } from './terminal.ts'
import { showVerification } from './verify-progress.ts'

interface VerifyCommand {
  readonly all?: boolean
  readonly deep?: boolean
  readonly json?: boolean
}

/** Code 1 means findings and nothing else: whatever keeps it from looking is 2. */
async function verify(id: string | undefined, options: VerifyCommand): Promise<void> {
  if (id !== undefined && options.all) throw new UsageError('Give either the id of one snapshot or --all')
  try {
    await printVerified(id, options)
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`Nothing is verified: ${describe(error)}`)
  }
}

async function printVerified(id: string | undefined, options: VerifyCommand): Promise<void> {
  await withProgram(async (program) => {
    const progress = showVerification({ json: options.json === true })
    const report = await verifySnapshots(program.lake().lake, {
      ...(id === undefined ? {} : { id }),
      all: options.all === true,
      deep: options.deep === true,
      progress: progress.told,
    }).finally(() => progress.end())
    if (options.json) print(JSON.stringify(report, null, 2))
    else printFindings(report)
    if (report.findings.length > 0) process.exitCode = 1
  })
}

/** The findings on standard output, a line each; what they mean and what to do, once a code, beside them. */
function printFindings({ files, findings, gone, rows, snapshots }: VerifyReport): void {
  for (const finding of findings) print(`${finding.code}: ${finding.message}`)
  for (const code of new Set(findings.map((finding) => finding.code))) {
    say(`${code}: ${FINDING_GUIDE[code].what}\n  What to do: ${FINDING_GUIDE[code].next}`)
  }
  for (const id of gone) say(`${id}: retention took it away meanwhile`)
  const result = findings.length === 0 ? 'healthy' : `${findings.length} finding(s)`
  say(`${snapshots.length} snapshot(s), ${count(files)} files, ${count(rows)} rows: ${result}`)
}

interface CareOptions {
  readonly json?: boolean
}

/** A known problem of the lake ends the command with two lines and code 1. */
async function caring(json: boolean, work: (program: Program) => Promise<void>): Promise<void> {
  await withProgram(async (program) => {
    try {
      await work(program)
    } catch (error) {
      if (!(error instanceof LakeProblem)) throw error
      if (json) say(JSON.stringify({ level: 50, code: error.code, msg: error.message }))
      else sayProblem(error)
      process.exitCode = 1
    }
  })
}

interface RecoverCommand extends CareOptions {
  readonly afterRestore?: boolean
  readonly dryRun?: boolean
}

async function recover({ afterRestore = false, dryRun = false, json = false }: RecoverCommand): Promise<void> {
  if (dryRun && !afterRestore) throw new UsageError('--dry-run goes with --after-restore only')
  await caring(json, async (program) => {
    const lake = await lakeToWrite(program)
    const progress = showProgress({ json })
    if (afterRestore) {
      const settled = await settleRestored(lake, { dryRun, progress: progress.told }).finally(() => progress.end())
      return json ? print(JSON.stringify(settled, null, 2)) : saySettled(settled, dryRun)
    }
    const report = await recoverSnapshots(lake, { progress: progress.told }).finally(() => progress.end())
    if (report.snapshots.some((s) => s.problem !== undefined && s.to !== 'failed')) process.exitCode = 1
    if (json) return print(JSON.stringify(report, null, 2))
    sayRecovery(report)
  })
}

export function sayRecovery({ abortedUploads, removedObjects, snapshots }: RecoveryReport): void {
  for (const s of snapshots) print(`${s.snapshotId}: ${s.from} -> ${s.to}${s.problem ? ` (${s.problem})` : ''}`)
  for (const key of abortedUploads) print(`aborted upload: ${key}`)
  for (const key of removedObjects) print(`removed object of a failed snapshot: ${key}`)
  if (snapshots.length + abortedUploads.length + removedObjects.length === 0) print('Nothing to recover.')
}

function saySettled({ retired, retiring }: RestoreReport, dryRun: boolean): void {
  for (const id of retiring) print(`${dryRun ? 'retention would remove' : 'for retention to remove'}: ${id}`)
  for (const id of retired) print(`${dryRun ? 'would note as removed' : 'noted as removed'}: ${id}`)
  if (retiring.length + retired.length === 0) print('The database knows every snapshot of the lake.')
}

interface RetentionOptions extends CareOptions {
  readonly dryRun?: boolean
}

async function retention({ dryRun = false, json = false }: RetentionOptions): Promise<void> {
  await caring(json, async (program) => {
    const lake = await lakeToWrite(program)
    const progress = showProgress({ json })
    const report = await retainSnapshots(lake, { dryRun, progress: progress.told }).finally(() => progress.end())
    if (json) return print(JSON.stringify(report, null, 2))
    sayRetention(report, dryRun)
  })
}

export function sayRetention(report: RetentionReport, dryRun: boolean): void {
  for (const id of report.retiring) print(`${dryRun ? 'would retire' : 'retiring'}: ${id}`)
  for (const id of report.waiting) print(`waiting for the end of its grace time: ${id}`)
  for (const id of report.retired) print(`retired: ${id}`)
  for (const key of report.leftover) print(`left over, not deleted: ${key}`)
  if (Object.values(report).every((list) => list.length === 0)) print('Nothing to do.')
}

export function addLakeCareCommands(program: Command): void {
  program
    .command('verify [id]')
    .description('compare the lake with what was promised; reads only, repairs nothing')
    .option('--all', 'every live snapshot, not only the current one')
    .option('--deep', 'read every value of every file back')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Exit codes: 0 healthy, 1 findings (one line each, with a stable code), 2 it could not look.

Examples:
  rocketgames verify                 # the snapshot that the views show
  rocketgames verify --all --deep    # every value of every snapshot: reads the whole lake`,
    )
    .action(verify)
  program
    .command('recover')
    .description('finish or remove what a dead process left; safe at any time, and by the service every hour')
    .option('--after-restore', 'have retention remove what the lake has and a database that was restored does not know')
    .option('--dry-run', 'with --after-restore: only say what would be removed')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
After a restore of the database: "rocketgames recover", "rocketgames snapshot", and when nobody needs the lost time any more
"rocketgames recover --after-restore". See docs/operations.md, "Restore the database".
Exit codes: 0 done, 1 a snapshot could not be finished yet, 2 it could not run.`,
    )
    .action(recover)
  program
    .command('retention')
    .description(
      'remove snapshots that are too old: every one is kept for LAKE_KEEP_ALL, then one a day for LAKE_DAILY_DAYS',
    )
    .option('--dry-run', 'only say what would be removed')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
It goes in steps that each may be repeated: views, partitions, LAKE_RETIRE_GRACE later the objects. The service runs it every hour.
Exit codes: 0 done, 1 it failed, 2 it could not run.`,
    )
    .action(retention)
}
