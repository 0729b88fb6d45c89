import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { loadSavedQueries } from '../../src/lake/athena/saved-queries.ts'
import { AthenaQueries } from '../support/lake-equality.ts'
import { EXPECTED_ANSWERS } from './expected-answers.ts'
import { expectedTables, type TakenSnapshot } from './expected-tables.ts'
import { keepHistory, readyHistory } from './kept-history.ts'
import { livedRound } from './lived-changes.ts'

/** The snapshots that can be read, in the order of their instants. */
export async function takenSnapshots(athena: AthenaQueries): Promise<TakenSnapshot[]> {
  const rows = await athena.rows('SELECT snapshot_id, taken_at FROM rocketgames.snapshots ORDER BY taken_at')
  return rows.map(([id, takenAt]) => ({ id: String(id), takenAt: String(takenAt) }))
}

export interface CuratedReport {
  /** Rows of each table. */
  readonly rows: Readonly<Record<string, number>>
  /** Rows on one side only, and counts that differ; a few of each. */
  readonly differences: readonly string[]
}

/** Compares every row of every curated table with what the raw tables of the snapshots say it must be: EXCEPT both ways, and counts. */
export async function compareTables(
  athena: AthenaQueries,
  snapshots: readonly TakenSnapshot[],
  smallCell?: number,
): Promise<CuratedReport> {
  const rows: Record<string, number> = {}
  const differences: string[] = []
  for (const { name, columns, keys, sql } of expectedTables(snapshots, smallCell)) {
    const list = columns.join(', ')
    const sides = `WITH expected (${list}) AS (${sql}), actual AS (SELECT ${list} FROM rocketgames_curated.${name})`
    const [[actual, expected, distinct] = []] = await athena.rows(`${sides}
      SELECT (SELECT count(*) FROM actual), (SELECT count(*) FROM expected),
        (SELECT count(*) FROM (SELECT DISTINCT ${keys.join(', ')} FROM actual) AS k)`)
    rows[name] = Number(actual)
    if (actual !== expected || actual !== distinct) {
      differences.push(`${name}: ${actual} rows of ${distinct} keys, not ${expected}`)
    }
    const odd = await athena.rows(`${sides}
      SELECT * FROM ((SELECT 'unexpected' AS side, * FROM (SELECT * FROM actual EXCEPT SELECT * FROM expected) AS a LIMIT 3)
      UNION ALL (SELECT 'missing' AS side, * FROM (SELECT * FROM expected EXCEPT SELECT * FROM actual) AS b LIMIT 3)) AS both_sides`)
    differences.push(...odd.map((row) => `${name}: ${row.join(' | ')}`))
  }
  return { rows, differences }
}

type Params = Readonly<Record<string, string | number>>

/** Runs a saved query by the API, as an application does. @returns its rows */
export async function answerOf(
  env: Readonly<Record<string, string>>,
  name: string,
  params: Params = {},
): Promise<unknown[][]> {
  const call = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${env.API_URL}${path}`, {
      method,
      headers: { authorization: `Bearer ${env.API_KEY}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as Record<string, unknown>
  }
  const { id } = await call('POST', '/v1/lake/queries', { name, params })
  for (;;) {
    const run = await call('GET', `/v1/lake/queries/${id}`)
    if (run.state === 'succeeded') break
    if (run.completedAt !== null) throw new Error(`${name}: ${JSON.stringify(run.problem)}`)
    await delay(50)
  }
  const rows: unknown[][] = []
  for (let cursor = '', first = true; first || cursor !== ''; first = false) {
    const next = cursor === '' ? '' : `&cursor=${cursor}`
    const page = await call('GET', `/v1/lake/queries/${id}/results?limit=999${next}`)
    rows.push(...(page.data as unknown[][]))
    cursor = (page.page as { next: string | null }).next ?? ''
  }
  return rows
}

export interface Answer {
  readonly name: string
  readonly params: Params
  readonly got: readonly unknown[][]
  readonly wanted: readonly unknown[][]
}

/** The ten answers, by default and with other parameters, beside what Postgres says they must be. */
export async function compareAnswers(env: Readonly<Record<string, string>>, kept: pg.Client): Promise<Answer[]> {
  const saved = new Map(loadSavedQueries('curated').map((query) => [query.name, query]))
  const answers: Answer[] = []
  for (const { name, others, sql } of EXPECTED_ANSWERS) {
    const declared = saved.get(name)?.parameters ?? []
    const defaults = Object.fromEntries(declared.map((each) => [each.name, each.default ?? '']))
    for (const params of [{}, ...others]) {
      const { rows: wanted } = await kept.query<unknown[]>({ text: sql({ ...defaults, ...params }), rowMode: 'array' })
      answers.push({ name, params, got: await answerOf(env, name, params), wanted })
    }
  }
  return answers
}

/** A service whose snapshots are curated: keeps what Postgres held at each of them, and compares in the end. */
export class CuratedProof {
  readonly #env: Readonly<Record<string, string>>
  readonly #athena: AthenaQueries
  readonly #kept: pg.Client

  private constructor(env: Readonly<Record<string, string>>, kept: pg.Client) {
    this.#env = env
    this.#athena = new AthenaQueries(env)
    this.#kept = kept
  }

  static async open(env: Readonly<Record<string, string>>): Promise<CuratedProof> {
    const options = '-c timezone=UTC -c datestyle=ISO'
    const kept = new pg.Client({ connectionString: env.DATABASE_URL as string, options })
    await kept.connect()
    return new CuratedProof(env, kept)
  }

  /** After each snapshot, before anything changes. */
  async keep(): Promise<void> {
    const newest = (await takenSnapshots(this.#athena)).at(-1)
    if (newest === undefined) throw new Error('There is no snapshot yet')
    await keepHistory(this.#kept, newest)
  }

  async live(round: number): Promise<void> {
    await this.#kept.query(livedRound(round))
  }

  async tables(): Promise<CuratedReport> {
    return compareTables(this.#athena, await takenSnapshots(this.#athena))
  }

  async answers(): Promise<Answer[]> {
    await readyHistory(this.#kept)
    return compareAnswers(this.#env, this.#kept)
  }

  async close(): Promise<void> {
    this.#athena.close()
    await this.#kept.end()
  }
}
