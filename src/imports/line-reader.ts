import { AppError, type FieldError } from '../errors.ts'
import { CsvReader } from './csv.ts'
import type { CellKind } from './csv-columns.ts'
import type { ImportInput } from './import-run.ts'
import { type ImportFormat, type InputLine, type LineReader, MAX_WHOLE_LINES } from './input.ts'
import { JsonArrayReader } from './json-array.ts'
import { NdjsonReader } from './ndjson.ts'

const BATCH_LINES = 500
/** So many bytes of long lines make a batch, too: what is read and not yet in the database is bounded. */
const BATCH_BYTES = 4 * 1024 * 1024
/** Chunks are taken in pieces, or one large one would be many batches at once. */
const PIECE_BYTES = 256 * 1024
/** A sender who says nothing for so long waits for answers. */
const PATIENCE_MS = 200

/**
 * The lines of an input in batches; pulls the input only when asked for the next one. Of a sender who makes a pause, a batch is
 * what has come so far.
 */
export async function* lineBatches(
  input: ImportInput,
  columns: ReadonlyMap<string, CellKind>,
): AsyncGenerator<InputLine[], void, undefined> {
  if ('objects' in input) yield* objectBatches(input.objects)
  else yield* byteBatches(input.chunks, readerOf(input.format, columns))
}

function readerOf(format: ImportFormat, columns: ReadonlyMap<string, CellKind>): LineReader {
  if (format === 'csv') return new CsvReader(columns)
  return format === 'json' ? new JsonArrayReader() : new NdjsonReader()
}

async function* byteBatches(chunks: AsyncIterable<Uint8Array>, reader: LineReader): AsyncGenerator<InputLine[]> {
  let lines: InputLine[] = []
  let bytes = 0
  for await (const chunk of withPauses(chunks, () => lines.length > 0)) {
    for (const piece of chunk === PAUSE ? [] : piecesOf(chunk)) {
      lines.push(...reader.push(piece))
      bytes += piece.length
      while (lines.length >= BATCH_LINES || (bytes >= BATCH_BYTES && lines.length > 0)) {
        yield lines.slice(0, BATCH_LINES)
        lines = lines.slice(BATCH_LINES)
        bytes = 0
      }
    }
    if (chunk === PAUSE && lines.length > 0) {
      yield lines
      lines = []
      bytes = 0
    }
  }
  lines.push(...reader.finish())
  while (lines.length > 0) {
    yield lines.slice(0, BATCH_LINES)
    lines = lines.slice(BATCH_LINES)
  }
}

const PAUSE = Symbol('the sender says nothing')

/** The chunks, and a pause each time that one does not come soon while somebody waits for what is there. */
async function* withPauses(
  chunks: AsyncIterable<Uint8Array>,
  isWaitedFor: () => boolean,
): AsyncGenerator<Uint8Array | typeof PAUSE> {
  const source = chunks[Symbol.asyncIterator]()
  let isEnded = false
  try {
    for (;;) {
      const next = source.next()
      // Whoever ends the import at a pause leaves it behind.
      next.catch(() => undefined)
      if (isWaitedFor() && (await isLate(next))) yield PAUSE
      const chunk = await next
      isEnded = chunk.done === true
      if (chunk.done) return
      yield chunk.value
    }
  } finally {
    // Not waited for: a source in the middle of a read ends only with that read.
    if (!isEnded) void Promise.resolve(source.return?.()).catch(() => undefined)
  }
}

async function isLate(next: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), PATIENCE_MS)
  })
  const inTime = next.then(
    () => false,
    () => false,
  )
  try {
    return await Promise.race([inTime, late])
  } finally {
    clearTimeout(timer)
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

/**
 * All lines as one batch, for an import that is all or nothing.
 *
 * @throws AppError `payload-too-large` for more than 1000
 */
export async function* wholeBatch(batches: AsyncIterable<InputLine[]>): AsyncGenerator<InputLine[], void, undefined> {
  const lines: InputLine[] = []
  for await (const batch of batches) {
    lines.push(...batch)
    if (lines.length <= MAX_WHOLE_LINES) continue
    const detail = `An import that is all or nothing may have ${MAX_WHOLE_LINES} lines: nothing was imported`
    throw new AppError('payload-too-large', detail, { extra: { maxLines: MAX_WHOLE_LINES } })
  }
  if (lines.length > 0) yield lines
}

/** A line that could not be read. */
export function unreadable(error: FieldError): AppError {
  const isEnd = error.pointer?.startsWith('/_end') || error.code === 'after-end'
  const detail = isEnd ? 'The input is not what its end line says' : 'The line cannot be read'
  return new AppError('validation', detail, { errors: [error] })
}
