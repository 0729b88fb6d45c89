import { AsyncLocalStorage } from 'node:async_hooks'
import type { EventEmitter } from 'node:events'
import pg from 'pg'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { isTracing } from '../tracing.ts'
import { isOutdatedPlan } from './constraint-errors.ts'
import { Outage } from './outage.ts'
import { traceStatements } from './trace-statements.ts'

export interface DatabaseOptions {
  /** `postgresql://…`. */
  readonly url: string
  /** Connections at most, for Prisma and raw SQL together. */
  readonly poolSize: number
  /** Longest statement; default 60 s. A COPY or an export that may take longer sets its own with `SET LOCAL`. */
  readonly statementTimeoutMs?: number
  /**
   * How long a statement waits for somebody else's lock; default 10 s, then `unavailable`. Shorter than a statement may take: who
   * waits holds a connection, and one record that is held must not use up the pool.
   */
  readonly lockTimeoutMs?: number
  /**
   * How long `query` and `ping` wait for a server that says nothing at all, as one does whose machine is gone; default 5 s more
   * than a statement may take.
   */
  readonly silenceTimeoutMs?: number
  /** How long to wait for a free connection or a new one; default 5 s, then `unavailable`. */
  readonly connectTimeoutMs?: number
  /**
   * How long a database that is away is waited for in place of `unavailable`, counted from the first failure to reach it; default
   * not at all.
   */
  readonly patienceMs?: number
  /** A transaction whose program says nothing for so long is closed by the server; default 5 min. */
  readonly idleInTransactionTimeoutMs?: number
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string
  readonly logger?: Logger
}

/** Told of the connection that a transaction of Prisma takes, which Prisma does not show, and of its end. */
export interface ConnectionListener {
  taken(client: pg.PoolClient): void
  /** COMMIT is being sent. */
  committing(client: pg.PoolClient): void
}

const listeners = new AsyncLocalStorage<ConnectionListener>()

/** Runs `work`; tells of every connection that is taken meanwhile, until `work` calls `unnoticed`. */
export function noticing<T>(listener: ConnectionListener, work: () => Promise<T>): Promise<T> {
  return listeners.run(listener, work)
}

export function unnoticed<T>(work: () => Promise<T>): Promise<T> {
  return listeners.exit(work)
}

/** Of each connection that is in use: the time from its being taken to the end of its transaction, or to its being given back. */
const uses = new WeakMap<object, symbol>()

/**
 * The connection for as long as its present use lasts. A transaction of Prisma that takes too long is rolled back and gives its
 * connection back while the work inside still runs: what that said then would be a change of its own, for good, or end up in the
 * transaction of somebody else.
 */
export function whileTaken(client: pg.PoolClient): pg.PoolClient {
  const use = uses.get(client)
  const query = (...statement: unknown[]) => {
    if (use === undefined || uses.get(client) !== use) {
      throw new AppError('unavailable', 'the transaction took too long and was given up; try again')
    }
    return (client.query as (...statement: unknown[]) => unknown)(...statement)
  }
  return Object.create(client, { query: { value: query } }) as pg.PoolClient
}

const ENDS_TRANSACTION = /^(COMMIT|ROLLBACK)$/

/** The members of a connection that Prisma's adapter uses. Its last word is everybody's: statements behind it in the queue are refused. */
function untilLastWord(client: pg.PoolClient, listener: ConnectionListener): pg.PoolClient {
  const inUse = whileTaken(client)
  const query = (statement: pg.QueryConfig) => {
    if (!ENDS_TRANSACTION.test(statement.text)) return inUse.query(statement)
    uses.delete(client)
    if (statement.text === 'COMMIT') listener.committing(client)
    return client.query(statement)
  }
  const [on, removeListener] = [client.on.bind(client), client.removeListener.bind(client)]
  return { query, on, removeListener, release: client.release } as unknown as pg.PoolClient
}

