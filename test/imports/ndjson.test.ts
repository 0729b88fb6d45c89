import { describe, expect, it } from 'vitest'
import type { InputLine } from '../../src/imports/input.ts'
import { NdjsonReader } from '../../src/imports/ndjson.ts'

function read(input: Buffer | string, chunkBytes = Number.POSITIVE_INFINITY) {
  const bytes = Buffer.from(input)
  const reader = new NdjsonReader()
  const lines: InputLine[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes) lines.push(...reader.push(bytes.subarray(at, at + chunkBytes)))
  const { lines: last, end } = reader.finish()
  return { lines: [...lines, ...last], end }
}

const codes = (lines: readonly InputLine[]) =>
  lines.map((l) => ('error' in l ? `${l.line}:${l.error.code}` : `${l.line}`))

describe('reading NDJSON', () => {
  const awkward = '\uFEFF{"a":"Zoë 🚀\u2028"}\r\n\n   \n{"a":2}\n[1]\n{"a":\n{"a":3}'

  it('numbers physical lines, skips blank ones and takes a BOM, CRLF and no last newline', () => {
    const { lines } = read(awkward)
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
      expect(codes(read(input, chunkBytes).lines)).toEqual(['1', '2:line-too-long', '3'])
    }
  })

  it('reports invalid UTF-8 with its line', () => {
    const input = Buffer.concat([
      Buffer.from('{"a":1}\n{"a":"'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}\n{"a":2}\n'),
    ])
    expect(codes(read(input).lines)).toEqual(['1', '2:invalid-utf8', '3'])
  })

  it('hands over what the end line claims and refuses lines after it', () => {
    const { lines, end } = read('{"a":1}\n{"_end":{"rows":1,"sha256":"ab"}}\n{"a":2}\n')
    expect(end).toEqual({ line: 2, rows: 1, sha256: 'ab' })
    expect(codes(lines)).toEqual(['1', '3:after-end'])
  })
})
