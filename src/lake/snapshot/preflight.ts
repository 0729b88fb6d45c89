import type pg from 'pg'
import { LakeProblem } from '../lake-problem.ts'
import { systemIdentifier } from './source.ts'

interface Instance {
  readonly started: string
  readonly address: string
  readonly system: string | null
}

async function instance(client: pg.Client): Promise<Instance> {
  const { rows } = await client.query<{ started: string; address: string }>(
    `SELECT pg_postmaster_start_time()::text AS started,
            coalesce(host(inet_server_addr()), 'local') || ':' || coalesce(inet_server_port()::text, '') AS address`,
  )
  return { started: rows[0]?.started ?? '', address: rows[0]?.address ?? '', system: await systemIdentifier(client) }
}

/**
 * Refuses servers on which the snapshot would not be one instant of one database.
 *
 * @param clients every connection of the run; they must reach the same instance, or an endpoint balances between several.
 * @throws LakeProblem `server_encoding`, `pooler_in_transaction_mode` or `load_balanced_endpoint`.
 */
export async function preflight(clients: readonly pg.Client[]): Promise<void> {
  const instances = new Set<string>()
  for (const client of clients) {
    const { rows } = await client.query<{ pid: number; encoding: string }>(
      `SELECT pg_backend_pid() AS pid, current_setting('server_encoding') AS encoding`,
    )
    const { pid, encoding } = rows[0]!
    if (encoding !== 'UTF8') {
      throw new LakeProblem('server_encoding', `The database is encoded in ${encoding}; the lake reads UTF8 only`)
    }
    // A pooler answers the login itself, with a process id that it made up.
    if (pid !== (client as pg.Client & { processID: number }).processID) {
      throw new LakeProblem(
        'pooler_in_transaction_mode',
        'The connection goes through a pooler or proxy, which may move it to another server process between transactions; ' +
          'give the snapshot the address of the database itself',
      )
    }
    instances.add(JSON.stringify(await instance(client)))
  }
  if (instances.size > 1) {
    throw new LakeProblem(
      'load_balanced_endpoint',
      'Two connections to the same address reached different database instances; an endpoint that balances between ' +
        'readers cannot serve a snapshot, give it the address of one instance',
    )
  }
}
