import { expect, it } from 'vitest'
import { RequestCounts } from '../../src/http/request-counts.ts'

it.each([0, 239595.75946061683])('a window that has just begun, at %s ms, ends after its length, not later', (now) => {
  const counts = new RequestCounts({ policy: 'bulk', quota: { count: 1, windowSeconds: 60 }, now: () => now })
  expect([counts.count('ann'), counts.count('ann')]).toEqual([
    { remaining: 0, resetSeconds: 60, isOver: false },
    { remaining: 0, resetSeconds: 60, isOver: true },
  ])
})
