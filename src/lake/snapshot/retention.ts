import { describe } from '../../errors.ts'
import { LakeProblem } from '../lake-problem.ts'
import { parseManifest } from '../manifest.ts'
import { manifestKey, partitionPrefix, retiredKey, snapshotDate } from '../object-keys.ts'
import { publishedSnapshot } from '../publication.ts'
import { tapped } from '../tap.ts'
import { ControlRows } from './control-rows.ts'
import type { Lake, Progress } from './lake.ts'
import { readPointer } from './lake-findings.ts'
import { Lease } from './lease.ts'
import { publishedManifests } from './publish.ts'
import { recoverUnder } from './recover.ts'
import { expiredSnapshots } from './retention-plan.ts'

export interface RetentionReport {
  /** Taken out of views and catalogue now; their objects go when the grace time is over. */
  readonly retiring: readonly string[]
  /** Still waiting for the end of the grace time. */
  readonly waiting: readonly string[]
  readonly retired: readonly string[]
  /** Objects under a retired snapshot's folders that its manifest does not name: reported, never deleted. */
  readonly leftover: readonly string[]
}

export interface RetentionOptions {
  /** Only says what would be retired. */
  readonly dryRun?: boolean
  readonly now?: Date
  readonly progress?: Progress
  /** Ends the waiting for whoever works on the lake. */
  readonly signal?: AbortSignal
}

/**
 * Removes snapshots that nobody may want any more: first from the views, then from the catalogue, and an hour after that, when no
 * query can still read them, their objects. Each step may be repeated; no moment shows a partition without its objects.
 *
 * What fails with one snapshot keeps no other one; the first failure is thrown when all have had their turn.
 *
 * @throws LakeProblem `lease_taken` when a process works on the lake for longer than a snapshot may take.
 */
export async function retainSnapshots(lake: Lake, options: RetentionOptions = {}): Promise<RetentionReport> {
  const now = options.now ?? new Date()
  if (options.dryRun) {
    return { retiring: await choose(lake, now), waiting: [], retired: [], leftover: [] }
  }
  const { crawlerWaitMs, maxSnapshotAgeMs } = lake.settings
  // Where snapshots are frequent and long, whoever gives up early never comes to it.
  const patienceMs = maxSnapshotAgeMs + 2 * crawlerWaitMs
  const lease = await Lease.wait(lake, { progress: options.progress, signal: options.signal, patienceMs })
  try {
    return await lease.guard(async () => {
      const done = await removeDue(lake, lease, now)
      const mayMove = await viewsMayMove(lake, lease, options.progress)
      const retiring: string[] = []
      if (mayMove) {
        for (const id of await choose(lake, now)) if (await beginRetiring(lake, lease, id, now)) retiring.push(id)
        await withdraw(lake, lease)
      }
      if (done.failures.length > 0) throw done.failures[0]
      const waiting = (await retiringRows(lake)).map((row) => row.id)
      return { retiring, waiting, retired: done.retired, leftover: done.leftover }
    })
  } finally {
    await lease.release()
  }
}

async function choose(lake: Lake, now: Date): Promise<string[]> {
  const rows = await lake.database.prisma.lakeSnapshot.findMany({
    where: { state: 'published' },
    select: { id: true, sequence: true, startedAt: true },
  })
  const holds = await lake.database.prisma.lakeHold.findMany({ where: { expiresAt: { gt: now } } })
  // One that cannot be understood keeps nobody from going on: the newest snapshot stays in any case.
  const current = await readPointer(lake)
  const kept = new Set(holds.map((hold) => hold.snapshotId))
  if (current) kept.add(current.snapshot_id)
  const published = rows.map(({ id, sequence, startedAt }) => ({
    id,
    sequence: Number(sequence),
    startedAt: startedAt ?? now,
    date: snapshotDate(id),
  }))
  const rules = { now, keepAllMs: lake.settings.keepAllMs, dailyDays: lake.settings.dailyDays, kept }
  return expiredSnapshots(published, rules).map((snapshot) => snapshot.id)
}

/**
 * Marks a snapshot as `retiring` under the lock of its row, which a hold takes as well: so either the hold is seen here, or it comes too
 * late and is refused.
 *
 * @returns false when somebody holds it now.
 */
async function beginRetiring(lake: Lake, lease: Lease, id: string, now: Date): Promise<boolean> {
  const mark = () =>
    lake.database.transaction(async (tx) => {
      await lease.confirm(tx)
      await tx.$queryRaw`SELECT 1 FROM lake_snapshots WHERE id = ${id} FOR UPDATE`
      if ((await tx.lakeHold.count({ where: { snapshotId: id, expiresAt: { gt: now } } })) > 0) return false
      const { count } = await tx.lakeSnapshot.updateMany({
        where: { id, state: 'published' },
        data: { state: 'retiring', fence: lease.fence, owner: lease.owner },
      })
      return count > 0
    })
  return tapped(lake.tap, 'control-retiring', mark)
}

