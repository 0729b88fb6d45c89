import type { Database } from '../database/database.ts'
import { type JobFile, type JobFileFacts, type JobInput, type JobWork, MAX_JOB_ERROR_LINES } from './job.ts'
import { insertErrors } from './job-error-store.ts'
import { createFile, findFile, OvertakenError, readFile } from './job-file-store.ts'
import { type Attempt, saveProgress } from './job-store.ts'

/** Progress and error lines are written so often, and so often a wish to cancel is seen. */
const BEAT_MS = 1_000
const ERRORS_AT_ONCE = 500

/** Why an attempt was told to stop. */
export type StopReason = 'cancelled' | 'revoked' | 'overtaken' | 'stopping'

export class StopWork extends Error {
  override readonly name: string = 'StopWork'
  readonly reason: StopReason

  constructor(reason: StopReason) {
    super(`the work was stopped: ${reason}`)
    this.reason = reason
  }
}

/** One attempt in this process: what its handler works with, and the beat that tells the database and hears from it. */
export class JobAttempt implements JobWork {
  readonly id: string
  readonly input: JobInput
  readonly context: JobWork['context']
  readonly #attempt: Attempt
  readonly #database: Database
  readonly #stop = new AbortController()
  #done = 0
  #total: number | null = null
  #errorLines = 0
  #pending: object[] = []
  #kept = 0
  #flushing: Promise<void> = Promise.resolve()
  #beating: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined

  constructor(database: Database, attempt: Attempt) {
    this.#database = database
    this.#attempt = attempt
    this.id = attempt.id
    this.input = attempt.input
    this.context = attempt.context
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Error lines so far. */
  get errorLines(): number {
    return this.#errorLines
  }

  stop(reason: StopReason): void {
    if (!this.#stop.signal.aborted) this.#stop.abort(new StopWork(reason))
  }

  progress(done: number, total?: number): void {
    this.#done = done
    if (total !== undefined) this.#total = total
  }

  async *body(): AsyncGenerator<Uint8Array> {
    const file = await findFile(this.#database, this.id, 'body')
    if (file !== undefined) yield* readFile(this.#database, file)
  }

  result(facts: JobFileFacts): Promise<JobFile> {
    return this.#file('result', 0, facts)
  }

  part(number: number, facts: JobFileFacts): Promise<JobFile> {
    return this.#file('part', number, facts)
  }

  async error(line: object): Promise<void> {
    this.#errorLines++
    if (this.#kept + this.#pending.length >= MAX_JOB_ERROR_LINES) return
    this.#pending.push(line)
    if (this.#pending.length >= ERRORS_AT_ONCE) await this.#flush()
  }

  /** Begins to tell how far the work is. */
  begin(): void {
    const beat = () => {
      this.#beating = this.#beat()
        // The database may be away for a moment; should it stay away, the work itself fails.
        .catch((error: unknown) => error instanceof OvertakenError && this.stop('overtaken'))
        .then(() => {
          this.#timer = setTimeout(beat, BEAT_MS)
        })
    }
    this.#timer = setTimeout(beat, BEAT_MS)
  }

  /** Writes what is still to be told. @throws OvertakenError */
  async finish(): Promise<void> {
    await this.leave()
    await this.#flush()
    await this.#save()
  }

  /** Tells nothing any more. */
  async leave(): Promise<void> {
    await this.#beating
    clearTimeout(this.#timer)
  }

  async #beat(): Promise<void> {
    await this.#flush()
    await this.#save()
  }

  async #save(): Promise<void> {
    const progress = { done: this.#done, total: this.#total, errorLines: this.#errorLines }
    const said = await this.#database.withClient((client) => saveProgress(client, this.#attempt, progress))
    if (said === 'overtaken') throw new OvertakenError()
    if (said === 'cancel') this.stop('cancelled')
    if (said === 'revoked') this.stop('revoked')
  }

  /** One after the other: their numbers follow. */
  #flush(): Promise<void> {
    this.#flushing = this.#flushing.then(async () => {
      const lines = this.#pending
      if (lines.length === 0) return
      this.#pending = []
      const from = this.#kept + 1
      this.#kept += lines.length
      try {
        await this.#database.withClient((client) => insertErrors(client, this.#attempt, from, lines))
      } catch (error) {
        // Told again by the next flush: whatever of it is there already keeps its number.
        this.#pending = [...lines, ...this.#pending]
        this.#kept -= lines.length
        throw error
      }
    })
    const flushing = this.#flushing
    // The next flush may work again; this one is heard of by whoever waits for it.
    this.#flushing = flushing.catch(() => undefined)
    return flushing
  }

  #file(role: 'result' | 'part', number: number, facts: JobFileFacts): Promise<JobFile> {
    this.signal.throwIfAborted()
    return createFile(this.#database, { jobId: this.id, attempt: this.#attempt.number, role, number }, facts)
  }
}
