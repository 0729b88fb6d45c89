import { describe } from '../../errors.ts'
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

export interface PublishOptions {
  readonly enter: (phase: Phase) => Promise<void>
  /** Ends waits and work between two calls; the snapshot stays `committed`. */
  readonly signal: AbortSignal
}

/**
 * Steps 7 and 8 of the protocol: catalogue, views, pointer. May be repeated until it succeeds; until then the views show the
 * snapshot before.
 */
export async function publish(
  lake: Lake,
  rows: ControlRows,
  body: string,
  { enter, signal }: PublishOptions,
): Promise<void> {
  const manifest = parseManifest(body)
  await enter('catalogue')
  // They stay the same meanwhile: whoever publishes or retires holds the lease.
  const others = await publishedManifests(lake)
  await lake.publisher.register(manifest, { crawling: () => enter('crawl'), live: others, signal })
  await unregisterRetiring(lake)
  await enter('views')
  const live = [...others, manifest].sort((a, b) => a.sequence - b.sequence)
  // The views are everybody's: a process that was taken for dead must not move them back.
  await rows.update({ state: 'committed' })
  await lake.publisher.publishViews(live.map(publishedSnapshot), signal)
  await movePointer(lake, {
    manifest_version: 1,
    snapshot_id: manifest.snapshot_id,
    sequence: manifest.sequence,
    manifest_sha256: sha256Hex(body),
  })
  await rows.update({ state: 'published', publishedAt: new Date(), endedAt: new Date(), problem: null })
}

/** A crawl registers every folder with files, so those of snapshots that wait for the end of their grace time as well. */
async function unregisterRetiring(lake: Lake): Promise<void> {
  const retiring = await lake.database.prisma.lakeSnapshot.findMany({
    where: { state: 'retiring', retiringAt: { not: null } },
    select: { manifest: true },
  })
  for (const { manifest } of retiring) await lake.publisher.unregister(parseManifest(manifest ?? ''))
}

/**
 * `CURRENT.json` only ever moves to a higher sequence; a lost race is read again. One that cannot be understood is replaced: the holder of
 * the lease publishes alone, and its views have moved already.
 */
async function movePointer(lake: Lake, next: Current): Promise<void> {
  const body = canonicalJson(next)
  for (let tries = 0; tries < POINTER_TRIES; tries++) {
    const stored = await lake.bucket.getText(CURRENT_KEY)
    const there = stored ? sequenceOf(lake, stored.text) : -1
    // A snapshot that recovery takes up after a restore of the database; the next run takes a number above the pointer's.
    if (there > next.sequence) lake.logger.warn({ key: CURRENT_KEY, sequence: there }, 'the pointer is ahead and stays')
    if (there >= next.sequence) return
    if (await lake.bucket.putText(CURRENT_KEY, body, stored ? { etag: stored.etag } : '*')) return
  }
  throw new LakeProblem('pointer_conflict', `${CURRENT_KEY} was replaced by somebody else ${POINTER_TRIES} times`, {
    key: CURRENT_KEY,
  })
}

function sequenceOf({ logger }: Lake, body: string): number {
  try {
    return parseCurrent(body).sequence
  } catch (error) {
    logger.warn({ key: CURRENT_KEY, reason: describe(error) }, 'a pointer that cannot be read is replaced')
    return -1
  }
}
