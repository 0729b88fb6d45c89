import type pg from 'pg'
import { LakeProblem } from '../lake-problem.ts'
import { backendPid, LOCK_TIMEOUT_MS, systemIdentifier } from './source.ts'

export interface PreflightOptions {
  readonly url: string
  /** A standby must let a transaction of this age live. */
  readonly maxAgeMs: number
}

/** Endpoints of Amazon that are known by their names; whatever hides behind another name is found by what it does. */
const RDS_PROXY = /\.proxy-[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com(\.cn)?$/i
const BALANCED = /\.cluster-(ro|custom)-[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com(\.cn)?$/i

/**
 * Refuses servers on which the snapshot would not be one instant of one database.
 *
 * @param clients every connection of the run so far; they must reach the same instance, each in a session of its own.
 * @returns which instance that is: readers that connect later compare.
 * @throws LakeProblem `rds_proxy`, `load_balanced_endpoint`, `pooler_in_transaction_mode`, `server_encoding` or `standby_not_ready`.
 */
export async function preflight(clients: readonly pg.Client[], options: PreflightOptions): Promise<string> {
  refuseByName(options.url)
  for (const client of clients) await assertOwnSession(client)
  await assertSessionsLast(clients)
  const instances = new Set<string>()
  for (const client of clients) instances.add(await instanceOf(client))
  if (instances.size > 1) throw balanced()
  const [first] = clients
  if (first) await assertServer(first, options.maxAgeMs)
  return [...instances][0] ?? ''
}

function refuseByName(url: string): void {
  const host = URL.canParse(url) ? new URL(url).hostname : ''
  if (RDS_PROXY.test(host)) {
    throw new LakeProblem(
      'rds_proxy',
      'The address is one of RDS Proxy, which may move a session to another connection; give the snapshot the address of the ' +
        'instance itself',
    )
  }
  if (BALANCED.test(host)) throw balanced()
}

function balanced(): LakeProblem {
  return new LakeProblem(
    'load_balanced_endpoint',
    'Two connections to the same address reach, or may reach, different database instances; an endpoint that balances between ' +
      'readers cannot serve a snapshot, give it the address of one instance',
  )
}

function pooled(): LakeProblem {
  return new LakeProblem(
    'pooler_in_transaction_mode',
    'The connection goes through a pooler or proxy, which may move it to another server process between transactions; ' +
      'give the snapshot the address of the database itself',
  )
}

/** Which server process group answers: two instances differ in at least one of these. */
export async function instanceOf(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ started: string; address: string }>(
    `SELECT pg_postmaster_start_time()::text AS started,
            coalesce(host(inet_server_addr()), 'local') || ':' || coalesce(inet_server_port()::text, '') AS address`,
  )
  return JSON.stringify({ ...rows[0], system: await systemIdentifier(client) })
}

/** A pooler answers the login itself, with a process id that it made up. @throws LakeProblem `pooler_in_transaction_mode`. */
export async function assertOwnSession(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ pid: number }>(
    `SELECT pg_backend_pid() AS pid, set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', false)`,
  )
  if (rows[0]?.pid !== backendPid(client)) throw pooled()
}

/**
 * What a session was told must still be there when others have been told something else, and again after transactions that overlapped: a
 * pooler that moves transactions gives them all to the same server process, or exchanges them.
 */
async function assertSessionsLast(clients: readonly pg.Client[]): Promise<void> {
  for (const [i, client] of clients.entries()) {
    await client.query(`SELECT set_config('rocketgames.connection', $1, false)`, [String(i)])
  }
  await assertRemembered(clients)
  for (const client of clients) await client.query('BEGIN')
  for (const client of clients) await client.query('ROLLBACK')
  await assertRemembered(clients)
}

async function assertRemembered(clients: readonly pg.Client[]): Promise<void> {
  for (const [i, client] of clients.entries()) {
    const { rows } = await client.query<{ pid: number; mine: string | null }>(
      `SELECT pg_backend_pid() AS pid, current_setting('rocketgames.connection', true) AS mine`,
    )
    if (rows[0]?.mine !== String(i) || rows[0].pid !== backendPid(client)) throw pooled()
  }
}

async function assertServer(client: pg.Client, maxAgeMs: number): Promise<void> {
  const { rows } = await client.query<{ encoding: string; standby: boolean; feedback: boolean; delayMs: number }>(
    `SELECT current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby,
            current_setting('hot_standby_feedback')::boolean AS feedback,
            (SELECT setting::float8 FROM pg_settings WHERE name = 'max_standby_streaming_delay') AS "delayMs"`,
  )
  const { delayMs, encoding, feedback, standby } = rows[0]!
  if (encoding !== 'UTF8') {
    throw new LakeProblem('server_encoding', `The database is encoded in ${encoding}; the lake reads UTF8 only`)
  }
  if (standby && !feedback && delayMs >= 0 && delayMs < maxAgeMs) {
    throw new LakeProblem(
      'standby_not_ready',
      `This standby cancels a transaction that is in the way of recovery after ${delayMs / 1000} s, and a snapshot may take ` +
        `${Math.round(maxAgeMs / 1000)} s; set hot_standby_feedback = on, or raise max_standby_streaming_delay to that time or -1`,
      { delayMs, maxAgeMs },
    )
  }
}
