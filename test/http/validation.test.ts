import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { check, pointer } from '../../src/http/validation.ts'

const schema = z.strictObject({
  name: z.string(),
  size: z.int().min(1).max(9).optional(),
  tags: z.array(z.enum(['a', 'b'])).optional(),
})

function errorsOf(input: unknown) {
  const checked = check(schema, input)
  return checked.ok ? [] : checked.errors.map((error) => `${error.pointer} ${error.code}`)
}

describe('checking an input object', () => {
  it('tells the place and the rule of each error', () => {
    expect(errorsOf({})).toEqual(['/name required'])
    expect(errorsOf({ name: 1 })).toEqual(['/name type'])
    expect(errorsOf({ name: null })).toEqual(['/name type'])
    expect(errorsOf({ name: 'x', size: 0 })).toEqual(['/size too-small'])
    expect(errorsOf({ name: 'x', size: 10 })).toEqual(['/size too-large'])
    expect(errorsOf({ name: 'x', size: '5' })).toEqual(['/size type'])
    expect(errorsOf({ name: 'x', tags: ['a', 'c'] })).toEqual(['/tags/1 not-allowed'])
    expect(errorsOf({ name: 'x', more: 1 })).toEqual(['/more unknown-field'])
    expect(errorsOf('text')).toEqual([' type'])
  })

  it('calls what is absent required, also where there is a list of values', () => {
    const either = z.strictObject({
      kind: z.enum(['a', 'b']),
      parts: z.array(z.strictObject({ kind: z.literal('c') })),
    })
    const checked = check(either, { parts: [{}, { kind: null }] })
    expect(checked).toMatchObject({
      errors: [
        { pointer: '/kind', code: 'required' },
        { pointer: '/parts/0/kind', code: 'required' },
        { pointer: '/parts/1/kind', code: 'not-allowed' },
      ],
    })
  })

  it('takes nothing that JSON could smuggle in under a known name', () => {
    expect(errorsOf(JSON.parse('{"name":"x","__proto__":{"size":5}}'))).toEqual(['/__proto__ unknown-field'])
    expect(errorsOf(JSON.parse('{"name":"x","constructor":1}'))).toEqual(['/constructor unknown-field'])
  })

  it('refuses text that the database would refuse or change, and objects without a bottom', () => {
    expect(errorsOf({ name: 'a\0b' })).toEqual(['/name invalid-text'])
    expect(errorsOf({ name: '\ud800' })).toEqual(['/name invalid-text'])
    let deep: unknown = 'x'
    for (let i = 0; i < 10_000; i++) deep = [deep]
    expect(errorsOf({ name: deep })[0]).toContain('too-deep')
  })

  it('never repeats a value', () => {
    const checked = check(schema, { name: 'x', size: 777_777, tags: ['secret-tag'] })
    expect(JSON.stringify(checked)).not.toMatch(/777777|secret-tag/)
  })
})

describe('a JSON pointer', () => {
  it('escapes ~ and /', () => {
    expect(pointer(['a/b', 'c~d', 0])).toBe('/a~1b/c~0d/0')
  })
})
