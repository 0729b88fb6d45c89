import { AppError } from '../errors.ts'
import { LakeHolds } from '../lake/lake-holds.ts'
import { LIVE_STATES } from '../lake/snapshot/states.ts'
import { operator, type Program } from './composition.ts'
import { lakeTrail } from './lake-audit.ts'
import { say } from './terminal.ts'

/** The run that the curated views show, and its manifest: written by the job that makes them. */
const CURRENT_KEY = 'curated-meta/v1/CURRENT.json'
const manifestKey = (runId: string) => `curated-meta/v1/${runId}.json`

const HOUR_MS = 3_600_000
/** How long a hold is asked for; the shorter where the snapshot's age does not allow the longer. A job that is killed cannot release. */
const HOLD_MS = [6 * HOUR_MS, HOUR_MS / 2]

interface CuratedRun {
  readonly run_id?: unknown
  readonly snapshots?: readonly { readonly snapshot_id: string }[]
}

/** Snapshots that the curated tables are made of already. Empty where there is no run, or none that can be read: the job tells that. */
async function included(program: Program): Promise<ReadonlySet<string>> {
  const { bucket } = program.lake().lake
  try {
    const pointer = await bucket.getText(CURRENT_KEY)
    if (pointer === undefined) return new Set()
    const { run_id: runId } = JSON.parse(pointer.text) as CuratedRun
    const manifest = await bucket.getText(manifestKey(String(runId)))
    const { snapshots = [] } = JSON.parse(manifest?.text ?? '{}') as CuratedRun
    return new Set(snapshots.map((each) => each.snapshot_id))
  } catch (error) {
    if (error instanceof SyntaxError) return new Set()
    throw error
  }
}

/** Takes one hold; undefined when retention already has the snapshot, or will have it before the hold could end. */
async function hold(holds: LakeHolds, snapshotId: string): Promise<string | undefined> {
  for (const ms of HOLD_MS) {
    const expiresAt = new Date(Date.now() + ms)
    const wanted = { holder: 'glue curate', reason: 'The job that makes the curated tables reads it', expiresAt }
    try {
      return (await holds.add(snapshotId, wanted, operator())).id
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      if (error.code === 'conflict' || error.code === 'not-found') return undefined
      if (error.code !== 'validation') throw error
    }
  }
  return undefined
}

/**
 * Keeps retention away from the snapshots that a curate job is about to read, for as long as `work` lasts: those that are not in the
 * curated tables yet, and the newest; with `everything` all of them.
 */
export async function withCurateHolds<T>(program: Program, everything: boolean, work: () => Promise<T>): Promise<T> {
  const holds = new LakeHolds(program.database, lakeTrail)
  const taken: string[] = []
  try {
    const done = everything ? new Set<string>() : await included(program)
    const live = await program.database.prisma.lakeSnapshot.findMany({
      where: { state: { in: [...LIVE_STATES] } },
      orderBy: { sequence: 'desc' },
      select: { id: true },
    })
    for (const [i, { id }] of live.entries()) {
      if (i > 0 && done.has(id)) continue
      const made = await hold(holds, id)
      if (made !== undefined) taken.push(made)
    }
    return await work()
  } finally {
    for (const id of taken) {
      await holds.release(id, operator()).catch((error: Error) => {
        say(`Hold ${id} could not be released (${error.message}); it ends by itself.`)
      })
    }
  }
}
