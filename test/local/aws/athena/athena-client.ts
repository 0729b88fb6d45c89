import {
  type AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type QueryExecution,
  StartQueryExecutionCommand,
  type StartQueryExecutionCommandInput,
} from '@aws-sdk/client-athena'

export const OUTPUT = 's3://results/athena/'

export async function start(
  athena: AthenaClient,
  sql: string,
  more: Partial<StartQueryExecutionCommandInput> = {},
): Promise<string> {
  const answer = await athena.send(
    new StartQueryExecutionCommand({
      QueryString: sql,
      QueryExecutionContext: { Database: 'games' },
      ResultConfiguration: { OutputLocation: OUTPUT },
      ...more,
    }),
  )
  return answer.QueryExecutionId!
}

/** Asks until the execution has ended. */
export async function ended(athena: AthenaClient, id: string): Promise<QueryExecution> {
  for (let wait = 5; ; wait = Math.min(wait * 2, 100)) {
    const { QueryExecution: e } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId: id }))
    if (['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(e!.Status!.State!)) return e!
    await new Promise((resolve) => setTimeout(resolve, wait))
  }
}

export interface Result {
  readonly execution: QueryExecution
  readonly columns: readonly string[]
  /** All rows, the header of a SELECT among them. */
  readonly rows: readonly (readonly (string | undefined)[])[]
}

export async function run(
  athena: AthenaClient,
  sql: string,
  more: Partial<StartQueryExecutionCommandInput> = {},
): Promise<Result> {
  const id = await start(athena, sql, more)
  const execution = await ended(athena, id)
  if (execution.Status!.State !== 'SUCCEEDED') return { execution, columns: [], rows: [] }
  const rows: (string | undefined)[][] = []
  let columns: string[] = []
  let NextToken: string | undefined
  do {
    const page = await athena.send(
      new GetQueryResultsCommand({ QueryExecutionId: id, ...(NextToken === undefined ? {} : { NextToken }) }),
    )
    columns = page.ResultSet!.ResultSetMetadata!.ColumnInfo!.map((c) => c.Name!)
    for (const r of page.ResultSet!.Rows!) rows.push(r.Data!.map((d) => d.VarCharValue))
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  return { execution, columns, rows }
}

export const reason = (r: Result) => r.execution.Status!.StateChangeReason ?? r.execution.Status!.State!
