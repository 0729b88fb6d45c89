import pg from 'pg'
import { contracts, type TableContract } from '../../../src/lake/contract.ts'

/** Longer than any test: whoever falls into the trap is freed by what the test does. */
const HELD_SECONDS = 120

/** A place in the middle of a table where each COPY stops that comes by. */
export interface CopyTrap {
  /** Contracts with which a snapshot falls into the trap. */
  readonly contracts: readonly TableContract[]
  /** Process ids of the COPYs that are in the trap, once `count` are; `others` do not count. */
  caught(count?: number, others?: readonly number[]): Promise<number[]>
  /** Whoever comes from now on passes. */
  open(): Promise<void>
  close(): Promise<void>
}

/**
 * Stops the COPY of `studio` at the rows with these numbers of `seedNoise`. The state of the trap is a sequence: unlike a table it is seen
 * as it is now, whatever snapshot a transaction has.
 *
 * @param readUrl where the snapshot reads, if that is a standby.
 */
export async function setCopyTrap(url: string, rows: readonly number[], readUrl = url): Promise<CopyTrap> {
  const client = await connected(url)
  const watcher = await connected(readUrl)
  await client.query(`CREATE SEQUENCE trap; SELECT setval('trap', 1)`)
  const slugs = rows.map((row) => `'noise-${row}'`).join(', ')
  const sql = `CASE WHEN slug IN (${slugs}) AND (SELECT last_value FROM trap) = 1
    THEN name || pg_sleep(${HELD_SECONDS})::text ELSE name END`
  return {
    contracts: withStudioName(sql),
    async caught(count = 1, others = []) {
      for (;;) {
        const { rows: found } = await watcher.query<{ pid: number }>(
          `SELECT pid FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event = 'PgSleep' AND query LIKE 'COPY%' AND pid <> ALL ($1::int[])
            ORDER BY query`,
          [others],
        )
        if (found.length >= count) return found.map(({ pid }) => pid)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    async open() {
      await client.query(`SELECT setval('trap', 2)`)
    },
    async close() {
      await watcher.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event = 'PgSleep'`,
      )
      await Promise.all([client.end(), watcher.end()])
    },
  }
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** The contracts, with another expression for the name of a studio. */
export function withStudioName(sql: string): readonly TableContract[] {
  return contracts.map((contract) => ({
    ...contract,
    columns: contract.columns.map((column) =>
      contract.table === 'studio' && column.source === 'name' ? { ...column, sql } : column,
    ),
  }))
}
