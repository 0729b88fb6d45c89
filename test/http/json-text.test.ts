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

  it('has each name once, whatever the value and wherever the second one stands', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ':', '"', '\\', 'é', '{', ','), maxLength: 4 })
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.integer(),
        fc.constant(null),
        tie('object'),
        fc.array(tie('value'), { maxLength: 3 }),
      ),
      object: fc.dictionary(text, tie('value'), { maxKeys: 4 }),
    }))
    fc.assert(
      fc.property(fc.dictionary(text, value, { minKeys: 1, maxKeys: 4 }), fc.nat(), value, (object, place, second) => {
        const fields = Object.entries(object).map(([name, item]) => `${JSON.stringify(name)}:${JSON.stringify(item)}`)
        expect(parseJsonText(`{${fields.join(',')}}`)).toEqual(object)
        const names = Object.keys(object)
        const again = `${JSON.stringify(names[place % names.length])}: ${JSON.stringify(second)}`
        expect(() => parseJsonText(`[{${[...fields, again].join(' ,')}}]`)).toThrow(/twice/)
      }),
    )
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

  it('may be as deep as it is long', () => {
    const deep = `${'['.repeat(30_000)}{"a":1}${']'.repeat(30_000)}`
    expect(parseJsonText(deep)).toBeInstanceOf(Array)
    expect(() => parseJsonText(deep.replace('1', '1,"a":2'))).toThrow(/twice/)
  })
})