interface RetiringRow {
  readonly id: string
  readonly manifest: string | null
}

const retiringRows = (lake: Lake) =>
  lake.database.prisma.lakeSnapshot.findMany({ where: { state: 'retiring' }, orderBy: { sequence: 'asc' } })

interface Removed {
  readonly retired: readonly string[]
  readonly leftover: readonly string[]
  readonly failures: readonly unknown[]
}

/** Deletes the objects of every snapshot whose grace time is over. */
async function removeDue(lake: Lake, lease: Lease, now: Date): Promise<Removed> {
  const due = (await retiringRows(lake)).filter(
    ({ retiringAt }) => retiringAt !== null && now.getTime() - retiringAt.getTime() >= lake.settings.retireGraceMs,
  )
  const retired: string[] = []
  const leftover: string[] = []
  const failures: unknown[] = []
  if (due.length > 0) await noCrawl(lake, lease)
  for (const row of due) {
    try {
      leftover.push(...(await removeOne(lake, lease, row)))
      retired.push(row.id)
    } catch (error) {
      if (lost(lease, error)) throw error
      lake.logger.error({ snapshotId: row.id, reason: describe(error) }, 'a snapshot is not retired')
      failures.push(error)
    }
  }
  return { retired, leftover, failures }
}

/**
 * A runner that died may have moved some views to its snapshot already. Moved to the published ones alone they would go back, so that
 * snapshot is published first; where this fails, they stay.
 */
async function viewsMayMove(lake: Lake, lease: Lease, progress: Progress | undefined): Promise<boolean> {
  await recoverUnder(lake, lease, progress)
  const committed = await lake.database.prisma.lakeSnapshot.findFirst({ where: { state: 'committed' } })
  if (committed === null) return true
  lake.logger.warn({ snapshotId: committed.id }, 'nothing is retired while a committed snapshot is not published')
  return false
}

const lost = (lease: Lease, error: unknown) =>
  lease.signal.aborted || (error instanceof LakeProblem && error.code === 'fenced')

async function claim(lake: Lake, lease: Lease, id: string): Promise<ControlRows> {
  await lease.confirm()
  const rows = new ControlRows(lake.database, id, lease.fence, undefined, lake.tap)
  await rows.claim(lease.owner)
  return rows
}

/** Views first: from then on nobody finds these snapshots; then their partitions. */
async function withdraw(lake: Lake, lease: Lease): Promise<void> {
  const retiring = (await retiringRows(lake)).filter((row) => row.retiringAt === null)
  if (retiring.length === 0) return
  const live = (await publishedManifests(lake)).map(publishedSnapshot)
  // The views are everybody's: a process that was taken for dead must not move them back.
  await lease.confirm()
  await lake.publisher.publishViews(live, lease.signal)
  await noCrawl(lake, lease)
  for (const { id, manifest } of retiring) {
    const rows = await claim(lake, lease, id)
    await lake.publisher.unregister(parseManifest(manifest ?? ''))
    // The time counts from when the last partition had gone, so it is stored after that and not before.
    await rows.update({ retiringAt: new Date() })
  }
}

/** A crawl under way, perhaps of a runner that died, would register what is unregistered meanwhile. */
async function noCrawl(lake: Lake, lease: Lease): Promise<void> {
  await lake.publisher.crawlerReady(new Date(Date.now() + lake.settings.crawlerWaitMs), lease.signal)
}

/** Exactly the manifest's objects. @returns what else lies in the snapshot's folders. */
async function removeOne(lake: Lake, lease: Lease, { id, manifest: body }: RetiringRow): Promise<string[]> {
  const rows = await claim(lake, lease, id)
  const manifest = parseManifest(body ?? '')
  const leftover: string[] = []
  // Whoever started the crawler since has found the files and registered them again.
  await lake.publisher.unregister(manifest)
  await rows.confirm()
  await lake.bucket.delete(manifest.tables.flatMap((table) => table.files.map((file) => file.key)))
  // So may one who did in this moment; no later crawl finds a file.
  await noCrawl(lake, lease)
  await lake.publisher.unregister(manifest)
  for (const table of manifest.tables) {
    for await (const object of lake.bucket.objects(partitionPrefix(table.name, id))) leftover.push(object.key)
  }
  await lake.bucket.putText(retiredKey(id), body ?? '', '*')
  await lake.bucket.delete([manifestKey(id)])
  await rows.update({ state: 'retired', endedAt: new Date() })
  return leftover
}
