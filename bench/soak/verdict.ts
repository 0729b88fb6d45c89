import type { Sample } from './sampler.ts'
import { median, quarter, trendOf } from './statistics.ts'

/** One point of the verdict: what was looked at, in words, and whether it is as it must be. */
export interface Finding {
  readonly ok: boolean
  readonly text: string
}

/** Memory may differ between two quarters by so much without growing: collections come when they come. */
const NOISE_SHARE = 0.05
const NOISE_MIB = 12
/** p99 of the last quarter against that of the second. */
const SLOWER_FACTOR = 1.5
const SLOWER_MS = 10
const MORE_FILES = 20

/**
 * Is it flat? The slope is that of the second half: in the first one caches fill and code is compiled. Only what grows by both signs
 * is a leak: the slope is surely above zero, and the last quarter lies above the second one by more than noise.
 */
export function judgeMemory(name: string, points: readonly (readonly [seconds: number, mib: number])[]): Finding {
  const half = points.slice(points.length >> 1).map(([seconds, mib]) => [seconds / 3600, mib] as const)
  const { slope, margin } = trendOf(half)
  const second = median(quarter(points, 2).map(([, mib]) => mib))
  const last = median(quarter(points, 4).map(([, mib]) => mib))
  const difference = last - second
  const grows = slope - margin > 0 && difference > Math.max(NOISE_MIB, NOISE_SHARE * second)
  const enough = points.length >= 8 && Number.isFinite(margin)
  return {
    ok: enough && !grows,
    text: enough
      ? `${name}: ${slope.toFixed(1)} ± ${margin.toFixed(1)} MiB/h over the second half; median of the last quarter ${last.toFixed(1)} MiB, of the second ${second.toFixed(1)} (${signed(difference)})`
      : `${name}: ${points.length} points say nothing`,
  }
}

/** @param comparable each quarter has seen a snapshot at least: while one is taken, answers take longer. */
export function judgeTimes(p99s: readonly number[], comparable: boolean): Finding {
  const second = median(quarter(p99s, 2))
  const last = median(quarter(p99s, 4))
  if (!comparable)
    return { ok: true, text: `p99: ${last.toFixed(0)} ms at the end; too short a run to compare quarters` }
  return {
    ok: last <= Math.max(SLOWER_FACTOR * second, second + SLOWER_MS),
    text: `p99: ${last.toFixed(0)} ms in the last quarter, ${second.toFixed(0)} ms in the second`,
  }
}

/** Files and connections that are opened and never closed. */
export function judgeFiles(samples: readonly Sample[]): Finding {
  const of = (n: 2 | 4) => median(quarter(samples, n).map(({ openFiles }) => openFiles))
  return {
    ok: of(4) - of(2) <= MORE_FILES,
    text: `open files: ${of(4)} in the last quarter, ${of(2)} in the second`,
  }
}

export function judgeErrors(failed: Readonly<Record<string, number>>, logged: readonly string[]): Finding {
  const kinds = Object.entries(failed).map(([what, count]) => `${what}: ${count}`)
  const first = logged[0] === undefined ? [] : [`first line of the log: ${logged[0].slice(0, 300)}`]
  const all = [...kinds, ...(logged.length > 0 ? [`${logged.length} errors in the log`] : []), ...first]
  return { ok: all.length === 0, text: `errors: ${all.length === 0 ? 'none' : all.join('; ')}` }
}

/** @param expected so many should have been taken in the time; one more or less is the schedule's. */
export function judgeSnapshots(states: readonly string[], expected: number): Finding {
  const published = states.filter((state) => state === 'published').length
  return {
    ok: published === states.length && published >= Math.max(1, expected - 1),
    text: `snapshots: ${published} of ${states.length} published, ${expected} were due`,
  }
}

const signed = (mib: number) => `${mib >= 0 ? '+' : '−'}${Math.abs(mib).toFixed(1)}`
