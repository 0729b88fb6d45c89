import pg from 'pg'
import type { Program } from './composition.ts'
import { ownSettings } from './environment.ts'

/** Beside the database of the service in the embedded Postgres. */
const DATABASE = 'rocketgames_warehouse'
/** sqlstate duplicate_database, and what a race of two makes of it. */
const ALREADY = new Set(['42P04', '23505'])
export const WAREHOUSE_PASSWORD = 'ROCKETGAMES_WAREHOUSE_PASSWORD'

export interface LocalWarehouse {
  readonly database: string
  readonly args: readonly string[]
  /** Holds the password. */
  readonly env: Readonly<Record<string, string>>
}

/** Whether the database of this program is the embedded one, in which a warehouse of its own costs nobody anything. */
export function hasEmbeddedPostgres({ workplace }: Program): boolean {
  return workplace.localDir !== undefined && ownSettings(process.env).DATABASE_URL === undefined
}

/** A database for the warehouse in the embedded Postgres, made at first use. */
export async function localWarehouse({ databaseUrl }: Program): Promise<LocalWarehouse> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE])
    if (rowCount === 0) {
      await client.query(`CREATE DATABASE ${DATABASE} TEMPLATE template0`).catch((error: { code?: string }) => {
        if (!ALREADY.has(error.code ?? '')) throw error
      })
    }
  } finally {
    await client.end()
  }
  const url = new URL(databaseUrl)
  return {
    database: DATABASE,
    args: [
      ...['--jdbc-url', `jdbc:postgresql://${url.host}/${DATABASE}`],
      ...['--user', decodeURIComponent(url.username), '--password-env', WAREHOUSE_PASSWORD],
    ],
    env: { [WAREHOUSE_PASSWORD]: decodeURIComponent(url.password) },
  }
}
