import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { loadSavedQueries } from '../../src/lake/athena/saved-queries.ts'
import { counted } from '../support/counts.ts'
import { AthenaQueries } from '../support/lake-equality.ts'
import { QUICK_JAVA } from '../support/quick-java.ts'
import { EXPECTED_ANSWERS } from './expected-answers.ts'
import { expectedTables, type TakenSnapshot } from './expected-tables.ts'
import { keepHistory, readyHistory } from './kept-history.ts'
import { livedRound } from './lived-changes.ts'

/** For runs of seconds: Java's slower compiler costs more than it saves there, and so does a collector with threads of its own. */
export const SHORT_SPARK = {
  ROCKETGAMES_SPARK_JAVA_OPTIONS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC',
  ROCKETGAMES_SPARK_MEMORY: '1g',
}
/** Without the compilation of plans, which costs small tables more than all that is done with their rows; with it in the proof. */
export const SMALL_SPARK = { ...SHORT_SPARK, ROCKETGAMES_SPARK_JAVA_OPTIONS: QUICK_JAVA }

/** The snapshots that can be read, in the order of their instants. */
export async function takenSnapshots(athena: AthenaQueries): Promise<TakenSnapshot[]> {
  const rows = await athena.rows('SELECT snapshot_id, taken_at FROM rocketgames.snapshots ORDER BY taken_at')
  return rows.map(([id, takenAt]) => ({ id: String(id), takenAt: String(takenAt) }))
}

export interface CuratedReport {
  /** Rows of each table. */
  readonly rows: Readonly<Record<string, number>>
  /** Rows on one side only, and keys that are not unique; a few of each table. */
  readonly differences: readonly string[]
}

/** Compares every row of every curated table with what the raw tables of the snapshots say it must be, as often as it must be. */
export async function compareTables(
  athena: AthenaQueries,
  snapshots: readonly TakenSnapshot[],
  smallCell?: number,
): Promise<CuratedReport> {
  const rows: Record<string, number> = {}
  const differences: string[] = []
  for (const { name, columns, keys, sql } of expectedTables(snapshots, smallCell)) {
    const list = columns.join(', ')
    const [[actual, distinct] = []] = await athena.rows(`SELECT count(*), (SELECT count(*) FROM
      (SELECT DISTINCT ${keys.join(', ')} FROM rocketgames_curated.${name}) AS k) FROM rocketgames_curated.${name}`)
    rows[name] = Number(actual)
    if (actual !== distinct) differences.push(`${name}: ${actual} rows of ${distinct} keys`)
    const odd = await athena.rows(`WITH expected (${list}) AS (${sql}),
      sides AS (SELECT 1 AS side, ${list} FROM rocketgames_curated.${name} UNION ALL SELECT -1, ${list} FROM expected)
      SELECT sum(side), ${list} FROM sides GROUP BY ${list} HAVING sum(side) <> 0 ORDER BY ${keys.join(', ')} LIMIT 6`)
    differences.push(
      ...odd.map(([side, ...row]) => `${name}: ${Number(side) > 0 ? 'unexpected' : 'missing'} | ${row.join(' | ')}`),
    )
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

/** With the parameters' defaults, with others, or both. */
export type AnswerParams = 'defaults' | 'others' | 'both'

/** The answers of the ten saved queries beside what Postgres says they must be. */
export async function compareAnswers(
  env: Readonly<Record<string, string>>,
  kept: pg.Client,
  which: AnswerParams,
): Promise<Answer[]> {
  const saved = new Map(loadSavedQueries('curated').map((query) => [query.name, query]))
  const answers: Answer[] = []
  for (const { name, others, sql } of EXPECTED_ANSWERS) {
    const declared = saved.get(name)?.parameters ?? []
    const defaults = Object.fromEntries(declared.map((each) => [each.name, each.default ?? '']))
    const sets = [...(which === 'others' && others.length > 0 ? [] : [{}]), ...(which === 'defaults' ? [] : others)]
    for (const params of sets) {
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
    // The service ends its database, whether this connection is open or not: what fails is the query, with a reason of its own.
    kept.on('error', () => undefined)
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

  /** @param which in `npm test`; with `npm run proof` both. */
  async answers(which: AnswerParams): Promise<Answer[]> {
    await readyHistory(this.#kept)
    return compareAnswers(this.#env, this.#kept, counted(0, 1) === 1 ? 'both' : which)
  }

  async close(): Promise<void> {
    this.#athena.close()
    await this.#kept.end()
  }
}
