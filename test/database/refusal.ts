import type pg from 'pg'
import { expect } from 'vitest'
import { ConstraintError, databaseError } from '../../src/database/constraint-errors.ts'
import type { ConstraintName } from '../../src/database/constraints.ts'

/** What a refusal is expected to say: the name of the rule, or the facts of an error that has none. */
export type Expected = ConstraintName | { readonly kind: string; readonly table?: string; readonly columns?: string[] }

/**
 * Runs the work in a transaction of its own and expects that the database refuses it, at the statement or at the commit. Nothing
 * of the work remains.
 */
export async function expectRefused(
  client: pg.ClientBase,
  expected: Expected,
  work: () => Promise<unknown>,
): Promise<ConstraintError> {
  await client.query('BEGIN')
  let refusal: unknown
  try {
    await work()
    await client.query('SET CONSTRAINTS ALL IMMEDIATE')
  } catch (error) {
    refusal = databaseError(error)
  } finally {
    await client.query('ROLLBACK')
  }
  expect(refusal, 'the database let it pass').toBeInstanceOf(ConstraintError)
  expect(refusal).toMatchObject(typeof expected === 'string' ? { constraint: expected } : expected)
  return refusal as ConstraintError
}
