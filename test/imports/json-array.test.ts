import { describe, expect, it } from 'vitest'
import type { InputLine } from '../../src/imports/input.ts'
import { JsonArrayReader } from '../../src/imports/json-array.ts'

function read(input: Buffer | string, chunkBytes = Number.POSITIVE_INFINITY): InputLine[] {
  const bytes = Buffer.from(input)
  const reader = new JsonArrayReader()
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    expect(reader.push(bytes.subarray(at, at + chunkBytes))).toEqual([])
  }
  return reader.finish()
}

const refusal = (input: string) => {
  try {
    return codes(read(input))
  } catch (error) {
    const { code, extra } = error as { code: string; extra: { line?: number } }
    return [code, extra.line].filter((part) => part !== undefined).join(' ')
  }
}

const codes = (lines: readonly InputLine[]) =>
  lines.map((l) => `${l.line}/${l.index}${'error' in l ? `:${l.error.code}` : ''}`)

describe('reading a JSON array', () => {
  const awkward = '\uFEFF \n[\r\n {"a":"]\\",[{\\\\"},\n\n{"a":[{"b":"Zoë 🚀"}]} , {"a"\n:\n2}\n,3,"x"\n]\n \n'

  it('numbers the physical line on which each element begins, and its place', () => {
    const lines = read(awkward)
    expect(codes(lines)).toEqual(['3/0', '5/1', '5/2', '8/3:type', '8/4:type'])
    expect(lines.slice(0, 3)).toEqual([
      { line: 3, index: 0, value: { a: ']",[{\\' } },
      { line: 5, index: 1, value: { a: [{ b: 'Zoë 🚀' }] } },
      { line: 5, index: 2, value: { a: 2 } },
    ])
    expect(read('[]')).toEqual([])
  })

  it('gives the same elements wherever the chunks are cut', () => {
    const whole = read(awkward)
    for (let chunkBytes = 1; chunkBytes < 60; chunkBytes++) expect(read(awkward, chunkBytes)).toEqual(whole)
  })

  it('refuses as a whole what is not one array, and says on which line', () => {
    for (const input of ['', ' ', '[', '[{}', '[{}\n,', '{}', 'null', '[,]', '[{},]', '[{}],', '[{}][]', '[{"a":]}]']) {
      expect([input, refusal(input)]).toEqual([input, expect.stringMatching(/^malformed-json [12]$/)])
    }
    expect(refusal('[{},\n{},\n{"a":1,"a":2}]')).toBe('malformed-json 3')
    expect(refusal('[{}\n{}]')).toBe('malformed-json 1')
  })

  it('refuses one element of many that is too long or no UTF-8', () => {
    const long = `{"a":"${'x'.repeat(70_000)}"}`
    for (const chunkBytes of [1000, 1_000_000]) {
      expect(codes(read(`[{},\n${long},\n{}]`, chunkBytes))).toEqual(['1/0', '2/1:line-too-long', '3/2'])
    }
    const bytes = Buffer.concat([Buffer.from('[{},{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"},{}]')])
    expect(codes(read(bytes))).toEqual(['1/0', '1/1:invalid-utf8', '1/2'])
  })

  it('takes 1000 elements and not one more', () => {
    expect(read(`[${Array(1000).fill('{}').join(',')}]`)).toHaveLength(1000)
    expect(refusal(`[${Array(1001).fill('{}').join(',')}]`)).toBe('payload-too-large')
  })
})
