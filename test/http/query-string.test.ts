import { describe, expect, it } from 'vitest'
import type { AppError } from '../../src/errors.ts'
import { parseQueryString } from '../../src/http/query-string.ts'

function codeOf(raw: string): string {
  try {
    parseQueryString(raw)
    return 'accepted'
  } catch (error) {
    return (error as AppError).code
  }
}

describe('a query string', () => {
  it('is split into names, operators and values', () => {
    expect(parseQueryString('a=1&createdAt[gte]=2026-01-01T00%3A00%3A00Z&q=Zo%C3%AB+Q&flag')).toEqual([
      { parameter: 'a', name: 'a', operator: undefined, value: '1' },
      { parameter: 'createdAt[gte]', name: 'createdAt', operator: 'gte', value: '2026-01-01T00:00:00Z' },
      { parameter: 'q', name: 'q', operator: undefined, value: 'Zoë Q' },
      { parameter: 'flag', name: 'flag', operator: undefined, value: '' },
    ])
    expect(parseQueryString('createdAt%5Bgte%5D=1')[0]?.operator).toBe('gte')
    expect(parseQueryString('')).toEqual([])
  })

  it('repeats no parameter, in whatever spelling', () => {
    expect(codeOf('a=1&a=2')).toBe('unknown-parameter')
    expect(codeOf('a[in]=1&a%5Bin%5D=2')).toBe('unknown-parameter')
  })

  it('has readable names and well-formed values', () => {
    for (const raw of ['a[]=1', 'a[b][c]=1', '=1', 'a b=1', '%E0%A4=1', '__proto__=1']) {
      expect(codeOf(raw), raw).toBe('unknown-parameter')
    }
    for (const raw of ['a=%E0%A4', 'a=%', 'a=%00']) expect(codeOf(raw), raw).toBe('invalid-parameter')
  })

  it('is bounded', () => {
    expect(codeOf(Array.from({ length: 51 }, (_, i) => `a${i}=1`).join('&'))).toBe('unknown-parameter')
  })
})
