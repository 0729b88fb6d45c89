import { AppError, describe } from '../../errors.ts'
import { LakeProblem, type LakeProblemCode } from '../lake-problem.ts'

/** Stored form of what ended or stopped a snapshot. */
export function problemOf(error: unknown, phase: string): { code: string; message: string; phase: string } {
  const known = error instanceof LakeProblem
  return {
    ...(known ? definedFacts(error.facts) : {}),
    code: known ? error.code : otherCode(error),
    message: describe(error),
    phase,
  }
}

/** Of control rows: the database says that it cannot be asked now. */
function otherCode(error: unknown): LakeProblemCode | 'internal' {
  return error instanceof AppError && error.code === 'unavailable' ? 'connection_lost' : 'internal'
}

function definedFacts(facts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
}
