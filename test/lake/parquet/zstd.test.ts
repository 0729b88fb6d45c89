import { randomBytes } from 'node:crypto'
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type Compressor, zstdCompress, zstdCompressor } from '../../../src/lake/parquet/zstd.ts'

const LEVEL_1 = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** What a context is tried with. */
const PROBE_LIKE = Buffer.from('Two frames of one context are two frames. '.repeat(50))

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

  test('comes from the reused context on this Node', () => {
    const first = zstdCompress(Buffer.from('first'))
    expect(zstdCompress(Buffer.from('other')).buffer).toBe(first.buffer)
  })

  /** A context of another Node, in which `writeSync` does something else. */
  const context = (writeSync: (left: Uint32Array, output: Uint8Array, outputBytes: number) => void): Compressor => {
    const left = new Uint32Array(2)
    return { left, context: { writeSync: (...given) => writeSync(left, given[4], given[6]) } }
  }
  const strange: [string, () => Compressor | null][] = [
    ['is not there', () => null],
    ['cannot be opened', () => expect.unreachable('no such stream')],
    ['writes nothing', () => context(() => undefined)],
    ['throws', () => context(() => expect.unreachable('other arguments'))],
    [
      'writes something else than a frame',
      () =>
        context((left, output, outputBytes) => {
          output.fill(7, 0, 10)
          left[0] = outputBytes - 10
        }),
    ],
  ]
  test.each(strange)('come from the one-shot call where the context %s', (_, open) => {
    const compress = zstdCompressor(open)
    for (const [, body] of bodies) expect(zstdDecompressSync(compress(body)).equals(body)).toBe(true)
  })

  test('a context that fails later is left, and another one is opened', () => {
    let opened = 0
    let calls = 0
    const small = zstdCompressSync(PROBE_LIKE, LEVEL_1)
    const compress = zstdCompressor(() => {
      opened++
      return context((left, output, outputBytes) => {
        // Right for the two frames with which it is tried, then never again.
        if (calls++ % 3 === 2) return
        output.set(small)
        left[0] = outputBytes - small.length
      })
    })
    const body = randomBytes(1000)
    for (let round = 1; round <= 3; round++) {
      expect(crc32(zstdDecompressSync(compress(body)))).toBe(crc32(body))
      expect(opened).toBe(round)
    }
  })
})
