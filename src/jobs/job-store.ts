import type { Context, Scope } from '../caller.ts'
import type { Database, RawClient } from '../database/database.ts'
import { readPage } from '../database/list-page.ts'
import { camelRow, type ListSource, selectList } from '../database/list-sql.ts'
import type { ListRequest, Page } from '../list.ts'
import { JOB_KEPT_DAYS, type Job, type JobInput, type JobKind, type JobProblem, type JobState } from './job.ts'
import { allowLargeDelete } from './job-file-store.ts'
import { jobList } from './job-list.ts'

/** Jobs in the database. Every change of a job that runs names the attempt that makes it: one that was overtaken changes nothing. */

const source: ListSource = { spec: jobList }
const columns = selectList(source)

/** Bigints arrive as text; the counts of a job are far below 2^53. */
function asJob(row: Readonly<Record<string, unknown>>): Job {
  const job = camelRow<Job & { readonly progressTotal: unknown }>(row)
  const { progressDone, progressTotal, errorLines } = job
  return {
    ...job,
    progressDone: Number(progressDone),
    progressTotal: progressTotal === null ? null : Number(progressTotal),
    errorLines: Number(errorLines),
  }
}

export interface NewJob {
  readonly id: string
  readonly kind: JobKind
  readonly input: JobInput
  readonly context: Context
}

export async function insertJob(client: RawClient, { id, kind, input, context }: NewJob): Promise<Job> {
  const { principal, requestId } = context
  const { rows } = await client.query(
    `INSERT INTO job AS t (id, kind, resource, caller_type, caller_id, caller_scopes, request_id, input)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING ${columns}`,
    [id, kind, input.resource, principal.type, principal.id, [...principal.scopes], requestId, JSON.stringify(input)],
  )
  return asJob(rows[0])
}

/** Jobs of a caller that have not ended. */
export async function countUnfinished(client: RawClient, callerId: string): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM job WHERE caller_id = $1 AND state IN ('queued', 'running')",
    [callerId],
  )
  return rows[0]?.n ?? 0
}

/** Jobs of everybody that nobody has begun, or that went back to the queue. */
export async function countQueued(database: Database): Promise<number> {
  const [row] = await database.query<{ n: number }>({
    text: "SELECT count(*)::int AS n FROM job WHERE state = 'queued'",
    values: [],
  })
  return row?.n ?? 0
}

export async function findJob(database: Database, id: string): Promise<Job | undefined> {
  const { rows } = await database.withClient((client) =>
    client.query(`SELECT ${columns} FROM job t WHERE t.id = $1`, [id]),
  )
  return rows[0] && asJob(rows[0])
}

/** What the caller of a job could read when it was submitted. */
export async function findReadScopes(database: Database, id: string): Promise<readonly Scope[]> {
  const { rows } = await database.withClient((client) =>
    client.query<{ scope: Scope }>(
      "SELECT s.scope FROM job, unnest(caller_scopes) AS s (scope) WHERE id = $1 AND s.scope ~ ':read(\\.|$)'",
      [id],
    ),
  )
  return rows.map(({ scope }) => scope)
}

/** @param callerId only the jobs of this caller; undefined: all */
export function listJobs(database: Database, request: ListRequest, callerId: string | undefined): Promise<Page<Job>> {
  const fixed = callerId === undefined ? [] : [{ column: 'caller_id', value: callerId, sqlType: 'text' }]
  return readPage(database.prisma, { ...source, fixed }, request, asJob)
}

/** What a worker needs to begin. */
export interface Attempt {
  readonly id: string
  readonly kind: JobKind
  readonly number: number
  readonly input: JobInput
  readonly context: Context
  /** Attempts so far whose process died. */
  readonly interruptions: number
  readonly cancelRequested: boolean
  /** The key that submitted the job was revoked or has expired: nothing is done in its name any more. */
  readonly keyEnded: boolean
}

interface AttemptRow {
  readonly kind: JobKind
  readonly attempt: number
  readonly input: JobInput
  readonly caller_type: 'api_key' | 'user' | 'system'
  readonly caller_id: string
  readonly caller_scopes: Scope[]
  readonly request_id: string
  readonly interruptions: number
  readonly cancel_requested: boolean
  readonly key_ended: boolean
}

/**
 * Takes a job over: from here on only this attempt counts, and what an earlier one left is gone.
 *
 * @returns undefined when the job has ended or is not there
 */
