import { isDeepStrictEqual } from 'node:util'
import type { WirePartition } from '../../ports.ts'
import { dropStatistics } from '../catalogue/partition-operations.ts'
import { partitionOf } from '../catalogue/table-input.ts'
import { nowSeconds } from '../request.ts'
import { partitionKey, type TableEntry } from '../store/catalogue-store.ts'
import type { Change } from '../store/keyed-log.ts'
import { type ApplyContext, DEPRECATED, parametersOf } from './change-policy.ts'
import { catalogueColumns, type DetectedPartition, type DetectedTable } from './detect-table.ts'
import { nextTurn, normalLocation } from './table-layout.ts'

/** Partitions looked at between two turns of other work, and written at once. */
const PARTITIONS_PER_TURN = 500

/** Adds, refreshes and retires the partitions of one table. Runs inside the database's turn. */
export async function applyPartitions(entry: TableEntry, found: DetectedTable, context: ApplyContext): Promise<void> {
  const name = entry.record.table.Name ?? ''
  let changed = 0
  for (let from = 0; from < found.partitions.length; from += PARTITIONS_PER_TURN) {
    const changes = presentChanges(entry, found.partitions.slice(from, from + PARTITIONS_PER_TURN), context)
    changed += changes.length
    await entry.partitions.write(changes)
    await nextTurn()
  }
  const seen = new Set([...found.partitions.map((one) => one.values), ...found.unreadable].map(partitionKey))
  const changes = vanished(entry, seen, found.location, context)
  await entry.partitions.write(changes)
  await dropStatistics(entry, changes)
  changed += changes.length
  if (changed > 0) context.log.info(`changed ${changed} partitions of ${context.database}.${name}`)
}

function presentChanges(
  entry: TableEntry,
  partitions: readonly DetectedPartition[],
  context: ApplyContext,
): Change<WirePartition>[] {
  const changes: Change<WirePartition>[] = []
  for (const partition of partitions) {
    const key = partitionKey(partition.values)
    const old = entry.partitions.get(key)
    if (old && !context.policy.mayUpdate) continue
    const next = partitionFor(entry, partition, old, context)
    if (old && isDeepStrictEqual(old, next)) continue
    changes.push([key, next])
    context.summary.partition(old ? 'UPDATE' : 'ADD', `${entry.record.table.Name} ${key}`)
  }
  return changes
}

function partitionFor(
  entry: TableEntry,
  found: DetectedPartition,
  old: WirePartition | undefined,
  { policy, database }: ApplyContext,
): WirePartition {
  const table = entry.record.table
  const base = old?.StorageDescriptor ?? table.StorageDescriptor
  const { [DEPRECATED]: _, ...parameters } = old?.Parameters ?? {}
  const statistics = parametersOf(found.statistics, policy)
  const inherited = policy.configuration.inheritFromTable
  return partitionOf(
    {
      Values: [...found.values],
      Parameters: { ...parameters, ...statistics },
      LastAccessTime: old?.LastAccessTime,
      LastAnalyzedTime: old?.LastAnalyzedTime,
      StorageDescriptor: {
        ...base,
        Columns: inherited ? table.StorageDescriptor?.Columns : catalogueColumns(found.columns),
        Location: old?.StorageDescriptor?.Location ?? found.location,
        Parameters: { ...old?.StorageDescriptor?.Parameters, ...statistics },
      },
    },
    {
      database,
      table: table.Name ?? '',
      keyCount: found.values.length,
      createdSeconds: old?.CreationTime ?? nowSeconds(),
    },
  )
}

/** Partitions below the table's folder for which there are no files any more. Others were put there by someone who knows. */
function vanished(
  entry: TableEntry,
  seen: ReadonlySet<string>,
  root: string,
  { policy, log, summary }: ApplyContext,
): Change<WirePartition>[] {
  if (policy.deleteBehavior === 'IGNORE') return []
  const name = entry.record.table.Name ?? ''
  const changes: Change<WirePartition>[] = []
  for (const key of entry.partitions.keys()) {
    const partition = entry.partitions.get(key)
    if (seen.has(key) || !partition) continue
    if (!normalLocation(partition.StorageDescriptor?.Location)?.startsWith(root)) continue
    if (policy.deleteBehavior === 'LOG') {
      log.info(`partition ${key} of ${name} has no files any more`)
    } else if (policy.deleteBehavior === 'DELETE_FROM_DATABASE') {
      changes.push([key, null])
      summary.partition('DELETE', `${name} ${key}`)
    } else if (partition.Parameters?.[DEPRECATED] === undefined) {
      changes.push([key, { ...partition, Parameters: { ...partition.Parameters, [DEPRECATED]: String(Date.now()) } }])
      summary.partition('UPDATE', `${name} ${key}`)
    }
  }
  return changes
}
