import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { AnswerSeal } from '../../../src/accounts/idempotency/answer-seal.ts'

const secret = randomBytes(32)
const seal = new AnswerSeal(secret)
const text = Buffer.from('{"token":"rg_live_secret"}')
const place = ['caller', 'key-of-mine']

describe('a sealed answer', () => {
  it.each([0, 1, 15, 16, 17, 100_000])('of %i bytes opens to the same bytes', (length) => {
    const bytes = randomBytes(length)
    expect(new AnswerSeal(secret).open(seal.seal(bytes, place), place)).toEqual(bytes)
  })

  it('is different each time and does not show its text', () => {
    const [a, b] = [seal.seal(text, place), seal.seal(text, place)]
    expect(a.equals(b)).toBe(false)
    expect(a.includes('rg_live')).toBe(false)
  })

  it('does not open for another place, under another secret, or with one bit changed', () => {
    const sealed = seal.seal(text, place)
    expect(() => seal.open(sealed, ['other', 'key-of-mine'])).toThrow()
    expect(() => seal.open(sealed, ['caller', 'key-of-mine', ''])).toThrow()
    expect(() => new AnswerSeal(randomBytes(32)).open(sealed, place)).toThrow()
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(() => seal.open(changed, place)).toThrow()
    }
    expect(() => seal.open(sealed.subarray(0, 20), place)).toThrow('unknown form')
  })

  it('needs a whole secret', () => {
    expect(() => new AnswerSeal(randomBytes(31))).toThrow(RangeError)
  })
})
