import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { UsageError } from '../errors.ts'
import type { ResultColumn, ResultValue } from '../lake/athena/query-results.ts'
import { csvHeader, csvLine } from '../lake/athena/query-results.ts'
import { bindParameters, loadSavedQueries, type QueryZone } from '../lake/athena/saved-queries.ts'
import { type OpenLake, withProgram } from './composition.ts'
import { count, print, say, size, table } from './terminal.ts'

interface QueryOptions {
  readonly name?: string
  readonly param?: readonly string[]
  readonly csv?: boolean
  readonly json?: boolean
  readonly list?: boolean
  readonly curated?: boolean
}

const zoneOf = ({ curated }: QueryOptions): QueryZone => (curated ? 'curated' : 'snapshots')

function savedQuery(name: string, given: readonly string[]) {
  const all = loadSavedQueries()
  const query = all.find((q) => q.name === name)
  if (!query) throw new UsageError(`There is no saved query ${name}: ${all.map((q) => q.name).join(', ')}`)
  const values = given.map((pair) => {
    const at = pair.indexOf('=')
    if (at < 1) throw new UsageError(`--param ${pair} must be name=value`)
    const key = pair.slice(0, at)
    const text = pair.slice(at + 1)
    const isInteger = query.parameters.find((p) => p.name === key)?.type === 'integer'
    return [key, isInteger && /^-?\d+$/.test(text) ? Number(text) : text] as const
  })
  return { sql: query.sql, name, zone: query.zone, parameters: bindParameters(query, Object.fromEntries(values)) }
}

type Rows = readonly (readonly ResultValue[])[]

function show(columns: readonly ResultColumn[], rows: Rows, { csv, json }: QueryOptions): void {
  if (csv) print([csvHeader(columns), ...rows.map((r) => csvLine(r, columns))].join('').trimEnd())
  else if (json)
    print(
      JSON.stringify(
        rows.map((r) => Object.fromEntries(columns.map((c, i) => [c.name, r[i]]))),
        null,
        2,
      ),
    )
  else print(asTable(columns, rows))
}

export function asTable(columns: readonly ResultColumn[], rows: Rows): string {
  return table(
    columns.map((c) => c.name),
    rows.map((r) => r.map((v) => (v === null ? null : String(v)))),
  )
}

/** Runs a query to its end; a failed one is thrown with the engine's own words. */
export async function runQuery(
  { parts }: OpenLake,
  sql: string,
  options: { name?: string; zone?: QueryZone; parameters?: readonly string[] } = {},
) {
  const result = await parts.runner.rows(sql, options)
  if (result.run.state !== 'succeeded') {
    if (options.zone === 'curated' && result.run.problem?.engineCode === 'TABLE_NOT_FOUND') {
      throw new Error('There are no curated tables yet: make them with "rocketgames glue curate"')
    }
    throw new Error(`The query ${result.run.state}: ${result.run.problem?.detail ?? 'the engine gives no reason'}`)
  }
  return result
}

/** One word is no SQL: it is the name of a saved query. */
const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/

async function query(text: string | undefined, given: QueryOptions): Promise<void> {
  const named = text !== undefined && given.name === undefined && NAME.test(text)
  const options = named ? { ...given, name: text } : given
  const sql = named ? undefined : text
  if (options.list) {
    const rows = loadSavedQueries().map((q) => [q.name, q.zone, q.title, q.parameters.map((p) => p.name).join(' ')])
    return print(table(['name', 'over', 'title', 'parameters'], rows))
  }
  if (options.csv && options.json) throw new UsageError('Give either --csv or --json')
  if (options.curated && options.name !== undefined) {
    throw new UsageError('--curated belongs to SQL; a saved query knows what it reads')
  }
  if (options.param !== undefined && options.name === undefined) {
    throw new UsageError('--param belongs to a saved query; write values into the SQL')
  }
  if ((sql === undefined) === (options.name === undefined)) {
    throw new UsageError(
      'Give either SQL ("-" reads it from standard input) or the name of a saved query; --list shows the saved ones',
    )
  }
  const asked =
    options.name === undefined
      ? { sql: sql === '-' ? readFileSync(0, 'utf8') : String(sql), zone: zoneOf(options) }
      : savedQuery(options.name, options.param ?? [])
  await withProgram(async (program) => {
    const { sql: statement, ...rest } = asked
    const { run, columns, rows } = await runQuery(program.lake(), statement, rest)
    show(columns, rows, options)
    say(`${count(rows.length)} row(s), ${size(run.bytesScanned)} scanned, ${run.engineMs} ms`)
  })
}

export function addQueryCommand(program: Command): void {
  program
    .command('query [sql]')
    .description('run SQL, or a saved query by its name, on the lake with Athena and print its answer')
    .option('--name <query>', 'the saved query; the same as its name in place of SQL')
    .option(
      '--param <name=value>',
      'a parameter of the saved query; may be repeated',
      (v: string, all: string[] = []) => [...all, v],
    )
    .option('--list', 'list the saved queries')
    .option('--curated', 'of SQL: names without a database are those of the curated tables')
    .option('--csv', 'as CSV')
    .option('--json', 'as JSON')
    .action(query)
}
