import type { EventEmitter } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { ConnectionLost } from './constraint-errors.ts'

/** Loses so many connections in a row, and it is told: a database that ends over and over is no help. */
const ATTEMPTS = 5
const FIRST_PAUSE_MS = 10

/**
 * A moment after the n-th loss in a row, from 1: the other connections of a crashed server are dead as well, and until that is noticed
 * each of them would take an attempt. False: it has been tried often enough.
 */
export async function mayTryAgain(losses: number): Promise<boolean> {
  if (losses >= ATTEMPTS) return false
  await delay(FIRST_PAUSE_MS * 3 ** (losses - 1))
  return true
}

/**
 * What is known of a change whose connection is lost: was what makes it last sent, and did the server say that it is done?
 *
 * A server that is shut down ends each connection with an error of its own (57P01), for which it looks before it begins a statement
 * and while it works on one, but never between the moment at which a change lasts and the word that it is done (`CommandComplete`;
 * PostgreSQL's sources: `CommitTransaction` holds off interrupts, `exec_simple_query` and `exec_execute_message` have no check behind
 * it). So the error without that word means that nothing was done. A commit that waits for a standby is done already: the server then
 * sends a warning in place of the error, and hangs up (`SyncRepWaitForLSN`). A server that crashed says nothing at all.
 */
export class Fate {
  #sent = false
  #isDone = false

  /** What makes the change last is being sent. Returns what ends the watch; needed where the connection is used further. */
  send(client: pg.ClientBase): () => void {
    const { connection } = client as unknown as { readonly connection: EventEmitter }
    const done = () => {
      this.#isDone = true
    }
    this.#sent = true
    connection.once('commandComplete', done)
    return () => connection.removeListener('commandComplete', done)
  }

  /** By this error, nothing of the change has happened or will. */
  isUndone(error: unknown): boolean {
    if (!(error instanceof ConnectionLost)) return false
    return !this.#sent || (error.isOrderly && !this.#isDone)
  }
}

/** Runs work again whose connection was lost: for what may be done twice, above all reads. Another connection is waited for. */
export async function despiteLoss<T>(work: () => Promise<T>): Promise<T> {
  for (let losses = 1; ; losses++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof ConnectionLost) || !(await mayTryAgain(losses))) throw error
    }
  }
}

const READS = /^\s*(SELECT|WITH)\b/i
const CHANGES = /\b(INSERT|UPDATE|DELETE|MERGE|COPY|CALL)\b/i

/** Does the statement do nothing but read? Whatever looks like a change counts as one. */
export function isRead(text: string): boolean {
  return READS.test(text) && !CHANGES.test(text)
}
