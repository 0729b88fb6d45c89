import { AppError } from '../errors.ts'
import { csvHeader, csvLine, type ResultPage } from './athena/query-results.ts'
import { isFinished, type QueryRun } from './athena/query-run.ts'
import type { QueryRunner } from './athena/query-runner.ts'
import { bindParameters, type SavedQuery } from './athena/saved-queries.ts'
import { checkStatement } from './athena/statement-check.ts'
import { awsErrorName } from './aws-calls.ts'
import { reaching } from './lake-availability.ts'

const ATHENA = 'Athena'
/** Enough of the engine's sentence to find the mistake. */
const REASON_CHARS = 500

export type QueryRequest =
  | { readonly sql: string }
  | { readonly name: string; readonly params: Readonly<Record<string, unknown>> }

/** Analysts' queries: saved ones and their own, run by Athena under the limits of its work group. */
export class QueryService {
  readonly #runner: QueryRunner
  readonly #saved: ReadonlyMap<string, SavedQuery>

  constructor(runner: QueryRunner, saved: readonly SavedQuery[]) {
    this.#runner = runner
    this.#saved = new Map(saved.map((query) => [query.name, query]))
  }

  /** Each with the database that it reads. */
  get saved(): (SavedQuery & { readonly database: string })[] {
    return [...this.#saved.values()].map((query) => ({ ...query, database: this.#runner.databaseOf(query.zone) }))
  }

  /**
   * Starts a query; its run is there at once.
   *
   * @param token 32 to 128 characters, the same for every repeat of one request: Athena starts one run for all of them
   * @throws AppError `query-not-allowed`, `validation` of parameters, `not-found` of a saved name, `unavailable`.
   */
  async start(request: QueryRequest, token?: string): Promise<QueryRun> {
    const id = await reaching(ATHENA, () => this.#submit(request, token === undefined ? {} : { token }))
    return this.get(id)
  }

  async #submit(request: QueryRequest, repeat: { readonly token?: string }): Promise<string> {
    try {
      if ('sql' in request) return await this.#runner.start(checkStatement(request.sql).sql, repeat)
      const query = this.#savedQuery(request.name)
      const parameters = bindParameters(query, request.params)
      return await this.#runner.start(query.sql, { name: query.name, zone: query.zone, parameters, ...repeat })
    } catch (error) {
      if (awsErrorName(error) !== 'InvalidRequestException') throw error
      const reason = error instanceof Error ? error.message.slice(0, REASON_CHARS) : ''
      throw new AppError('query-not-allowed', `Athena refuses the statement: ${reason}`, { cause: error })
    }
  }

  #savedQuery(name: string): SavedQuery {
    const query = this.#saved.get(name)
    if (query !== undefined) return query
    throw new AppError('not-found', 'There is no saved query of this name; GET /v1/lake/queries lists them', {
      extra: { allowed: [...this.#saved.keys()] },
    })
  }

  /** Newest first; runs of the service's own upkeep are left out, so a page may be shorter than asked. */
  async runs(limit: number, token?: string): Promise<{ runs: QueryRun[]; nextToken: string | undefined }> {
    const page = await reaching(ATHENA, () => this.#runner.list(limit, token))
    return { ...page, runs: page.runs.filter((run) => !run.internal) }
  }

  /** @throws AppError `not-found`, `unavailable`. */
  async get(id: string): Promise<QueryRun> {
    const run = await reaching(ATHENA, () => this.#runner.find(id))
    if (run === undefined) throw new AppError('not-found', 'There is no such query run; they are forgotten after days')
    return run
  }

  async cancel(id: string): Promise<void> {
    const run = await this.get(id)
    if (!isFinished(run)) await reaching(ATHENA, () => this.#runner.stop(id))
  }

  /** One page of rows. @throws AppError `not-found`; `conflict` while it runs or when it failed; `budget-exceeded`. */
  async page(id: string, limit: number, token?: string): Promise<ResultPage> {
    const run = await this.#succeeded(id)
    return reaching(ATHENA, () => this.#runner.page(run, limit, token))
  }

  /** The whole result as CSV, a piece a page; errors before the first piece are those of `page`. */
  async csv(id: string): Promise<AsyncIterable<string>> {
    const run = await this.#succeeded(id)
    const pages = this.#runner.pages(run)
    const first = await reaching(ATHENA, () => pages.next())
    return csvPieces(first, pages)
  }

  async #succeeded(id: string): Promise<QueryRun> {
    const run = await this.get(id)
    if (run.state === 'succeeded') return run
    if (!isFinished(run)) {
      throw new AppError('conflict', `The query is ${run.state}; ask again`, {
        headers: { 'Retry-After': '1' },
        extra: { state: run.state },
      })
    }
    const code = run.problem?.code === 'budget-exceeded' ? 'budget-exceeded' : 'conflict'
    const why = run.problem === null ? '' : `: ${run.problem.detail.slice(0, REASON_CHARS)}`
    throw new AppError(code, `The query was ${run.state} and has no result${why}`, { extra: { state: run.state } })
  }
}

async function* csvPieces(first: IteratorResult<ResultPage>, rest: AsyncGenerator<ResultPage>): AsyncGenerator<string> {
  try {
    if (first.done) return
    yield csvHeader(first.value.columns)
    for (let page: IteratorResult<ResultPage> = first; !page.done; page = await rest.next()) {
      const { columns, rows } = page.value
      if (rows.length > 0) yield rows.map((row) => csvLine(row, columns)).join('')
    }
  } finally {
    await rest.return(undefined)
  }
}
