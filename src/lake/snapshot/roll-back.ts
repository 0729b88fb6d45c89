import { LakeProblem } from '../lake-problem.ts'
import { parseManifest } from '../manifest.ts'
import { manifestKey, partitionPrefix } from '../object-keys.ts'
import type { ControlRows } from './control-rows.ts'
import type { Lake } from './lake.ts'
import { endSparkJob, unloadObjects } from './spark-left.ts'
import { problemOf } from './stored-problem.ts'

/** In the problem of a snapshot that has not failed yet: somebody has begun to remove it, and whoever finds it goes on with that. */
const DECIDED = 'rollingBack'

/** Has somebody decided that nothing of this snapshot may stay? */
export function isRollingBack(problem: unknown): boolean {
  return problem !== null && typeof problem === 'object' && DECIDED in problem
}

/**
 * Leaves nothing of a snapshot that was never committed, then calls it `failed`.
 *
 * The decision is written first, under the fence. From then on no process commits the snapshot any more, so that an abort or a deletion of
 * ours that arrives late, when somebody else has taken over, can only do what he does as well. Uploads end before objects are
 * deleted, or a late call could complete one after that.
 *
 * A manifest that appears after the decision is a dead process's late call, and goes with the rest; partitions are those of a crawl that
 * somebody started while the objects were there.
 *
 * @param error why: an error, or the problem that its row tells already.
 * @param endOwnUploads stops what this process is sending; after the decision.
 * @throws LakeProblem `manifest_conflict` when the manifest exists: then the snapshot is committed.
 */
export async function rollBack(
  lake: Lake,
  rows: ControlRows,
  error: unknown,
  phase: string,
  endOwnUploads?: () => Promise<unknown>,
): Promise<void> {
  const { [DECIDED]: decided, ...problem }: StoredProblem = isStored(error) ? error : problemOf(error, phase)
  if (!decided) {
    // Should S3 be away now, recovery still knows why.
    await rows.update({ problem })
    await refuseCommitted(lake, rows)
    await rows.update({ problem: { ...problem, [DECIDED]: true } })
  }
  await endOwnUploads?.()
  await removeAll(lake, rows)
  if (phase === 'committing') await unregister(lake, rows.snapshotId)
  await rows.update({ state: 'failed', endedAt: new Date(), problem })
}

interface StoredProblem {
  readonly [DECIDED]?: unknown
  readonly code: string
}

/** Is it the problem of a row, and no error? */
function isStored(problem: unknown): problem is StoredProblem {
  return typeof problem === 'object' && problem !== null && !(problem instanceof Error) && 'code' in problem
}

async function refuseCommitted(lake: Lake, { snapshotId }: ControlRows): Promise<void> {
  const key = manifestKey(snapshotId)
  if ((await lake.bucket.getText(key)) === undefined) return
  throw new LakeProblem('manifest_conflict', `${key} exists, so its snapshot is committed and not rolled back`, { key })
}

async function removeAll(lake: Lake, rows: ControlRows): Promise<void> {
  const { multipart } = lake.bucket
  await endSparkJob(lake, rows.snapshotId)
  const tables = new Set(lake.contracts.map((contract) => contract.name))
  for (const upload of await rows.uploads()) {
    // Of a contract that has changed since.
    tables.add(upload.table)
    if (upload.state === 'aborted') continue
    await multipart.abort(upload.key, upload.uploadId)
    await rows.markUpload(upload.key, 'aborted')
  }
  for (const table of tables) {
    const prefix = partitionPrefix(table, rows.snapshotId)
    // An upload whose id was not stored yet when the process died.
    for await (const upload of multipart.pending(prefix)) await multipart.abort(upload.key, upload.uploadId)
    await lake.bucket.delete(await objectsOf(lake, rows.snapshotId, table))
  }
  await lake.bucket.delete(await unloadObjects(lake, rows.snapshotId))
  await removeManifest(lake, rows.snapshotId)
}

/** Not while a crawl is under way: it may have seen the objects, and registers what it saw at its end. */
async function unregister({ database, publisher, settings }: Lake, id: string): Promise<void> {
  const { manifest } = await database.prisma.lakeSnapshot.findUniqueOrThrow({ where: { id } })
  if (manifest === null) return
  await publisher.crawlerReady(new Date(Date.now() + settings.crawlerWaitMs))
  await publisher.unregister(parseManifest(manifest))
}

/** @returns its key when there was one. */
async function removeManifest(lake: Lake, snapshotId: string): Promise<string[]> {
  const key = manifestKey(snapshotId)
  if ((await lake.bucket.getText(key)) === undefined) return []
  await lake.bucket.delete([key])
  return [key]
}

/** What lies in a snapshot's folder of one table. */
async function objectsOf(lake: Lake, snapshotId: string, table: string): Promise<string[]> {
  const keys: string[] = []
  for await (const object of lake.bucket.objects(partitionPrefix(table, snapshotId))) keys.push(object.key)
  return keys
}

/** How long after its failure a call of a snapshot's process may arrive: its signature is good for 15 minutes, an upload for two days. */
const LATE_MS = 2 * 24 * 3_600_000

/**
 * The net below `rollBack`: objects of failed snapshots that became visible after their removal, a manifest likewise, and the report
 * of a Spark job that went on for a while. No view shows them; a partition names them if somebody started the crawler since. @returns the keys that were deleted.
 */
export async function sweepFailed(lake: Lake): Promise<string[]> {
  const failed = await lake.database.prisma.lakeSnapshot.findMany({
    where: { state: 'failed', startedAt: { not: null }, endedAt: { gt: new Date(Date.now() - LATE_MS) } },
    orderBy: { sequence: 'desc' },
    select: { id: true },
    take: 100,
  })
  const removed: string[] = []
  for (const { id } of failed) {
    const late = (await Promise.all(lake.contracts.map(({ name }) => objectsOf(lake, id, name)))).flat()
    if (late.length > 0) await unregister(lake, id)
    await lake.bucket.delete(late)
    const unload = await unloadObjects(lake, id)
    await lake.bucket.delete(unload)
    removed.push(...late, ...unload)
    removed.push(...(await removeManifest(lake, id)))
  }
  return removed
}
