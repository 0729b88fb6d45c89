import type { Transform } from 'node:stream'
import { constants, createGzip, createZstdCompress } from 'node:zlib'
import type { Request } from 'express'

/** Codings that a stream can be sent in, the cheapest first: zstd takes a third of gzip's time. */
const CODINGS = ['zstd', 'gzip'] as const
export type Coding = (typeof CODINGS)[number]

/** Of the codings that the client accepts (RFC 9110, section 12.5.3) the cheapest; undefined: none, or it would rather have none. */
export function codingFor(request: Request): Coding | undefined {
  if (request.get('Accept-Encoding') === undefined) return undefined
  const chosen = request.acceptsEncodings([...CODINGS, 'identity'])
  return CODINGS.find((coding) => coding === chosen)
}

/** Level 1: a stream is to arrive soon, and one process compresses several at once. */
export function compressorOf(coding: Coding): Transform {
  if (coding === 'gzip') return createGzip({ level: 1 })
  return createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1 } })
}
