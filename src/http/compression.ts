import type { Transform } from 'node:stream'
import { constants, createGzip, createZstdCompress } from 'node:zlib'
import type { Request } from 'express'

/** Codings that a stream can be sent in, the cheapest first: zstd takes a third of gzip's time. */
const CODINGS = ['zstd', 'gzip'] as const
export type Coding = (typeof CODINGS)[number]

/**
 * Of the codings that the client likes best (RFC 9110, section 12.5.3) the cheapest; undefined: none, or it would rather have none.
 * The order in which it names those that it likes as much says nothing.
 */
export function codingFor(request: Request): Coding | undefined {
  const header = request.get('Accept-Encoding')
  if (header === undefined) return undefined
  const weights = weightsOf(header)
  const weight = (coding: string) => weights.get(coding) ?? weights.get('*') ?? 0
  const best = Math.max(...CODINGS.map(weight))
  if (best === 0 || best < (weights.get('identity') ?? 0)) return undefined
  return CODINGS.find((coding) => weight(coding) === best)
}

/** By coding; what cannot be read as a weight counts as 1. */
function weightsOf(header: string): ReadonlyMap<string, number> {
  return new Map(
    header.split(',').map((item) => {
      const [coding = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase())
      const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
      const weight = Number(q ?? 1)
      return [coding, Number.isNaN(weight) ? 1 : weight]
    }),
  )
}

/** Level 1: a stream is to arrive soon, and one process compresses several at once. */
export function compressorOf(coding: Coding): Transform {
  if (coding === 'gzip') return createGzip({ level: 1 })
  return createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1 } })
}
