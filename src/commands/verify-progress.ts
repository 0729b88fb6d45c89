import type { VerifyProgress } from '../lake/snapshot/verify.ts'
import { count, say } from './terminal.ts'

/** What is shown of a verification on standard error while it goes on. */
export interface ShownVerification {
  readonly told: (event: VerifyProgress) => void
  /** Takes away the line that moves. */
  end(): void
}

const JSON_INTERVAL_MS = 1_000
const LINE_INTERVAL_MS = 10_000
const TERMINAL_INTERVAL_MS = 100

/** `20261122t020000z-01kaq3c9 (2 of 14): players, 1,200,000 of 28,000,000 values` */
export function verifyLine(event: VerifyProgress): string {
  if (event.kind === 'lake') return 'bucket, catalogue and views'
  const { done, files, number, ofValues, snapshotId, snapshots, table, values } = event
  const which = snapshots === 1 ? snapshotId : `${snapshotId} (${number} of ${snapshots})`
  const size = ofValues === 0 ? `${count(files)} file(s)` : `${count(values)} of ${count(ofValues)} values`
  return `${which}: ${table}, ${done && ofValues > 0 ? `${count(values)} values` : size}`
}

/** JSON lines for programs, one line that moves on a terminal, elsewhere a line for each table and every ten seconds of a large one. */
export function showVerification({ json }: { readonly json: boolean }): ShownVerification {
  // Whoever listened may leave: the verification goes on.
  process.stderr.on('error', () => undefined)
  const moving = !json && process.stderr.isTTY
  const intervalMs = json ? JSON_INTERVAL_MS : moving ? TERMINAL_INTERVAL_MS : LINE_INTERVAL_MS
  let last = performance.now()
  const passes = (event: VerifyProgress): boolean => {
    const now = performance.now()
    const ends = event.kind === 'lake' || event.done
    if ((moving || !ends) && now - last < intervalMs) return false
    last = now
    return true
  }
  return {
    told(event) {
      if (!passes(event)) return
      if (json) say(JSON.stringify({ time: new Date().toISOString(), ...event }))
      else if (moving) process.stderr.write(`\r\u001b[2K  ${verifyLine(event)}`)
      else say(`  ${verifyLine(event)}`)
    },
    end() {
      if (moving) process.stderr.write('\r\u001b[2K')
    },
  }
}
