/** Runs one translated query in a DuckDB of its own and writes the rows to a file. */
import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { type DuckDBConnection, DuckDBInstance, DuckDBScalarFunction, StatementType } from '@duckdb/node-api'
import type { UdfUse } from '../dialect/scope.ts'
import type { TrinoType } from '../dialect/trino-type.ts'
import { IMPLEMENTATIONS } from './functions.ts'
import { createView, type LinkedFiles, type TableRead } from './table-read.ts'
import { resultText } from './text-forms.ts'
import { duckType, FunctionFailure, fromDuck, type Implementation, toDuck, type Value } from './values.ts'

export interface QueryTask {
  readonly id: string
  /** The only folder this query may read and write, without a trailing slash. */
  readonly folder: string
  readonly memoryLimit: string
  readonly threads: number
  /** Made into views before the lock-down. */
  readonly tables: readonly { readonly read: TableRead; readonly files?: LinkedFiles }[]
  readonly sql: string
  readonly udfs: readonly UdfUse[]
  readonly columns: readonly { readonly name: string; readonly type: TrinoType }[]
  /** EXPLAIN: the plan, a line of it a row. */
  readonly explain?: boolean
  /** CSV with a header row; absent: the query is checked and not run. */
  readonly resultFile?: string
}

export interface QueryOutcome {
  readonly rows: number
  readonly bytes: number
}

const SETTINGS = [
  "SET TimeZone='UTC'",
  "SET default_null_order='nulls_last'",
  'SET ieee_floating_point_ops=true',
  'SET integer_division=false',
  'SET preserve_insertion_order=true',
]

export async function runQuery(task: QueryTask, opened: (connection: DuckDBConnection) => void): Promise<QueryOutcome> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(task.threads),
    memory_limit: task.memoryLimit,
    temp_directory: `${task.folder}/tmp`,
  })
  const connection = await instance.connect()
  opened(connection)
  try {
    for (const s of SETTINGS) await connection.run(s)
    for (const t of task.tables) await createView(connection, t.read, t.files)
    for (const u of task.udfs) register(connection, u)
    await connection.run(`SET allowed_directories=['${task.folder.replaceAll("'", "''")}/']`)
    await connection.run('SET enable_external_access=false')
    await connection.run('SET lock_configuration=true')
    const sql = task.explain === true ? `EXPLAIN ${task.sql}` : task.sql
    const statements = await connection.extractStatements(sql)
    if (statements.count !== 1) throw new Error('NOT_SUPPORTED: Only one statement is allowed')
    const prepared = await statements.prepare(0)
    if (prepared.statementType !== (task.explain === true ? StatementType.EXPLAIN : StatementType.SELECT))
      throw new Error('NOT_SUPPORTED: this kind of statement is not allowed')
    prepared.destroySync()
    if (task.resultFile === undefined) return { rows: 0, bytes: 0 }
    if (task.explain === true) return await writePlan(connection, sql, task.resultFile)
    return await writeRows(connection, task, task.resultFile)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

export const csvCell = (text: string | null) => (text === null ? '' : `"${text.replaceAll('"', '""')}"`)

async function writePlan(connection: DuckDBConnection, sql: string, file: string): Promise<QueryOutcome> {
  const plan = await connection.runAndReadAll(sql)
  const lines = plan.getRows().flatMap((r) => String(r[1]).split('\n'))
  await writeFile(file, lines.map((l) => `${l}\n`).join(''))
  return { rows: lines.length, bytes: 0 }
}

/** At most one chunk of rows and one write are in memory. */
async function writeRows(connection: DuckDBConnection, task: QueryTask, file: string): Promise<QueryOutcome> {
  const out = createWriteStream(file)
  const done = finished(out)
  // a failed stream rejects `done` and the loop alike; only one of them may be unobserved
  done.catch(() => undefined)
  let rows = 0
  try {
    out.write(`${task.columns.map((c) => csvCell(c.name)).join(',')}\n`)
    const result = await connection.stream(task.sql)
    for (;;) {
      const chunk = await result.fetchChunk()
      if (chunk === null || chunk.rowCount === 0) break
      const vectors = task.columns.map((_, i) => chunk.getColumnVector(i))
      const lines: string[] = []
      for (let r = 0; r < chunk.rowCount; r++)
        lines.push(
          task.columns.map((c, i) => csvCell(resultText(fromDuck(vectors[i]!.getItem(r), c.type), c.type))).join(','),
        )
      rows += chunk.rowCount
      if (!out.write(`${lines.join('\n')}\n`)) await new Promise<void>((resolve) => out.once('drain', () => resolve()))
    }
  } finally {
    out.end()
  }
  await done
  return { rows, bytes: out.bytesWritten }
}

const safely =
  (implementation: Implementation): Implementation =>
  (args, types) => {
    try {
      return implementation(args, types)
    } catch (error) {
      if (error instanceof FunctionFailure && !error.message.startsWith('NOT_SUPPORTED')) return null
      throw error
    }
  }

/** A failure inside is reported to DuckDB, which ends the query with its text; it must never leave the callback. */
function register(connection: DuckDBConnection, use: UdfUse): void {
  const implementation = IMPLEMENTATIONS[use.implementation]
  if (implementation === undefined)
    throw new Error(`NOT_SUPPORTED: function ${use.implementation} is not supported by the local engine`)
  const { parameters, returns } = use
  const call = use.safe ? safely(implementation) : implementation
  connection.registerScalarFunction(
    DuckDBScalarFunction.create({
      name: use.sqlName,
      parameterTypes: parameters.map(duckType),
      returnType: duckType(returns),
      specialHandling: true,
      mainFunction: (info, input, output) => {
        try {
          const vectors = parameters.map((_, i) => input.getColumnVector(i))
          const args: Value[] = new Array(parameters.length)
          for (let r = 0; r < input.rowCount; r++) {
            let anyNull = false
            for (let i = 0; i < parameters.length; i++) {
              const v = fromDuck(vectors[i]!.getItem(r), parameters[i]!)
              args[i] = v
              if (v === null) anyNull = true
            }
            const result = anyNull && !use.nullCall ? null : call(args.slice(), { parameters, returns })
            output.setItem(r, toDuck(result, returns))
          }
          output.flush()
        } catch (error) {
          info.setError(error instanceof Error ? error.message : String(error))
        }
      },
    }),
  )
}
