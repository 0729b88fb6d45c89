import type { Database } from '../database/database.ts'
import type { Program } from './composition.ts'

/** True when no record of ours is there. */
export async function isEmpty({ prisma }: Database): Promise<boolean> {
  const [row] = await prisma.$queryRaw<{ empty: boolean }[]>`
    SELECT NOT EXISTS (SELECT FROM studio) AND NOT EXISTS (SELECT FROM player) AND NOT EXISTS (SELECT FROM studio_owner) AS empty`
  return row?.empty === true
}

export async function loadSample(_program: Program): Promise<Record<string, number>> {
  return {}
}
