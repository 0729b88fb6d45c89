import { type Manifest, parseManifest } from '../manifest.ts'
import type { Lake } from './lake.ts'
import { LIVE_STATES, RUNNING_STATES } from './states.ts'

/** A snapshot whose objects must all be there. */
export interface LiveSnapshot {
  readonly id: string
  readonly body: string
  readonly sha256: string
  readonly manifest: Manifest
  readonly published: boolean
}

/** All snapshots that may have something in S3 or in the catalogue, as their rows stood at one moment. */
export interface SnapshotStates {
  /** Oldest first. */
  readonly live: readonly LiveSnapshot[]
  /** Ids that a process works on, or has to: of these anything may be there or not. */
  readonly unsettled: ReadonlySet<string>
  /** Of those that the views may show or not: their views move now, or did when a process died. */
  readonly moving: readonly Manifest[]
  /** Differs when anything has changed between two readings, be it that a snapshot came and failed in between. */
  readonly signature: string
}

export async function snapshotStates(lake: Lake): Promise<SnapshotStates> {
  // One statement each, the newest first: what begins between the two changes the signature of the next reading.
  const newest = await lake.database.prisma.lakeSnapshot.aggregate({ _max: { sequence: true } })
  const rows = await lake.database.prisma.lakeSnapshot.findMany({
    where: { state: { in: [...RUNNING_STATES, 'published', 'retiring'] } },
    orderBy: { sequence: 'asc' },
    select: { id: true, state: true, manifest: true, manifestSha256: true, retiringAt: true },
  })
  const withManifest = rows.flatMap((row) =>
    row.manifest === null ? [] : [{ ...row, body: row.manifest, manifest: parseManifest(row.manifest) }],
  )
  const states = rows.map(({ id, retiringAt, state }) => `${id} ${state} ${retiringAt !== null}`)
  return {
    live: withManifest
      .filter(({ state }) => (LIVE_STATES as readonly string[]).includes(state))
      .map(({ body, id, manifest, manifestSha256, state }) => ({
        ...{ id, body, manifest },
        sha256: manifestSha256 ?? '',
        published: state === 'published',
      })),
    unsettled: new Set(rows.filter(({ state }) => state !== 'published').map(({ id }) => id)),
    moving: withManifest
      .filter(({ retiringAt, state }) => state === 'committed' || (state === 'retiring' && retiringAt === null))
      .map(({ manifest }) => manifest),
    signature: [newest._max.sequence, ...states].join('\n'),
  }
}

/** Ids of the snapshots whose objects must all be there now. */
export async function liveIds(lake: Lake): Promise<ReadonlySet<string>> {
  const rows = await lake.database.prisma.lakeSnapshot.findMany({
    where: { state: { in: [...LIVE_STATES] } },
    select: { id: true },
  })
  return new Set(rows.map(({ id }) => id))
}

/** Of the snapshots that retention has removed: size and SHA-256 of the manifest that is to be kept. */
export async function retiredManifests(
  lake: Lake,
): Promise<{ readonly id: string; readonly bytes: number; readonly sha256: string | null }[]> {
  return lake.database.prisma.$queryRaw<{ id: string; bytes: number; sha256: string | null }[]>`
    SELECT id, coalesce(octet_length(manifest), 0)::int AS bytes, manifest_sha256 AS sha256
      FROM lake_snapshots WHERE state = 'retired' ORDER BY sequence`
}
