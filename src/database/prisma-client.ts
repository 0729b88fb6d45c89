import { AsyncLocalStorage } from 'node:async_hooks'
import { PrismaPg } from '@prisma/adapter-pg'
import type pg from 'pg'
import { type Prisma, PrismaClient } from '../generated/prisma/client.ts'
import { databaseError } from './constraint-errors.ts'
import { despiteLoss, type Fate } from './fate.ts'
import { noticing, unnoticed, whileTaken } from './pool.ts'
import { type RawStatement, rawRows } from './raw-query.ts'

/** Prisma inside a transaction. */
export type Transaction = Prisma.TransactionClient

/** Of the transaction that the current code runs in: did one of its statements fail? */
const statements = new AsyncLocalStorage<{ failed: boolean }>()

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

/** Prisma on a pool, its errors in our words; reads outside of a transaction are asked again when their connection is lost. */
export function createPrismaClient(pool: pg.Pool): PrismaClient {
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
export type Work<T> = (tx: Transaction, client: pg.PoolClient) => Promise<T>

/** The same client or transaction, its raw reads by the shortest way. */
export function withRawReads<Client extends Transaction>(
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

/** Catches the connection that a transaction of Prisma takes, and tells `fate` of its COMMIT. */
export function onConnection<T>(
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
