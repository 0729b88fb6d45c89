import { LakeProblem } from '../lake/lake-problem.ts'
import { guideOf } from '../lake/problem-guide.ts'
import type { SnapshotView } from '../lake/snapshot/snapshot-view.ts'
import { abortOnSignal } from './composition.ts'
import { PHASE_TEXT } from './snapshot-progress.ts'
import { count, say, size, table } from './terminal.ts'

/** Ends a run by signals: see `abortOnSignal`. */
export function leavingRun(json: boolean): AbortController {
  const tell = () => {
    if (!json) say('\nStopping: before the commit nothing is left behind, after it "rocketgames recover" goes on.')
  }
  return abortOnSignal(tell, new LakeProblem('cancelled', 'The run was told to stop'))
}

const UNAVAILABLE = 'Bring back what is away, mostly the database; then do the same again. Nothing is left half done.'

/** One line what happened, one what to do. */
export function sayProblem({ code, message }: { readonly code: string; readonly message: string }): void {
  say(`${code}: ${message}`)
  say(`What to do: ${code === 'unavailable' ? UNAVAILABLE : guideOf(code).next}`)
}

/** What a person wants to know of a snapshot that was just published. */
export function publishedSummary(snapshot: SnapshotView): string {
  const seconds = ((snapshot.publishedAt?.getTime() ?? 0) - (snapshot.startedAt?.getTime() ?? 0)) / 1000
  const { id, measurements, phases, rowsPerSecond, totalBytes, totalRows } = snapshot
  const head = `${id} published: ${count(totalRows ?? 0)} rows, ${size(totalBytes ?? 0)}, ${seconds.toFixed(1)} s`
  const rows = phases.map((phase) => [PHASE_TEXT[phase.name], phase.seconds.toFixed(2)])
  const lines = [head, table(['phase', 'seconds'], rows)]
  if (measurements) {
    const { callsRepeated, cpuSeconds, partsSent, peakRssBytes, unrepresentable } = measurements
    lines.push(
      `${count(rowsPerSecond ?? 0)} rows/s, ${count(partsSent)} parts, ${callsRepeated} calls repeated, ` +
        `${cpuSeconds.toFixed(1)} s of CPU, at most ${size(peakRssBytes)} of memory`,
    )
    if (unrepresentable > 0) lines.push(`${count(unrepresentable)} values became NULL: the manifest tells where`)
  }
  return lines.join('\n')
}
