import { parseCurrent, parseManifest } from '../manifest.ts'
import { CURRENT_KEY, manifestKey, partitionPrefix, retiredKey, snapshotDate } from '../object-keys.ts'
import { publishedSnapshot } from '../publication.ts'
import { ControlRows } from './control-rows.ts'
import type { Lake } from './lake.ts'
import { Lease } from './lease.ts'
import { publishedManifests } from './publish.ts'
import { expiredSnapshots, KEEP_ALL_MS } from './retention-plan.ts'

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
}

/**
 * Removes snapshots that nobody may want any more: first from the views, then from the catalogue, and an hour after that, when no
 * query can still read them, their objects. Each step may be repeated; no moment shows a partition without its objects.
 *
 * @throws LakeProblem `lease_taken` while a process works on the lake.
 */
export async function retainSnapshots(lake: Lake, options: RetentionOptions = {}): Promise<RetentionReport> {
  const now = options.now ?? new Date()
  if (options.dryRun) {
    return { retiring: await choose(lake, now), waiting: [], retired: [], leftover: [] }
  }
  const lease = await Lease.take(lake.database, lake.settings.leaseTtlMs)
  try {
    const chosen = await choose(lake, now)
    await retire(lake, lease, chosen)
    return { retiring: chosen, ...(await removeObjects(lake, lease, now)) }
  } finally {
    await lease.release()
  }
}

async function choose(lake: Lake, now: Date): Promise<string[]> {
  const rows = await lake.database.prisma.lakeSnapshot.findMany({
    where: { state: 'published' },
    select: { id: true, sequence: true, publishedAt: true },
  })
  const holds = await lake.database.prisma.lakeHold.findMany({ where: { expiresAt: { gt: now } } })
  const current = await lake.bucket.getText(CURRENT_KEY)
  const kept = new Set(holds.map((hold) => hold.snapshotId))
  if (current) kept.add(parseCurrent(current.text).snapshot_id)
  const published = rows.map(({ id, publishedAt, sequence }) => ({
    id,
    sequence: Number(sequence),
    publishedAt: publishedAt ?? now,
    date: snapshotDate(id),
  }))
  const rules = { now, keepAllMs: KEEP_ALL_MS, dailyDays: lake.settings.dailyDays, kept }
  return expiredSnapshots(published, rules).map((snapshot) => snapshot.id)
}

/** Views first: from then on nobody finds these snapshots; then their state, so that a later call goes on with them. */
async function retire(lake: Lake, lease: Lease, chosen: readonly string[]): Promise<void> {
  if (chosen.length === 0) return
  const live = (await publishedManifests(lake)).filter((manifest) => !chosen.includes(manifest.snapshot_id))
  await lake.publisher.publishViews(live.map(publishedSnapshot))
  for (const id of chosen) {
    lease.signal.throwIfAborted()
    const rows = new ControlRows(lake.database, id, lease.fence)
    await rows.claim(lease.owner)
    await rows.update({ state: 'retiring' })
  }
}

async function removeObjects(
  lake: Lake,
  lease: Lease,
  now: Date,
): Promise<Pick<RetentionReport, 'waiting' | 'retired' | 'leftover'>> {
  const waiting: string[] = []
  const retired: string[] = []
  const leftover: string[] = []
  const retiring = await lake.database.prisma.lakeSnapshot.findMany({
    where: { state: 'retiring' },
    orderBy: { sequence: 'asc' },
  })
  for (const row of retiring) {
    lease.signal.throwIfAborted()
    const rows = new ControlRows(lake.database, row.id, lease.fence)
    await rows.claim(lease.owner)
    const manifest = parseManifest(row.manifest ?? '')
    // The time counts from when the last partition had gone, so it is stored after that and not before.
    if (row.retiringAt === null) {
      await lake.publisher.unregister(manifest)
      await rows.update({ retiringAt: new Date() })
    }
    if (row.retiringAt === null || now.getTime() - row.retiringAt.getTime() < lake.settings.retireGraceMs) {
      waiting.push(row.id)
      continue
    }
    await lake.bucket.delete(manifest.tables.flatMap((table) => table.files.map((file) => file.key)))
    for (const table of manifest.tables) {
      for await (const object of lake.bucket.objects(partitionPrefix(table.name, row.id))) leftover.push(object.key)
    }
    await lake.bucket.putText(retiredKey(row.id), row.manifest ?? '', '*')
    await lake.bucket.delete([manifestKey(row.id)])
    await rows.update({ state: 'retired', endedAt: new Date() })
    retired.push(row.id)
  }
  return { waiting, retired, leftover }
}
