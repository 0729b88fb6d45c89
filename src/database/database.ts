import { AsyncLocalStorage } from 'node:async_hooks'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { Prisma, PrismaClient } from '../generated/prisma/client.ts'
import { databaseError, isOutdatedPlan, WriteConflict } from './constraint-errors.ts'
import { enclosingOf, inside, joined } from './enclosing.ts'
import { despiteLoss, Fate, isRead, mayTryAgain } from './fate.ts'
import { createPool, type DatabaseOptions, noticing, statementTimeoutOf, unnoticed, whileTaken } from './pool.ts'
import { type RawStatement, rawRows } from './raw-query.ts'

export { type DatabaseOptions, Prisma, type PrismaClient, type RawStatement }

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
  /** How long to wait for a free connection; default 5 s, and as long as the pool waits for a database that is away. */
  readonly maxWaitMs?: number
  /** How often the work is tried when a deadlock, a serialization failure or a lost connection undoes it; default 3. */
  readonly attempts?: number
}

export interface RawTransactionOptions {
  readonly isolation?: IsolationLevel
  readonly readOnly?: boolean
}

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

const SQL_ISOLATION: Readonly<Record<IsolationLevel, string>> = {
  ReadCommitted: 'READ COMMITTED',
  RepeatableRead: 'REPEATABLE READ',
  Serializable: 'SERIALIZABLE',
}

/** Longer than a probe waits: its connection is to be free for the next one soon. */
const PING_TIMEOUT_MS = 5_000
const PING = { text: 'SELECT 1' }

/** Of the transaction that the current code runs in: did one of its statements fail? */
const statements = new AsyncLocalStorage<{ failed: boolean }>()

async function inOurWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw databaseError(error)
  }
}

/** Operations of Prisma that change nothing. */
const READS = new Set([
  'findUnique',
  'findUniqueOrThrow',
  'findFirst',
  'findFirstOrThrow',
  'findMany',
  'count',
  'aggregate',
  'groupBy',
])

function createClient(pool: pg.Pool): PrismaClient {
  const client = new PrismaClient({ adapter: new PrismaPg(pool), errorFormat: 'minimal' })
  const extended = client.$extends({
    name: 'errors in our words',
    query: {
      $allOperations: ({ args, operation, query }) => {
        const transaction = statements.getStore()
        const ask = async () => {
          try {
            return await query(args)
          } catch (error) {
            if (transaction) transaction.failed = true
            throw databaseError(error)
          }
        }
        return transaction === undefined && READS.has(operation) ? despiteLoss(ask) : ask()
      },
    },
  })
  // The extension changes no signature, so the plain type, which is far cheaper to check, still tells the truth.
  return extended as unknown as PrismaClient
}

/** Work in a transaction, told of the connection below it. */
type Work<T> = (tx: Transaction, client: pg.PoolClient) => Promise<T>

/** The same client or transaction, its raw reads by the shortest way. */
function withRawReads<Client extends Transaction>(
  client: Client,
  query: (statement: RawStatement) => Promise<unknown[]>,
): Client {
  const value = (text: string, ...values: unknown[]) => query({ text, values })
  return Object.create(client, { $queryRawUnsafe: { value } }) as Client
}

/** A statement of a transaction by the shortest way. */
async function rawRowsIn(client: pg.PoolClient, statement: RawStatement): Promise<unknown[]> {
  try {
    return await rawRows(client, statement)
  } catch (error) {
    const transaction = statements.getStore()
    if (transaction) transaction.failed = true
    throw databaseError(error)
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === 'ERROR'
}

/** Catches the connection that a transaction of Prisma takes, and tells `fate` of its COMMIT. */
function onConnection<T>(
  fate: Fate,
  begin: (connected: (work: Work<T>) => (tx: Transaction) => Promise<T>) => Promise<T>,
): Promise<T> {
  let taken: pg.PoolClient | undefined
  const connected = (work: Work<T>) =>
    guarded((tx: Transaction) => {
      if (taken === undefined) throw new Error('Prisma began a transaction without taking a connection')
      const client = whileTaken(taken)
      const whole = withRawReads(tx, (statement) => rawRowsIn(client, statement))
      return unnoticed(() => work(whole, client))
    })
  return noticing(
    {
      taken(client) {
        taken = client
      },
      committing: (client) => void fate.send(client),
    },
    () => begin(connected),
  )
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

function requireDefault({ isolation = 'ReadCommitted' }: { readonly isolation?: IsolationLevel }): void {
  if (isolation !== 'ReadCommitted') throw new Error(`a part of a transaction cannot be ${isolation} by itself`)
}

/** Opens nothing yet: the first query does. `ping()` tells whether the database is there. */
export function openDatabase(options: DatabaseOptions): Database {
  const { pool, attempt } = createPool(options)
  const prisma = createClient(pool)
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
    { connect = () => pool.connect(), fate }: { connect?: () => Promise<pg.PoolClient>; fate?: Fate } = {},
  ): Promise<Row[]> {
    let client: pg.PoolClient | undefined
    let unwatch: (() => void) | undefined
    try {
      client = await connect()
      unwatch = fate?.send(client)
      const rows = await rawRows<Row>(client, statement, patienceMs)
      unwatch?.()
      client.release()
      return rows
    } catch (error) {
      unwatch?.()
      // A statement that the server refuses leaves its connection as good as before.
      client?.release(isRefusal(error) ? undefined : true)
      const { name, ...unnamed } = statement
      if (name !== undefined && isOutdatedPlan(error)) return queryAlone(unnamed, patienceMs)
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
