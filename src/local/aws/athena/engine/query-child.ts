import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { QueryOutcome, QueryTask } from './run-query.ts'
import type { FromWorker, ToWorker } from './worker.ts'

/** After a stop the child has so long to end its query by itself; then it is killed. */
const STOP_GRACE_MS = 2_000
const EXTENSION = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
const WORKER = fileURLToPath(new URL(`./worker${EXTENSION}`, import.meta.url))

/** The child ended under the query. */
export class ChildLost extends Error {
  constructor() {
    super('EXHAUSTED_RESOURCES: the query engine ended while it ran this query; other queries are not affected')
  }
}

/** A process that runs one query at a time, replaced when it dies. */
export class QueryChild {
  #child: ChildProcess | undefined
  #pending: { resolve: (outcome: QueryOutcome) => void; reject: (error: Error) => void } | undefined
  #killTimer: NodeJS.Timeout | undefined

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts the process ahead of the first query. */
  warm(): void {
    this.#ensure()
  }

  run(task: QueryTask): Promise<QueryOutcome> {
    const child = this.#ensure()
    return new Promise<QueryOutcome>((resolve, reject) => {
      this.#pending = { resolve, reject }
      this.#send(child, { kind: 'run', task })
    }).finally(() => {
      this.#pending = undefined
      clearTimeout(this.#killTimer)
      this.#killTimer = undefined
    })
  }

  /** Ends the running query: by an interrupt, or with the process. May be repeated. */
  stop(): void {
    const child = this.#child
    if (child === undefined || this.#pending === undefined) return
    this.#send(child, { kind: 'stop' })
    this.#killTimer ??= setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS)
  }

  async close(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
      child.kill('SIGKILL')
    })
  }

  #send(child: ChildProcess, message: ToWorker): void {
    child.send(message, (error) => {
      if (error !== null) this.#pending?.reject(new ChildLost())
    })
  }

  #ensure(): ChildProcess {
    if (this.#child !== undefined) return this.#child
    const child = fork(WORKER, [], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
      execArgv: [],
    })
    this.#child = child
    child.on('message', (message: FromWorker) => {
      if (message.kind === 'done') this.#pending?.resolve(message.outcome)
      else if (message.kind === 'failed') this.#pending?.reject(new Error(message.message))
    })
    const lost = () => {
      if (this.#child === child) this.#child = undefined
      this.#pending?.reject(new ChildLost())
    }
    child.on('exit', lost)
    child.on('error', lost)
    return child
  }
}
