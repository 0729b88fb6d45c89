import { describe, expect, it } from 'vitest'
import { quarter, trendOf } from '../../bench/soak/statistics.ts'
import {
  judgeErrors,
  judgeLoad,
  judgeMemory,
  judgeSamples,
  judgeSnapshots,
  judgeTimes,
} from '../../bench/soak/verdict.ts'

/** 20 minutes, a sample every 5 s, with a saw of collections on it. */
const run = (mibAt: (seconds: number) => number) =>
  Array.from({ length: 240 }, (_, i) => [i * 5, mibAt(i * 5) + (i % 7) * 2] as const)

const judged = (mibAt: (seconds: number) => number, kind: 'resident' | 'live' = 'resident') =>
  judgeMemory('memory', kind, run(mibAt))

describe('the verdict on memory', () => {
  it('is that a flat one is flat, however much it goes up and down', () => {
    expect(judged(() => 300).ok).toBe(true)
  })

  it('lets caches fill in the first minutes', () => {
    expect(judged((seconds) => 300 + 80 * Math.min(1, seconds / 240)).ok).toBe(true)
  })

  it('finds a leak of 1 KB a request, at 400 requests a second', () => {
    const finding = judged((seconds) => 300 + (seconds * 400) / 1024)
    expect(finding.ok).toBe(false)
    expect(finding.text).toContain('MiB/h')
  })

  it('finds what grows by a step, and has no slope after it', () => {
    expect(judged((seconds) => (seconds < 610 ? 300 : 400)).ok).toBe(false)
  })

  it('finds a leak as small as it says, and a smaller one in the heap, where there is less noise', () => {
    const shown = Number(/more than (\d+) MiB\/h/.exec(judged(() => 300).text)?.[1])
    expect(shown).toBeLessThan(110)
    const leak = (mibPerHour: number) => (seconds: number) => 300 + (seconds / 3600) * mibPerHour
    expect(judged(leak(shown * 1.1)).ok).toBe(false)
    expect(judged(leak(70)).ok).toBe(true)
    expect(judged(leak(70), 'live').ok).toBe(false)
  })

  it('is none, and no pass, without enough to look at: few points, a short time, a value that is no number', () => {
    const short = run(() => 300).slice(0, 24)
    const broken = run((seconds) => (seconds === 1100 ? Number.NaN : 300))
    for (const points of [[], [[0, 1]] as const, short, broken]) {
      const { ok, text } = judgeMemory('memory', 'resident', points)
      expect([ok, text]).toEqual([false, expect.stringContaining('no verdict')])
    }
  })
})

describe('the slope', () => {
  it('is that of the line, with no margin where all points are on it', () => {
    const { margin, slope } = trendOf([1, 2, 3, 4].map((x) => [x, 2 * x + 1] as const))
    expect([slope, margin]).toEqual([2, expect.closeTo(0, 9)])
  })

  it('lies within its margin in nineteen of twenty cases', () => {
    // A small generator of its own, so that the same happens every time.
    let state = 1
    const noise = () => {
      state = (state * 48_271) % 2_147_483_647
      return state / 2_147_483_647 - 0.5
    }
    const inside = Array.from({ length: 400 }, () => {
      const { margin, slope } = trendOf(Array.from({ length: 12 }, (_, x) => [x, 3 * x + noise()] as const))
      return Math.abs(slope - 3) <= margin
    })
    expect(inside.filter(Boolean).length / 400).toBeCloseTo(0.95, 1)
  })
})

describe('the rest of the verdict', () => {
  it('divides a run into quarters that hold all of it', () => {
    const values = Array.from({ length: 10 }, (_, i) => i)
    expect(([1, 2, 3, 4] as const).flatMap((n) => quarter(values, n))).toEqual(values)
  })

  it('finds times that grow, once quarters can be compared', () => {
    const growing = [30, 30, 40, 40, 60, 60, 90, 90]
    expect(judgeTimes(growing, true).ok).toBe(false)
    expect(judgeTimes([30, 90, 30, 35, 40, 30, 35, 33], true).ok).toBe(true)
    expect(judgeTimes(growing, false).ok).toBe(true)
  })

  it('finds a load that was less than meant for a quarter of the time, and a service that was not looked at', () => {
    expect(judgeLoad([100, 99, 40, 98, 100, 98, 100, 101, 100, 99, 100, 97], 100).ok).toBe(true)
    expect(judgeLoad([100, 100, 100, 100, 100, 100, 60, 60], 100).ok).toBe(false)
    expect(judgeLoad([], 100).ok).toBe(false)
    expect(judgeSamples(240, ['timeout']).ok).toBe(true)
    expect(
      judgeSamples(
        240,
        Array.from({ length: 24 }, () => 'timeout'),
      ).ok,
    ).toBe(false)
  })

  it('finds any error, and any snapshot that is not published or not taken', () => {
    expect(judgeErrors({}, []).ok).toBe(true)
    expect(judgeErrors({ 'not 2xx': 1 }, [])).toEqual({ ok: false, text: 'errors: not 2xx: 1' })
    expect(judgeErrors({}, ['{"level":50}']).ok).toBe(false)
    expect(judgeSnapshots(['published', 'published'], 3).ok).toBe(true)
    expect(judgeSnapshots(['published', 'failed'], 2).ok).toBe(false)
    expect(judgeSnapshots(['published'], 3).ok).toBe(false)
    expect(judgeSnapshots([], 0).ok).toBe(false)
  })
})
