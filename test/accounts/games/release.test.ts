import { describe, expect, it } from 'vitest'
import { lastDayOf, releaseAfter, TO_BE_ANNOUNCED } from '../../../src/accounts/games/release.ts'

describe('the stored day of a release', () => {
  it.each([
    ['2026-02-10', 'day', '2026-02-10'],
    ['2026-02-10', 'month', '2026-02-28'],
    ['2028-02-10', 'month', '2028-02-29'],
    ['2100-02-01', 'month', '2100-02-28'],
    ['2026-12-31', 'month', '2026-12-31'],
    ['2026-01-01', 'quarter', '2026-03-31'],
    ['2026-04-01', 'quarter', '2026-06-30'],
    ['2026-07-31', 'quarter', '2026-09-30'],
    ['2026-10-01', 'quarter', '2026-12-31'],
    ['2026-01-01', 'year', '2026-12-31'],
    ['0099-01-15', 'month', '0099-01-31'],
  ] as const)('of %s by %s is %s', (date, precision, expected) => {
    expect(lastDayOf(date, precision)).toBe(expected)
  })
})

describe('what a caller says about a release', () => {
  const inJune = { releaseDate: '2026-06-30', releasePrecision: 'month' } as const

  it('may be nothing: all stays', () => {
    expect(releaseAfter(inJune, {})).toBe(inJune)
  })

  it('may be a date alone: as exact as before, or to the day', () => {
    expect(releaseAfter(inJune, { releaseDate: '2026-08-02' })).toEqual({
      releaseDate: '2026-08-31',
      releasePrecision: 'month',
    })
    expect(releaseAfter(TO_BE_ANNOUNCED, { releaseDate: '2026-08-02' })).toEqual({
      releaseDate: '2026-08-02',
      releasePrecision: 'day',
    })
  })

  it('may be a coarser precision alone, and no finer one: the stored date would pretend to be exact', () => {
    expect(releaseAfter(inJune, { releasePrecision: 'year' })).toEqual({
      releaseDate: '2026-12-31',
      releasePrecision: 'year',
    })
    expect(releaseAfter(inJune, { releasePrecision: 'day' })).toMatchObject({
      pointer: '/releaseDate',
      code: 'required',
    })
    expect(releaseAfter(TO_BE_ANNOUNCED, { releasePrecision: 'year' })).toMatchObject({ code: 'required' })
  })

  it('may take the date away, by null or tba', () => {
    for (const patch of [
      { releaseDate: null },
      { releasePrecision: 'tba' },
      { releaseDate: null, releasePrecision: 'tba' },
    ] as const) {
      expect(releaseAfter(inJune, patch)).toEqual(TO_BE_ANNOUNCED)
    }
  })

  it('may not contradict itself', () => {
    expect(releaseAfter(inJune, { releaseDate: null, releasePrecision: 'month' })).toMatchObject({ code: 'required' })
    expect(releaseAfter(inJune, { releaseDate: '2026-01-01', releasePrecision: 'tba' })).toMatchObject({
      code: 'not-allowed',
    })
  })
})
