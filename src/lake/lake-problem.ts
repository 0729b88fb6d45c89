/**
 * What can go wrong with a snapshot on purpose: stable codes, stored in `lake_snapshots.problem`, shown by the command line and
 * the API. Messages name tables, keys of S3 objects, columns and counts; a row's value never, a primary key only where
 * a value of that row stops the snapshot.
 */

export type LakeProblemCode =
  // before the first byte
  | 'not_started'
  | 'lease_taken'
  | 'contract_breaking'
  | 'pooler_in_transaction_mode'
  | 'rds_proxy'
  | 'load_balanced_endpoint'
  | 'standby_not_ready'
  | 'server_encoding'
  | 'migration_running'
  // while reading and uploading
  | 'snapshot_expired'
  | 'snapshot_conflict'
  | 'preempted_by_migration'
  | 'connection_lost'
  | 'reader_failed'
  | 'spark_not_started'
  | 'spark_busy'
  | 'spark_failed'
  | 'report_invalid'
  | 'copy_failed'
  | 'count_mismatch'
  | 'unrepresentable_value'
  | 'null_in_not_null'
  | 'part_limit'
  | 'spool_full'
  | 'spool_unusable'
  | 'footer_invalid'
  // S3
  | 'storage_failed'
  | 'storage_denied'
  | 'object_mismatch'
  | 'manifest_conflict'
  | 'pointer_conflict'
  // Glue and Athena
  | 'crawler_busy'
  | 'crawler_scheduled'
  | 'crawler_failed'
  | 'catalogue_failed'
  | 'catalogue_drift'
  | 'query_failed'
  | 'smoke_mismatch'
  // ends that somebody else decides
  | 'fenced'
  | 'cancelled'
  | 'abandoned'
  | 'prepared_expired'
  | 'rolled_back'
  | 'internal'

/** Facts beside the code that are safe to store and show: table, column, primary key of a row to blame, counts, keys. */
export interface LakeProblemFacts {
  readonly table?: string
  readonly column?: string
  readonly primaryKey?: string
  readonly key?: string
  readonly [extra: string]: unknown
}

export class LakeProblem extends Error {
  override readonly name: string = 'LakeProblem'
  readonly code: LakeProblemCode
  readonly facts: LakeProblemFacts

  constructor(code: LakeProblemCode, message: string, facts: LakeProblemFacts = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.facts = facts
  }
}

/** Why a run ends that was told to: the reason of its signal, where that is one of ours. */
export function stopped(reason: unknown): LakeProblem {
  if (reason instanceof LakeProblem) return reason
  return new LakeProblem('cancelled', 'The run was told to stop', {}, reason)
}

/**
 * The catalogue shows something else than the contract: another type, column, table or location. Views stay where they are;
 * the snapshot stays `committed` and is retried once somebody has put the catalogue right.
 */
export class DriftError extends LakeProblem {
  override readonly name = 'DriftError'
  readonly findings: readonly { readonly code: string; readonly message: string }[]

  constructor(findings: readonly { readonly code: string; readonly message: string }[]) {
    super('catalogue_drift', `The catalogue differs from the contract: ${findings.map((f) => f.message).join('; ')}`, {
      findings: findings.map((f) => f.code),
    })
    this.findings = findings
  }
}
