import { parentPort, workerData } from 'node:worker_threads'
import type { ByteSink } from '../parquet/output.ts'
import type { FileFacts } from '../parquet/writer.ts'
import type { FileOutlet } from './file-outlet.ts'
import { assertOwnSession, instanceOf } from './preflight.ts'
import { copyTable } from './read.ts'
import type { CopyCommand, ReaderCommand, ReaderData, ReaderMessage, ReaderReply } from './reader-messages.ts'
import { sentProblem } from './reader-messages.ts'
import { backendPid, closeSource, importSnapshot, openSource, type Source } from './source.ts'
import { sourceProblem } from './source-problem.ts'
import { TableFiles } from './table-files.ts'

const BLOCK_BYTES = 1 << 18
/** Blocks that the main thread has not taken yet; beyond this the reader waits. */
const BLOCKS_UNDER_WAY = 4

/** The bytes of a reader's files on their way to the main thread, in blocks that come back and are used again. */
class MessageOutlet implements FileOutlet {
  readonly #post: (message: ReaderMessage, transfer?: ArrayBuffer[]) => void
  readonly #free: ArrayBuffer[] = []
  #block: Buffer | undefined
  #filled = 0
  #underWay = 0
  #opened: (() => void) | undefined
  #waiters: (() => void)[] = []
  readonly #sink: ByteSink

  constructor(post: (message: ReaderMessage, transfer?: ArrayBuffer[]) => void) {
    this.#post = post
    const isBusy = () => this.busy
    this.#sink = {
      write: (bytes) => this.#write(bytes),
      get busy() {
        return isBusy()
      },
      drained: () => this.drained(),
    }
  }

  get busy(): boolean {
    return this.#underWay >= BLOCKS_UNDER_WAY
  }

  async drained(): Promise<void> {
    while (this.busy) await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }

  async open(number: number): Promise<ByteSink> {
    const opened = new Promise<void>((resolve) => {
      this.#opened = resolve
    })
    this.#post({ kind: 'open', number })
    await opened
    return this.#sink
  }

  finish(number: number, facts: FileFacts): void {
    this.#send()
    this.#post({ kind: 'close', number, facts })
  }

  heard(reply: ReaderReply): void {
    if (reply.kind === 'opened') {
      this.#opened?.()
      return
    }
    this.#underWay--
    if (this.#free.length < BLOCKS_UNDER_WAY) this.#free.push(reply.block)
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }

  /** What is left of a file that will never be whole. */
  forget(): void {
    this.#block = undefined
    this.#filled = 0
  }

  #write(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      this.#block ??= Buffer.from(this.#free.pop() ?? new ArrayBuffer(BLOCK_BYTES))
      const take = Math.min(bytes.length - from, BLOCK_BYTES - this.#filled)
      this.#block.set(bytes.subarray(from, from + take), this.#filled)
      this.#filled += take
      from += take
      if (this.#filled === BLOCK_BYTES) this.#send()
    }
  }

  #send(): void {
    if (this.#block === undefined) return
    const block = this.#block.buffer as ArrayBuffer
    this.#underWay++
    this.#post({ kind: 'bytes', block, length: this.#filled }, [block])
    this.forget()
  }
}

/** One reader: a connection of its own, an encoder of its own. */
class Reader {
  readonly #data: ReaderData
  readonly #post: (message: ReaderMessage, transfer?: ArrayBuffer[]) => void
  readonly #outlet: MessageOutlet
  #source: Source | undefined

  constructor(data: ReaderData, post: (message: ReaderMessage, transfer?: ArrayBuffer[]) => void) {
    this.#data = data
    this.#post = post
    this.#outlet = new MessageOutlet(post)
  }

  async heard(message: ReaderCommand | ReaderReply): Promise<void> {
    if (message.kind === 'opened' || message.kind === 'taken') return this.#outlet.heard(message)
    try {
      if (message.kind === 'connect') await this.#connect()
      else if (message.kind === 'trial') await this.#try(message.snapshot)
      else if (message.kind === 'copy') await this.#copy(message)
      else await this.close()
    } catch (error) {
      this.#outlet.forget()
      this.#post({ kind: 'problem', problem: sentProblem(sourceProblem(error)) })
    }
  }

  async close(): Promise<void> {
    const source = this.#source
    this.#source = undefined
    if (source) await closeSource(source)
  }

  get #connected(): Source {
    if (!this.#source) throw new Error('The reader has no connection')
    return this.#source
  }

  async #connect(): Promise<void> {
    await this.close()
    this.#source = await openSource(this.#data.url, this.#data.applicationName)
    const { client } = this.#source
    await assertOwnSession(client)
    this.#post({ kind: 'connected', pid: backendPid(client), instance: await instanceOf(client) })
  }

  async #try(snapshot: string): Promise<void> {
    const { client } = this.#connected
    await importSnapshot(client, snapshot, this.#data.maxAgeMs)
    await client.query('ROLLBACK')
    this.#post({ kind: 'tried' })
  }

  async #copy({ contract, facts, range, settings, snapshot }: CopyCommand): Promise<void> {
    const source = this.#connected
    const outlet = this.#outlet
    const { createdBy, maxAgeMs, snapshotId } = this.#data
    const pseudonymKey = Buffer.from(settings.pseudonymKey)
    await importSnapshot(source.client, snapshot, maxAgeMs)
    const files = new TableFiles({
      contract,
      snapshotId,
      facts,
      settings: { ...settings, pseudonymKey },
      createdBy,
      outlet,
    })
    const progress = () => this.#post({ kind: 'progress', rows: files.rows, bytes: files.bytes })
    await files.open()
    const count = await copyTable(source, contract, files, new AbortController().signal, progress, range)
    await files.close()
    await source.client.query('COMMIT')
    progress()
    this.#post({ kind: 'copied', rows: count })
  }
}

if (parentPort) {
  const port = parentPort
  const reader = new Reader(workerData as ReaderData, (message, transfer) => port.postMessage(message, transfer ?? []))
  port.on('message', (message: ReaderCommand | ReaderReply) => {
    void reader.heard(message).then(() => {
      if (message.kind === 'end') port.close()
    })
  })
}
