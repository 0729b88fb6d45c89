import { AppError, type FieldError } from '../errors.ts'
import { CsvReader } from './csv.ts'
import type { CellKind } from './csv-columns.ts'
import type { ImportInput } from './import-run.ts'
import type { EndLine, InputLine } from './input.ts'
import { NdjsonReader } from './ndjson.ts'

const BATCH_LINES = 500
/** So many bytes of long lines make a batch, too: what is read and not yet in the database is bounded. */
const BATCH_BYTES = 4 * 1024 * 1024
/** Chunks are taken in pieces, or one large one would be many batches at once. */
const PIECE_BYTES = 256 * 1024

/** Bytes in, lines out. */
export interface LineReader {
  push(chunk: Buffer): InputLine[]
  finish(): { readonly lines: InputLine[]; readonly end?: EndLine | undefined }
}

/** The lines of an input in batches; pulls the input only when asked for the next one. */
export async function* lineBatches(
  input: ImportInput,
  columns: ReadonlyMap<string, CellKind>,
): AsyncGenerator<InputLine[], void, undefined> {
  if ('objects' in input) yield* objectBatches(input.objects)
  else yield* byteBatches(input.chunks, input.format === 'csv' ? new CsvReader(columns) : new NdjsonReader())
}

async function* byteBatches(chunks: AsyncIterable<Uint8Array>, reader: LineReader): AsyncGenerator<InputLine[]> {
  let lines: InputLine[] = []
  let bytes = 0
  let rows = 0
  for await (const chunk of chunks) {
    for (const piece of piecesOf(chunk)) {
      const read = reader.push(piece)
      rows += read.length
      lines.push(...read)
      bytes += piece.length
      while (lines.length >= BATCH_LINES || (bytes >= BATCH_BYTES && lines.length > 0)) {
        yield lines.slice(0, BATCH_LINES)
        lines = lines.slice(BATCH_LINES)
        bytes = 0
      }
    }
  }
  const { lines: last, end } = reader.finish()
  lines.push(...last)
  if (end !== undefined && end.rows !== rows + last.length) lines.push(incomplete(end))
  while (lines.length > 0) {
    yield lines.slice(0, BATCH_LINES)
    lines = lines.slice(BATCH_LINES)
  }
}

/** The file is not what its end line says: something is missing, and what is there was imported. */
function incomplete({ line }: EndLine): InputLine {
  const detail = 'the file has another number of rows than its end line says'
  return { line, error: { pointer: '/_end/rows', code: 'incomplete', detail } }
}

function* piecesOf(chunk: Uint8Array): Generator<Buffer> {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES)
}

async function* objectBatches(objects: Iterable<object> | AsyncIterable<object>): AsyncGenerator<InputLine[]> {
  let lines: InputLine[] = []
  let number = 0
  for await (const value of objects) {
    lines.push({ line: ++number, value: value as Readonly<Record<string, unknown>> })
    if (lines.length < BATCH_LINES) continue
    yield lines
    lines = []
  }
  if (lines.length > 0) yield lines
}

/** A line that could not be read. */
export function unreadable(error: FieldError): AppError {
  return new AppError('validation', 'The line cannot be read', { errors: [error] })
}
