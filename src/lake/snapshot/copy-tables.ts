import type { TableContract } from '../contract.ts'
import { LakeProblem } from '../lake-problem.ts'
import type { Manifest } from '../manifest.ts'
import type { MultipartSink } from '../storage/multipart-sink.ts'
import { PartSlots } from '../storage/multipart-sink.ts'
import { assertNotBreaking, contractReport } from './contract-gate.ts'
import type { ControlRows } from './control-rows.ts'
import { enterPhase } from './enter-phase.ts'
import type { Lake, Progress } from './lake.ts'
import { LockWatch } from './lock-watch.ts'
import type { CopiedTable } from './manifest-builder.ts'
import { preflight } from './preflight.ts'
import { copyTable } from './read.ts'
import { applicationName, beginSnapshot, openSource, type Source, type SourceFacts } from './source.ts'
import { estimatedRows } from './table-estimates.ts'
import { TableFiles, type WrittenFile } from './table-files.ts'

/** Everything that a prepared snapshot consists of. */
export interface CopiedTables {
  readonly facts: SourceFacts
  readonly tables: readonly CopiedTable[]
}

export interface CopyOptions {
  readonly previous: Manifest | undefined
  readonly signal: AbortSignal
  readonly progress?: Progress | undefined
  /** Every sink that was opened: whoever called ends them when this fails. */
  readonly sinks: MultipartSink[]
}

/**
 * Steps 1 and 2 of the protocol: gate and preflight, then every table as it stood at one instant, into files that nobody can see yet.
 * Resolves when S3 has acknowledged every part and the counts of Postgres, encoder and footers agree.
 */
export async function copyTables(lake: Lake, rows: ControlRows, options: CopyOptions): Promise<CopiedTables> {
  const name = applicationName(rows.snapshotId)
  const holder = await openSource(lake.sourceUrl, name)
  let watcher: Source | undefined
  let watch: LockWatch | undefined
  try {
    watcher = await openSource(lake.sourceUrl, name)
    await preflight([holder.client, watcher.client])
    const contracts = await gate(lake, holder, options.previous)
    const reader = (holder.client as Source['client'] & { processID: number }).processID
    watch = await LockWatch.start(
      watcher.client,
      [reader],
      contracts.map((contract) => contract.table),
    )
    return await copyAll(lake, rows, contracts, holder, {
      ...options,
      signal: AbortSignal.any([options.signal, watch.signal]),
    })
  } finally {
    await watch?.stop()
    await Promise.all([end(holder), watcher && end(watcher)])
  }
}

async function gate(lake: Lake, source: Source, previous: Manifest | undefined): Promise<readonly TableContract[]> {
  const report = await contractReport(source.client, lake.contracts, previous)
  assertNotBreaking(report)
  for (const note of [...report.additive, ...report.notes]) lake.logger.info({ note }, 'contract of the lake')
  return report.contracts
}

async function copyAll(
  lake: Lake,
  rows: ControlRows,
  contracts: readonly TableContract[],
  holder: Source,
  options: CopyOptions,
): Promise<CopiedTables> {
  const facts = await beginSnapshot(holder.client, lake.settings.maxSnapshotAgeMs)
  const expired = new AbortController()
  const timer = setTimeout(() => {
    const age = `${Math.round(lake.settings.maxSnapshotAgeMs / 60_000)} min`
    expired.abort(new LakeProblem('snapshot_expired', `The snapshot's transaction reached its greatest age of ${age}`))
  }, lake.settings.maxSnapshotAgeMs)
  // An upload that fails while a later table is read ends the reading at once.
  const broken = new AbortController()
  const signal = AbortSignal.any([options.signal, expired.signal, broken.signal])
  const slots = new PartSlots(lake.settings.partsInFlight, lake.settings.partBytes)
  const copied: { contract: TableContract; rows: number; files: readonly Promise<WrittenFile>[] }[] = []
  try {
    await rows.update({ state: 'uploading', source: facts })
    options.progress?.({ kind: 'state', snapshotId: rows.snapshotId, state: 'uploading' })
    await enterPhase(lake, rows, options.progress, 'uploading')
    const expected = await estimatedRows(holder.client, contracts)
    await rows.expectTables(expected)
    options.progress?.({ kind: 'tables', expected })
    for (const contract of contracts) {
      signal.throwIfAborted()
      const table = await copyOne(lake, rows, contract, holder, facts, slots, { ...options, signal })
      for (const file of table.files) file.catch((error: unknown) => broken.abort(error))
      copied.push(table)
    }
    await holder.client.query('COMMIT')
  } finally {
    clearTimeout(timer)
  }
  const tables: CopiedTable[] = []
  for (const { contract, files, rows: count } of copied) {
    const written = await Promise.all(files)
    await settleTable(rows, contract, count, written)
    tables.push({ contract, files: written })
  }
  return { facts, tables }
}

async function copyOne(
  lake: Lake,
  rows: ControlRows,
  contract: TableContract,
  holder: Source,
  facts: SourceFacts,
  slots: PartSlots,
  { progress, signal, sinks }: CopyOptions,
) {
  await rows.table(contract.name, { state: 'copying' })
  const files = new TableFiles({ lake, rows, contract, facts, slots, reader: 0, sinks })
  const report = (done: boolean) =>
    progress?.({ kind: 'table', table: contract.name, rows: files.rows, bytes: files.bytes, done })
  await files.open()
  const count = await copyTable(holder, contract, files, signal, () => report(false))
  const written = await files.close()
  report(true)
  return { contract, rows: count, files: written }
}

/** Counts of COPY, encoder and footers agree, or there is no commit. */
async function settleTable(
  rows: ControlRows,
  contract: TableContract,
  rowsCopied: number,
  files: readonly WrittenFile[],
): Promise<void> {
  const rowsEncoded = files.reduce((sum, file) => sum + file.facts.rows, 0)
  const bytes = files.reduce((sum, file) => sum + file.facts.bytes, 0)
  await rows.table(contract.name, { state: 'uploaded', rowsCopied, rowsEncoded, bytes, files: files.length })
  if (rowsCopied !== rowsEncoded) {
    throw new LakeProblem(
      'count_mismatch',
      `${contract.name}: Postgres sent ${rowsCopied} rows, the files hold ${rowsEncoded}`,
      { table: contract.table },
    )
  }
}

/** Closes a connection without waiting for a server that may be gone. */
async function end({ client }: Source): Promise<void> {
  await Promise.race([
    client.end().catch(() => undefined),
    new Promise((resolve) => setTimeout(resolve, 2_000).unref()),
  ])
}
