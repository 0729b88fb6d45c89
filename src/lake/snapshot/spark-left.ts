import { describe } from '../../errors.ts'
import { unloadPrefix } from '../object-keys.ts'
import type { Lake } from './lake.ts'

/** Plan and report of a snapshot's Spark job, where they are there. */
export async function unloadObjects({ bucket }: Lake, snapshotId: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of bucket.objects(unloadPrefix(snapshotId))) keys.push(key)
  return keys
}

/**
 * Ends the Spark job of a snapshot that is given up, where there was one. A job that cannot be ended does no harm: it sees a
 * database snapshot that is gone and sends parts to uploads that are.
 */
export async function endSparkJob(lake: Lake, snapshotId: string): Promise<void> {
  const { logger, sparkJob } = lake
  if (sparkJob === undefined || (await unloadObjects(lake, snapshotId)).length === 0) return
  try {
    await sparkJob.endLeft(snapshotId)
  } catch (error) {
    logger.warn({ snapshotId, reason: describe(error) }, 'the Spark job of a snapshot that is given up may still run')
  }
}
