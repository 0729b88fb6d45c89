import { randomUUID } from 'node:crypto'
import { link, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../../../../logger.ts'
import type { Catalogue, ObjectStore } from '../../ports.ts'
import { CatalogueTables } from '../catalogue/catalogue-tables.ts'
import { columnInfo } from '../catalogue/hive-trino.ts'
import { linkFiles, parseS3 } from '../catalogue/link-files.ts'
import { openCursor } from '../dialect/grammar.ts'
import { parseExpression } from '../dialect/parse-expression.ts'
import type { Expression } from '../dialect/syntax.ts'
import { type Translation, translate } from '../dialect/translate.ts'
import { QueryChild } from '../engine/query-child.ts'
import type { LinkedFiles } from '../engine/table-read.ts'
import { QueryFailure } from '../failure.ts'
import { failureText } from '../failure-text.ts'
import { parseStatement } from '../statements/parse-statement.ts'
import { one, runDdl } from '../statements/run-ddl.ts'
import { type Statement, statementTypes } from '../statements/statement.ts'
import { type Execution, isFinal } from './execution.ts'
import type { JsonFolder } from './json-folder.ts'

const CONCURRENT_QUERIES = 2
const QUERY_TIMEOUT_MS = 30 * 60_000
const THREADS = 2
const MEMORY_LIMIT = '1GB'

class Stopped extends Error {}

type Outcome = Pick<Execution, 'state' | 'reason' | 'errorCategory'>

export interface PreparedStatements {
  get(workGroup: string, name: string): string | undefined
  put(workGroup: string, name: string, sql: string): Promise<void>
  delete(workGroup: string, name: string): Promise<boolean>
}

export interface ExecutorOptions {
  /** `…/athena` */
  readonly dir: string
  readonly store: ObjectStore
  readonly catalogue: Catalogue
  readonly log: Logger
  readonly executions: JsonFolder<Execution>
  readonly prepared: PreparedStatements
}

/** Runs executions: two at a time, the rest wait in order. A stop holds at any moment and leaves no slot taken. */
export class Executor {
  readonly #o: ExecutorOptions
  readonly #queue: Execution[] = []
  readonly #stopped = new Set<string>()
  readonly #running = new Map<string, QueryChild | undefined>()
  readonly #idle: QueryChild[] = []
  readonly #done = new Set<Promise<void>>()
  #closed = false

  constructor(options: ExecutorOptions) {
    this.#o = options
    for (let i = 0; i < CONCURRENT_QUERIES; i++) this.#idle.push(new QueryChild())
    this.#idle[0]!.warm()
  }

  /** Process ids of the query children, for operators and tests. */
  childPids(): number[] {
    return [...this.#idle, ...[...this.#running.values()].filter((c) => c !== undefined)]
      .map((c) => c.pid)
      .filter((p) => p !== undefined)
  }

  submit(e: Execution): void {
    this.#queue.push(e)
    this.#pump()
  }

  stop(id: string): void {
    const queued = this.#queue.findIndex((e) => e.id === id)
    if (queued >= 0) {
      const [e] = this.#queue.splice(queued, 1)
      this.#cancel(e!)
      void this.#o.executions.put(id, e!)
      return
    }
    if (!this.#running.has(id)) return
    this.#stopped.add(id)
    const e = this.#o.executions.get(id)
    if (e !== undefined && !isFinal(e.state)) this.#cancel(e)
    this.#running.get(id)?.stop()
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const e of this.#queue.splice(0)) {
      Object.assign(e, {
        state: 'FAILED',
        reason: 'GENERIC_INTERNAL_ERROR: the local endpoint was stopped',
        completed: Date.now() / 1000,
      })
      await this.#o.executions.put(e.id, e)
    }
    for (const id of this.#running.keys()) this.#stopped.add(id)
    await Promise.all([...this.#running.values(), ...this.#idle].map((c) => c?.close()))
    await Promise.allSettled(this.#done)
    await this.#o.executions.flush()
  }

  #cancel(e: Execution): void {
    e.state = 'CANCELLED'
    e.reason ??= 'Query cancelled by user'
    e.completed = Date.now() / 1000
  }

  #pump(): void {
    while (!this.#closed && this.#idle.length > 0 && this.#queue.length > 0) {
      const e = this.#queue.shift()!
      const child = this.#idle.shift()!
      this.#running.set(e.id, child)
      const work = this.#run(e, child).finally(() => {
        this.#running.delete(e.id)
        this.#stopped.delete(e.id)
        this.#idle.push(child)
        this.#done.delete(work)
        this.#pump()
      })
      this.#done.add(work)
    }
  }

  #check(id: string): void {
    if (this.#stopped.has(id)) throw new Stopped()
  }

  async #run(e: Execution, child: QueryChild): Promise<void> {
    const started = Date.now()
    const folder = join(this.#o.dir, 'work', e.id)
    let outcome: Outcome = { state: 'SUCCEEDED' }
    e.state = 'RUNNING'
    e.queueMillis = Math.max(0, Math.round(started - e.submitted * 1000))
    const timer = setTimeout(() => {
      e.reason = 'EXHAUSTED_RESOURCES: Query timeout'
      child.stop()
    }, QUERY_TIMEOUT_MS)
    try {
      await mkdir(folder, { recursive: true })
      await this.#execute(e, child, folder)
      this.#check(e.id)
    } catch (error) {
      if (!this.#stopped.has(e.id)) {
        const { reason, category } = failureText(error)
        outcome = { state: 'FAILED', reason: e.reason ?? reason, errorCategory: category }
        if (category === 1)
          this.#o.log.warn({ queryExecutionId: e.id, err: error }, 'a query failed inside the local engine')
      }
    } finally {
      clearTimeout(timer)
      const now = Date.now()
      await rm(folder, { recursive: true, force: true }).catch(() => undefined)
      const engineMillis = Math.max(0, now - started - e.planMillis)
      await this.#settle(e, { ...outcome, completed: now / 1000, engineMillis })
    }
  }

  /** What anybody is told of its end is on the disk by then: no crash takes it back. A stop that comes meanwhile holds. */
  async #settle(e: Execution, end: Outcome & Pick<Execution, 'completed' | 'engineMillis'>): Promise<void> {
    const { executions, log } = this.#o
    const tell = (error: unknown) => log.error({ err: error }, 'an execution could not be stored')
    if (!this.#stopped.has(e.id)) await executions.write(e.id, { ...e, ...end }).catch(tell)
    if (!this.#stopped.has(e.id)) {
      Object.assign(e, end)
      return
    }
    this.#cancel(Object.assign(e, { engineMillis: end.engineMillis }))
    await executions.put(e.id, e).catch(tell)
  }

  async #execute(e: Execution, child: QueryChild, folder: string): Promise<void> {
    let statement = parseStatement(e.query)
    const types = statementTypes(statement)
    e.statementType = types.type
    e.subStatementType = types.sub
    e.format = types.type === 'DML' ? 'csv' : 'txt'
    if (e.output !== undefined) e.output = e.output.replace(/\.(csv|txt)$/, `.${e.format}`)
    this.#check(e.id)
    let parameters = (e.parameters ?? []).map(readParameter)
    if (statement.kind === 'execute') {
      const sql = this.#o.prepared.get(e.workGroup, statement.name)
      if (sql === undefined) throw new QueryFailure('NOT_FOUND', `Prepared statement not found: ${statement.name}`)
      if (statement.parameters.length > 0) parameters = [...statement.parameters]
      statement = parseStatement(sql)
    }
    if (statement.kind === 'query' || statement.kind === 'explain')
      return await this.#query(e, statement, parameters, child, folder)
    const result = await this.#catalogueStatement(e, statement, child, folder)
    this.#check(e.id)
    const file = join(folder, 'result.txt')
    await writeFile(file, result.lines.map((l) => `${l.replaceAll('\n', '\\n')}\n`).join(''))
    e.columns = result.columns
    e.rows = result.lines.length
    await this.#deliver(e, file)
  }

  async #catalogueStatement(e: Execution, s: Statement, child: QueryChild, folder: string) {
    const { catalogue, store, prepared } = this.#o
    if (s.kind === 'prepare') {
      parseStatement(s.sql)
      await prepared.put(e.workGroup, s.name, s.sql)
      return { columns: [], lines: [] }
    }
    if (s.kind === 'deallocate') {
      if (!(await prepared.delete(e.workGroup, s.name)))
        throw new QueryFailure('NOT_FOUND', `Prepared statement not found: ${s.name}`)
      return { columns: [], lines: [] }
    }
    const typesOf = async (sql: string) => {
      const tables = new CatalogueTables(catalogue, e.database)
      const translation = translate(sql, tables, new Date(e.submitted * 1000))
      await this.#ask(e, child, folder, translation, tables, {})
      return translation.columns
    }
    return await runDdl(s, { catalogue, store, database: e.database, typesOf })
  }

  async #query(
    e: Execution,
    s: Statement & { kind: 'query' | 'explain' },
    parameters: readonly Expression[],
    child: QueryChild,
    folder: string,
  ): Promise<void> {
    const planStart = Date.now()
    const tables = new CatalogueTables(this.#o.catalogue, e.database)
    const translation = translate(s.sql, tables, new Date(e.submitted * 1000), parameters)
    e.planMillis = Date.now() - planStart
    const file = join(folder, `result.${e.format}`)
    const outcome = await this.#ask(e, child, folder, translation, tables, {
      resultFile: file,
      explain: s.kind === 'explain',
    })
    e.rows = outcome.rows
    e.columns = s.kind === 'explain' ? one('Query Plan') : translation.columns.map((c) => columnInfo(c.name, c.type))
    this.#check(e.id)
    await this.#deliver(e, file)
  }

  async #ask(
    e: Execution,
    child: QueryChild,
    folder: string,
    translation: Translation,
    tables: CatalogueTables,
    how: { resultFile?: string; explain?: boolean },
  ) {
    const linked: { read: import('../engine/table-read.ts').TableRead; files?: LinkedFiles }[] = []
    for (const [i, used] of [...tables.used.values()].entries()) {
      this.#check(e.id)
      if (used.table === undefined) linked.push({ read: used.read })
      else {
        const files = await linkFiles(used, join(folder, `t${i}`), this.#o.store, () => this.#stopped.has(e.id))
        e.scannedBytes += files.bytes
        linked.push({ read: used.read, files })
      }
    }
    if (how.resultFile === undefined || how.explain === true) e.scannedBytes = 0
    if (e.bytesCutoff !== undefined && e.scannedBytes > e.bytesCutoff) {
      this.#stopped.add(e.id)
      e.reason = `Query cancelled! : Bytes scanned limit was exceeded`
    }
    this.#check(e.id)
    const { sql, columns, udfs } = translation
    return await child.run({
      id: e.id,
      folder,
      memoryLimit: MEMORY_LIMIT,
      threads: THREADS,
      tables: linked,
      sql,
      udfs,
      columns,
      ...how,
    })
  }

  /** Keeps the result for GetQueryResults and puts it, with its metadata, where the client asked for it. */
  async #deliver(e: Execution, file: string): Promise<void> {
    const results = join(this.#o.dir, 'results')
    await mkdir(results, { recursive: true })
    await link(file, join(results, e.id))
    if (e.output === undefined) return
    const { bucket } = parseS3(e.output)
    const key = e.output.slice(`s3://${bucket}/`.length)
    if (!this.#o.store.hasBucket(bucket))
      throw new QueryFailure('GENERIC_USER_ERROR', `The output bucket ${bucket} does not exist`)
    const copy = join(this.#o.dir, 'work', e.id, `put-${randomUUID()}`)
    await link(file, copy)
    await this.#o.store.putFile(bucket, key, copy, e.format === 'csv' ? 'application/octet-stream' : 'text/plain')
    await this.#o.store.put(
      bucket,
      `${key}.metadata`,
      Buffer.from(JSON.stringify(e.columns ?? [])),
      'application/octet-stream',
    )
  }
}

/** An execution parameter is written as a literal; a text that is no expression is taken as a text. */
function readParameter(text: string): Expression {
  try {
    const c = openCursor(text)
    const value = parseExpression(c)
    c.end()
    return value.kind === 'column' ? { kind: 'string', value: text } : value
  } catch (error) {
    if (error instanceof QueryFailure) return { kind: 'string', value: text }
    throw error
  }
}
