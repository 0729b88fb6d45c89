import type { GlueClient } from '@aws-sdk/client-glue'
import { type Drift, partitionDrift } from './drift.ts'
import { partitionsIn } from './partitions.ts'
import type { PartitionFacts } from './table-definition.ts'

/** Differences by which queries read something else than the snapshot, without an error. */
const WRONG: ReadonlySet<Drift['code']> = new Set(['type_drift', 'partition_location'])

/** Read only: how all partitions of a table differ from those that there should be. */
export async function partitionsDrift(
  glue: GlueClient,
  database: string,
  table: string,
  expected: readonly PartitionFacts[],
): Promise<Drift[]> {
  const found = await partitionsIn(glue, database, table)
  const byId = new Map(found.map((partition) => [partition.Values?.join('/') ?? '', partition]))
  const drifts: Drift[] = []
  for (const partition of expected) {
    const key = `${partition.snapshotDate}/${partition.snapshotId}`
    drifts.push(...partitionDrift(partition, byId.get(key)))
    byId.delete(key)
  }
  const extra = [...byId.values()].map(
    ({ Values }): Drift => ({
      code: 'extra_partition',
      subject: `${table}/${Values?.[1] ?? Values?.[0] ?? ''}`,
      detail: 'a partition that no live snapshot explains',
    }),
  )
  return [...drifts, ...extra]
}

/**
 * Read only: partitions that answer wrongly. One that is not there is none of them: were its files gone as well, nothing could ever be
 * published again; `verify` tells it.
 */
export async function wrongPartitions(
  glue: GlueClient,
  database: string,
  expected: ReadonlyMap<string, readonly PartitionFacts[]>,
): Promise<Drift[]> {
  const drifts = await Promise.all([...expected].map((each) => partitionsDrift(glue, database, ...each)))
  return drifts.flat().filter(({ code }) => WRONG.has(code))
}
