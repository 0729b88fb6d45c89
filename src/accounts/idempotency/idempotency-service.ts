import { createHash } from 'node:crypto'
import { ConnectionLost } from '../../database/constraint-errors.ts'
import type { Database, RawClient } from '../../database/database.ts'
import { AppError, describe } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { explained } from '../writing/write-service.ts'
import type { AnswerSeal } from './answer-seal.ts'
import { claimKey, finishKey, releaseKey } from './idempotency-store.ts'
import { Lease } from './lease-service.ts'
import {
  type Claim,
  MAX_STORED_BODY_BYTES,
  type Repeat,
  type RepeatableRequest,
  type StoredAnswer,
} from './stored-answer.ts'

/** So long a repeat waits for a process that died; one that lives renews its lease. */
const LEASE_MS = 10_000
/** How often a request is tried whose connection was lost. */
const ATTEMPTS = 3
/** A key that is freed and taken in turns by others is `running` for whoever never sees it still. */
const CLAIM_ATTEMPTS = 3
const RETRY_AFTER_SECONDS = '1'

export interface IdempotencyOptions {
  readonly database: Database
  readonly seal: AnswerSeal
  readonly logger: Logger
  /** How long a process may be silent before another one may act in its place; default 10 s. Only tests have a reason to change it. */
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
    const { database, logger, leaseMs = LEASE_MS } = this.#options
    let taken = await this.#claim(request)
    for (let attempt = 1; ; attempt++) {
      if ('answer' in taken) return taken
      const lease = new Lease({ database, claim: taken, leaseMs, logger })
      try {
        return { answer: await this.#underLease(lease, effect, work), replayed: false }
      } catch (error) {
        taken = await this.#afterLoss(lease.claim, error, attempt, effect).catch(async (final: unknown) => {
          await this.#release(lease.claim)
          // Deferred rules may speak at the end of the enclosing transaction, where no service hears them.
          throw explained(final)
        })
      }
    }
  }

  /**
   * What the key says after the connection was lost while a transaction ended: its own answer, or the right to act once more. The claim
   * itself may be lost when the server has crashed.
   *
   * @throws what the request fails with
   */
  async #afterLoss(held: Claim, error: unknown, attempt: number, effect: string): Promise<Claim | Once> {
    const isOpen = error instanceof ConnectionLost || error instanceof ClaimLost
    if (!isOpen || effect === 'outside' || attempt >= ATTEMPTS) throw error instanceof ClaimLost ? tookOver() : error
    const { database, leaseMs = LEASE_MS } = this.#options
    const found = await claimKey(database, held, leaseMs)
    if (found?.state === 'claimed') return found.claim
    // Whoever wrote it acted for this request.
    if (found?.state === 'finished') return { answer: this.#opened(held, found.answer), replayed: false }
    if (found?.state === 'running' && found.lockedUntil?.getTime() === held.lockedUntil.getTime()) return held
    throw error instanceof ClaimLost ? tookOver() : error
  }

  async #underLease(
    lease: Lease,
    effect: 'database' | 'outside',
    work: (repeat: Repeat) => Promise<StoredAnswer>,
  ): Promise<StoredAnswer> {
    const { database } = this.#options
    let runs = 0
    try {
      if (effect === 'outside') {
        return await this.#act(lease, work, (finish) => database.withClient(finish))
      }
      return await database.enclose((client) => {
        runs++
        return this.#act(lease, work, (finish) => finish(client))
      })
    } catch (error) {
      throw error instanceof ClaimLost && runs < 2 ? tookOver() : error
    } finally {
      await lease.end()
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
    lease: Lease,
    work: (repeat: Repeat) => Promise<StoredAnswer>,
    connected: (finish: (client: RawClient) => Promise<boolean>) => Promise<boolean>,
  ): Promise<StoredAnswer> {
    const answer = await work(repeatOf(lease.claim))
    // What is not stored must not have happened: a refusal that is thrown takes everything back, one that is answered would not.
    if (answer.status < 200 || answer.status > 299) throw new Error(`a ${answer.status} has to be thrown`)
    if ((answer.body?.length ?? 0) > MAX_STORED_BODY_BYTES) {
      throw new Error('an answer is too large to be stored: the operation has to refuse Idempotency-Key')
    }
    // Its fence must not change any more.
    await lease.end()
    const { claim } = lease
    const sealed = this.#sealed(claim, answer)
    if (await connected((client) => finishKey(client, claim, sealed))) return answer
    throw new ClaimLost()
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
    if (body === null) return answer
    try {
      return { ...answer, body: this.#options.seal.open(body, placeOf(request)) }
    } catch (error) {
      const { callerId: keyId } = request
      this.#options.logger.warn({ keyId, cause: describe(error) }, 'a stored answer cannot be read')
      const detail = `The request with this Idempotency-Key was done and answered ${answer.status}. That answer cannot be read any more, as the service has other keys now: read what it has changed`
      throw new AppError('conflict', detail, {
        extra: { answeredWith: answer.status },
      })
    }
  }
}

function placeOf({ callerId, key, fingerprint }: RepeatableRequest): readonly string[] {
  return [callerId, key, fingerprint.toString('hex')]
}

function repeatOf({ callerId, key, fingerprint, firstSeenAt }: Claim): Repeat {
  const parts = [callerId, key, fingerprint.toString('hex'), firstSeenAt.toISOString()]
  return { token: createHash('sha256').update(JSON.stringify(parts)).digest('hex'), since: firstSeenAt }
}

/** The key is no longer the holder's. */
class ClaimLost extends Error {
  override readonly name: string = 'ClaimLost'
}

function tookOver(): AppError {
  return inProgress('This took too long, and another request with the same Idempotency-Key has taken over')
}

function inProgress(message: string): AppError {
  return new AppError('idempotency-in-progress', message, { headers: { 'Retry-After': RETRY_AFTER_SECONDS } })
}
