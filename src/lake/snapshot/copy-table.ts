import { inSpan } from '../../tracing.ts'
import type { TableContract } from '../contract.ts'
import { LakeProblem } from '../lake-problem.ts'
import { type CopyContext, createdBy, encodingSettings, type ReaderContext } from './copy-context.ts'
import { watchHolder } from './holder-watch.ts'
import type { CopiedTable } from './manifest-builder.ts'
import type { ParallelReaders, ReadTable } from './parallel-readers.ts'
import { copyTable } from './read.ts'
import type { Source } from './source.ts'
import { TableFiles } from './table-files.ts'
import { TableProgress } from './table-progress.ts'
import { TableUploads } from './table-uploads.ts'

/** A table that is read; its last parts may still be on their way. */
export interface CopyingTable extends ReadTable {
  readonly contract: TableContract
}

/**
 * Reads one table into its files, all rows as the holder's transaction sees them.
 *
 * @param readers share the table; undefined: the holder reads it.
 * @throws what `copyTable` throws, or the signal's reason.
 */
export async function readTable(
  context: ReaderContext,
  contract: TableContract,
  holder: Source,
  readers: ParallelReaders | undefined,
): Promise<CopyingTable> {
  await context.rows.table(contract.name, { state: 'copying' })
  const progress = new TableProgress(context, contract.name)
  const attributes = { 'db.collection.name': contract.name, 'rocketgames.readers': readers?.count ?? 1 }
  const read = await inSpan(`copy ${contract.name}`, { attributes }, async (span) => {
    const done = readers
      ? await withReaders(context, contract, holder, readers, progress)
      : await alone(context, contract, holder, progress)
    span?.set({ 'rocketgames.rows': done.rows })
    return done
  })
  await progress.done()
  return { contract, ...read }
}

async function withReaders(
  context: ReaderContext,
  contract: TableContract,
  holder: Source,
  readers: ParallelReaders,
  progress: TableProgress,
): Promise<ReadTable> {
  const stopWatching = watchHolder(holder.client, context.fail)
  try {
    return await readers.read(context, contract, holder.client, progress)
  } finally {
    stopWatching()
  }
}

async function alone(
  context: ReaderContext,
  contract: TableContract,
  holder: Source,
  progress: TableProgress,
): Promise<ReadTable> {
  const { facts, lake, rows, signal } = context
  const uploads = new TableUploads(context, contract, 0)
  const files = new TableFiles({
    contract,
    snapshotId: rows.snapshotId,
    facts,
    settings: encodingSettings(lake.settings, 1),
    createdBy: createdBy(context),
    outlet: uploads,
  })
  const report = () => progress.report(0, files.rows, files.bytes)
  await files.open()
  const count = await copyTable(holder, contract, files, signal, report)
  await files.close()
  report()
  return { rows: count, files: uploads.written }
}

/**
 * Waits until S3 has all of the table.
 *
 * @throws LakeProblem `count_mismatch` unless Postgres, encoder and footers agree about the rows; whatever an upload failed of.
 */
export async function settleTable(context: CopyContext, table: CopyingTable): Promise<CopiedTable> {
  const { contract, rows: rowsCopied } = table
  const files = await Promise.all(table.files)
  const rowsEncoded = files.reduce((sum, file) => sum + file.facts.rows, 0)
  const bytes = files.reduce((sum, file) => sum + file.facts.bytes, 0)
  await context.rows.table(contract.name, {
    state: 'uploaded',
    rowsCopied,
    rowsEncoded,
    bytes,
    files: files.length,
  })
  if (rowsCopied !== rowsEncoded) {
    throw new LakeProblem(
      'count_mismatch',
      `${contract.name}: Postgres sent ${rowsCopied} rows, the files hold ${rowsEncoded}`,
      { table: contract.table },
    )
  }
  return { contract, files }
}
