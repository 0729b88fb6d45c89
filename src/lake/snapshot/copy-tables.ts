import type { TableContract } from '../contract.ts'
import { LakeProblem } from '../lake-problem.ts'
import type { Manifest } from '../manifest.ts'
import type { MultipartSink } from '../storage/multipart-sink.ts'
import { assertNotBreaking, contractReport } from './contract-gate.ts'
import type { ControlRows } from './control-rows.ts'
import type { CopyContext } from './copy-context.ts'
import { type CopyingTable, settleTable } from './copy-table.ts'
import type { Engine } from './engine.ts'
import { enterPhase } from './enter-phase.ts'
import type { Lake, Progress } from './lake.ts'
import { LockWatch } from './lock-watch.ts'
import type { CopiedTable } from './manifest-builder.ts'
import { openNodeEngine } from './node-engine.ts'
import { preflight } from './preflight.ts'
import {
  applicationName,
  backendPid,
  beginSnapshot,
  breakSource,
  closeSource,
  openSource,
  type Source,
  type SourceFacts,
} from './source.ts'
import { sourceProblem } from './source-problem.ts'
import { openSparkEngine } from './spark-engine.ts'
import { estimatedRows } from './table-estimates.ts'

/** A database that answers takes a second or two for what comes before the transaction; until then nobody else watches whether it does. */
const PLANNING_TIMEOUT_MS = 60_000

/** Everything that a prepared snapshot consists of. */
export interface CopiedTables {
  readonly facts: SourceFacts
  readonly tables: readonly CopiedTable[]
}

export interface CopyOptions {
  /** Manifests of the published snapshots, oldest first. */
  readonly live: readonly Manifest[]
  readonly signal: AbortSignal
  readonly progress?: Progress | undefined
  /** Every sink that was opened: whoever called ends them when this fails. */
  readonly sinks: MultipartSink[]
}

/** The connections of a run, and what was found out before its transaction. */
interface Ready {
  readonly holder: Source
  readonly contracts: readonly TableContract[]
  readonly engine: Engine
  readonly watch: LockWatch
  /** Compares the database with the contract once more. */
  confirm(): Promise<void>
}

/**
 * Steps 1 and 2 of the protocol: gate and preflight, then every table as it stood at one instant, into files that nobody can see yet.
 * Resolves when S3 has acknowledged every part and the counts of Postgres, encoder and footers agree.
 */
export async function copyTables(lake: Lake, rows: ControlRows, options: CopyOptions): Promise<CopiedTables> {
  const open: (() => Promise<unknown>)[] = []
  try {
    // A local job may fetch its programs: that takes what it takes, and nothing is open yet.
    if (lake.settings.engine === 'spark') await lake.sparkJob?.ready(options.signal)
    const ready = await inTime(options.signal, (signal) => prepareToCopy(lake, rows, { ...options, signal }, open))
    return await copyAll(lake, rows, ready, options)
  } catch (error) {
    throw sourceProblem(options.signal.aborted ? options.signal.reason : error)
  } finally {
    for (const close of open.reverse()) await close()
  }
}

/** Ends what is done before the transaction when the run ends, or the database does not answer. */
async function inTime<T>(run: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController()
  const timer = setTimeout(() => {
    late.abort(new LakeProblem('connection_lost', 'The database that the snapshot reads does not answer'))
  }, PLANNING_TIMEOUT_MS)
  const signal = AbortSignal.any([run, late.signal])
  try {
    return await work(signal)
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    clearTimeout(timer)
  }
}

