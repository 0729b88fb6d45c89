import { createHash } from 'node:crypto'
import type { Database, RawClient } from '../../database/database.ts'
import { AppError, describe } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { explained } from '../writing/write-service.ts'
import type { AnswerSeal } from './answer-seal.ts'
import { claimKey, finishKey, releaseKey } from './idempotency-store.ts'
import {
  type Claim,
  MAX_STORED_BODY_BYTES,
  type Repeat,
  type RepeatableRequest,
  type StoredAnswer,
} from './stored-answer.ts'

const LEASE_MS = 60_000
/** A key that is freed and taken in turns by others is `running` for whoever never sees it still. */
const CLAIM_ATTEMPTS = 3
const RETRY_AFTER_SECONDS = '1'

export interface IdempotencyOptions {
  readonly database: Database
  readonly seal: AnswerSeal
  readonly logger: Logger
  /** How long a process may be silent before another one may act in its place; default 60 s. Only tests have a reason to change it. */
  readonly leaseMs?: number
}

export interface Once {
  readonly answer: StoredAnswer
  /** The answer is that of an earlier request, and nothing was done now. */
  readonly replayed: boolean
}

/**
 * Requests that act once, however often and by however many processes they are received.
 *
 * The key is claimed in a short transaction of its own. The change, its audit events and the stored answer are one transaction, at
 * whose end the claim must still be the holder's: a crash leaves everything, or nothing and a lease that runs out; a process that
 * was paused for longer than its lease cannot commit what another one has done meanwhile. By the database's clock throughout.
 */
export class IdempotencyService {
  readonly #options: IdempotencyOptions

  constructor(options: IdempotencyOptions) {
    this.#options = options
  }

  /**
   * @param effect `database`: `work` runs enclosed by the transaction and may run again after a deadlock. `outside`: it runs by
   *   itself and makes its effect recognisable by `repeat`, because it may have had it before.
   * @param work answers with a success (2xx) or throws
   * @throws AppError `idempotency-in-progress`, `idempotency-mismatch`; what `work` throws, after which the key is free again
   */
  async once(
    request: RepeatableRequest,
    effect: 'database' | 'outside',
    work: (repeat: Repeat) => Promise<StoredAnswer>,
  ): Promise<Once> {
    const taken = await this.#claim(request)
    if ('answer' in taken) return taken
    const { database } = this.#options
    try {
      const answer =
        effect === 'outside'
          ? await this.#act(taken, work, (finish) => database.withClient(finish))
          : await database.enclose((client) => this.#act(taken, work, (finish) => finish(client)))
      return { answer, replayed: false }
    } catch (error) {
      await this.#release(taken)
      // Deferred rules may speak at the end of the enclosing transaction, where no service hears them.
      throw explained(error)
    }
  }

  async #claim(request: RepeatableRequest): Promise<Claim | Once> {
    const { database, leaseMs = LEASE_MS } = this.#options
    for (let attempt = 1; attempt <= CLAIM_ATTEMPTS; attempt++) {
      const found = await claimKey(database, request, leaseMs)
      switch (found?.state) {
        case 'claimed':
          return found.claim
        case 'finished':
          return { answer: this.#opened(request, found.answer), replayed: true }
        case 'mismatch':
          throw new AppError('idempotency-mismatch', 'This Idempotency-Key came with another request before', {
            errors: [{ header: 'Idempotency-Key', code: 'used' }],
          })
        case 'running':
          throw inProgress('The request with this Idempotency-Key is still running')
      }
    }
    throw inProgress('Other requests with this Idempotency-Key are running')
  }

  async #act(
    claim: Claim,
    work: (repeat: Repeat) => Promise<StoredAnswer>,
    connected: (finish: (client: RawClient) => Promise<boolean>) => Promise<boolean>,
  ): Promise<StoredAnswer> {
    const answer = await work(repeatOf(claim))
    // What is not stored must not have happened: a refusal that is thrown takes everything back, one that is answered would not.
    if (answer.status < 200 || answer.status > 299) throw new Error(`a ${answer.status} has to be thrown`)
    if ((answer.body?.length ?? 0) > MAX_STORED_BODY_BYTES) {
      throw new Error('an answer is too large to be stored: the operation has to refuse Idempotency-Key')
    }
    const sealed = this.#sealed(claim, answer)
    if (await connected((client) => finishKey(client, claim, sealed))) return answer
    throw inProgress('This took too long, and another request with the same Idempotency-Key has taken over')
  }

  /** Never throws: the lease runs out by itself. */
  async #release(claim: Claim): Promise<void> {
    const { database, logger } = this.#options
    try {
      await releaseKey(database, claim)
    } catch (error) {
      logger.warn(
        { keyId: claim.callerId, cause: describe(error) },
        'an Idempotency-Key stays locked until its lease ends',
      )
    }
  }

  #sealed(claim: Claim, answer: StoredAnswer): StoredAnswer {
    const { body } = answer
    return body === null ? answer : { ...answer, body: this.#options.seal.seal(body, placeOf(claim)) }
  }

  #opened(request: RepeatableRequest, answer: StoredAnswer): StoredAnswer {
    const { body } = answer
    return body === null ? answer : { ...answer, body: this.#options.seal.open(body, placeOf(request)) }
  }
}

function placeOf({ callerId, key, fingerprint }: RepeatableRequest): readonly string[] {
  return [callerId, key, fingerprint.toString('hex')]
}

function repeatOf({ callerId, key, fingerprint, firstSeenAt }: Claim): Repeat {
  const parts = [callerId, key, fingerprint.toString('hex'), firstSeenAt.toISOString()]
  return { token: createHash('sha256').update(JSON.stringify(parts)).digest('hex'), since: firstSeenAt }
}

function inProgress(message: string): AppError {
  return new AppError('idempotency-in-progress', message, { headers: { 'Retry-After': RETRY_AFTER_SECONDS } })
}
