import { describe, expect, it } from 'vitest'
import { parseDay, parseInstant } from '../../src/http/instant.ts'

describe('an instant', () => {
  it('is RFC 3339 with a zone, to the millisecond', () => {
    expect(parseInstant('2026-01-31T12:00:00.123+01:00')?.toISOString()).toBe('2026-01-31T11:00:00.123Z')
    for (const text of [
      '2026-01-31',
      '2026-01-31T12:00:00',
      '2026-02-30T12:00:00Z',
      '2026-01-31T12:00:00.0001Z',
      '2026-01-31T24:00:00Z',
      '31.1.2026',
    ]) {
      expect(parseInstant(text), text).toBeUndefined()
    }
  })

  it('lies in a year that everybody can write', () => {
    for (const text of ['0000-01-01T00:00:00Z', '0001-01-01T00:00:00+14:00', '9999-12-31T23:59:59-12:00']) {
      expect(parseInstant(text), text).toBeUndefined()
    }
    expect(parseInstant('0001-01-01T00:00:00Z')).toBeDefined()
  })
})

describe('a day', () => {
  it('exists', () => {
    expect(parseDay('2024-02-29')).toBe('2024-02-29')
    for (const text of ['2026-02-29', '0000-01-01', '2026-1-1', '2026-01-01T00:00:00Z']) {
      expect(parseDay(text), text).toBeUndefined()
    }
  })
})
