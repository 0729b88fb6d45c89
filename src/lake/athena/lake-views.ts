import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { describe } from '../../errors.ts'
import type { TableContract } from '../contract.ts'
import { LakeProblem } from '../lake-problem.ts'
import type { Finding, PublishedSnapshot } from '../publication.ts'
import { retrying } from '../retries.ts'
import { type QueryRun, UPKEEP } from './query-run.ts'
import type { QueryRunner } from './query-runner.ts'
import { endStragglers } from './stragglers.ts'
import { sameSelect } from './view-text.ts'
import { countQuery, createView, expectedCounts, type View, type ViewPlace, viewsOf } from './views.ts'

/** Statements under way at once: half of the 20 of DDL that an account may have. The local endpoint runs two and queues the others. */
const AT_ONCE = 10
/** A statement that failed by no fault of its own. */
const STATEMENT_TRIES = 4
const FIRST_RETRY_MS = 500

const SNAPSHOT_ID = /\b\d{8}t\d{6}z-[0-9a-hjkmnp-tv-z]{8}\b/g

/** The SELECT of every view that is there now, by name, as Athena stored it. */
export type StoredViews = () => Promise<ReadonlyMap<string, string>>

/** Works on all items even when one fails, so that as few as possible are left behind. @throws the first error. */
async function eachAtOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  const errors: unknown[] = []
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      await work(item).catch((error: unknown) => errors.push(error))
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker))
  if (errors.length > 0) throw errors[0]
}

const idsIn = (select: string | undefined) => [...new Set(select?.match(SNAPSHOT_ID) ?? [])].sort()

/**
 * In which order views are replaced. All `_latest` views come next to each other and last, so that a join of two of them sees two
 * snapshots for as short as possible. The list of snapshots comes first when one is added, and after the days when one is removed: a
 * join with it loses no row meanwhile.
 */
function inOrder(views: readonly View[], stored: ReadonlyMap<string, string>): View[][] {
  const latest = views.filter(({ name }) => name.endsWith('_latest'))
  const daily = views.filter(({ name }) => name.endsWith('_daily'))
  const list = views.filter(({ name }) => name === 'snapshots')
  const kept = new Set(list.flatMap((view) => view.snapshotIds))
  const removes = idsIn(stored.get('snapshots')).some((id) => !kept.has(id))
  return removes ? [daily, latest, list] : [list, daily, latest]
}

/** Moves the views to the live snapshots, and tells where they stand. */
export class LakeViews {
  readonly #runner: QueryRunner
  readonly #contracts: readonly TableContract[]
  readonly #place: ViewPlace
  readonly #stored: StoredViews

  constructor(runner: QueryRunner, contracts: readonly TableContract[], place: ViewPlace, stored: StoredViews) {
    this.#runner = runner
    this.#contracts = contracts
    this.#place = place
    this.#stored = stored
  }

  /**
   * Counts what the views are going to show, replaces those that say something else, and counts again through them. The first count is
   * why a wrong partition leaves the views where they were. Where a statement fails the others of its kind are done all the same, and
   * the error says how many are left: a later call replaces those.
   *
   * @throws LakeProblem `smoke_mismatch` when a count differs from its manifest, `query_failed` when a statement fails.
   */
  async publish(live: readonly PublishedSnapshot[], signal?: AbortSignal): Promise<void> {
    await endStragglers(this.#runner, signal)
    const views = viewsOf(this.#contracts, live, this.#place)
    const expected = expectedCounts(this.#contracts, live, this.#place)
    await this.#compare(
      expected.map(({ table, body, rows }) => ({ name: table, from: `(${body}) AS v`, rows })),
      signal,
    )
    await this.#replace(views, signal)
    await this.#compare(
      expected.flatMap(({ view, rows }) => {
        return view === undefined ? [] : [{ name: view, from: `${this.#place.database}.${view}`, rows }]
      }),
      signal,
    )
  }

  async #replace(views: readonly View[], signal: AbortSignal | undefined): Promise<void> {
    const stored = await this.#stored()
    const open = views.filter(({ name, body }) => !sameSelect(stored.get(name) ?? '', body))
    let left = open.length
    try {
      for (const stage of inOrder(open, stored)) {
        await eachAtOnce(stage, async (view) => {
          await this.#succeed(`view ${view.name}`, signal, async (options) => {
            return {
              run: await this.#runner.finished(
                await this.#runner.start(createView(view, this.#place), options),
                signal,
              ),
            }
          })
          left--
        })
      }
    } catch (error) {
      signal?.throwIfAborted()
      const message = `${left} of ${views.length} views are not moved yet: ${describe(error)}`
      throw new LakeProblem('query_failed', message, { viewsLeft: left, views: views.length }, error)
    }
  }

  async #compare(
    sources: readonly { readonly name: string; readonly from: string; readonly rows: number }[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { rows: answer } = await this.#succeed('smoke query', signal, (options) => {
      return this.#runner.rows(countQuery(sources), options)
    })
    const counted = new Map(answer.map(([name, count]) => [name, count]))
    const wrong = sources.filter(({ name, rows }) => counted.get(name) !== rows)
    if (wrong.length === 0) return
    const texts = wrong.map(({ name, rows }) => `${name} shows ${counted.get(name) ?? 'nothing'} in place of ${rows}`)
    throw new LakeProblem('smoke_mismatch', `Rows differ from the manifest: ${texts.join('; ')}`, {
      views: wrong.map(({ name }) => name),
    })
  }

  /** Runs a statement of ours to its success; the token makes a repeated start the same run. All of them may be run again. */
  async #succeed<T extends { readonly run: QueryRun }>(
    what: string,
    signal: AbortSignal | undefined,
    work: (options: { token: string; name: string; signal?: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const stop = signal === undefined ? {} : { signal }
    for (let tries = 1; ; tries++) {
      const token = randomUUID()
      const done = await retrying(() => work({ token, name: UPKEEP, ...stop }), stop)
      const { id, problem, retryable, state } = done.run
      if (state === 'succeeded') return done
      if (!retryable || tries === STATEMENT_TRIES) {
        throw new LakeProblem('query_failed', `${what} ${state}: ${problem?.detail ?? 'no reason given'}`, {
          query: id,
        })
      }
      await delay(FIRST_RETRY_MS * 2 ** (tries - 1) * (0.5 + Math.random()), undefined, stop)
    }
  }

  /** Read only: views that are missing, show other snapshots than they should, or say something else than what was published. */
  async findings(live: readonly PublishedSnapshot[]): Promise<Finding[]> {
    const stored = await this.#stored()
    const views = viewsOf(this.#contracts, live, this.#place).sort((a, b) => (a.name < b.name ? -1 : 1))
    return views.flatMap((view) => viewFindings(view, stored.get(view.name)))
  }
}

function viewFindings({ name, body, snapshotIds }: View, stored: string | undefined): Finding[] {
  if (stored === undefined) return [{ code: 'view_missing', message: `There is no view ${name}`, table: name }]
  const shown = idsIn(stored).join(', ')
  const expected = [...snapshotIds].sort().join(', ')
  if (shown !== expected) {
    const message = `${name} shows ${shown || 'no snapshot'} in place of ${expected || 'none'}`
    return [{ code: 'view_drift', message, table: name }]
  }
  if (sameSelect(stored, body)) return []
  return [{ code: 'view_altered', message: `${name} is defined otherwise than it was published`, table: name }]
}
