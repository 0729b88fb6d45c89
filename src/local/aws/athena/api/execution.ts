import type { JsonObject } from '../../ports.ts'

export type State = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED'
export const isFinal = (s: State) => s === 'SUCCEEDED' || s === 'FAILED' || s === 'CANCELLED'

/** One query execution, as it is kept. Times are epoch seconds. */
export interface Execution {
  readonly id: string
  readonly query: string
  readonly database: string
  readonly catalog: string
  readonly workGroup: string
  readonly parameters?: readonly string[]
  readonly token?: string
  /** `s3://…/<id>.csv` or `.txt`; absent where nothing is written. */
  output?: string
  statementType: 'DDL' | 'DML' | 'UTILITY'
  subStatementType?: string
  state: State
  reason?: string
  errorCategory?: number
  readonly submitted: number
  completed?: number
  scannedBytes: number
  queueMillis: number
  planMillis: number
  engineMillis: number
  columns?: readonly JsonObject[]
  rows: number
  /** `csv` with a header row, `txt` a row a line. */
  format: 'csv' | 'txt'
  readonly bytesCutoff?: number
  readonly sequence: number
}

/** QueryExecution of the API. */
export function present(e: Execution): JsonObject {
  const total = e.queueMillis + e.planMillis + e.engineMillis
  return {
    QueryExecutionId: e.id,
    Query: e.query,
    StatementType: e.statementType,
    ...(e.subStatementType === undefined ? {} : { SubstatementType: e.subStatementType }),
    ResultConfiguration: e.output === undefined ? {} : { OutputLocation: e.output },
    ResultReuseConfiguration: { ResultReuseByAgeConfiguration: { Enabled: false } },
    QueryExecutionContext: { Database: e.database, Catalog: e.catalog },
    Status: {
      State: e.state,
      SubmissionDateTime: e.submitted,
      ...(e.completed === undefined ? {} : { CompletionDateTime: e.completed }),
      ...(e.reason === undefined ? {} : { StateChangeReason: e.reason }),
      ...(e.state === 'FAILED'
        ? {
            AthenaError: {
              ErrorCategory: e.errorCategory ?? 2,
              ErrorType: 1,
              Retryable: e.errorCategory === 1,
              ErrorMessage: e.reason ?? '',
            },
          }
        : {}),
    },
    Statistics: {
      EngineExecutionTimeInMillis: e.engineMillis,
      DataScannedInBytes: e.scannedBytes,
      TotalExecutionTimeInMillis: total,
      QueryQueueTimeInMillis: e.queueMillis,
      ServicePreProcessingTimeInMillis: 0,
      QueryPlanningTimeInMillis: e.planMillis,
      ServiceProcessingTimeInMillis: 0,
      ResultReuseInformation: { ReusedPreviousResult: false },
    },
    WorkGroup: e.workGroup,
    EngineVersion: {
      SelectedEngineVersion: 'Athena engine version 3',
      EffectiveEngineVersion: 'Athena engine version 3',
    },
    ...(e.parameters === undefined ? {} : { ExecutionParameters: [...e.parameters] }),
  }
}
