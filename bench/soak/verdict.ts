import type { Sample } from './sampler.ts'
import { median, quarter, trendOf } from './statistics.ts'

/** One point of the verdict: what was looked at, in words, and whether it is as it must be. */
export interface Finding {
  readonly ok: boolean
  readonly text: string
}

/** Memory may differ between two quarters by so much without growing: collections come when they come. */
const NOISE: Readonly<Record<MemoryKind, { readonly share: number; readonly mib: number }>> = {
  resident: { share: 0.05, mib: 12 },
  // Measured when everything that can be thrown away has been.
  live: { share: 0.03, mib: 4 },
}
/** A step, or a way up and down again: it needs no straight line to be too much. */
const STEP_FACTOR = 2
/** A run in which a leak of so much per hour could hide in the noise says nothing of memory. */
const MAX_HIDDEN_MIB_PER_HOUR = 300
/** p99 of the last quarter against that of the second. */
const SLOWER_FACTOR = 1.5
const SLOWER_MS = 10
const MORE_FILES = 20
/** Of what was meant. */
const LEAST_LOAD = 0.9
const MAX_MISSED = 0.02

/** `resident`: what the system counts for the process, with a saw of collections on it. `live`: what a full collection left. */
export type MemoryKind = 'resident' | 'live'

/**
 * Is it flat? Looked at are the slope of the second half (in the first one caches fill and code is compiled) and the last quarter
 * against the second one. It grows when the slope is surely above zero and the quarters differ by more than noise, or when they
 * differ by twice as much, whatever the slope. A run that is too short to see a leak that matters gets no verdict, which is none of being flat;
 * the text says what could have hidden.
 */
export function judgeMemory(
  name: string,
  kind: MemoryKind,
  points: readonly (readonly [seconds: number, mib: number])[],
): Finding {
  const trend = trendOf(points.slice(points.length >> 1).map(([seconds, mib]) => [seconds / 3600, mib] as const))
  const { slope, margin } = trend
  const middle = (n: 2 | 4, of: 0 | 1) => median(quarter(points, n).map((point) => point[of]))
  const [second, last] = [middle(2, 1), middle(4, 1)]
  const noise = Math.max(NOISE[kind].mib, NOISE[kind].share * second)
  const hidden = (noise * 3600) / (middle(4, 0) - middle(2, 0))
  if (!(points.length >= 8 && Number.isFinite(margin) && Number.isFinite(slope) && hidden <= MAX_HIDDEN_MIB_PER_HOUR)) {
    return { ok: false, text: `${name}: no verdict, ${points.length} points in too short a time say nothing of a leak` }
  }
  const difference = last - second
  const grows = (slope - margin > 0 && difference > noise) || difference > STEP_FACTOR * noise
  return {
    ok: !grows,
    text: `${name}: ${slope.toFixed(1)} ± ${margin.toFixed(1)} MiB/h over the second half; median of the last quarter ${last.toFixed(1)} MiB, of the second ${second.toFixed(1)} (${signed(difference)}); a steady leak of more than ${hidden.toFixed(0)} MiB/h would have shown`,
  }
}

/** Without the load that was meant, from the first quarter to the last, a calm run proves nothing. */
export function judgeLoad(perSecond: readonly number[], wanted: number): Finding {
  const quarters = ([1, 2, 3, 4] as const).map((n) => median(quarter(perSecond, n)))
  return {
    ok: quarters.every((rate) => rate >= LEAST_LOAD * wanted),
    text: `load: ${quarters.map((rate) => rate.toFixed(0)).join(', ')} requests/s in the quarters, ${wanted} were meant; ${Math.min(...perSecond).toFixed(0)} at the least`,
  }
}

/** @param missed looks at the service that failed, as one does that it does not answer in 5 s */
export function judgeSamples(taken: number, missed: readonly string[]): Finding {
  return {
    ok: missed.length <= MAX_MISSED * taken,
    text: `samples: ${taken}${missed.length === 0 ? '' : `; ${missed.length} missed, first: ${missed[0]}`}`,
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
