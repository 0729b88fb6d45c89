import pg from 'pg'
import { Prisma, type PrismaClient } from '../generated/prisma/client.ts'
import { databaseError, isOutdatedPlan, WriteConflict } from './constraint-errors.ts'
import { enclosingOf, inside, joined } from './enclosing.ts'
import { despiteLoss, Fate, isRead, mayTryAgain } from './fate.ts'
import { createPool, type DatabaseOptions, statementTimeoutOf } from './pool.ts'
import { createPrismaClient, onConnection, type Transaction, type Work, withRawReads } from './prisma-client.ts'
import { type RawStatement, rawRows } from './raw-query.ts'
import {
  type IsolationLevel,
  type RawTransactionOptions,
  SQL_ISOLATION,
  type TransactionOptions,
} from './transaction-options.ts'

export type { Transaction } from './prisma-client.ts'
export type { IsolationLevel, RawTransactionOptions, TransactionOptions } from './transaction-options.ts'
export { type DatabaseOptions, Prisma, type PrismaClient, type RawStatement }

/** A connection for raw SQL. */
export type RawClient = pg.PoolClient

/**
 * The database. Whatever way is taken, errors arrive as `databaseError` makes them: `ConstraintError` for what the database
 * refuses, `AppError` `unavailable` when it is away.
 */
export interface Database {
  /**
   * For reads and single writes outside of a transaction; inside of `enclose` a part of its transaction. Its `$queryRawUnsafe`,
   * like that of a transaction, takes the shortest way to the driver: `query` without a name.
   */
  readonly prisma: PrismaClient
  /**
   * One statement of raw SQL, by itself all or nothing, and its rows; costs a third of the CPU of the same through Prisma. Inside
   * of `enclose` a part of its transaction. Asked again when its connection is lost and it has changed nothing.
   */
  query<Row>(statement: RawStatement): Promise<Row[]>
  /**
   * All or nothing. A deferred rule (`studio_has_owner`) fails at commit, that is: here, not at the statement.
   *
   * The work is run again, from its beginning and in a new transaction, after a deadlock, a serialization failure, or the loss of
   * its connection before its COMMIT: it must have no effect but that on the database. Do not use `prisma` or `withClient` inside of it: a second connection does not see
   * the first one's changes, and waiting for one while holding one can starve the pool.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>
  /**
   * One transaction around everything that `work` does with this database, however deep: `transaction`, `withClient` and
   * `rawTransaction` become parts of it, each of which may fail alone; `prisma` reads and writes in it. No second connection is
   * taken. What is read shows what was changed before; nobody else sees any of it before the end.
   *
   * After a deadlock or a lost connection the whole work runs again, like that of `transaction`; its parts do not. The end may fail
   * by a deferred rule.
   *
   * @param work gets the connection, for statements that are no part of their own: when one fails, everything does
   * @throws Error when a part asks for another isolation level than the default, which is not possible in the middle
   */
  enclose<T>(work: (client: RawClient) => Promise<T>, options?: Omit<TransactionOptions, 'isolation'>): Promise<T>
  /** A connection for raw SQL: COPY, cursors, set-based statements. It is thrown away when the work fails. */
  withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>
  /**
   * `withClient` between BEGIN and COMMIT; never repeated.
   *
   * @throws WriteConflict when the connection is lost and nothing has happened: it may be tried again
   */
  rawTransaction<T>(work: (client: pg.PoolClient) => Promise<T>, options?: RawTransactionOptions): Promise<T>
  /**
   * Resolves when the database answers; a connection on which it does not is thrown away.
   *
   * @param patienceMs how long to wait for its word; default 5 s
   */
  ping(patienceMs?: number): Promise<void>
  /** Connections now: open, of these idle, and callers in the queue. */
  poolState(): { readonly total: number; readonly idle: number; readonly waiting: number }
  /** Waits for what is running and closes every connection. */
  close(): Promise<void>
}

/** Longer than a probe waits: its connection is to be free for the next one soon. */
const PING_TIMEOUT_MS = 5_000
const PING = { text: 'SELECT 1' }

async function inOurWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw databaseError(error)
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === 'ERROR'
}

function requireDefault({ isolation = 'ReadCommitted' }: { readonly isolation?: IsolationLevel }): void {
  if (isolation !== 'ReadCommitted') throw new Error(`a part of a transaction cannot be ${isolation} by itself`)
}

