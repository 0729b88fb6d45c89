import { setTimeout as delay } from 'node:timers/promises'
import {
  type AthenaClient,
  BatchGetQueryExecutionCommand,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  ListQueryExecutionsCommand,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import { awsErrorName } from '../aws-calls.ts'
import { retrying } from '../retries.ts'
import {
  isHeader,
  type ResultColumn,
  type ResultPage,
  type ResultValue,
  resultColumns,
  resultRow,
} from './query-results.ts'
import { isFinished, labelled, type QueryRun, queryRun } from './query-run.ts'
import type { QueryZone } from './saved-queries.ts'

/** Athena's limit; the header row of a SELECT counts. */
const ROWS_PER_CALL = 1_000
const RUNS_PER_CALL = 50
const FIRST_POLL_MS = 50
const LONGEST_POLL_MS = 2_000

export interface RunnerSettings {
  readonly workgroup: string
  /** Database of names without one, `rocketgames`. */
  readonly database: string
  /** The same for queries over the curated tables, `rocketgames_curated`. */
  readonly curatedDatabase: string
}

export interface StartOptions {
  /** Which database names without one are in; default the snapshots'. */
  readonly zone?: QueryZone
  /** Of a saved query. */
  readonly name?: string
  /** SQL literals in the order of the `?` in the text. */
  readonly parameters?: readonly string[]
  /** Two starts with one token are one run. 32 to 128 characters. */
  readonly token?: string
}

/** Queries of one Athena work group. Its errors are those of the SDK; callers decide what they mean. */
export class QueryRunner {
  readonly #athena: AthenaClient
  readonly #settings: RunnerSettings

  constructor(athena: AthenaClient, settings: RunnerSettings) {
    this.#athena = athena
    this.#settings = settings
  }

  databaseOf(zone: QueryZone = 'snapshots'): string {
    return zone === 'curated' ? this.#settings.curatedDatabase : this.#settings.database
  }

  /** Starts a query and returns its id at once. */
  async start(sql: string, { name, parameters = [], token, zone }: StartOptions = {}): Promise<string> {
    const answer = await this.#athena.send(
      new StartQueryExecutionCommand({
        QueryString: name === undefined ? sql : labelled(name, sql),
        WorkGroup: this.#settings.workgroup,
        QueryExecutionContext: { Database: this.databaseOf(zone) },
        ...(parameters.length === 0 ? {} : { ExecutionParameters: [...parameters] }),
        ...(token === undefined ? {} : { ClientRequestToken: token }),
      }),
    )
    if (answer.QueryExecutionId === undefined) throw new Error('Athena started a query without an id')
    return answer.QueryExecutionId
  }

  /** The run with this id in this work group; undefined when there is none. */
  async find(id: string): Promise<QueryRun | undefined> {
    try {
      const { QueryExecution: execution } = await this.#athena.send(
        new GetQueryExecutionCommand({ QueryExecutionId: id }),
      )
      if (execution === undefined || execution.WorkGroup !== this.#settings.workgroup) return undefined
      return queryRun(execution)
    } catch (error) {
      // Athena's word for an id that it does not know.
      if (awsErrorName(error) === 'InvalidRequestException') return undefined
      throw error
    }
  }

  /** Runs of the work group, newest first; at most 50 a page. */
  async list(limit: number, token?: string): Promise<{ runs: QueryRun[]; nextToken: string | undefined }> {
    const page = await this.#athena.send(
      new ListQueryExecutionsCommand({
        WorkGroup: this.#settings.workgroup,
        MaxResults: Math.min(limit, RUNS_PER_CALL),
        ...(token === undefined ? {} : { NextToken: token }),
      }),
    )
    const ids = page.QueryExecutionIds ?? []
    if (ids.length === 0) return { runs: [], nextToken: page.NextToken }
    const { QueryExecutions: executions = [] } = await this.#athena.send(
      new BatchGetQueryExecutionCommand({ QueryExecutionIds: ids }),
    )
    const byId = new Map(executions.map((execution) => [execution.QueryExecutionId, execution]))
    const runs = ids.flatMap((id) => {
      const execution = byId.get(id)
      return execution === undefined ? [] : [queryRun(execution)]
    })
    return { runs, nextToken: page.NextToken }
  }

  async stop(id: string): Promise<void> {
    await this.#athena.send(new StopQueryExecutionCommand({ QueryExecutionId: id }))
  }

  /** Resolves when the run has ended; an abort stops the query as well. */
  async finished(id: string, signal?: AbortSignal): Promise<QueryRun> {
    for (let wait = FIRST_POLL_MS; ; wait = Math.min(LONGEST_POLL_MS, wait * 1.4)) {
      const run = await retrying(() => this.find(id), signal === undefined ? {} : { signal })
      if (run === undefined) throw new Error(`The query ${id} is gone`)
      if (isFinished(run)) return run
      try {
        await delay(wait, undefined, signal === undefined ? {} : { signal })
      } catch (error) {
        await this.stop(id)
        throw error
      }
    }
  }

  /** One page of a finished run's rows. `limit` is at most 999: with the header row that is Athena's largest page. */
  async page(run: QueryRun, limit: number, token?: string): Promise<ResultPage> {
    const first = token === undefined
    const header = first && run.statementType === 'DML' ? 1 : 0
    const answer = await this.#athena.send(
      new GetQueryResultsCommand({
        QueryExecutionId: run.id,
        MaxResults: Math.min(ROWS_PER_CALL, limit + header),
        ...(first ? {} : { NextToken: token }),
      }),
    )
    const columns = resultColumns(answer.ResultSet?.ResultSetMetadata?.ColumnInfo)
    const rows = answer.ResultSet?.Rows ?? []
    const body = first && isHeader(rows[0], columns) ? rows.slice(1) : rows
    return { columns, rows: body.map((row) => resultRow(row, columns)), nextToken: answer.NextToken }
  }

  /** All rows of a finished run, page by page; at most one page is held. */
  async *pages(run: QueryRun): AsyncGenerator<ResultPage> {
    let token: string | undefined
    do {
      const page = await this.page(run, ROWS_PER_CALL - 1, token)
      yield page
      token = page.nextToken
    } while (token !== undefined)
  }

  /** Runs a small query to its end and returns all its rows. */
  async rows(
    sql: string,
    options: StartOptions & { readonly signal?: AbortSignal } = {},
  ): Promise<{ run: QueryRun; columns: readonly ResultColumn[]; rows: (readonly ResultValue[])[] }> {
    const run = await this.finished(await this.start(sql, options), options.signal)
    const rows: (readonly ResultValue[])[] = []
    let columns: readonly ResultColumn[] = []
    if (run.state === 'succeeded') {
      for await (const page of this.pages(run)) {
        columns = page.columns
        rows.push(...page.rows)
      }
    }
    return { run, columns, rows }
  }
}
