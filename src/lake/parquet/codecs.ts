import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import snappy from 'snappy'

export type CodecName = 'zstd' | 'snappy' | 'gzip'

/** Compression of page bodies. Synchronous: the one-shot asynchronous calls cost more CPU and memory than they hide. */
export interface Codec {
  readonly name: CodecName
  /** Name in the format's enumeration `CompressionCodec`. */
  readonly parquetName: 'ZSTD' | 'SNAPPY' | 'GZIP'
  compress(body: Buffer): Buffer
  decompress(body: Uint8Array): Buffer
}

const ZSTD_OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

const CODECS: Readonly<Record<CodecName, Codec>> = {
  zstd: {
    name: 'zstd',
    parquetName: 'ZSTD',
    compress: (body) => zstdCompressSync(body, ZSTD_OPTIONS),
    decompress: (body) => zstdDecompressSync(body),
  },
  snappy: {
    name: 'snappy',
    parquetName: 'SNAPPY',
    // The library's buffer has the worst-case size; a copy of what is used lets it go.
    compress: (body) => Buffer.from(snappy.compressSync(body)),
    decompress: (body) => snappy.uncompressSync(Buffer.from(body.buffer, body.byteOffset, body.length)) as Buffer,
  },
  gzip: {
    name: 'gzip',
    parquetName: 'GZIP',
    compress: (body) => gzipSync(body, { level: 1 }),
    decompress: (body) => gunzipSync(body),
  },
}

export function codec(name: CodecName): Codec {
  return CODECS[name]
}
