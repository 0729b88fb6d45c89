import type { QueryExecution } from '@aws-sdk/client-athena'

export type QueryState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'

/** One run of a query, as callers see it. */
export interface QueryRun {
  readonly id: string
  /** Of the saved query that was run; null for free SQL. */
  readonly name: string | null
  readonly state: QueryState
  readonly sql: string
  /** The service's own upkeep: views, smoke queries. */
  readonly internal: boolean
  readonly submittedAt: Date | null
  readonly completedAt: Date | null
  readonly bytesScanned: number
  /** In the queue and running, in ms. */
  readonly queuedMs: number
  readonly engineMs: number
  /** Rows come with a result; DDL has none. */
  readonly statementType: 'DDL' | 'DML' | 'UTILITY' | null
  /** Why it failed: `budget-exceeded`, `query-failed`, with the engine's own code and text. */
  readonly problem: QueryProblem | null
  /** Athena says that it failed by no fault of the query: the same text may succeed a moment later. */
  readonly retryable: boolean
}

export interface QueryProblem {
  readonly code: 'budget-exceeded' | 'query-failed'
  readonly detail: string
  /** `SYNTAX_ERROR`, `TABLE_NOT_FOUND`, …; null when the engine names none. */
  readonly engineCode: string | null
}

const STATES: Readonly<Record<string, QueryState>> = {
  QUEUED: 'queued',
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
}

/** Athena has no name for a run, so a saved query carries its name as a first comment; its Hive parser takes only this kind. */
export function labelled(name: string, sql: string): string {
  return `-- query: ${name}\n${sql}`
}

/** Label of the service's own statements. */
export const UPKEEP = 'lake-upkeep'

const LABEL = /^-- query: ([a-z0-9-]{1,64})\n/

/** A query over its budget is stopped by the work group, which Athena calls cancelled: for callers it has failed. */
const OVER_BUDGET = /bytes scanned limit/i

function problemOf(state: QueryState, reason: string | undefined): QueryProblem | null {
  if (state !== 'failed' && state !== 'cancelled') return null
  if (OVER_BUDGET.test(reason ?? '')) {
    return {
      code: 'budget-exceeded',
      detail: 'The query read more bytes than one query may; select fewer columns or filter by snapshot_date',
      engineCode: null,
    }
  }
  if (state === 'cancelled') return null
  const engineCode = /^([A-Z][A-Z0-9_]+)(?=:|$)/.exec(reason ?? '')?.[1] ?? null
  return { code: 'query-failed', detail: reason ?? 'The engine gave no reason', engineCode }
}

/** Athena's record of a run in the service's own words. */
export function queryRun(execution: QueryExecution): QueryRun {
  const { Query = '', Status, Statistics, StatementType, QueryExecutionId = '' } = execution
  const state = STATES[Status?.State ?? ''] ?? 'running'
  const problem = problemOf(state, Status?.StateChangeReason)
  const label = LABEL.exec(Query)
  return {
    id: QueryExecutionId,
    name: label?.[1] ?? null,
    internal: label?.[1] === UPKEEP,
    state: problem?.code === 'budget-exceeded' ? 'failed' : state,
    sql: label === null ? Query : Query.slice(label[0].length),
    submittedAt: Status?.SubmissionDateTime ?? null,
    completedAt: Status?.CompletionDateTime ?? null,
    bytesScanned: Statistics?.DataScannedInBytes ?? 0,
    queuedMs: Statistics?.QueryQueueTimeInMillis ?? 0,
    engineMs: Statistics?.EngineExecutionTimeInMillis ?? 0,
    statementType: StatementType ?? null,
    problem,
    retryable:
      state === 'failed' && (Status?.AthenaError?.Retryable === true || Status?.AthenaError?.ErrorCategory === 1),
  }
}

export function isFinished(run: QueryRun): boolean {
  return run.state === 'succeeded' || run.state === 'failed' || run.state === 'cancelled'
}
