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
  /** Differs when anything has changed between two readings. */
  readonly signature: string
}

export async function snapshotStates(lake: Lake): Promise<SnapshotStates> {
  const rows = await lake.database.prisma.lakeSnapshot.findMany({
    where: { state: { in: [...RUNNING_STATES, 'published', 'retiring'] } },
    orderBy: { sequence: 'asc' },
    select: { id: true, state: true, manifest: true, manifestSha256: true, retiringAt: true },
  })
  const withManifest = rows.flatMap((row) =>
    row.manifest === null ? [] : [{ ...row, body: row.manifest, manifest: parseManifest(row.manifest) }],
  )
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
    signature: rows.map(({ id, retiringAt, state }) => `${id} ${state} ${retiringAt !== null}`).join('\n'),
  }
}
