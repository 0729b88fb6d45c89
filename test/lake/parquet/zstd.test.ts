import { randomBytes } from 'node:crypto'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { zstdCompress } from '../../../src/lake/parquet/zstd.ts'

const LEVEL_1 = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

const bodies: readonly (readonly [string, Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from('x')],
  ['a short text', Buffer.from('RocketGames '.repeat(20))],
  ['noise that cannot be compressed', randomBytes(1 << 20)],
  ['a mebibyte of one value', Buffer.alloc(1 << 20, 7)],
  ['hex digits', Buffer.from(randomBytes(600_000).toString('hex'))],
  ['a value of 20 MiB', Buffer.concat([randomBytes(4 << 20), Buffer.alloc(16 << 20, 'abcdefgh')])],
]

describe('zstd frames of pages', () => {
  test.each(bodies)('%s comes back, whatever was compressed before', (_, body) => {
    for (const before of bodies.slice(0, 5)) {
      zstdCompress(before[1])
      const frame = zstdCompress(body)
      expect(zstdDecompressSync(frame).equals(body)).toBe(true)
    }
  })

  test('a frame is no larger than that of the one-shot call', () => {
    for (const [, body] of bodies) {
      const oneShot = zstdCompressSync(body, LEVEL_1).length
      expect(zstdCompress(body).length).toBeLessThanOrEqual(oneShot + 16)
    }
  })
})
