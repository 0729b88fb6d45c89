import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  joinChecksums,
  multipartChecksumType,
  runningChecksum,
} from '../../../../src/local/aws/s3/checksum.ts'

const digest = (algorithm: ChecksumAlgorithm, ...pieces: Uint8Array[]) => {
  const running = runningChecksum(algorithm)
  for (const piece of pieces) running.update(piece)
  return running.digest()
}

describe('checksums', () => {
  it('give the published check values of "123456789"', () => {
    const check = Buffer.from('123456789')
    expect(digest('CRC32', check).toString('hex')).toBe('cbf43926')
    expect(digest('CRC32C', check).toString('hex')).toBe('e3069283')
    expect(digest('CRC64NVME', check).toString('hex')).toBe('ae8b14860a799888')
    expect(digest('SHA1', check)).toEqual(createHash('sha1').update(check).digest())
    expect(digest('SHA256', check)).toEqual(createHash('sha256').update(check).digest())
  })

  it('of nothing are those of the empty input', () => {
    expect(digest('CRC32').toString('base64')).toBe('AAAAAA==')
    expect(digest('CRC32C').toString('base64')).toBe('AAAAAA==')
    expect(digest('CRC64NVME').toString('base64')).toBe('AAAAAAAAAAA=')
  })

  it('do not depend on where the input is cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), fc.nat(300), (bytes, a, b) => {
        const [first, second] = [Math.min(a, b), Math.max(a, b)]
        for (const algorithm of CHECKSUM_ALGORITHMS) {
          const cut = digest(algorithm, bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second))
          expect(cut).toEqual(digest(algorithm, bytes))
        }
      }),
    )
  })

  it('of a whole object are computed from those of its parts', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { minLength: 1, maxLength: 6 }), (parts) => {
        for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME'] as const) {
          const joined = joinChecksums(
            algorithm,
            'FULL_OBJECT',
            parts.map((part) => ({ checksum: digest(algorithm, part).toString('base64'), sizeBytes: part.length })),
          )
          expect(joined.value).toBe(digest(algorithm, ...parts).toString('base64'))
        }
      }),
    )
  })

  it('of parts of many megabytes join as well', () => {
    const [a, b] = [randomBytes(9_000_001), randomBytes(5_000_003)]
    const parts = [a, b].map((part) => ({
      checksum: digest('CRC64NVME', part).toString('base64'),
      sizeBytes: part.length,
    }))
    expect(joinChecksums('CRC64NVME', 'FULL_OBJECT', parts).value).toBe(digest('CRC64NVME', a, b).toString('base64'))
    expect(digest('CRC32', a).readUInt32BE()).toBe(crc32(a))
  })

  it('of a composite object are the checksum of the part checksums and their number', () => {
    const parts = [Buffer.from('one'), Buffer.from('two')].map((part) => digest('SHA256', part))
    const joined = joinChecksums(
      'SHA256',
      'COMPOSITE',
      parts.map((part) => ({ checksum: part.toString('base64'), sizeBytes: 3 })),
    )
    expect(joined.value).toBe(`${digest('SHA256', ...parts).toString('base64')}-2`)
  })

  it('have the type their algorithm allows', () => {
    expect(multipartChecksumType('CRC32', undefined)).toBe('COMPOSITE')
    expect(multipartChecksumType('CRC64NVME', undefined)).toBe('FULL_OBJECT')
    expect(multipartChecksumType('CRC32C', 'FULL_OBJECT')).toBe('FULL_OBJECT')
    expect(() => multipartChecksumType('SHA256', 'FULL_OBJECT')).toThrow(/COMPOSITE/)
    expect(() => multipartChecksumType('CRC64NVME', 'COMPOSITE')).toThrow(/FULL_OBJECT/)
  })
})
