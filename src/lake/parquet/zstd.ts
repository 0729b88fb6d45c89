import { constants, createZstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Output buffers beyond this size are not kept. */
const LARGEST_KEPT_BYTES = 8 << 20

/** What Node's own one-shot call works with, once for each call. */
interface Context {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputBytes: number,
    output: Uint8Array,
    outputAt: number,
    outputBytes: number,
  ): void
}

export interface Compressor {
  readonly context: Context
  /** After a write: bytes left in the output, bytes left of the input. */
  readonly left: Uint32Array
}

/** Null where this Node keeps its context elsewhere. */
function openCompressor(): Compressor | null {
  const stream = createZstdCompress(OPTIONS)
  // What a failed write reports besides; it is seen by what is left.
  stream.on('error', () => undefined)
  const { _handle: context, _writeState: left } = stream as unknown as { _handle?: Context; _writeState?: unknown }
  if (typeof context?.writeSync !== 'function' || !(left instanceof Uint32Array) || left.length !== 2) return null
  return { context, left }
}

/** The most that zstd makes of `bytes` (`ZSTD_COMPRESSBOUND` in zstd.h). */
function compressBound(bytes: number): number {
  return bytes + (bytes >> 8) + (bytes < 131_072 ? (131_072 - bytes) >> 11 : 0)
}

/** @returns bytes of the whole frame at the start of `output`; undefined when it was not written to its end. */
function writeFrame({ context, left }: Compressor, body: Buffer, output: Buffer): number | undefined {
  left.fill(0)
  context.writeSync(constants.ZSTD_e_end, body, 0, body.length, output, 0, output.length)
  const [outputLeft = 0, inputLeft] = left
  return inputLeft !== 0 || outputLeft === 0 ? undefined : output.length - outputLeft
}

const PROBE = Buffer.from('Two frames of one context are two frames. '.repeat(50))

/** Whether frames of this context are what a reader expects, one after another: it is no part of Node's documented interface. */
function isTrusted(compressor: Compressor): boolean {
  const output = Buffer.alloc(compressBound(PROBE.length) + 1)
  return [0, 1].every(() => {
    const bytes = writeFrame(compressor, PROBE, output)
    return bytes !== undefined && zstdDecompressSync(output.subarray(0, bytes)).equals(PROBE)
  })
}

function openTrusted(open: () => Compressor | null): Compressor | null {
  try {
    const compressor = open()
    return compressor !== null && isTrusted(compressor) ? compressor : null
  } catch {
    return null
  }
}

/**
 * Makes zstd frames of level 1, each good until the next call. Each frame is begun in the context of the last one and written at once into one
 * buffer: a new context and a dozen buffers per page, as `zstdCompressSync` takes them, cost half of the compression again, and more
 * in the collector. That is what serves where the context cannot be had or does not do what is expected of it.
 *
 * @param open for tests.
 */
export function zstdCompressor(open: () => Compressor | null = openCompressor): (body: Buffer) => Buffer {
  /** Undefined before the first call. */
  let compressor: Compressor | undefined | null
  let output: Buffer = Buffer.allocUnsafeSlow(0)
  return (body) => {
    if (compressor === undefined) compressor = openTrusted(open)
    if (compressor === null) return zstdCompressSync(body, OPTIONS)
    // One byte more than any frame needs: a buffer that is full was not written to the end.
    const bound = compressBound(body.length) + 1
    if (output.length < bound) output = Buffer.allocUnsafeSlow(bound)
    const bytes = writeFrame(compressor, body, output)
    if (bytes === undefined) {
      compressor = undefined
      return zstdCompressSync(body, OPTIONS)
    }
    const frame = output.subarray(0, bytes)
    // One huge value must not keep its memory for good.
    if (output.length > LARGEST_KEPT_BYTES) output = Buffer.allocUnsafeSlow(0)
    return frame
  }
}

export const zstdCompress = zstdCompressor()
