import type { Server } from 'node:http'
import type { Logger } from '../logger.ts'
import { answerEvent, type InvocationContext } from './invocation.ts'
import type { Result } from './result.ts'

/** The application as a function has it. */
export interface FunctionService {
  readonly server: Server
  /** After a pause: what broke meanwhile, as connections do, is found and thrown away. */
  wake(): Promise<void>
  close(): Promise<void>
}

export interface FunctionHandlerOptions {
  readonly logger: Logger
  /** Secret settings as they are now; equal objects mean that nothing has changed. */
  readonly secrets: () => Promise<Readonly<Record<string, string>>>
  readonly open: (secrets: Readonly<Record<string, string>>) => Promise<FunctionService>
  /** In milliseconds, as of `Date.now`: other clocks may stand still while the process is frozen. */
  readonly now?: () => number
}

/** A connection that nobody used for so long may be gone without a word: routers forget it, the process was frozen. */
const LONG_PAUSE_MS = 20_000

/**
 * Answers events, one after the other. The application is made by the first of them and kept: the next one finds it again, after
 * milliseconds or after hours in which the process was frozen. When it could not answer (503), the secrets are looked at again,
 * and where one has changed (a password was rotated) it is made anew.
 */
export class FunctionHandler {
  readonly #options: FunctionHandlerOptions
  readonly #now: () => number
  #service: FunctionService | undefined
  #secrets = ''
  #inDoubt = false
  #waking: Promise<Server> | undefined
  #endedMs: number

  constructor(options: FunctionHandlerOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#endedMs = this.#now()
  }

  async answer(event: unknown, context: InvocationContext): Promise<Result> {
    const { logger } = this.#options
    try {
      const result = await answerEvent(() => this.#server(), event, context, logger)
      this.#inDoubt = result.statusCode === 503
      return result
    } finally {
      this.#endedMs = this.#now()
    }
  }

  /** Never rejects. */
  async close(): Promise<void> {
    await this.#service?.close().catch((error: unknown) => this.#options.logger.warn({ err: error }, 'not closed well'))
  }

  /** An event that could not wait for it leaves it to the next one: what is being made is never made twice. */
  #server(): Promise<Server> {
    this.#waking ??= this.#awake().finally(() => {
      this.#waking = undefined
    })
    return this.#waking
  }

  async #awake(): Promise<Server> {
    const service = await this.#current()
    if (this.#now() - this.#endedMs > LONG_PAUSE_MS) await service.wake()
    return service.server
  }

  async #current(): Promise<FunctionService> {
    if (this.#service !== undefined && !this.#inDoubt) return this.#service
    const secrets = await this.#options.secrets()
    const text = JSON.stringify(secrets)
    if (this.#service !== undefined && text === this.#secrets) return this.#service
    // Its last answer is given. What it may still wait for, a database that refuses it, nobody else has to.
    void this.close()
    this.#service = undefined
    this.#service = await this.#options.open(secrets)
    this.#secrets = text
    return this.#service
  }
}
