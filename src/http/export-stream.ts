import { createHash } from 'node:crypto'
import type { ListStatement, SnapshotReader } from '../list.ts'
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

/** Lines of an export, without header and end line. */
export interface ExportPiece {
  readonly lines: string
  readonly rows: number
  /** The same for all pieces. */
  readonly writer: LineWriter
}

/** The lines of a statement's rows; the first piece comes even when there are none. */
export async function* exportPieces(
  snapshots: SnapshotReader,
  statement: ListStatement,
  shape: ExportShape,
  signal?: AbortSignal,
): AsyncGenerator<ExportPiece> {
  let writer: LineWriter | undefined
  const parts = shape.parts.map(([, part]) => part)
  for await (const batch of snapshots.read(statement, parts, signal)) {
    writer ??= lineWriter(batch.columns, shape)
    yield { lines: writer.lines(batch), rows: batch.rows.length, writer }
  }
}

/** One export, from header to end line: what its end line proves grows with every piece. */
export class ExportFile {
  readonly #hash = createHash('sha256')
  readonly #writer: LineWriter
  #rows = 0
  #bytes = 0

  constructor(writer: LineWriter) {
    this.#writer = writer
  }

  get rows(): number {
    return this.#rows
  }

  /** Uncompressed. */
  get bytes(): number {
    return this.#bytes
  }

  /** The bytes of the next piece. */
  add({ lines, rows }: ExportPiece): Uint8Array {
    const bytes = Buffer.from(this.#bytes === 0 ? this.#writer.header + lines : lines)
    this.#hash.update(bytes)
    this.#rows += rows
    this.#bytes += bytes.length
    return bytes
  }

  /** The bytes of the end line. */
  end(): Uint8Array {
    const totals: ExportTotals = { rows: this.#rows, sha256: this.#hash.digest('hex') }
    return Buffer.from(this.#writer.end(totals))
  }
}

/** A whole export with its end line. When it fails in the middle the end line is missing. */
export async function* exportBytes(
  ...export_: Parameters<typeof exportPieces>
): AsyncGenerator<Uint8Array, void, undefined> {
  let file: ExportFile | undefined
  for await (const piece of exportPieces(...export_)) {
    file ??= new ExportFile(piece.writer)
    yield file.add(piece)
  }
  if (file !== undefined) yield file.end()
}
