/** The query child: native code fed with strangers' SQL lives here, so that a crash or an out-of-memory ends one query only. */
import { flushCompileCache } from 'node:module'
import type { DuckDBConnection } from '@duckdb/node-api'
import { type QueryOutcome, type QueryTask, runQuery } from './run-query.ts'

export type ToWorker = { readonly kind: 'run'; readonly task: QueryTask } | { readonly kind: 'stop' }
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly outcome: QueryOutcome }
  | { readonly kind: 'failed'; readonly message: string }

const INTERRUPT_EVERY_MS = 50

let connection: DuckDBConnection | undefined
let stopping = false

const send = (message: FromWorker) =>
  process.send?.(message, undefined, {}, (error) => {
    // a parent that was refused its start may be gone before its child is ready
    if (error) process.exit(0)
  })

/** DuckDB forgets an interrupt that comes between two statements, so it is repeated until the query has ended. */
function interrupt(): void {
  if (!stopping) return
  connection?.interrupt()
  setTimeout(interrupt, INTERRUPT_EVERY_MS)
}

async function run(task: QueryTask): Promise<void> {
  stopping = false
  try {
    const outcome = await runQuery(task, (c) => {
      connection = c
      if (stopping) throw new Error('interrupted')
    })
    send({ kind: 'done', outcome })
  } catch (error) {
    send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  } finally {
    connection = undefined
    stopping = false
  }
}

process.on('message', (message: ToWorker) => {
  if (message.kind === 'run') void run(message.task)
  else if (!stopping) {
    stopping = true
    interrupt()
  }
})
// the parent is gone: nobody waits for an answer
process.on('disconnect', () => process.exit(0))
send({ kind: 'ready' })
// Its end is a SIGKILL, which leaves no time to keep what was compiled for the next one.
flushCompileCache()
