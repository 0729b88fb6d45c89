import { createHash } from 'node:crypto'
import type { ListStatement, RawBatch, SnapshotReader } from '../list.ts'
import { type ExportFormat, type ExportShape, type LineWriter, lineWriter } from './export-writer.ts'

export const EXPORT_TYPES: Readonly<Record<ExportFormat, string>> = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv',
}

/** Proves that an export is whole: of all bytes before the line that it stands in, uncompressed. */
export interface ExportTotals {
  readonly rows: number
  /** In hex. */
  readonly sha256: string
}

/** A piece of an export, and how many rows are in it. */
export interface ExportPiece {
  readonly bytes: Uint8Array
  readonly rows: number
}

/** The lines of a statement's rows, header first, without an end line. */
export async function* exportPieces(
  snapshots: SnapshotReader,
  statement: ListStatement,
  shape: ExportShape,
  signal?: AbortSignal,
): AsyncGenerator<ExportPiece & { readonly writer: LineWriter }> {
  let writer: LineWriter | undefined
  const parts = shape.parts.map(([, part]) => part)
  for await (const batch of snapshots.read(statement, parts, signal) as AsyncIterable<RawBatch>) {
    const isFirst = writer === undefined
    writer ??= lineWriter(batch.columns, shape)
    const text = isFirst ? writer.header + writer.lines(batch) : writer.lines(batch)
    yield { bytes: Buffer.from(text), rows: batch.rows.length, writer }
  }
}

/** A whole export with its end line. When it fails in the middle the end line is missing. */
export async function* exportBytes(
  ...export_: Parameters<typeof exportPieces>
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256')
  let rows = 0
  let last: LineWriter | undefined
  for await (const piece of exportPieces(...export_)) {
    hash.update(piece.bytes)
    rows += piece.rows
    last = piece.writer
    yield piece.bytes
  }
  const totals: ExportTotals = { rows, sha256: hash.digest('hex') }
  if (last !== undefined) yield Buffer.from(last.end(totals))
}
