import type { Database, RawClient } from '../../database/database.ts'
import { despiteLoss } from '../../database/fate.ts'
import type { Claim, RepeatableRequest, StoredAnswer } from './stored-answer.ts'

/**
 * The table `idempotency_key`. A row is in one of three states:
 *
 * - leased: `locked_until` lies ahead, somebody acts;
 * - free: `locked_until` has passed (its holder died) or is the epoch (the request failed, nothing happened);
 * - finished: `locked_until` is NULL, the answer is there.
 *
 * A failed request leaves its row until it expires: what its repeats do outside the database has to stay recognisable.
 */

const KEPT = '24 hours'

/** What a request finds under its key. The body of a stored answer is sealed. */
export type Found =
  | { readonly state: 'claimed'; readonly claim: Claim }
  /** `lockedUntil` is the fence of whoever acts; undefined when that could not be seen. */
  | { readonly state: 'running'; readonly lockedUntil: Date | undefined }
  | { readonly state: 'finished'; readonly answer: StoredAnswer }
  | { readonly state: 'mismatch' }

interface Row {
  readonly claimed: boolean
  readonly fingerprint: Buffer
  readonly locked_until: Date | null
  readonly created_at: Date
  readonly response_status: number | null
  readonly response_headers: Record<string, string> | null
  readonly response_body: Buffer | null
}

/** Rows that may be taken. An expired one counts as absent; a dead holder's lease passes to the same request only. */
const FREE = `k.expires_at <= now() OR k.locked_until = 'epoch' OR (k.locked_until <= now() AND k.fingerprint = $3)`

/**
 * One statement, named so that each connection plans it once, and so one short transaction. It is not waited for on the disk: a
 * crash of the server, which could lose it, ends every holder as well. It waits hardly longer than a commit takes: whoever holds
 * the row is about to end, or hangs, and every repeat would hold a connection, too.
 *
 * The INSERT judges the row as it is now, the last SELECT as it was when the statement began: where they disagree there is no row.
 */
const CLAIM = `
  WITH claimed AS (
    INSERT INTO idempotency_key AS k (caller_id, key, fingerprint, locked_until, expires_at)
    SELECT $1, $2, $3, now() + $4 * interval '1 millisecond', now() + interval '${KEPT}'
    FROM set_config('synchronous_commit', 'off', true) AS durability, set_config('lock_timeout', '1s', true) AS patience
    ON CONFLICT (caller_id, key) DO UPDATE
      SET fingerprint = excluded.fingerprint, locked_until = excluded.locked_until, expires_at = excluded.expires_at,
          created_at = CASE WHEN k.expires_at <= now() THEN excluded.created_at ELSE k.created_at END,
          response_status = NULL, response_headers = NULL, response_body = NULL
      WHERE ${FREE}
    RETURNING k.*)
  SELECT true AS claimed, fingerprint, locked_until, created_at, response_status, response_headers, response_body
  FROM claimed
  UNION ALL
  SELECT false, fingerprint, locked_until, created_at, response_status, response_headers, response_body
  FROM idempotency_key AS k
  WHERE caller_id = $1 AND key = $2 AND (${FREE}) IS NOT TRUE AND NOT EXISTS (SELECT FROM claimed)`

/** Takes the key, or says why not. Undefined: somebody changed the row in this moment; ask again. */
export async function claimKey(
  database: Database,
  request: RepeatableRequest,
  leaseMs: number,
): Promise<Found | undefined> {
  const { callerId, key, fingerprint } = request
  const values = [callerId, key, fingerprint, leaseMs]
  const found = await despiteLoss(() =>
    database.withClient((client) =>
      client.query<Row>({ name: 'idempotency_claim', text: CLAIM, values }).catch(undefinedIfHeld),
    ),
  )
  if (found === undefined) return { state: 'running', lockedUntil: undefined }
  const [row] = found.rows
  if (row === undefined) return undefined
  if (row.claimed && row.locked_until) {
    return { state: 'claimed', claim: { ...request, lockedUntil: row.locked_until, firstSeenAt: row.created_at } }
  }
  if (!row.fingerprint.equals(fingerprint)) return { state: 'mismatch' }
  if (row.response_status === null) return { state: 'running', lockedUntil: row.locked_until ?? undefined }
  const answer = { status: row.response_status, headers: row.response_headers ?? {}, body: row.response_body }
  return { state: 'finished', answer }
}

/** `lock_not_available`: the statement waited for as long as it may. */
function undefinedIfHeld(error: unknown): undefined {
  if ((error as { readonly code?: unknown }).code !== '55P03') throw error
}

const RENEW = `
  UPDATE idempotency_key SET locked_until = now() + $4 * interval '1 millisecond'
  WHERE caller_id = $1 AND key = $2 AND locked_until = $3
  RETURNING locked_until`

/** Makes the lease longer. Undefined: the claim is no longer the holder's. */
export async function renewClaim(database: Database, claim: Claim, leaseMs: number): Promise<Claim | undefined> {
  const { callerId, key, lockedUntil } = claim
  const values = [callerId, key, lockedUntil, leaseMs]
  const [row] = await database.query<{ locked_until: Date }>({ name: 'idempotency_renew', text: RENEW, values })
  return row === undefined ? undefined : { ...claim, lockedUntil: row.locked_until }
}

const FINISH = `
  UPDATE idempotency_key
  SET locked_until = NULL, response_status = $4, response_headers = $5, response_body = $6,
      expires_at = now() + interval '${KEPT}'
  WHERE caller_id = $1 AND key = $2 AND locked_until = $3`

/** Stores the answer, on the connection of the change. False: the claim is no longer the holder's. */
export async function finishKey(client: RawClient, claim: Claim, answer: StoredAnswer): Promise<boolean> {
  const { callerId, key, lockedUntil } = claim
  const values = [callerId, key, lockedUntil, answer.status, answer.headers, answer.body]
  const { rowCount } = await client.query({ name: 'idempotency_finish', text: FINISH, values })
  return rowCount === 1
}

/** Frees the key after a failure. Does nothing when the claim is no longer the holder's, or the answer is stored after all. */
export async function releaseKey(database: Database, { callerId, key, lockedUntil }: Claim): Promise<void> {
  await database.prisma.$executeRaw`
    UPDATE idempotency_key SET locked_until = 'epoch'
    WHERE caller_id = ${callerId} AND key = ${key} AND locked_until = ${lockedUntil}::timestamptz`
}

/** Removes rows that have expired, at most `limit`, and none that another process removes at the moment. Returns how many. */
export function purgeKeys(database: Database, limit: number): Promise<number> {
  return database.prisma.$executeRaw`
    DELETE FROM idempotency_key WHERE (caller_id, key) IN (
      SELECT caller_id, key FROM idempotency_key WHERE expires_at <= now()
      ORDER BY expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)`
}
