import { ConstraintError } from '../../database/constraint-errors.ts'
import type { Database, RawStatement, Transaction } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import { refusals } from './refusals.ts'

/**
 * A change and its audit events, all or nothing: every write of a service goes through here or `writeRow`. What the database refuses arrives
 * as the problem that `refusals.ts` names; deferred rules speak at the commit, so only a catch around it hears them.
 *
 * The work may run again after a deadlock: no effects but those on the database.
 */
export async function write<T>(database: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
  try {
    return await database.transaction(work)
  } catch (error) {
    throw explained(error)
  }
}

/** A change that is one statement with its audit event, `withAudit`: all or nothing without a transaction around it. */
export async function writeRow<Row>(database: Database, statement: RawStatement): Promise<Row | undefined> {
  try {
    return (await database.query<Row>(statement))[0]
  } catch (error) {
    throw explained(error)
  }
}

/** A refusal of the database as the problem a caller can act on; any other error unchanged. */
export function explained(error: unknown): unknown {
  if (!(error instanceof ConstraintError) || error.constraint === undefined) return error
  return Object.hasOwn(refusals, error.constraint) ? refused(error.constraint, error) : error
}

/** The problem that a constraint of `refusals.ts` stands for, also for who sees without the database that it would speak. */
export function refused(constraint: keyof typeof refusals, cause?: unknown): AppError {
  const refusal = refusals[constraint]
  if (refusal === undefined) throw new Error(`no refusal is written down for ${constraint}`)
  const errors = refusal.pointer === undefined ? [] : [{ pointer: refusal.pointer, code: refusal.code }]
  return new AppError(refusal.code, refusal.detail, { errors, cause })
}
