import { LakeProblem } from '../lake-problem.ts'
import { type Current, canonicalJson, type Manifest, parseCurrent, parseManifest, sha256Hex } from '../manifest.ts'
import { CURRENT_KEY } from '../object-keys.ts'
import { publishedSnapshot } from '../publication.ts'
import type { ControlRows } from './control-rows.ts'
import type { Lake } from './lake.ts'
import type { Phase } from './run-measurements.ts'

const POINTER_TRIES = 5

/** Manifests of all published snapshots, oldest first. */
export async function publishedManifests(lake: Lake): Promise<Manifest[]> {
  const rows = await lake.database.prisma.lakeSnapshot.findMany({
    where: { state: 'published' },
    orderBy: { sequence: 'asc' },
    select: { manifest: true },
  })
  return rows.flatMap((row) => (row.manifest === null ? [] : [parseManifest(row.manifest)]))
}

/**
 * Steps 7 and 8 of the protocol: catalogue, views, pointer. May be repeated until it succeeds; until then the views show the
 * snapshot before.
 */
export async function publish(
  lake: Lake,
  rows: ControlRows,
  body: string,
  enter: (phase: Phase) => Promise<void>,
): Promise<void> {
  const manifest = parseManifest(body)
  await enter('catalogue')
  await lake.publisher.register(manifest, { crawling: () => enter('crawl') })
  await enter('views')
  const live = [...(await publishedManifests(lake)), manifest].sort((a, b) => a.sequence - b.sequence)
  // The views are everybody's: a process that was taken for dead must not move them back.
  await rows.update({ state: 'committed' })
  await lake.publisher.publishViews(live.map(publishedSnapshot))
  await movePointer(lake, {
    manifest_version: 1,
    snapshot_id: manifest.snapshot_id,
    sequence: manifest.sequence,
    manifest_sha256: sha256Hex(body),
  })
  await rows.update({ state: 'published', publishedAt: new Date(), endedAt: new Date(), problem: null })
}

/** `CURRENT.json` only ever moves to a higher sequence; a lost race is read again. */
async function movePointer(lake: Lake, next: Current): Promise<void> {
  const body = canonicalJson(next)
  for (let tries = 0; tries < POINTER_TRIES; tries++) {
    const stored = await lake.bucket.getText(CURRENT_KEY)
    if (stored && parseCurrent(stored.text).sequence >= next.sequence) return
    if (await lake.bucket.putText(CURRENT_KEY, body, stored ? { etag: stored.etag } : '*')) return
  }
  throw new LakeProblem('pointer_conflict', `${CURRENT_KEY} was replaced by somebody else ${POINTER_TRIES} times`, {
    key: CURRENT_KEY,
  })
}