/** Opens nothing yet: the first query does. `ping()` tells whether the database is there. */
export function openDatabase(options: DatabaseOptions): Database {
  const { pool, attempt } = createPool(options)
  const prisma = createPrismaClient(pool)
  const reader = withRawReads(prisma, query)
  const silenceMs = options.silenceTimeoutMs ?? statementTimeoutOf(options) + 5_000

  const self = {}

  async function run<T>(work: Work<T>, given: TransactionOptions): Promise<T> {
    const limits = {
      // The default of the server: to name it would cost a statement.
      ...(given.isolation === undefined ? {} : { isolationLevel: given.isolation }),
      timeout: given.timeoutMs ?? 15_000,
      maxWait: given.maxWaitMs ?? 5_000 + 2 * (options.patienceMs ?? 0),
    }
    for (let attempt = 1, losses = 0; ; ) {
      const fate = new Fate()
      try {
        return await inOurWords(() => onConnection(fate, (connected) => prisma.$transaction(connected(work), limits)))
      } catch (error) {
        if (error instanceof WriteConflict && attempt++ < (given.attempts ?? 3)) continue
        if (!fate.isUndone(error) || !(await mayTryAgain(++losses))) throw error
      }
    }
  }

  function transaction<T>(work: (tx: Transaction) => Promise<T>, given: TransactionOptions = {}): Promise<T> {
    if (enclosingOf(self) === undefined) return run(work, given)
    requireDefault(given)
    return joined(work)
  }

  function enclose<T>(work: (client: RawClient) => Promise<T>, given: TransactionOptions = {}): Promise<T> {
    if (enclosingOf(self) !== undefined) return joined((_tx, client) => work(client))
    return run((tx, client) => inside(self, tx, client, () => work(client)), given)
  }

  async function query<Row>(statement: RawStatement): Promise<Row[]> {
    if (enclosingOf(self) !== undefined) return joined((_tx, client) => rawRows<Row>(client, statement))
    return isRead(statement.text) ? despiteLoss(() => queryAlone(statement, silenceMs)) : changeAlone(statement)
  }

  async function queryAlone<Row>(
    statement: RawStatement,
    patienceMs: number,
    how: { readonly connect?: () => Promise<pg.PoolClient>; readonly fate?: Fate } = {},
  ): Promise<Row[]> {
    let client: pg.PoolClient | undefined
    let unwatch: (() => void) | undefined
    try {
      client = await (how.connect?.() ?? pool.connect())
      unwatch = how.fate?.send(client)
      const rows = await rawRows<Row>(client, statement, patienceMs)
      unwatch?.()
      client.release()
      return rows
    } catch (error) {
      unwatch?.()
      // A statement that the server refuses leaves its connection as good as before.
      client?.release(isRefusal(error) ? undefined : true)
      const { name, ...unnamed } = statement
      if (name !== undefined && isOutdatedPlan(error)) return queryAlone(unnamed, patienceMs, how)
      throw databaseError(error)
    }
  }

  /** A change lasts when its statement ends: what is lost on the way is not sent again, unless the server took none of it. */
  async function changeAlone<Row>(statement: RawStatement): Promise<Row[]> {
    for (let losses = 1; ; losses++) {
      const fate = new Fate()
      try {
        return await queryAlone(statement, silenceMs, { fate })
      } catch (error) {
        if (!fate.isUndone(error) || !(await mayTryAgain(losses))) throw error
      }
    }
  }

  function withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    if (enclosingOf(self) !== undefined) return joined((_tx, client) => work(client))
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
    if (enclosingOf(self) !== undefined) {
      requireDefault(given)
      return joined((_tx, client) => work(client))
    }
    const fate = new Fate()
    return withClient(async (client) => {
      const mode = given.readOnly ? 'READ ONLY' : 'READ WRITE'
      await client.query(`BEGIN ISOLATION LEVEL ${SQL_ISOLATION[given.isolation ?? 'ReadCommitted']} ${mode}`)
      const result = await work(client)
      const unwatch = fate.send(client)
      const { command } = await client.query('COMMIT')
      unwatch()
      if (command !== 'COMMIT')
        throw new Error('a statement failed, its error was swallowed, and nothing was committed')
      return result
    }).catch((error: unknown) => {
      throw fate.isUndone(error) ? new WriteConflict('The connection to the database was lost') : error
    })
  }

  return {
    get prisma() {
      // What it lacks, its own transactions, nobody uses: `transaction` is the way.
      return (enclosingOf(self)?.tx as PrismaClient | undefined) ?? reader
    },
    query,
    transaction,
    enclose,
    withClient,
    rawTransaction,
    ping: async (patienceMs = PING_TIMEOUT_MS) =>
      void (await queryAlone(PING, Math.min(silenceMs, patienceMs), { connect: attempt })),
    poolState: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    close: async () => {
      await prisma.$disconnect()
      await pool.end()
    },
  }
}
