import { expect, test } from 'vitest'
import { expiredSnapshots, KEEP_ALL_MS, type Retainable } from '../../../src/lake/snapshot/retention-plan.ts'

const now = new Date('2026-11-22T12:00:00Z')
const rules = { now, keepAllMs: KEEP_ALL_MS, dailyDays: 3, kept: new Set<string>() }

function snapshot(sequence: number, publishedAt: string): Retainable {
  return { id: `s${sequence}`, sequence, publishedAt: new Date(publishedAt), date: publishedAt.slice(0, 10) }
}

const history = [
  snapshot(1, '2026-11-18T01:00:00Z'),
  snapshot(2, '2026-11-18T23:00:00Z'),
  snapshot(3, '2026-11-20T01:00:00Z'),
  snapshot(4, '2026-11-20T11:00:00Z'),
  snapshot(5, '2026-11-21T01:00:00Z'),
  snapshot(6, '2026-11-21T02:00:00Z'),
  snapshot(7, '2026-11-22T02:00:00Z'),
]
const ids = (found: readonly Retainable[]) => found.map((each) => each.id)

test('all of the last 48 hours are kept, and the last one of each retained day', () => {
  // 20 November is the third day: its last snapshot stays, although it is older than 48 hours.
  expect(ids(expiredSnapshots(history, rules))).toEqual(['s1', 's2', 's3'])
})

test('a held one and the current one are kept', () => {
  expect(ids(expiredSnapshots(history, { ...rules, kept: new Set(['s2', 's3']) }))).toEqual(['s1'])
})

test('the newest one is kept, however old it is', () => {
  const late = { ...rules, now: new Date('2027-11-22T12:00:00Z') }
  expect(ids(expiredSnapshots(history, late))).toEqual(['s1', 's2', 's3', 's4', 's5', 's6'])
})

test('order comes from the sequence, not from a clock that was set back', () => {
  const set = [snapshot(9, '2026-11-10T01:00:00Z'), snapshot(8, '2026-11-10T05:00:00Z')]
  expect(ids(expiredSnapshots(set, rules))).toEqual(['s8'])
})
