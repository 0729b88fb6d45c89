import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJsonText } from '../../src/http/json-text.ts'

describe('JSON text', () => {
  it('gives what JSON.parse gives, whatever the value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        expect(parseJsonText(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  it('has no object with the same name twice, in whatever spelling and depth', () => {
    for (const text of [
      '{"a":1,"a":2}',
      '{"a":1, "\\u0061" :2}',
      '{"x":[{"b":{},"b":[]}]}',
      '{"x":"{\\"","y":[1],"x":2}',
    ]) {
      expect(() => parseJsonText(text), text).toThrow(/twice/)
    }
  })

  it('may have the same name in different objects, and names in strings', () => {
    for (const text of [
      '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
      '{"a":"a","b":"\\"a\\":1,\\"a\\":"}',
      '["a","a"]',
      '"a"',
    ]) {
      expect(parseJsonText(text), text).toEqual(JSON.parse(text))
    }
  })
})
