import type { EventEmitter } from 'node:events'
import type pg from 'pg'
import { beginSpan, errorType, inSpan, isInsideSpan, type Span } from '../tracing.ts'
import { statementLabel } from './statement-label.ts'

type Query = (...given: unknown[]) => unknown
type Callback = (error: Error | undefined, result: unknown) => void

/**
 * A span for each statement of the pool's connections, whoever sends it, and for each wait for a connection; only inside of another
 * span. They name operation, table and the name of a prepared statement: neither text nor values.
 */
export function traceStatements(pool: pg.Pool): void {
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as Query
    client.query = ((...given: unknown[]) => (isInsideSpan() ? traced(query, given) : query(...given))) as never
  })
  const connect = pool.connect.bind(pool) as Query
  pool.connect = ((callback?: unknown) => {
    const isFree = pool.idleCount > pool.waitingCount
    if (callback !== undefined || isFree || !isInsideSpan()) return connect(callback)
    return inSpan('wait for a connection', {}, async () => connect())
  }) as never
}

function traced(query: Query, given: readonly unknown[]): unknown {
  const [statement] = given
  const { name, text = '' } = (typeof statement === 'string' ? { text: statement } : statement) as pg.QueryConfig
  const { operation, summary, table } = statementLabel(text)
  const span = beginSpan(summary, {
    kind: 'client',
    attributes: {
      'db.system.name': 'postgresql',
      'db.operation.name': operation,
      ...(table === undefined ? {} : { 'db.collection.name': table }),
      ...(name === undefined ? {} : { 'rocketgames.statement': name }),
    },
  })
  if (span === undefined) return query(...given)
  if (isSubmittable(statement)) return streamed(query, given, statement, span)
  const callback = given.at(-1)
  if (typeof callback === 'function') {
    const told: Callback = (error, result) => {
      settle(span, error, result)
      ;(callback as Callback)(error, result)
    }
    return query(...given.slice(0, -1), told)
  }
  const answer = query(...given) as Promise<unknown>
  return answer.then(
    (result) => {
      settle(span, undefined, result)
      return result
    },
    (error: Error) => {
      settle(span, error, undefined)
      throw error
    },
  )
}

/** COPY and cursors: the statement itself is the stream, and its end is the end. */
function streamed(query: Query, given: readonly unknown[], statement: EventEmitter, span: Span): unknown {
  const once = (error?: Error) => {
    for (const event of ['end', 'finish', 'close']) statement.removeListener(event, ended)
    statement.removeListener('error', failed)
    settle(span, error, undefined)
  }
  const ended = () => once()
  const failed = (error: Error) => once(error)
  for (const event of ['end', 'finish', 'close']) statement.on(event, ended)
  statement.on('error', failed)
  return query(...given)
}

const isSubmittable = (statement: unknown): statement is EventEmitter =>
  typeof (statement as { submit?: unknown } | null)?.submit === 'function' &&
  typeof (statement as { on?: unknown }).on === 'function'

function settle(span: Span, error: Error | undefined, result: unknown): void {
  const { rowCount } = (result ?? {}) as { rowCount?: number | null }
  if (error) {
    span.set({ 'db.response.status_code': errorType(error) })
    span.fail(errorType(error))
  } else if (typeof rowCount === 'number') span.set({ 'db.response.returned_rows': rowCount })
  span.end()
}