export async function beginAttempt(client: RawClient, id: string): Promise<Attempt | undefined> {
  const { rows } = await client.query<AttemptRow>(
    `UPDATE job SET attempt = attempt + 1, state = 'running', started_at = coalesce(started_at, now()),
       interruptions = interruptions + CASE state WHEN 'running' THEN 1 ELSE 0 END,
       progress_done = 0, progress_total = NULL, error_lines = 0
     WHERE id = $1 AND state IN ('queued', 'running')
     RETURNING kind, attempt, input, caller_type, caller_id, caller_scopes, request_id, interruptions,
       cancel_requested_at IS NOT NULL AS cancel_requested,
       caller_type = 'api_key' AND NOT EXISTS
         (SELECT 1 FROM api_key k WHERE k.id = caller_id AND k.revoked_at IS NULL AND k.expires_at > now()) AS key_ended`,
    [id],
  )
  const row = rows[0]
  if (row === undefined) return undefined
  if (row.attempt > 1) await allowLargeDelete(client)
  await client.query("DELETE FROM job_file WHERE job_id = $1 AND role <> 'body'", [id])
  await client.query('DELETE FROM job_error WHERE job_id = $1', [id])
  const principal = {
    ...{ type: row.caller_type, id: row.caller_id, name: row.caller_id },
    ...{ scopes: new Set(row.caller_scopes), expiresAt: null },
  }
  return {
    ...{ id, kind: row.kind, number: row.attempt, input: row.input },
    ...{ interruptions: row.interruptions, cancelRequested: row.cancel_requested, keyEnded: row.key_ended },
    context: { principal, requestId: row.request_id },
  }
}

export interface Progress {
  readonly done: number
  readonly total: number | null
  readonly errorLines: number
}

/**
 * @returns whether somebody wants the job cancelled; `revoked` when the key that submitted it was, though a key that expires only
 *   now does not stop what it began; `overtaken` when this attempt no longer counts
 */
export async function saveProgress(
  client: RawClient,
  { id, number }: Pick<Attempt, 'id' | 'number'>,
  { done, total, errorLines }: Progress,
): Promise<'go-on' | 'cancel' | 'revoked' | 'overtaken'> {
  const { rows } = await client.query<{ cancel: boolean; revoked: boolean }>(
    `UPDATE job SET progress_done = $3, progress_total = $4, error_lines = $5
     WHERE id = $1 AND attempt = $2 AND state = 'running'
     RETURNING cancel_requested_at IS NOT NULL AS cancel,
       EXISTS (SELECT 1 FROM api_key k WHERE k.id = caller_id AND k.revoked_at IS NOT NULL) AND caller_type = 'api_key' AS revoked`,
    [id, number, done, total, errorLines],
  )
  if (rows[0] === undefined) return 'overtaken'
  if (rows[0].cancel) return 'cancel'
  return rows[0].revoked ? 'revoked' : 'go-on'
}

export interface JobEnd {
  readonly state: Exclude<JobState, 'queued' | 'running'>
  readonly summary?: Readonly<Record<string, unknown>> | undefined
  readonly problem?: JobProblem | undefined
}

/**
 * The end of a job; its body and its input are gone with it.
 *
 * @param attempt the one that ends it; undefined: whichever runs
 * @returns false when it had ended, or the attempt no longer counts
 */
export async function endJob(
  client: RawClient,
  id: string,
  attempt: number | undefined,
  { state, summary, problem }: JobEnd,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE job SET state = $3, summary = $4, problem = $5, input = '{}', finished_at = now(),
       expires_at = now() + make_interval(days => $6)
     WHERE id = $1 AND attempt = coalesce($2, attempt) AND state IN ('queued', 'running')`,
    [id, attempt ?? null, state, json(summary), json(problem), JOB_KEPT_DAYS],
  )
  if (rowCount !== 1) return false
  await client.query("DELETE FROM job_file WHERE job_id = $1 AND (role = 'body' OR bytes IS NULL)", [id])
  return true
}

const json = (value: object | undefined) => (value === undefined ? null : JSON.stringify(value))

/** Back to the queue, as when it was submitted. */
export async function requeue(client: RawClient, { id, number }: Pick<Attempt, 'id' | 'number'>): Promise<void> {
  await client.query("UPDATE job SET state = 'queued' WHERE id = $1 AND attempt = $2 AND state = 'running'", [
    id,
    number,
  ])
}

/** Locks the job. @returns its state; undefined when it is not there */
export async function requestCancel(client: RawClient, id: string): Promise<JobState | undefined> {
  const { rows } = await client.query<{ state: JobState }>('SELECT state FROM job WHERE id = $1 FOR UPDATE', [id])
  const state = rows[0]?.state
  if (state === 'running') {
    await client.query('UPDATE job SET cancel_requested_at = coalesce(cancel_requested_at, now()) WHERE id = $1', [id])
  }
  return state
}
