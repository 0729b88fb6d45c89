import { AppError, type FieldError } from '../errors.ts'
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
export async function* lineBatches(input: ImportInput): AsyncGenerator<InputLine[], void, undefined> {
  if ('objects' in input) yield* objectBatches(input.objects)
  else yield* byteBatches(input.chunks, readerOf(input.format))
}

function readerOf(format: 'ndjson' | 'csv'): LineReader {
  if (format === 'ndjson') return new NdjsonReader()
  throw new AppError('unsupported-media-type', 'CSV')
}

async function* byteBatches(chunks: AsyncIterable<Uint8Array>, reader: LineReader): AsyncGenerator<InputLine[]> {
  let lines: InputLine[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    for (const piece of piecesOf(chunk)) {
      lines.push(...reader.push(piece))
      bytes += piece.length
      while (lines.length >= BATCH_LINES || (bytes >= BATCH_BYTES && lines.length > 0)) {
        yield lines.slice(0, BATCH_LINES)
        lines = lines.slice(BATCH_LINES)
        bytes = 0
      }
    }
  }
  lines.push(...reader.finish().lines)
  while (lines.length > 0) {
    yield lines.slice(0, BATCH_LINES)
    lines = lines.slice(BATCH_LINES)
  }
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
