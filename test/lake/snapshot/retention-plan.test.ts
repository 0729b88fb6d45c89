import { expect, test } from 'vitest'
import { parseConfig } from '../../../src/config.ts'
import { expiredSnapshots, type Retainable } from '../../../src/lake/snapshot/retention-plan.ts'

const DAY_MS = 86_400_000
const now = new Date('2026-11-22T12:00:00Z')
const rules = { now, keepAllMs: 2 * DAY_MS, dailyDays: 3, kept: new Set<string>() }

function snapshot(sequence: number, startedAt: string): Retainable {
  return { id: `s${sequence}`, sequence, startedAt: new Date(startedAt), date: startedAt.slice(0, 10) }
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

const settings = (env: Record<string, string>) =>
  parseConfig({
    ...{ LAKE_BUCKET: 'lake', LAKE_RESULTS: 's3://results/', LAKE_PSEUDONYM_KEY: '07'.repeat(32) },
    ...env,
  }).lake

test('48 hours and 15 days are the default, and no setting keeps an erased person for 30 days', () => {
  expect(settings({})).toMatchObject({ keepAllMs: 2 * DAY_MS, dailyDays: 15 })
  expect(settings({ LAKE_DAILY_DAYS: '3', LAKE_KEEP_ALL: '15d' })).toMatchObject({
    keepAllMs: 15 * DAY_MS,
    dailyDays: 3,
  })
  for (const [name, value] of [
    ['LAKE_DAILY_DAYS', '16'],
    ['LAKE_KEEP_ALL', '16d'],
  ] as const) {
    expect(() => settings({ [name]: value })).toThrow(
      `${name} must be at most 15 days: with the 14 days of grace of an erasure, an erased person has left the lake in less than 30`,
    )
  }
})
