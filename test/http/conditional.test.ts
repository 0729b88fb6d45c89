import { describe, expect, it } from 'vitest'
import { etagOf, hasVersion, parseCreateOnly, parseIfMatch } from '../../src/http/conditional.ts'

describe('If-Match', () => {
  it('names versions, also as weak tags and in lists', () => {
    expect(parseIfMatch(etagOf(7))).toEqual([7])
    expect(parseIfMatch('W/"7"')).toEqual([7])
    expect(parseIfMatch('"1", W/"2" ,"x"')).toEqual([1, 2])
    expect(parseIfMatch(' * ')).toBe('any')
  })

  it('that cannot be read is an error', () => {
    for (const header of ['7', '"7', '', '"1" "2"', '*, "1"']) {
      expect(() => parseIfMatch(header), header).toThrow(/If-Match/)
    }
  })
})

describe('If-None-Match', () => {
  it('of a read tells whether the caller has the version', () => {
    expect(hasVersion('"1", W/"2"', 2)).toBe(true)
    expect(hasVersion('*', 2)).toBe(true)
    expect(hasVersion('"3"', 2)).toBe(false)
    expect(hasVersion(undefined, 2)).toBe(false)
  })

  it('of a write is * or an error', () => {
    expect(parseCreateOnly('*')).toBe(true)
    expect(parseCreateOnly(undefined)).toBe(false)
    expect(() => parseCreateOnly('"1"')).toThrow(/If-None-Match/)
  })
})