/** @param open is told how each thing is closed that was opened, also when this throws. */
async function prepareToCopy(
  lake: Lake,
  rows: ControlRows,
  { live, signal, sinks }: CopyOptions,
  open: (() => Promise<unknown>)[],
): Promise<Ready> {
  const { settings } = lake
  const name = applicationName(rows.snapshotId)
  const connect = async () => {
    signal.throwIfAborted()
    const source = await openSource(lake.sourceUrl, name)
    open.push(() => closeSource(source))
    // A query of a run that is over must not wait for a server that does not answer.
    signal.addEventListener('abort', () => breakSource(source))
    signal.throwIfAborted()
    return source
  }
  const holder = await connect()
  const watcher = await connect()
  const clients = [holder.client, watcher.client]
  const instance = await preflight(clients, { url: lake.sourceUrl, maxAgeMs: settings.maxSnapshotAgeMs })
  const contracts = await gate(lake, holder, live)
  const openEngine = settings.engine === 'spark' ? openSparkEngine : openNodeEngine
  const engine = await openEngine({
    ...{ lake, holder, instance, contracts, live, sinks, signal },
    snapshotId: rows.snapshotId,
    applicationName: name,
    onClose: (close) => open.push(close),
  })
  const tables = contracts.map((contract) => contract.table)
  const pids = () => [backendPid(holder.client), ...engine.pids]
  const watch = await LockWatch.start(watcher.client, pids, tables, settings.lockLookMs)
  open.push(() => watch.stop())
  const confirm = async () => assertNotBreaking(await contractReport(watcher.client, lake.contracts, live))
  return { holder, contracts, engine, watch, confirm }
}

async function gate(lake: Lake, source: Source, live: readonly Manifest[]): Promise<readonly TableContract[]> {
  const report = await contractReport(source.client, lake.contracts, live)
  assertNotBreaking(report)
  for (const note of [...report.additive, ...report.notes]) lake.logger.info({ note }, 'contract of the lake')
  return report.contracts
}

async function copyAll(lake: Lake, rows: ControlRows, ready: Ready, options: CopyOptions): Promise<CopiedTables> {
  const { contracts, engine, holder, watch } = ready
  const { progress } = options
  const broken = new AbortController()
  const signal = AbortSignal.any([options.signal, watch.signal, broken.signal])
  signal.addEventListener('abort', () => breakSource(holder))
  const fail = (error: unknown) => broken.abort(error)
  const copying: CopyingTable[] = []
  try {
    const tables = contracts.map((contract) => contract.table)
    const facts = await beginSnapshot(holder.client, lake.settings.maxSnapshotAgeMs, tables)
    // The locks keep the tables as they are: what changed since the gate looked is found now, and nothing changes after.
    await ready.confirm()
    const context: CopyContext = { lake, rows, facts, progress, signal, fail }
    await rows.update({ state: 'uploading', source: facts })
    progress?.({ kind: 'state', snapshotId: rows.snapshotId, state: 'uploading' })
    await enterPhase(lake, rows, progress, 'uploading')
    await readAll(context, ready, copying)
    // The transaction is over and so are its locks: from here on nobody has to wait for the snapshot.
    await watch.stop()
    const copied: CopiedTable[] = []
    for (const table of copying) copied.push(await settleTable(context, table))
    await engine.settled()
    return { facts, tables: copied }
  } catch (error) {
    // No upload of this run may begin or go on after its end was decided.
    fail(error)
    await Promise.allSettled(copying.flatMap((table) => table.files))
    // The first reason is the cause; that connections and uploads ended with it is not.
    throw signal.reason
  }
}

async function readAll(context: CopyContext, ready: Ready, copying: CopyingTable[]): Promise<void> {
  const { contracts, engine, holder } = ready
  const { fail, lake, progress, rows } = context
  const { maxSnapshotAgeMs } = lake.settings
  const timer = setTimeout(() => {
    const age = `${Math.round(maxSnapshotAgeMs / 60_000)} min`
    fail(new LakeProblem('snapshot_expired', `The snapshot's transaction reached its greatest age of ${age}`))
  }, maxSnapshotAgeMs)
  try {
    const expected = await estimatedRows(holder.client, contracts)
    await rows.expectTables(expected)
    progress?.({ kind: 'tables', expected })
    await engine.read(context, copying)
    await holder.client.query('COMMIT')
  } finally {
    clearTimeout(timer)
  }
}
