import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { describe } from '../../errors.ts'
import { LakeProblem } from '../lake-problem.ts'
import type { ByteSink } from '../parquet/output.ts'
import type { FileOutlet } from './file-outlet.ts'
import {
  type CopyCommand,
  type ReaderCommand,
  type ReaderData,
  type ReaderMessage,
  type ReaderReply,
  receivedProblem,
} from './reader-messages.ts'

/** A reader's own objects, without the buffers of rows and pages: one that needs more has a leak, and ends by name. */
const HEAP_MIB = 192
const YOUNG_HEAP_MIB = 16
const END_TIMEOUT_MS = 3_000

export type CopyProgress = (rows: number, bytes: number) => void

const workerScript = (): URL => new URL(`./reader-worker${path.extname(import.meta.url)}`, import.meta.url)

/** Messages that wait for those before them. */
type Sent = Exclude<ReaderMessage, { readonly kind: 'progress' | 'problem' }>

interface Asked {
  resolve(answer: ReaderMessage): void
  reject(error: unknown): void
}

/** One reader thread as the main thread sees it. It dies with what it does: whatever it was asked then fails as `reader_failed`. */
export class ReaderThread {
  readonly #worker: Worker
  readonly #number: number
  #asked: Asked | undefined
  #ended: LakeProblem | undefined
  #outlet: FileOutlet | undefined
  #sink: ByteSink | undefined
  #onProgress: CopyProgress = () => undefined
  /** What the reader sent, in order. */
  #work: Promise<void> = Promise.resolve()
  #pid: number | undefined

  /** @param script another program in place of the reader; for tests. */
  constructor(data: ReaderData, number: number, script: URL = workerScript()) {
    this.#number = number
    this.#worker = new Worker(script, {
      workerData: data,
      name: `snapshot reader ${number}`,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB, maxYoungGenerationSizeMb: YOUNG_HEAP_MIB },
    })
    this.#worker.on('message', (message: ReaderMessage) => this.#heard(message))
    this.#worker.on('error', (error) => this.#died(error))
    this.#worker.on('exit', (code) => this.#died(new Error(`it ended with code ${code}`)))
  }

  /** Process id of its connection's other side; undefined before the first. */
  get pid(): number | undefined {
    return this.#pid
  }

  /** @returns which instance it reached. */
  async connect(): Promise<string> {
    const answer = await this.#ask({ kind: 'connect' })
    if (answer.kind !== 'connected') throw this.#confused(answer)
    this.#pid = answer.pid
    return answer.instance
  }

  async try(snapshot: string): Promise<void> {
    await this.#ask({ kind: 'trial', snapshot })
  }

  /**
   * Copies one range of a table into files of the outlet.
   *
   * @returns rows as Postgres counted them. When it throws, nothing of the outlet is under way any more.
   * @throws LakeProblem as `copyTable` does, `reader_failed`, or what the outlet throws.
   */
  async copy(command: CopyCommand, outlet: FileOutlet, onProgress: CopyProgress): Promise<number> {
    this.#outlet = outlet
    this.#onProgress = onProgress
    try {
      const answer = await this.#ask({ kind: 'copy', ...command })
      if (answer.kind !== 'copied') throw this.#confused(answer)
      return answer.rows
    } finally {
      await this.#work
      this.#outlet = undefined
      this.#sink = undefined
      this.#onProgress = () => undefined
    }
  }

  /** Closes its connection and ends it; whatever takes too long is ended as by `kill`. */
  async end(): Promise<void> {
    if (this.#ended) return
    const exit = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()))
    this.#worker.postMessage({ kind: 'end' } satisfies ReaderCommand)
    await Promise.race([exit, new Promise((resolve) => setTimeout(resolve, END_TIMEOUT_MS).unref())])
    await this.kill()
  }

  /** Ends it at once: its socket closes, and with it the server's side and its locks. */
  async kill(): Promise<void> {
    await this.#worker.terminate()
  }

  #ask(command: ReaderCommand): Promise<ReaderMessage> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#ended)
      this.#asked = { resolve, reject }
      this.#worker.postMessage(command)
    })
  }

  #heard(message: ReaderMessage): void {
    if (message.kind === 'progress') {
      this.#onProgress(message.rows, message.bytes)
    } else if (message.kind === 'problem') {
      // Its connection is of no use any more, and the number may soon be another's.
      this.#pid = undefined
      this.#asked?.reject(receivedProblem(message.problem))
    } else {
      this.#inOrder(message)
    }
  }

  #inOrder(message: Sent): void {
    this.#work = this.#work.then(() => this.#take(message)).catch((error: unknown) => this.#asked?.reject(error))
  }

  async #take(message: Sent): Promise<void> {
    if (message.kind === 'open') {
      this.#sink = await this.#outlet?.open(message.number)
      this.#reply({ kind: 'opened' })
    } else if (message.kind === 'bytes') {
      await this.#takeBytes(message)
    } else if (message.kind === 'close') {
      const { facts, number } = message
      this.#outlet?.finish(number, { ...facts, tail: Buffer.from(facts.tail) })
    } else {
      this.#asked?.resolve(message)
    }
  }

  /** The reader goes on while its bytes find room; without a sink they belong to a file that failed. */
  async #takeBytes({ block, length }: { block: ArrayBuffer; length: number }): Promise<void> {
    const sink = this.#sink
    if (sink?.busy) await sink.drained()
    sink?.write(new Uint8Array(block, 0, length))
    this.#reply({ kind: 'taken', block }, [block])
  }

  #reply(reply: ReaderReply, transfer: ArrayBuffer[] = []): void {
    if (!this.#ended) this.#worker.postMessage(reply, transfer)
  }

  #died(cause: Error): void {
    this.#ended ??= new LakeProblem(
      'reader_failed',
      `Reader ${this.#number} of the snapshot ended: ${(cause as NodeJS.ErrnoException).code ?? describe(cause)}`,
      { reader: this.#number },
      cause,
    )
    this.#asked?.reject(this.#ended)
  }

  #confused(answer: ReaderMessage): Error {
    return new Error(`Reader ${this.#number} answered ${answer.kind}`)
  }
}
