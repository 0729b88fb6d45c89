import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib'

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

interface Compressor {
  readonly context: Context
  /** After a write: bytes left in the output, bytes left of the input. */
  readonly left: Uint32Array
  output: Buffer
}

/** Undefined before the first call; null where this Node keeps its context elsewhere. */
let compressor: Compressor | undefined | null

function openCompressor(): Compressor | null {
  const stream = createZstdCompress(OPTIONS)
  // What a failed write reports besides; it is seen by what is left.
  stream.on('error', () => undefined)
  const { _handle: context, _writeState: left } = stream as unknown as { _handle?: Context; _writeState?: unknown }
  if (typeof context?.writeSync !== 'function' || !(left instanceof Uint32Array) || left.length !== 2) return null
  return { context, left, output: Buffer.allocUnsafeSlow(0) }
}

/** The most that zstd makes of `bytes` (`ZSTD_COMPRESSBOUND` in zstd.h). */
function compressBound(bytes: number): number {
  return bytes + (bytes >> 8) + (bytes < 131_072 ? (131_072 - bytes) >> 11 : 0)
}

/**
 * One zstd frame of level 1, good until the next call. Each frame is begun in the context of the last one and written at once into one buffer: a new context
 * and a dozen buffers per page, as `zstdCompressSync` takes them, cost half of the compression again, and more in the collector.
 */
export function zstdCompress(body: Buffer): Buffer {
  if (compressor === undefined) compressor = openCompressor()
  if (compressor === null) return zstdCompressSync(body, OPTIONS)
  const { context, left } = compressor
  // One byte more than any frame needs: a buffer that is full was not written to the end.
  const bound = compressBound(body.length) + 1
  if (compressor.output.length < bound) compressor.output = Buffer.allocUnsafeSlow(bound)
  const { output } = compressor
  left.fill(0)
  context.writeSync(constants.ZSTD_e_end, body, 0, body.length, output, 0, output.length)
  const [outputLeft = 0, inputLeft] = left
  if (inputLeft !== 0 || outputLeft === 0) {
    compressor = undefined
    return zstdCompressSync(body, OPTIONS)
  }
  // One huge value must not keep its memory for good.
  if (output.length > LARGEST_KEPT_BYTES) compressor.output = Buffer.allocUnsafeSlow(0)
  return output.subarray(0, output.length - outputLeft)
}
