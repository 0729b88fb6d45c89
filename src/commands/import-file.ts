import { createReadStream, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { AppError, UsageError } from '../errors.ts'
import type { ImportFormat } from '../imports/input.ts'

/** A file to import, or standard input. */

const FORMAT_BY_NAME: readonly (readonly [RegExp, ImportFormat])[] = [
  [/\.csv$/i, 'csv'],
  [/\.(ndjson|jsonl)$/i, 'ndjson'],
  [/\.json$/i, 'json'],
]

/** @throws UsageError */
export function formatOf(file: string, given: ImportFormat | undefined): ImportFormat {
  if (given !== undefined) return given
  const name = file.replace(/\.gz$/i, '')
  const found = FORMAT_BY_NAME.find(([pattern]) => pattern.test(name))
  if (found !== undefined) return found[1]
  throw new UsageError(`The name of ${file} does not tell what is in it: say --format ndjson, csv or json`)
}

export interface OpenFile {
  /** What the file says; gzip is unpacked, whatever the file is called. */
  readonly chunks: AsyncIterable<Uint8Array>
  /** In bytes, as it lies there; undefined for standard input. */
  readonly size: number | undefined
}

/**
 * @param file `-` is standard input
 * @param onBytes told of every piece of the file as it lies there
 * @param leave ends the reading, also of a standard input that says nothing
 * @throws UsageError
 */
export function openFile(file: string, onBytes: (bytes: number) => void, leave: AbortSignal): OpenFile {
  const size = file === '-' ? undefined : sizeOf(file)
  const stream = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 256 * 1024 })
  leave.addEventListener('abort', () => stream.destroy(), { once: true })
  async function* told(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of stream) {
        onBytes((chunk as Uint8Array).length)
        yield chunk as Uint8Array
      }
    } catch (error) {
      if (!leave.aborted) throw error
    }
  }
  return { chunks: unpacked(told(), leave), size }
}

function sizeOf(file: string): number {
  try {
    const facts = statSync(file)
    if (!facts.isDirectory()) return facts.size
  } catch {
    // Said below.
  }
  throw new UsageError(`${file} cannot be read`)
}

/** No text in UTF-8 begins with these two bytes. */
const isGzip = (chunk: Uint8Array | undefined) => chunk?.[0] === 0x1f && chunk[1] === 0x8b

async function* unpacked(chunks: AsyncGenerator<Uint8Array>, leave: AbortSignal): AsyncGenerator<Uint8Array> {
  const first = await chunks.next()
  if (first.done) return
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield first.value as Uint8Array
    yield* chunks
  }
  if (!isGzip(first.value)) {
    yield* whole()
    return
  }
  const packed = Readable.from(whole(), { objectMode: false })
  const gunzip = createGunzip()
  packed.once('error', (error) => gunzip.destroy(error))
  try {
    yield* packed.pipe(gunzip) as AsyncIterable<Uint8Array>
  } catch (error) {
    // Left in the middle, it is cut off by ourselves.
    if (leave.aborted) return
    if (!(error as { code?: string }).code?.startsWith('Z_')) throw error
    throw new AppError('malformed-input', 'The file is not whole, undamaged gzip', { cause: error })
  } finally {
    packed.destroy()
  }
}
