import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { InputLine } from '../../src/imports/input.ts'
import { NdjsonReader } from '../../src/imports/ndjson.ts'

function read(input: Buffer | string, chunkBytes = Number.POSITIVE_INFINITY) {
  const bytes = Buffer.from(input)
  const reader = new NdjsonReader()
  const lines: InputLine[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes) lines.push(...reader.push(bytes.subarray(at, at + chunkBytes)))
  return [...lines, ...reader.finish()]
}

const codes = (lines: readonly InputLine[]) =>
  lines.map((l) => ('error' in l ? `${l.line}:${l.error.code}` : `${l.line}`))

describe('reading NDJSON', () => {
  const awkward = '\uFEFF{"a":"Zoë 🚀\u2028"}\r\n\n   \n{"a":2}\n[1]\n{"a":\n{"a":3}'

  it('numbers physical lines, skips blank ones and takes a BOM, CRLF and no last newline', () => {
    const lines = read(awkward)
    expect(codes(lines)).toEqual(['1', '4', '5:type', '6:malformed-json', '7'])
    expect(lines[0]).toEqual({ line: 1, value: { a: 'Zoë 🚀\u2028' } })
  })

  it('gives the same lines wherever the chunks are cut', () => {
    const whole = read(awkward)
    for (let chunkBytes = 1; chunkBytes < 40; chunkBytes++) expect(read(awkward, chunkBytes)).toEqual(whole)
  })

  it('reports a line over 64 KB and goes on with the next one', () => {
    const fits = `{"a":"${'x'.repeat(64 * 1024 - 8)}"}`
    const input = `${fits}\n{"a":"${'x'.repeat(64 * 1024)}"}\r\n{"a":1}\n`
    for (const chunkBytes of [1000, 65_536, 1_000_000]) {
      expect(codes(read(input, chunkBytes))).toEqual(['1', '2:line-too-long', '3'])
    }
  })

  it('reports invalid UTF-8 with its line', () => {
    const input = Buffer.concat([
      Buffer.from('{"a":1}\n{"a":"'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}\n{"a":2}\n'),
    ])
    expect(codes(read(input))).toEqual(['1', '2:invalid-utf8', '3'])
  })

  describe('with an end line', () => {
    const rows = '\uFEFF{"a":"Zoë"}\r\n\n{"a":2}\n'
    const sha256 = createHash('sha256').update(rows).digest('hex')
    const end = (claim: object) => `${JSON.stringify({ _end: claim })}\n`

    it('accepts the count and the digest of what is before it, wherever the chunks are cut', () => {
      const whole = `${rows}${end({ rows: 2, sha256 })}`
      for (const input of [whole, whole.trimEnd(), whole.replace(sha256, sha256.toUpperCase())]) {
        for (let chunkBytes = 1; chunkBytes < 130; chunkBytes++)
          expect(codes(read(input, chunkBytes))).toEqual(['1', '3'])
      }
    })

    it('digests lines that are too long to be kept', () => {
      const long = `{"a":"${'x'.repeat(200_000)}"}\n{"a":1}\n`
      const claim = { rows: 2, sha256: createHash('sha256').update(long).digest('hex') }
      for (const chunkBytes of [1000, 65_536, 1_000_000]) {
        expect(codes(read(long + end(claim), chunkBytes))).toEqual(['1:line-too-long', '2'])
      }
    })

    it('says when a byte or a row is another one', () => {
      expect(codes(read(`${rows.replace('Zoë', 'Zoe')}${end({ rows: 2, sha256 })}`))).toEqual([
        '1',
        '3',
        '4:digest-mismatch',
      ])
      expect(codes(read(`${rows}${end({ rows: 3, sha256 })}`))).toEqual(['1', '3', '4:incomplete'])
      expect(codes(read(`${rows}${end({ rows: 2 })}`))).toEqual(['1', '3'])
    })

    it('refuses lines after it, and one that is no end line', () => {
      expect(codes(read(`{"a":1}\n${end({ rows: 1 })}\n{"a":2}\n[`))).toEqual(['1', '4:after-end', '5:after-end'])
      const odd = [{ _end: { rows: '1' } }, { _end: { rows: 1, sha256: 'ab' } }, { _end: { lines: 1 } }, { _end: null }]
      const beside = { _end: { rows: 0 }, a: 1 }
      const input = [...odd, beside].map((value) => JSON.stringify(value)).join('\n')
      expect(codes(read(input))).toEqual(['1:format', '2:format', '3:format', '4:format', '5:format'])
    })
  })
})
