import { ConstraintError, databaseError, WriteConflict } from '../../database/constraint-errors.ts'
import type { Database, RawClient } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import { explained } from '../writing/write-service.ts'
import { type BulkFacts, type BulkItem, failed, type Outcome } from './bulk-item.ts'

/** Brings the lines of one resource in, set by set, and says of each what became of it. */
export type ApplyBatch<Line> = (
  client: RawClient,
  items: readonly BulkItem<Line>[],
  facts: BulkFacts,
) => Promise<Outcome[]>

const ATTEMPTS = 5

export interface BatchRules {
  /** Apply only what stands before the first bad line; its outcome is then the last. Default false. */
  readonly stopAtError?: boolean
  /**
   * `good`, the default: the good lines stay. `whole`: all of them or, if one is bad, none. `none`: all is undone; the outcomes
   * are what they would have been.
   */
  readonly keep?: 'good' | 'whole' | 'none'
}

/**
 * Applies a batch in one transaction. Lines that break a rule which only the database sees are found by halving: each part has
 * a savepoint, so k bad lines of n cost about k log n parts and everything else goes in.
 *
 * @param facts `now` is the database's clock unless the data plays in a time of its own
 * @throws AppError `unavailable`; nothing of the batch is in then
 */
export async function applyBatch<Line>(
  database: Database,
  apply: ApplyBatch<Line>,
  items: readonly BulkItem<Line>[],
  facts: Omit<BulkFacts, 'now'> & { readonly now?: Date | undefined },
  { stopAtError = false, keep = 'good' }: BatchRules = {},
): Promise<Outcome[]> {
  if (items.length === 0) return []
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.rawTransaction(async (client) => {
        const clock = await begin(client)
        const lineOfRow = new Map<string, number>()
        const firstLineOf = (rowId: string) => facts.firstLineOf(rowId) ?? lineOfRow.get(rowId)
        const dated = { ...facts, now: facts.now ?? clock, firstLineOf }
        const whole: Part<Line> = { client, apply, facts: dated, lineOfRow }
        if (keep !== 'good') await client.query('SAVEPOINT batch')
        const outcomes = await (stopAtError ? upToFirstError(whole, items) : applyPart(whole, items))
        const isUndone = keep === 'none' || (keep === 'whole' && outcomes.some(({ status }) => status === 'error'))
        if (isUndone) await client.query('ROLLBACK TO SAVEPOINT batch')
        return outcomes
      })
    } catch (error) {
      if (!(error instanceof WriteConflict) || attempt >= ATTEMPTS) throw error
    }
  }
}

interface Part<Line> {
  readonly client: RawClient
  readonly apply: ApplyBatch<Line>
  readonly facts: BulkFacts
  /** What the parts before this one were about: a later part finds their rows in the table, and must not take them for old. */
  readonly lineOfRow: Map<string, number>
}

/** Look-ups go by key, whatever a table's statistics said when its plan was made: a load makes a small table large. */
async function begin(client: RawClient): Promise<Date> {
  const { rows } = await client.query<{ now: Date }>(
    "SELECT now()::timestamptz(3) AS now, set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)",
  )
  const [row] = rows
  if (row === undefined) throw new Error('the database did not tell the time')
  return row.now
}

async function applyPart<Line>(part: Part<Line>, items: readonly BulkItem<Line>[]): Promise<Outcome[]> {
  const { client, apply, facts, lineOfRow } = part
  await client.query('SAVEPOINT part')
  try {
    const outcomes = await apply(client, items, facts)
    // Deferred rules speak here, while the part can still be undone.
    await client.query('SET CONSTRAINTS ALL IMMEDIATE; RELEASE SAVEPOINT part; SET CONSTRAINTS ALL DEFERRED')
    outcomes.forEach((outcome, index) => {
      if (outcome.status !== 'error') lineOfRow.set(outcome.id, (items[index] as BulkItem<Line>).number)
    })
    return outcomes
  } catch (error) {
    const refusal = refusalOf(error)
    await client.query('ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part')
    if (items.length === 1) return [failed(refusal)]
  }
  const half = Math.ceil(items.length / 2)
  const first = await applyPart(part, items.slice(0, half))
  return [...first, ...(await applyPart(part, items.slice(half)))]
}

async function upToFirstError<Line>(part: Part<Line>, items: readonly BulkItem<Line>[]): Promise<Outcome[]> {
  await part.client.query('SAVEPOINT start')
  const outcomes = await applyPart(part, items)
  const bad = outcomes.findIndex(({ status }) => status === 'error')
  if (bad < 0) return outcomes
  await part.client.query('ROLLBACK TO SAVEPOINT start')
  const before = await upToFirstError(part, items.slice(0, bad))
  return before.length < bad ? before : [...before, outcomes[bad] as Outcome]
}

/** @throws the error, when it is not about a line */
function refusalOf(thrown: unknown): AppError {
  const error = explained(databaseError(thrown))
  if (error instanceof AppError && error.code !== 'unavailable') return inLine(error)
  if (!(error instanceof ConstraintError)) throw error
  return new AppError('internal', 'The line could not be written because of a defect in the service', { cause: error })
}

/** Rules of rows that stand in a list of their parent's line. */
const LISTS: Readonly<Record<string, string>> = { '/storeAppId': '/platforms', '/subject': '/identities' }

function inLine(error: AppError): AppError {
  const errors = error.errors.map((each) => ({ ...each, pointer: LISTS[each.pointer ?? ''] ?? each.pointer ?? '' }))
  return new AppError(error.code, error.message, { errors, extra: error.extra, cause: error.cause })
}
