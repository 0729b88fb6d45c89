import { setTimeout as sleep } from 'node:timers/promises'
import type { Database, Transaction } from '../database/database.ts'
import { AppError, describe } from '../errors.ts'
import type { LakeStarter } from './lake-starter.ts'
import type { SnapshotView } from './snapshot/snapshot-view.ts'
import { requestedBefore, requestSnapshot } from './snapshot/snapshots.ts'

/** What a dead process left is mostly removed within a second; a caller is not kept waiting for a crawler. */
const RECOVERY_WAIT_MS = 10_000
const RECOVERY_POLL_MS = 250

/**
 * Requests a snapshot and starts the process that takes it. A snapshot in the way whose process is gone is recovered first.
 *
 * With a token a repeat gets the snapshot that the first request made. While nobody has taken that, a process is started for it:
 * a crash may have come between. A second process for one snapshot waits for the first one's lease, then finds nothing to do.
 *
 * @param also what is written together with the request, once
 * @throws AppError `snapshot-running` naming the one in the way; `unavailable` when no process could be started.
 */
export async function launchSnapshot(
  database: Database,
  starter: LakeStarter,
  requestedBy: string,
  token?: string,
  also?: (tx: Transaction, id: string) => Promise<void>,
): Promise<SnapshotView> {
  const before = token === undefined ? undefined : await requestedBefore(database, token)
  const snapshot =
    before ??
    (await requestAfterRecovery(
      database,
      starter,
      () => requestSnapshot(database, requestedBy, { requestToken: token, also }),
      token,
    ))
  if (snapshot.state !== 'requested') return snapshot
  try {
    await starter.snapshot(snapshot.id)
  } catch (error) {
    await failUnstarted(database, snapshot.id, describe(error))
    throw new AppError('unavailable', 'No process could be started for the snapshot', { cause: error })
  }
  return snapshot
}

async function requestAfterRecovery(
  database: Database,
  starter: LakeStarter,
  request: () => Promise<SnapshotView>,
  token: string | undefined,
): Promise<SnapshotView> {
  const deadline = Date.now() + RECOVERY_WAIT_MS
  for (let recovering = false; ; ) {
    try {
      return await request()
    } catch (error) {
      // The first request was not over yet when the repeat began to look.
      const mine = token === undefined ? undefined : await requestedBefore(database, token)
      if (mine !== undefined) return mine
      if (!(error instanceof AppError && error.code === 'snapshot-running')) throw error
      const abandoned = error.extra.abandoned === true
      if (!(abandoned || recovering) || Date.now() > deadline) throw error
      if (!recovering) {
        await starter.recover().catch(() => {
          // The caller hears what is in the way; that it cannot be recovered now is the same to them.
          throw error
        })
      }
      recovering = true
    }
    await sleep(RECOVERY_POLL_MS)
  }
}

/** Makes room for the next one. Only while nobody has taken it: a process that works on it has written its fence. */
export async function failUnstarted(database: Database, id: string, why: string): Promise<void> {
  await database.prisma.lakeSnapshot.updateMany({
    where: { id, state: 'requested', fence: null },
    data: {
      state: 'failed',
      endedAt: new Date(),
      requestToken: null,
      problem: {
        code: 'not_started',
        message: `No process took this snapshot: ${why}`,
        phase: 'requested',
      },
    },
  })
}