/** Connections outlive the request that happens to open them: what they tell later belongs neither to its trace nor to its transaction. */
function connectingOutside(): typeof pg.Client {
  const outside = AsyncLocalStorage.snapshot()
  return class extends pg.Client {
    override connect = ((callback: (error: Error) => void) =>
      outside(() => super.connect(callback))) as pg.Client['connect']
  }
}

export interface ConnectionPool {
  readonly pool: pg.Pool
  /** A connection without patience. */
  attempt(): Promise<pg.PoolClient>
}

export function createPool(options: DatabaseOptions): ConnectionPool {
  const pool = new pg.Pool({
    Client: connectingOutside(),
    connectionString: options.url,
    max: options.poolSize,
    application_name: options.applicationName ?? 'rocketgames',
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    // A server that went away without a word, as in a failover, leaves connections that look well until somebody asks.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    statement_timeout: statementTimeoutOf(options),
    lock_timeout: options.lockTimeoutMs ?? 10_000,
    idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? 300_000,
    // The adapter reads every timestamptz as UTC in ISO, whatever the session says; days are selected as ISO text, and lake
    // expressions rely on both.
    options: '-c TimeZone=UTC -c DateStyle=ISO',
  })
  if (isTracing()) traceStatements(pool)
  const outage = waitOutages(pool, options)
  noticeConnections(pool)
  pool.on('acquire', (client) => uses.set(client, Symbol('use')))
  pool.on('release', (_error, client) => uses.delete(client))
  // A connection that breaks in use tells whoever waits for its statement; without a listener it would end the process as well.
  pool.on('connect', (client) => client.on('error', () => undefined))
  dropOutdated(pool)
  // An idle connection that breaks is replaced at its next use; without a listener it would end the process.
  pool.on('error', (error) => options.logger?.warn({ reason: error.message }, 'an idle database connection broke'))
  return { pool, attempt: () => outage.attempt() }
}

/** Whoever asks for a connection is patient: Prisma by a promise, the pool's own queries by a callback. */
function waitOutages(pool: pg.Pool, { patienceMs = 0, logger }: DatabaseOptions): Outage {
  const outage = new Outage(pool.connect.bind(pool) as () => Promise<pg.PoolClient>, patienceMs, logger)
  pool.connect = ((callback?: Parameters<pg.Pool['connect']>[0]) => {
    const connecting = outage.connect()
    if (callback === undefined) return connecting
    connecting.then(
      (client) => callback(undefined, client, client.release),
      (error) => callback(error, undefined, () => undefined),
    )
  }) as pg.Pool['connect']
  return outage
}

export function statementTimeoutOf({ statementTimeoutMs = 60_000 }: DatabaseOptions): number {
  return statementTimeoutMs
}

/**
 * A named statement whose columns got other types by a migration fails on its connection from then on, and would as long as the
 * connection lives: it is not used again.
 */
function dropOutdated(pool: pg.Pool): void {
  const outdated = new WeakSet<object>()
  pool.on('connect', (client) => {
    const { connection } = client as unknown as { readonly connection: EventEmitter }
    connection.on('errorMessage', (error) => {
      if (isOutdatedPlan(error)) outdated.add(client)
    })
  })
  pool.on('release', (_error, client) => {
    // What is ended already the pool throws away.
    if (outdated.has(client)) void (client as unknown as pg.Client).end()
  })
}

function noticeConnections(pool: pg.Pool): void {
  const connect = pool.connect.bind(pool) as () => Promise<pg.PoolClient>
  // Prisma asks for a promise; the pool's own queries pass a callback and are none of our business.
  pool.connect = ((callback?: Parameters<pg.Pool['connect']>[0]) => {
    const told = listeners.getStore()
    if (callback !== undefined || told === undefined) return (connect as pg.Pool['connect'])(callback as never)
    return connect().then((client) => {
      told.taken(client)
      return untilLastWord(client, told)
    })
  }) as pg.Pool['connect']
}
