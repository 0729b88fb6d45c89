import { AsyncLocalStorage } from 'node:async_hooks'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { Prisma, PrismaClient } from '../generated/prisma/client.ts'
import type { Logger } from '../logger.ts'
import { databaseError, WriteConflict } from './constraint-errors.ts'

export { Prisma, type PrismaClient }

/** A connection for raw SQL. */
export type RawClient = pg.PoolClient

/** Prisma inside a transaction. */
export type Transaction = Prisma.TransactionClient

export type IsolationLevel = 'ReadCommitted' | 'RepeatableRead' | 'Serializable'

export interface TransactionOptions {
  /** Default `ReadCommitted`. */
  readonly isolation?: IsolationLevel
  /** How long the work may take before it is rolled back; default 15 s. A statement that runs is not cut by it. */
  readonly timeoutMs?: number
  /** How long to wait for a free connection; default 5 s. */
  readonly maxWaitMs?: number
  /** How often the work is tried when a deadlock or a serialization failure undoes it; default 3. */
  readonly attempts?: number
}

export interface RawTransactionOptions {
  readonly isolation?: IsolationLevel
  readonly readOnly?: boolean
}

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
  /** How long to wait for a free connection or a new one; default 5 s, then `unavailable`. */
  readonly connectTimeoutMs?: number
  /** A transaction whose program says nothing for so long is closed by the server; default 5 min. */
  readonly idleInTransactionTimeoutMs?: number
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string
  readonly logger?: Logger
}

/**
 * The database. Whatever way is taken, errors arrive as `databaseError` makes them: `ConstraintError` for what the database
 * refuses, `AppError` `unavailable` when it is away.
 */
export interface Database {
  /** For reads and single writes outside of a transaction. */
  readonly prisma: PrismaClient
  /**
   * All or nothing. A deferred rule (`studio_has_owner`) fails at commit, that is: here, not at the statement.
   *
   * The work is run again, from its beginning and in a new transaction, after a deadlock or a serialization failure: it must
   * have no effect but that on the database. Do not use `prisma` or `withClient` inside of it: a second connection does not see
   * the first one's changes, and waiting for one while holding one can starve the pool.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>
  /** A connection for raw SQL: COPY, cursors, set-based statements. It is thrown away when the work fails. */
  withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>
  /** `withClient` between BEGIN and COMMIT; never repeated. */
  rawTransaction<T>(work: (client: pg.PoolClient) => Promise<T>, options?: RawTransactionOptions): Promise<T>
  /** Resolves when the database answers. */
  ping(): Promise<void>
  /** Connections now: open, of these idle, and callers in the queue. */
  poolState(): { readonly total: number; readonly idle: number; readonly waiting: number }
  /** Waits for what is running and closes every connection. */
  close(): Promise<void>
}

const SQL_ISOLATION: Readonly<Record<IsolationLevel, string>> = {
  ReadCommitted: 'READ COMMITTED',
  RepeatableRead: 'REPEATABLE READ',
  Serializable: 'SERIALIZABLE',
}

/** Of the transaction that the current code runs in: did one of its statements fail? */
const statements = new AsyncLocalStorage<{ failed: boolean }>()

async function inOurWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw databaseError(error)
  }
}

function createPool(options: DatabaseOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolSize,
    application_name: options.applicationName ?? 'rocketgames',
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    statement_timeout: options.statementTimeoutMs ?? 60_000,
    lock_timeout: options.lockTimeoutMs ?? 10_000,
    idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? 300_000,
    // The adapter reads every timestamptz as UTC in ISO, whatever the session says; days are selected as ISO text, and lake
    // expressions rely on both.
    options: '-c TimeZone=UTC -c DateStyle=ISO',
  })
  // An idle connection that breaks is replaced at its next use; without a listener it would end the process.
  pool.on('error', (error) => options.logger?.warn({ reason: error.message }, 'an idle database connection broke'))
  return pool
}

function createClient(pool: pg.Pool): PrismaClient {
  const client = new PrismaClient({ adapter: new PrismaPg(pool), errorFormat: 'minimal' })
  const extended = client.$extends({
    name: 'errors in our words',
    query: {
      $allOperations: async ({ args, query }) => {
        try {
          return await query(args)
        } catch (error) {
          const transaction = statements.getStore()
          if (transaction) transaction.failed = true
          throw databaseError(error)
        }
      },
    },
  })
  // The extension changes no signature, so the plain type, which is far cheaper to check, still tells the truth.
  return extended as unknown as PrismaClient
}

/**
 * After a failed statement PostgreSQL answers COMMIT with ROLLBACK and no error. Work that swallowed the failure would report
 * success for changes that are gone, so one more statement asks; it passes if a savepoint has saved the transaction.
 */
function guarded<T>(work: (tx: Transaction) => Promise<T>): (tx: Transaction) => Promise<T> {
  return (tx) =>
    statements.run({ failed: false }, async () => {
      const result = await work(tx)
      if (statements.getStore()?.failed) await tx.$executeRaw`SELECT 1`
      return result
    })
}

/** Opens nothing yet: the first query does. `ping()` tells whether the database is there. */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = createPool(options)
  const prisma = createClient(pool)

  async function transaction<T>(work: (tx: Transaction) => Promise<T>, given: TransactionOptions = {}): Promise<T> {
    const limits = {
      isolationLevel: given.isolation ?? 'ReadCommitted',
      timeout: given.timeoutMs ?? 15_000,
      maxWait: given.maxWaitMs ?? 5_000,
    }
    for (let attempt = 1; ; attempt++) {
      try {
        return await inOurWords(() => prisma.$transaction(guarded(work), limits))
      } catch (error) {
        if (!(error instanceof WriteConflict) || attempt >= (given.attempts ?? 3)) throw error
      }
    }
  }

  function withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    return inOurWords(async () => {
      const client = await pool.connect()
      let broken: Error | undefined
      const onError = (error: Error) => {
        broken = error
      }
      // A checked-out client has no listener of the pool: a lost connection would end the process.
      client.on('error', onError)
      try {
        return await work(client)
      } catch (error) {
        broken ??= error instanceof Error ? error : new Error(String(error))
        throw error
      } finally {
        client.removeListener('error', onError)
        client.release(broken)
      }
    })
  }

  function rawTransaction<T>(work: (client: pg.PoolClient) => Promise<T>, given: RawTransactionOptions = {}) {
    return withClient(async (client) => {
      const mode = given.readOnly ? 'READ ONLY' : 'READ WRITE'
      await client.query(`BEGIN ISOLATION LEVEL ${SQL_ISOLATION[given.isolation ?? 'ReadCommitted']} ${mode}`)
      const result = await work(client)
      const { command } = await client.query('COMMIT')
      if (command !== 'COMMIT')
        throw new Error('a statement failed, its error was swallowed, and nothing was committed')
      return result
    })
  }

  return {
    prisma,
    transaction,
    withClient,
    rawTransaction,
    ping: () => inOurWords(async () => void (await pool.query('SELECT 1'))),
    poolState: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    close: async () => {
      await prisma.$disconnect()
      await pool.end()
    },
  }
}
