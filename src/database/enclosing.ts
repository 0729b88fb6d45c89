import { AsyncLocalStorage } from 'node:async_hooks'
import type pg from 'pg'
import { databaseError, WriteConflict } from './constraint-errors.ts'
import type { Transaction, Work } from './prisma-client.ts'

/** An open transaction that the transactions of the code inside of it become a part of. */
interface Enclosing {
  /** Whose transaction it is: one process may have several databases open. */
  readonly owner: object
  readonly tx: Transaction
  /** The connection under `tx`. Both put their statements into one queue. */
  readonly client: pg.PoolClient
  savepoints: number
  /** Code that nobody waited for may still run in its name; it is on its own then. */
  over: boolean
  /** What only a new run of everything can cure; told at the end even if somebody in between kept it to himself. */
  conflict: WriteConflict | undefined
}

/** A place in the nesting; parts that were begun at the same place go one after the other. */
interface Level {
  readonly enclosing: Enclosing
  last: Promise<unknown>
}

const levels = new AsyncLocalStorage<Level | undefined>()

/** What encloses the running code, of this database. */
export function enclosingOf(owner: object): { readonly tx: Transaction; readonly client: pg.PoolClient } | undefined {
  const enclosing = levels.getStore()?.enclosing
  return enclosing?.owner === owner && !enclosing.over ? enclosing : undefined
}

/** Runs `work` so that what it does with the database of `owner` joins the transaction. */
export function inside<T>(owner: object, tx: Transaction, client: pg.PoolClient, work: () => Promise<T>): Promise<T> {
  const enclosing: Enclosing = { owner, tx, client, savepoints: 0, over: false, conflict: undefined }
  return levels.run({ enclosing, last: Promise.resolve() }, async () => {
    try {
      const result = await work()
      if (enclosing.conflict) throw enclosing.conflict
      return result
    } finally {
      enclosing.over = true
    }
  })
}

/**
 * Runs `work` as a part of the enclosing transaction that can fail alone: all or nothing like a transaction of its own, but for
 * good only with the enclosing one. Deferred rules are judged at the end of the part, so that it fails with what it broke.
 */
export function joined<T>(work: Work<T>): Promise<T> {
  const level = levels.getStore()
  if (level === undefined) throw new Error('there is nothing to join')
  const part = level.last.then(() => runPart(level.enclosing, work))
  level.last = part.catch(() => undefined)
  return part
}

async function runPart<T>(enclosing: Enclosing, work: Work<T>): Promise<T> {
  const { tx, client } = enclosing
  enclosing.savepoints += 1
  const savepoint = `part_${enclosing.savepoints}`
  try {
    await client.query(`SAVEPOINT ${savepoint}`)
    const result = await levels.run({ enclosing, last: Promise.resolve() }, () => work(tx, client))
    // After a statement that failed and whose error was swallowed this fails, too: no part succeeds for changes that are gone.
    await client.query(`SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; RELEASE SAVEPOINT ${savepoint}`)
    return result
  } catch (caught) {
    const error = databaseError(caught)
    if (error instanceof WriteConflict) enclosing.conflict = error
    // A connection that is lost cannot do it and need not: the error that is told is the first one.
    await client.query(`ROLLBACK TO SAVEPOINT ${savepoint}; RELEASE SAVEPOINT ${savepoint}`).catch(() => undefined)
    throw error
  }
}
