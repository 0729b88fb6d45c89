import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { copySelect, keyFields, type TableContract } from '../contract.ts'
import { LakeProblem } from '../lake-problem.ts'
import { CopyFrameScanner } from '../parquet/frame-scanner.ts'
import { NullValueError, UnrepresentableValueError } from '../parquet/row-problem.ts'
import { type Batch, CopyFormatError, CopyScanner } from '../parquet/scanner.ts'
import type { CopySocket, RowConsumer } from './copy-socket.ts'
import { breakSource, type Source } from './source.ts'
import { sourceProblem } from './source-problem.ts'

const PROGRESS_INTERVAL_MS = 200

/** Takes the rows of one table. */
export interface RowFiles extends RowConsumer {
  append(batch: Batch): void
}

/**
 * Reads one table into its files; the connection's transaction decides which instant is seen.
 *
 * @param onProgress called now and then while rows arrive.
 * @param range the condition that the rows fulfil; default every row.
 * @returns rows as Postgres counted them, after its CommandComplete; equal to those that arrived.
 * @throws LakeProblem `connection_lost`, `snapshot_conflict`, `copy_failed`, `count_mismatch`, or the signal's reason.
 */
export async function copyTable(
  source: Source,
  contract: TableContract,
  files: RowFiles,
  signal: AbortSignal,
  onProgress: () => void,
  range?: string,
): Promise<number> {
  // A cancelled statement would still drain its rows; a closed connection ends at once and frees the locks.
  const stop = () => breakSource(source)
  signal.addEventListener('abort', stop)
  const timer = setInterval(onProgress, PROGRESS_INTERVAL_MS)
  try {
    signal.throwIfAborted()
    const { copied, scanned } = source.socket
      ? await throughSocket(source.socket, source.client, contract, files, range)
      : await throughStream(source.client, contract, files, range)
    if (copied === scanned) return copied
    throw new LakeProblem('count_mismatch', `${contract.name}: Postgres sent ${copied} rows, ${scanned} arrived`, {
      table: contract.table,
    })
  } catch (error) {
    signal.throwIfAborted()
    throw copyProblem(error, contract.table)
  } finally {
    clearInterval(timer)
    signal.removeEventListener('abort', stop)
  }
}

interface Counts {
  readonly copied: number
  readonly scanned: number
}

/** COPY through a reused read buffer: plain TCP only. */
async function throughSocket(
  socket: CopySocket,
  client: pg.Client,
  contract: TableContract,
  files: RowFiles,
  range: string | undefined,
): Promise<Counts> {
  const scanner = new CopyFrameScanner(fieldCount(contract), (batch) => files.append(batch))
  await socket.copy(client, copyStatement(contract, range), scanner, files)
  const { error, rows, serverRows } = scanner
  if (error) throw Object.assign(new Error('Postgres ended the COPY'), { code: error.C ?? '' })
  return { copied: serverRows ?? -1, scanned: rows }
}

/** COPY through `pg-copy-streams`: the way that also goes over TLS. */
async function throughStream(
  client: pg.Client,
  contract: TableContract,
  files: RowFiles,
  range: string | undefined,
): Promise<Counts> {
  const stream = client.query(copyTo(copyStatement(contract, range)))
  const scanner = new CopyScanner(fieldCount(contract), (batch) => files.append(batch))
  for await (const chunk of stream) {
    scanner.push(chunk as Buffer, files)
    if (files.busy) await files.drained()
    while (scanner.stopped) {
      scanner.resume(files)
      if (files.busy) await files.drained()
    }
  }
  const scanned = scanner.end()
  // CommandComplete, which carries the server's count, may come after the stream's end, but not after the next answer.
  await client.query('SELECT 1')
  return { copied: stream.rowCount, scanned }
}

export function copyStatement(contract: TableContract, range?: string): string {
  const where = range === undefined ? '' : ` WHERE ${range}`
  return `COPY (${copySelect(contract)}${where}) TO STDOUT (FORMAT binary)`
}

export function fieldCount(contract: TableContract): number {
  return 1 + Math.max(contract.columns.length - 1, ...keyFields(contract).map(({ field }) => field))
}

function copyProblem(error: unknown, table: string): unknown {
  if (error instanceof LakeProblem) return error
  if (error instanceof UnrepresentableValueError) {
    const { column, key, message, reason } = error
    return new LakeProblem('unrepresentable_value', message, { table, column, primaryKey: key, reason })
  }
  if (error instanceof NullValueError) {
    return new LakeProblem('null_in_not_null', error.message, { table, column: error.column, primaryKey: error.key })
  }
  if (error instanceof CopyFormatError) {
    return new LakeProblem('copy_failed', `The COPY of ${table} cannot be read: ${error.message}`, { table })
  }
  return sourceProblem(error, table)
}
