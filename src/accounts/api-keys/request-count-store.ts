import type { Database } from '../../database/database.ts'

/** What a key has used of a policy, and how long its window still lasts. */
interface KeyCount {
  readonly keyId: string
  readonly count: number
  readonly leftMs: number
}

const PURGE_EVERY_MS = 10 * 60_000

/**
 * A window that is over, or would last longer than windows do: its end was told by a clock that has been set back since, or by a release
 * whose windows were longer. Some seconds more are no reason: who waits for the row compares with the time at which he began to.
 */
const IS_OVER = `c.window_ends <= now() OR c.window_ends > now() + ($5 + 10000) * interval '1 millisecond'`

/**
 * The windows that are sent, added to those that are open. In the order of the keys, so that two processes never wait for each other
 * in a circle. By the database's clock: `leftMs` is a length, whatever time the asking process believes it is.
 */
const EXCHANGE = `
  INSERT INTO request_count AS c (key_id, policy, count, window_ends)
  SELECT key_id, $1, count, now() + left_ms * interval '1 millisecond'
  FROM unnest($2::text[], $3::int[], $4::float8[]) AS sent (key_id, count, left_ms) ORDER BY key_id
  ON CONFLICT (key_id, policy) DO UPDATE SET
    count = CASE WHEN ${IS_OVER} THEN excluded.count ELSE least(c.count::bigint + excluded.count, 2147483647)::int END,
    window_ends = CASE WHEN ${IS_OVER} THEN excluded.window_ends ELSE c.window_ends END
  RETURNING key_id AS "keyId", count, (extract(epoch FROM window_ends - clock_timestamp()) * 1000)::float8 AS "leftMs"`

/** Counts of requests in the database, for all processes of a deployment; `SharedCounts` of `http`. */
export class RequestCountStore {
  readonly #database: Database
  #purgedAt = Number.NEGATIVE_INFINITY

  constructor(database: Database) {
    this.#database = database
  }

  /** One statement. @throws AppError `unavailable` */
  async exchange(policy: string, sent: readonly KeyCount[], windowMs: number): Promise<readonly KeyCount[]> {
    const values = [
      policy,
      sent.map(({ keyId }) => keyId),
      sent.map(({ count }) => count),
      sent.map(({ leftMs }) => leftMs),
      windowMs,
    ]
    const told = await this.#database.query<KeyCount>({ name: 'exchange request counts', text: EXCHANGE, values })
    await this.#purge()
    return told
  }

  /** Keys that nobody uses any more leave a row each. Never rejects: what was told must not be lost by it, and its time comes again. */
  async #purge(): Promise<void> {
    const now = performance.now()
    if (now - this.#purgedAt < PURGE_EVERY_MS) return
    this.#purgedAt = now
    const text = "DELETE FROM request_count WHERE window_ends < now() - interval '1 hour'"
    await this.#database.query({ text }).catch(() => undefined)
  }
}
