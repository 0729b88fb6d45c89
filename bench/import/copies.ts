import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'

/** Everything that the import of a player writes, parents first. */
const TABLES = ['player', 'player_identity', 'audit_event']

/** The same tables without rules and indexes: what is left is writing the rows down. */
export async function makeBare(url: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query('CREATE SCHEMA bare')
    for (const table of TABLES)
      await client.query(`CREATE TABLE bare.${table} AS SELECT * FROM public.${table} LIMIT 0`)
  } finally {
    await client.end()
  }
}

/**
 * The rows from one database into the other, table by table, each through a pipe: nothing is held. Gives what is to be done when
 * the clock has stopped: a connection that ends takes its account of CPU time with it for a while.
 */
export async function copyRows(
  fromUrl: string,
  toUrl: string,
  schema: 'public' | 'bare',
): Promise<() => Promise<void>> {
  const [source, sink] = [new pg.Client(fromUrl), new pg.Client(toUrl)]
  await Promise.all([source.connect(), sink.connect()])
  for (const table of TABLES) {
    const reader = source.query(copyTo(`COPY ${table} TO STDOUT (FORMAT binary)`))
    await pipeline(reader, sink.query(copyFrom(`COPY ${schema}.${table} FROM STDIN (FORMAT binary)`)))
  }
  return async () => void (await Promise.all([source.end(), sink.end()]))
}
