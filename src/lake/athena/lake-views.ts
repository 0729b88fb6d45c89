import { randomUUID } from 'node:crypto'
import type { TableContract } from '../contract.ts'
import { LakeProblem } from '../lake-problem.ts'
import type { Finding, PublishedSnapshot } from '../publication.ts'
import { retrying } from '../retries.ts'
import type { ResultValue } from './query-results.ts'
import { UPKEEP } from './query-run.ts'
import type { QueryRunner } from './query-runner.ts'
import { countQuery, createView, expectedCounts, type View, type ViewPlace, viewsOf } from './views.ts'

/** Statements under way at once; accounts allow more, and the local endpoint runs two. */
const AT_ONCE = 4

const SNAPSHOT_ID = /\b\d{8}t\d{6}z-[0-9a-hjkmnp-tv-z]{8}\b/g

async function eachAtOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker))
}

/** Moves the views to the live snapshots, and tells where they stand. */
export class LakeViews {
  readonly #runner: QueryRunner
  readonly #contracts: readonly TableContract[]
  readonly #place: ViewPlace

  constructor(runner: QueryRunner, contracts: readonly TableContract[], place: ViewPlace) {
    this.#runner = runner
    this.#contracts = contracts
    this.#place = place
  }

  /**
   * Counts what the views are going to show, moves all of them, and counts again through them. The first count is why a
   * wrong partition leaves the views where they were.
   *
   * @throws LakeProblem `smoke_mismatch` when a count differs from its manifest, `query_failed` when a statement fails.
   */
  async publish(live: readonly PublishedSnapshot[], signal?: AbortSignal): Promise<void> {
    const views = viewsOf(this.#contracts, live, this.#place)
    const expected = expectedCounts(this.#contracts, live, views)
    const rowsOf = new Map(expected.map(({ view, rows }) => [view, rows]))
    await this.#compare(
      rowsOf,
      expected.map(({ view, body }) => ({ name: view, from: `(${body}) AS v` })),
      signal,
    )
    await eachAtOnce(views, async (view) => {
      await this.#run(createView(view, this.#place), `view ${view.name}`, signal)
    })
    await this.#compare(
      rowsOf,
      expected.map(({ view }) => ({ name: view, from: `${this.#place.database}.${view}` })),
      signal,
    )
  }

  async #compare(
    expected: ReadonlyMap<string, number>,
    sources: readonly { readonly name: string; readonly from: string }[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const rows = await this.#run(countQuery(sources), 'smoke query', signal)
    const counted = new Map(rows.map(([name, count]) => [name, count]))
    const wrong = [...expected].filter(([view, count]) => counted.get(view) !== count)
    if (wrong.length === 0) return
    const texts = wrong.map(([view, count]) => `${view} shows ${counted.get(view) ?? 'nothing'} in place of ${count}`)
    throw new LakeProblem('smoke_mismatch', `Rows differ from the manifest: ${texts.join('; ')}`, {
      views: wrong.map(([view]) => view),
    })
  }

  /** Runs a statement of ours; the token makes a repeated start the same run. */
  async #run(sql: string, what: string, signal: AbortSignal | undefined): Promise<(readonly ResultValue[])[]> {
    const token = randomUUID()
    const stop = signal === undefined ? {} : { signal }
    const { run, rows } = await retrying(() => this.#runner.rows(sql, { token, name: UPKEEP, ...stop }), stop)
    if (run.state !== 'succeeded') {
      throw new LakeProblem('query_failed', `${what} ${run.state}: ${run.problem?.detail ?? 'no reason given'}`, {
        query: run.id,
      })
    }
    return rows
  }

  /** Read only: views that are missing or show other snapshots than they should. */
  async findings(live: readonly PublishedSnapshot[]): Promise<Finding[]> {
    const found: Finding[] = []
    await eachAtOnce(viewsOf(this.#contracts, live, this.#place), async (view) => {
      const finding = await this.#viewFinding(view)
      if (finding !== undefined) found.push(finding)
    })
    return found.sort((a, b) => (a.message < b.message ? -1 : 1))
  }

  async #viewFinding({ name, snapshotIds }: View): Promise<Finding | undefined> {
    const sql = `SHOW CREATE VIEW ${this.#place.database}.${name}`
    const token = randomUUID()
    const { run, rows } = await retrying(() => this.#runner.rows(sql, { token, name: UPKEEP }))
    if (run.state !== 'succeeded') {
      return {
        code: 'view_missing',
        message: `${name} cannot be read: ${run.problem?.detail ?? run.state}`,
        table: name,
      }
    }
    const text = rows.map(([line]) => line).join('\n')
    const shown = [...new Set(text.match(SNAPSHOT_ID) ?? [])].sort().join(', ')
    const expected = [...snapshotIds].sort().join(', ')
    if (shown === expected) return undefined
    const message = `${name} shows ${shown || 'no snapshot'} in place of ${expected || 'none'}`
    return { code: 'view_drift', message, table: name }
  }
}
