import {
  BatchCreatePartitionCommand,
  BatchDeletePartitionCommand,
  GetPartitionCommand,
  GetPartitionsCommand,
  type GlueClient,
  type Partition,
  type PartitionError,
  UpdatePartitionCommand,
} from '@aws-sdk/client-glue'
import { awsErrorName } from '../aws-calls.ts'
import { LakeProblem } from '../lake-problem.ts'
import { isTransient, type RetryOptions, retrying } from '../retries.ts'
import { byTable, type PartitionFacts, partitionInput, sameLocation } from './table-definition.ts'

/** Limits of the API: more entries are refused as a whole. */
const CREATES_PER_CALL = 100
const DELETES_PER_CALL = 25

/** An answer of 200 whose `Errors[]` is not empty has not done its work; what passes is tried again, entry by entry. */
class BatchEntryError extends Error {
  override readonly name = 'BatchEntryError'
}

const valuesOf = (partition: PartitionFacts) => [partition.snapshotDate, partition.snapshotId]
const keyOf = (values: readonly string[] | undefined) => (values ?? []).join('/')

function* chunks<T>(all: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size)
}

export async function findPartition(
  glue: GlueClient,
  database: string,
  table: string,
  values: readonly string[],
): Promise<Partition | undefined> {
  try {
    const command = new GetPartitionCommand({ DatabaseName: database, TableName: table, PartitionValues: [...values] })
    const { Partition: partition } = await retrying(() => glue.send(command))
    return partition
  } catch (error) {
    if (awsErrorName(error) === 'EntityNotFoundException') return undefined
    throw error
  }
}

/** All partitions of a table. */
export async function partitionsIn(glue: GlueClient, database: string, table: string): Promise<Partition[]> {
  const found: Partition[] = []
  let next: string | undefined
  do {
    const place = { DatabaseName: database, TableName: table }
    const command = new GetPartitionsCommand({ ...place, ...(next === undefined ? {} : { NextToken: next }) })
    const page = await retrying(() => glue.send(command))
    found.push(...(page.Partitions ?? []))
    next = page.NextToken
  } while (next !== undefined && next !== '')
  return found
}

const entryErrors = (errors: readonly PartitionError[] | undefined) =>
  new Map((errors ?? []).map((error) => [keyOf(error.PartitionValues), error.ErrorDetail?.ErrorCode ?? 'unknown']))

/**
 * Registers partitions of any tables. A partition that is there already with the same location is success, with another one it is
 * moved; every other entry of `Errors[]` is tried again. May be repeated.
 *
 * @throws LakeProblem `catalogue_failed` when an entry keeps failing.
 */
export async function registerPartitions(
  glue: GlueClient,
  database: string,
  partitions: readonly PartitionFacts[],
  retries: RetryOptions = {},
): Promise<void> {
  await inBatches(partitions, CREATES_PER_CALL, retries, (table, open) => createRound(glue, database, table, open))
}

/** Sends one batch and returns the entries that are not done, with the reason of each. */
async function createRound(
  glue: GlueClient,
  database: string,
  table: string,
  open: readonly PartitionFacts[],
): Promise<Map<PartitionFacts, string>> {
  const answer = await glue.send(
    new BatchCreatePartitionCommand({
      DatabaseName: database,
      TableName: table,
      PartitionInputList: open.map(partitionInput),
    }),
  )
  const errors = entryErrors(answer.Errors)
  const failed = new Map<PartitionFacts, string>()
  for (const partition of open) {
    const code = errors.get(keyOf(valuesOf(partition)))
    if (code === undefined) continue
    const exists = /^AlreadyExists/.test(code)
    if (exists && (await moveIfElsewhere(glue, database, partition))) continue
    failed.set(partition, code)
  }
  return failed
}

/** True when the existing partition has the right location, perhaps after this call; false when it is gone again. */
async function moveIfElsewhere(glue: GlueClient, database: string, partition: PartitionFacts): Promise<boolean> {
  const found = await findPartition(glue, database, partition.table, valuesOf(partition))
  if (found === undefined) return false
  if (sameLocation(found.StorageDescriptor?.Location, partition.location)) return true
  await glue.send(
    new UpdatePartitionCommand({
      DatabaseName: database,
      TableName: partition.table,
      PartitionValueList: valuesOf(partition),
      PartitionInput: partitionInput(partition),
    }),
  )
  return true
}

/** All tables at once, the entries of each one call after the other, at most `size` a call. */
async function inBatches(
  partitions: readonly PartitionFacts[],
  size: number,
  retries: RetryOptions,
  round: (table: string, open: readonly PartitionFacts[]) => Promise<Map<PartitionFacts, string>>,
): Promise<void> {
  const tables = [...byTable(partitions)].map(async ([table, all]) => {
    for (const chunk of chunks(all, size)) await inRounds(table, chunk, retries, (open) => round(table, open))
  })
  // Every table is brought as far as it comes; then the first failure is told.
  const failed = (await Promise.allSettled(tables)).find((each) => each.status === 'rejected')
  if (failed) throw failed.reason
}

/** Repeats rounds over what is still open until nothing is, or the budget of tries is used up. */
async function inRounds<T>(
  table: string,
  entries: readonly T[],
  retries: RetryOptions,
  round: (open: readonly T[]) => Promise<Map<T, string>>,
): Promise<void> {
  let open: readonly T[] = entries
  let codes: string[] = []
  try {
    await retrying(
      async () => {
        const failed = await round(open)
        open = [...failed.keys()]
        codes = [...new Set(failed.values())]
        if (open.length > 0) throw new BatchEntryError(codes.join(', '))
      },
      { ...retries, passes: (error) => error instanceof BatchEntryError || isTransient(error) },
    )
  } catch (error) {
    if (!(error instanceof BatchEntryError)) throw error
    const detail = `${open.length} of ${entries.length} partitions of ${table} failed again and again`
    throw new LakeProblem('catalogue_failed', `${detail}: ${codes.join(', ')}`, { table, codes }, error)
  }
}

/**
 * Removes partitions of one snapshot. One that is gone already is success; other entries of `Errors[]` are tried again.
 *
 * @throws LakeProblem `catalogue_failed` when an entry keeps failing.
 */
export async function unregisterPartitions(
  glue: GlueClient,
  database: string,
  partitions: readonly PartitionFacts[],
  retries: RetryOptions = {},
): Promise<void> {
  await inBatches(partitions, DELETES_PER_CALL, retries, (table, open) => deleteRound(glue, database, table, open))
}

async function deleteRound(
  glue: GlueClient,
  database: string,
  table: string,
  open: readonly PartitionFacts[],
): Promise<Map<PartitionFacts, string>> {
  let errors: Map<string, string>
  try {
    const answer = await glue.send(
      new BatchDeletePartitionCommand({
        DatabaseName: database,
        TableName: table,
        PartitionsToDelete: open.map((partition) => ({ Values: valuesOf(partition) })),
      }),
    )
    errors = entryErrors(answer.Errors)
  } catch (error) {
    // The whole table is gone, and its partitions with it.
    if (awsErrorName(error) === 'EntityNotFoundException') return new Map()
    throw error
  }
  const failed = open.flatMap((partition): [PartitionFacts, string][] => {
    const code = errors.get(keyOf(valuesOf(partition)))
    return code === undefined || /^EntityNotFound/.test(code) ? [] : [[partition, code]]
  })
  return new Map(failed)
}
