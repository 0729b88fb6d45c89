import { type Command, Option } from 'commander'
import { describe, UsageError } from '../errors.ts'
import { LakeProblem } from '../lake/lake-problem.ts'
import { dryRunSnapshot } from '../lake/snapshot/dry-run.ts'
import type { Progress } from '../lake/snapshot/lake.ts'
import { recoverSnapshots } from '../lake/snapshot/recover.ts'
import { retainSnapshots } from '../lake/snapshot/retention.ts'
import { runSnapshot } from '../lake/snapshot/run.ts'
import { listSnapshots, type SnapshotView } from '../lake/snapshot/snapshots.ts'
import { verifySnapshots } from '../lake/snapshot/verify.ts'
import { type Program, withProgram } from './composition.ts'
import { count, print, say, size, table } from './terminal.ts'

/** One line per state, per finished table and while waiting, on standard error. */
const told: Progress = (event) => {
  if (event.kind === 'waiting') say(`Waiting: ${event.reason}`)
  else if (event.kind === 'state') say(`${event.snapshotId}  ${event.state}`)
  else if (event.kind === 'table' && event.done)
    say(`  ${event.table.padEnd(20)} ${count(event.rows).padStart(12)} rows  ${size(event.bytes).padStart(10)}`)
}

function summary(snapshot: SnapshotView): string {
  const seconds = ((snapshot.publishedAt?.getTime() ?? 0) - (snapshot.startedAt?.getTime() ?? 0)) / 1000
  return `${snapshot.id} published: ${count(snapshot.totalRows ?? 0)} rows, ${size(snapshot.totalBytes ?? 0)}, ${seconds.toFixed(1)} s`
}

interface SnapshotOptions {
  readonly id?: string
  readonly dryRun?: boolean
  readonly json?: boolean
}

async function snapshot(options: SnapshotOptions): Promise<void> {
  const work = async (program: Program) => {
    const { lake } = program.lake()
    if (options.dryRun) return printDryRun(await dryRunSnapshot(lake), options.json === true)
    const leave = new AbortController()
    const onSignal = () => leave.abort(new LakeProblem('cancelled', 'The run was told to stop'))
    process.once('SIGTERM', onSignal).once('SIGINT', onSignal)
    const progress = process.stderr.isTTY || !options.json ? told : undefined
    const done = await runSnapshot(lake, {
      signal: leave.signal,
      ...(options.id === undefined ? {} : { id: options.id }),
      ...(progress ? { progress } : {}),
    })
    print(options.json ? JSON.stringify(done, null, 2) : summary(done))
  }
  await withProgram(work, { ownSignals: options.dryRun !== true })
}

function printDryRun(plan: Awaited<ReturnType<typeof dryRunSnapshot>>, json: boolean): void {
  if (plan.schema.breaking.length > 0) process.exitCode = 1
  if (json) {
    print(JSON.stringify(plan, null, 2))
    return
  }
  const rows = plan.tables.map((t) => [
    t.name,
    t.estimatedRows === null ? '?' : count(t.estimatedRows),
    t.estimatedBytes === null ? '?' : size(t.estimatedBytes),
    t.firstKey,
  ])
  print(table(['table', 'rows (estimate)', 'bytes (estimate)', 'first key'], rows))
  const section = (title: string, lines: readonly string[]) =>
    print(lines.length === 0 ? `${title}: none` : `${title}:\n${lines.map((l) => `  ${l}`).join('\n')}`)
  section('Breaking differences between database and contract', plan.schema.breaking)
  section('Additive differences', plan.schema.additive)
  section('Notes', plan.schema.notes)
  section('Changes in the catalogue', plan.catalogueChanges)
}

const time = (value: Date | string | null) =>
  value === null ? '' : new Date(value).toISOString().slice(0, 19).replace('T', ' ')

async function snapshots({ limit, json }: { limit: string; json?: boolean }): Promise<void> {
  if (!/^[1-9]\d{0,2}$/.test(limit)) throw new UsageError(`--limit ${limit} must be a whole number from 1 to 999`)
  await withProgram(async ({ database }) => {
    const list = await listSnapshots(database, { limit: Number(limit) })
    if (json) return print(JSON.stringify(list, null, 2))
    const rows = list.map((s) => [
      s.id,
      s.state,
      time(s.takenAt),
      s.totalRows === null ? '' : count(s.totalRows),
      s.totalBytes === null ? '' : size(s.totalBytes),
      s.requestedBy,
      s.problem?.code ?? '',
    ])
    print(table(['snapshot', 'state', 'taken at (UTC)', 'rows', 'bytes', 'requested by', 'problem'], rows))
  })
}

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
    const report = await verifySnapshots(program.lake().lake, {
      ...(id === undefined ? {} : { id }),
      all: options.all === true,
      deep: options.deep === true,
    })
    if (options.json) print(JSON.stringify(report, null, 2))
    else {
      for (const finding of report.findings) print(`${finding.code}: ${finding.message}`)
      say(
        `${report.snapshots.length} snapshot(s), ${count(report.files)} files, ${count(report.rows)} rows: ${report.findings.length === 0 ? 'healthy' : `${report.findings.length} finding(s)`}`,
      )
    }
    if (report.findings.length > 0) process.exitCode = 1
  })
}

async function recover(): Promise<void> {
  await withProgram(async (program) => {
    const report = await recoverSnapshots(program.lake().lake, told)
    for (const s of report.snapshots)
      print(`${s.snapshotId}: ${s.from} -> ${s.to}${s.problem ? ` (${s.problem})` : ''}`)
    for (const key of report.abortedUploads) print(`aborted upload: ${key}`)
    if (report.snapshots.length + report.abortedUploads.length === 0) print('Nothing to recover.')
    if (report.snapshots.some((s) => s.problem !== undefined && s.to !== 'failed')) process.exitCode = 1
  })
}

async function retention({ dryRun }: { dryRun?: boolean }): Promise<void> {
  await withProgram(async (program) => {
    const report = await retainSnapshots(program.lake().lake, { dryRun: dryRun === true, progress: told })
    for (const id of report.retiring) print(`${dryRun ? 'would retire' : 'retiring'}: ${id}`)
    for (const id of report.waiting) print(`waiting for the end of its grace time: ${id}`)
    for (const id of report.retired) print(`retired: ${id}`)
    for (const key of report.leftover) print(`left over, not deleted: ${key}`)
    if (Object.values(report).every((list) => list.length === 0)) print('Nothing to do.')
  })
}

export function addSnapshotCommands(program: Command): void {
  program
    .command('snapshot')
    .description('take one snapshot of the database into the lake, and publish it')
    .addOption(new Option('--id <id>', 'run the snapshot that was requested before').hideHelp())
    .option('--dry-run', 'only say what would be written: keys, estimates, differences of schema and catalogue')
    .option('--json', 'as JSON')
    .action(snapshot)
  program
    .command('snapshots')
    .description('list the snapshots, newest first')
    .option('--limit <n>', 'how many', '20')
    .option('--json', 'as JSON')
    .action(snapshots)
  program
    .command('verify [id]')
    .description('compare the lake with what was promised; reads only. Exit code 1: findings')
    .option('--all', 'every live snapshot, not only the current one')
    .option('--deep', 'read every value of every file back')
    .option('--json', 'as JSON')
    .action(verify)
  program.command('recover').description('finish or remove what a dead process left; safe at any time').action(recover)
  program
    .command('retention')
    .description('remove snapshots that are too old: every one is kept for 48 h, then one a day')
    .option('--dry-run', 'only say what would be removed')
    .action(retention)
}
