import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AwsChunkedDecoder } from '../../../../src/local/aws/s3/aws-chunked.ts'

function decode(pieces: Uint8Array[]) {
  const decoder = new AwsChunkedDecoder()
  const data = pieces.flatMap((piece) => [...decoder.decode(piece)].map((part) => Buffer.from(part)))
  decoder.finish()
  return { data: Buffer.concat(data), trailers: Object.fromEntries(decoder.trailers) }
}

const framed = (chunks: readonly Uint8Array[], extension = '', trailers = '') =>
  Buffer.concat([
    ...chunks
      .filter((chunk) => chunk.length > 0)
      .flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`), chunk, Buffer.from('\r\n')]),
    Buffer.from(`0${extension}\r\n${trailers}\r\n`),
  ])

describe('the aws-chunked decoder', () => {
  it('gives the content back wherever chunks and packets are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }),
        fc.integer({ min: 1, max: 17 }),
        fc.constantFrom('', ';chunk-signature=0f'.padEnd(83, 'a')),
        (chunks, size, extension) => {
          const body = framed(chunks, extension, 'x-amz-checksum-crc32:AAAAAA==\r\n')
          const pieces: Buffer[] = []
          for (let at = 0; at < body.length; at += size) pieces.push(body.subarray(at, at + size))
          const decoded = decode(pieces)
          expect(decoded.data).toEqual(Buffer.concat(chunks))
          expect(decoded.trailers).toEqual({ 'x-amz-checksum-crc32': 'AAAAAA==' })
        },
      ),
    )
  })

  it.each([
    ['cut in a chunk', '5\r\nhel'],
    ['cut behind a chunk', '5\r\nhello\r\n'],
    ['a size that is no number', 'zz\r\nhello\r\n0\r\n\r\n'],
    ['a negative size', '-5\r\nhello\r\n0\r\n\r\n'],
    ['a chunk longer than its size', '3\r\nhello\r\n0\r\n\r\n'],
    ['more behind the end', '0\r\n\r\nmore'],
    ['a header without end', 'a'.repeat(10_000)],
    ['a trailer without colon', '0\r\nnonsense\r\n\r\n'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(() => decode([Buffer.from(text)])).toThrow(expect.objectContaining({ code: 'IncompleteBody' }))
  })
})
