import { createRequire } from 'node:module'
import { gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib'
import { UsageError } from '../../errors.ts'
import { zstdCompress } from './zstd.ts'

export type CodecName = 'zstd' | 'snappy' | 'gzip'

/** Compression of page bodies. Synchronous: the one-shot asynchronous calls cost more CPU and memory than they hide. */
export interface Codec {
  readonly name: CodecName
  /** Name in the format's enumeration `CompressionCodec`. */
  readonly parquetName: 'ZSTD' | 'SNAPPY' | 'GZIP'
  /** The result is good until the next call. */
  compress(body: Buffer): Buffer
  decompress(body: Uint8Array): Buffer
}

type Snappy = typeof import('snappy')

/** Native, and not built for every platform: loaded only where it is wanted. */
function loadSnappy(): Snappy {
  try {
    return createRequire(import.meta.url)('snappy') as Snappy
  } catch (error) {
    throw new UsageError('The codec snappy is not installed for this platform; use zstd or gzip', { cause: error })
  }
}

function snappyCodec(): Codec {
  const snappy = loadSnappy()
  return {
    name: 'snappy',
    parquetName: 'SNAPPY',
    compress: (body) => snappy.compressSync(body),
    decompress: (body) => snappy.uncompressSync(Buffer.from(body.buffer, body.byteOffset, body.length)) as Buffer,
  }
}

const CODECS: Readonly<Record<Exclude<CodecName, 'snappy'>, Codec>> = {
  zstd: {
    name: 'zstd',
    parquetName: 'ZSTD',
    compress: zstdCompress,
    decompress: (body) => zstdDecompressSync(body),
  },
  gzip: {
    name: 'gzip',
    parquetName: 'GZIP',
    compress: (body) => gzipSync(body, { level: 1 }),
    decompress: (body) => gunzipSync(body),
  },
}

let snappy: Codec | undefined

/** @throws UsageError for a codec that this machine lacks. */
export function codec(name: CodecName): Codec {
  if (name !== 'snappy') return CODECS[name]
  snappy ??= snappyCodec()
  return snappy
}
