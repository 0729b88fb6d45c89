import { UsageError } from '../../errors.ts'
import { type Manifest, parseManifest, sha256Hex } from '../manifest.ts'
import { MANIFESTS_PREFIX, manifestKey, parseManifestKey, RETIRED_PREFIX, retiredKey } from '../object-keys.ts'
import type { Lake, Progress } from './lake.ts'
import { readPointer } from './lake-findings.ts'
import { Lease } from './lease.ts'

export interface RestoreReport {
  /** Retention takes them out of the catalogue, and their objects away when the grace time is over. */
  readonly retiring: readonly string[]
  /** Taken and removed since that instant; of these only the kept manifest was unknown. */
  readonly retired: readonly string[]
}

export interface RestoreOptions {
  /** Only says what would be done. */
  readonly dryRun?: boolean
  readonly progress?: Progress | undefined
}

/**
 * Tells a database that was restored to an earlier instant what the lake has seen since: snapshots that it does not know, and those that it
 * takes for published although retention has removed them. Both are from then on retention's. May be repeated.
 *
 * @throws UsageError unless the pointer names a snapshot that this database has published: views and pointer must have left those that go,
 *   and another lake's database must not take this one's snapshots away.
 */
export async function settleRestored(
  lake: Lake,
  { dryRun = false, progress }: RestoreOptions = {},
): Promise<RestoreReport> {
  const lease = await Lease.wait(lake, { progress })
  try {
    return await lease.guard(async () => {
      await refuseUnpublished(lake)
      const [unknown, unknownRetired, removed] = await differences(lake)
      if (!dryRun) {
        for (const id of unknown) await adopt(lake, lease, id, 'retiring')
        for (const id of unknownRetired) await adopt(lake, lease, id, 'retired')
        await retire(lake, lease, removed)
      }
      return { retiring: [...unknown, ...removed], retired: unknownRetired }
    })
  } finally {
    await lease.release()
  }
}

async function refuseUnpublished(lake: Lake): Promise<void> {
  const pointer = await readPointer(lake)
  const [newest] = await lake.database.prisma.lakeSnapshot.findMany({
    where: { state: 'published' },
    orderBy: { sequence: 'desc' },
    select: { id: true, manifestSha256: true },
    take: 1,
  })
  if (newest && pointer?.snapshot_id === newest.id && pointer.manifest_sha256 === newest.manifestSha256) return
  throw new UsageError(
    `The lake shows ${pointer?.snapshot_id ?? 'no snapshot'}, this database has published ${newest?.id ?? 'none'} last. Take a ` +
      'snapshot with the restored database first ("rocketgames snapshot"); if it was not restored, it belongs to another lake',
  )
}

/** Live manifests without a row, kept ones without a row, and published rows whose manifest retention has put aside. */
async function differences(lake: Lake): Promise<[string[], string[], string[]]> {
  const rows = await lake.database.prisma.lakeSnapshot.findMany({ select: { id: true, state: true } })
  const known = new Set(rows.map(({ id }) => id))
  const [live, kept] = [await idsBelow(lake, MANIFESTS_PREFIX), await idsBelow(lake, RETIRED_PREFIX)]
  const removed = rows.filter(({ id, state }) => state === 'published' && kept.has(id) && !live.has(id))
  return [
    [...live].filter((id) => !known.has(id)),
    // One that retention was about to move lies in both places.
    [...kept].filter((id) => !known.has(id) && !live.has(id)),
    removed.map(({ id }) => id),
  ]
}

async function idsBelow(lake: Lake, prefix: string): Promise<Set<string>> {
  const ids = new Set<string>()
  for await (const { key } of lake.bucket.objects(prefix)) {
    const id = parseManifestKey(key.replace(prefix, MANIFESTS_PREFIX))
    if (id !== undefined) ids.add(id)
  }
  return ids
}

/** A row of its own for a snapshot of the lost time. Its number is a new one: the former may have been given once more. */
async function adopt(lake: Lake, lease: Lease, id: string, state: 'retiring' | 'retired'): Promise<void> {
  const key = state === 'retired' ? retiredKey(id) : manifestKey(id)
  const stored = await lake.bucket.getText(key)
  if (stored === undefined) return
  const { prepared_at, snapshot_id, started_at, totals } = ownManifest(key, stored.text)
  const times = {
    requestedAt: new Date(started_at),
    startedAt: new Date(started_at),
    preparedAt: new Date(prepared_at),
  }
  await lake.database.transaction(async (tx) => {
    await lease.confirm(tx)
    await tx.lakeSnapshot.create({
      data: {
        ...{
          id: snapshot_id,
          state,
          fence: lease.fence,
          owner: lease.owner,
          requestedBy: 'before the restore',
          ...times,
        },
        ...{ manifest: stored.text, manifestSha256: sha256Hex(stored.text) },
        ...{ totalRows: BigInt(totals.rows), totalBytes: BigInt(totals.bytes) },
        ...(state === 'retired' ? { endedAt: new Date() } : {}),
      },
    })
  })
}

function ownManifest(key: string, body: string): Manifest {
  try {
    const manifest = parseManifest(body)
    if (key.includes(manifest.snapshot_id)) return manifest
  } catch {
    // said below
  }
  throw new UsageError(`${key} is no manifest of its snapshot; look at it by hand, and remove it if it is not wanted`)
}

/** Retention removes what is left of them, and finds most of it done. */
async function retire(lake: Lake, lease: Lease, ids: readonly string[]): Promise<void> {
  await lake.database.transaction(async (tx) => {
    await lease.confirm(tx)
    await tx.lakeSnapshot.updateMany({
      where: { id: { in: [...ids] }, state: 'published' },
      data: { state: 'retiring', fence: lease.fence, owner: lease.owner },
    })
  })
}
