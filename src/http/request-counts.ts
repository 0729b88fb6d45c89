import { AsyncLocalStorage } from 'node:async_hooks'
import { describe } from '../errors.ts'
import type { Logger } from '../logger.ts'

/** So many in so long. */
export interface Quota {
  readonly count: number
  readonly windowSeconds: number
}

/** What one key has used of a policy in this process since the last exchange. */
export interface SentCount {
  readonly keyId: string
  readonly count: number
  /** Until the end of the window as this process knows it; for a window that nobody has begun yet. */
  readonly leftMs: number
}

/** What one key has used of a policy in its window, in all processes. */
export interface SharedCount {
  readonly keyId: string
  readonly count: number
  readonly leftMs: number
}

/**
 * Counts that the processes of a deployment have in common. Windows begin and end by one clock, theirs; what is told of an end is told
 * as the time until then, so that the clocks of the processes do not matter.
 */
export interface SharedCounts {
  /**
   * Adds to the windows that are open, opens those that are not, and tells what each has now. All or nothing.
   *
   * @param windowMs how long a window may last at most
   */
  exchange(policy: string, sent: readonly SentCount[], windowMs: number): Promise<readonly SharedCount[]>
}

/** What is left of a quota after a request, or before one that is refused. */
export interface Left {
  readonly remaining: number
  readonly resetSeconds: number
  readonly isOver: boolean
}

export interface RequestCountsOptions {
  /** Name of the policy. */
  readonly policy: string
  readonly quota: Quota
  /** Default: this process counts for itself. */
  readonly shared?: SharedCounts | undefined
  readonly logger?: Logger | undefined
  /** How often counts are exchanged; default 500 ms. */
  readonly exchangeMs?: number
  /** A monotonic clock in milliseconds; default that of the process. */
  readonly now?: () => number
}

/** The window of a key, as this process knows it. */
interface Window {
  /** Of all processes, as of the last exchange. */
  known: number
  /** Let through here since then. */
  own: number
  /** Of these, what an exchange that runs has taken along. */
  sending: number
  endsAt: number
  /** Was it part of an exchange yet? */
  isHeard: boolean
}

const EXCHANGE_MS = 500
/** Between two exchanges that do not wait for their time. */
const SPACING_MS = 50
/** A key that has used so much of what was left cannot wait for the next exchange. */
const HASTE = 1 / 4
/** Ends of a window that differ by less, and by less than half a window, are the same one, told at different moments. */
const SAME_END_MS = 1_000

/**
 * Requests of keys, counted in fixed windows: by this process at once, and with what the others have counted as soon as that is known.
 *
 * No request waits for anybody. Counts are exchanged every half second while there are any, at once for a key that this process has
 * not heard of in its window (after a start, it has used up its quota elsewhere), and earlier for one that quickly uses what is left:
 * then the processes let through at most what reaches them during one exchange beyond the quota. Requests that are refused do not
 * count. When counts cannot be exchanged, each process goes on with what it knows, and tries it no more often than every half second.
 */
export class RequestCounts {
  readonly #policy: string
  readonly #limit: number
  readonly #windowMs: number
  readonly #shared: SharedCounts | undefined
  readonly #logger: Logger | undefined
  readonly #exchangeMs: number
  readonly #now: () => number
  readonly #windows = new Map<string, Window>()
  /** Exchanges are for many requests, and no part of the one that happens to come first. */
  readonly #outside = AsyncLocalStorage.snapshot()
  #sweepAt: number
  #timer: NodeJS.Timeout | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #exchanging: Promise<void> | undefined
  #lastEnd = Number.NEGATIVE_INFINITY
  #isAlone = false
  #stopped = false

  constructor({ policy, quota, shared, logger, exchangeMs, now }: RequestCountsOptions) {
    this.#policy = policy
    this.#limit = quota.count
    this.#windowMs = quota.windowSeconds * 1000
    this.#shared = shared
    this.#logger = logger
    this.#exchangeMs = exchangeMs ?? EXCHANGE_MS
    this.#now = now ?? (() => performance.now())
    this.#sweepAt = this.#now() + this.#windowMs
  }

  /** Counts a request, unless the quota is used up. */
  count(keyId: string): Left {
    const now = this.#now()
    const window = this.#windowOf(keyId, now)
    const left = this.#take(window, now)
    if (!left.isOver && this.#shared !== undefined) {
      const isHasty =
        !this.#isAlone && (!window.isHeard || window.own - window.sending >= (this.#limit - window.known) * HASTE)
      this.#schedule(this.#lastEnd + (isHasty ? SPACING_MS : this.#exchangeMs), now)
    }
    return left
  }

  /**
   * Counts a request in all processes before it is answered: for requests so rare and dear that a statement more does not matter, and
   * of which none may be too many. Where that is not possible, this process counts for itself.
   */
  async countTogether(keyId: string): Promise<Left> {
    const now = this.#now()
    const window = this.#windowOf(keyId, now)
    if (this.#shared === undefined || window.known + window.own >= this.#limit) return this.#take(window, now)
    try {
      const [told] = await this.#shared.exchange(
        this.#policy,
        [{ keyId, count: 1, leftMs: window.endsAt - now }],
        this.#windowMs,
      )
      if (told === undefined) return this.#take(window, now)
      this.#hear(window, told)
      return this.#left(window, told.count - 1, this.#now())
    } catch (error) {
      this.#failed(error)
      return this.#take(window, now)
    }
  }

  /** Tells the others what they do not know yet; then counts are exchanged no more. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#exchanging
    if (this.#shared !== undefined) await this.#exchange(this.#shared)
  }

  #take(window: Window, now: number): Left {
    const left = this.#left(window, window.known + window.own, now)
    if (!left.isOver) window.own++
    return left
  }

  /** @param before how much was used before this request */
  #left({ endsAt }: Window, before: number, now: number): Left {
    const remaining = Math.max(0, this.#limit - before - 1)
    // Not more than the window lasts: a sum of fractions may be a little more, and would be a second more when it is rounded.
    const leftMs = Math.min(endsAt - now, this.#windowMs)
    const resetSeconds = Math.max(1, Math.ceil(leftMs / 1000))
    return { remaining, resetSeconds, isOver: before >= this.#limit }
  }

  #windowOf(keyId: string, now: number): Window {
    const found = this.#windows.get(keyId)
    if (found !== undefined && found.endsAt > now) return found
    this.#sweep(now)
    const begun = { known: 0, own: 0, sending: 0, endsAt: now + this.#windowMs, isHeard: false }
    this.#windows.set(keyId, begun)
    return begun
  }

  /** Keys that are not used any more are forgotten. */
  #sweep(now: number): void {
    if (now < this.#sweepAt) return
    this.#sweepAt = now + this.#windowMs
    for (const [keyId, { endsAt }] of this.#windows) if (endsAt <= now) this.#windows.delete(keyId)
  }

  #schedule(at: number, now: number): void {
    if (this.#stopped || at >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = at
    // One that runs is followed by the next when it has ended.
    if (this.#exchanging !== undefined) return
    this.#timer = setTimeout(() => this.#outside(() => this.#begin()), Math.max(0, at - now))
    this.#timer.unref()
  }

  #begin(): void {
    const shared = this.#shared
    if (shared === undefined || this.#stopped) return
    this.#timerAt = Number.POSITIVE_INFINITY
    this.#exchanging = this.#exchange(shared).finally(() => {
      this.#exchanging = undefined
      this.#lastEnd = this.#now()
      const next = this.#timerAt
      this.#timerAt = Number.POSITIVE_INFINITY
      if (next !== Number.POSITIVE_INFINITY) this.#schedule(Math.max(next, this.#lastEnd + SPACING_MS), this.#lastEnd)
    })
  }

  /** Never rejects. What was sent in vain is not sent again: perhaps it has arrived, and no caller shall pay twice. */
  async #exchange(shared: SharedCounts): Promise<void> {
    const now = this.#now()
    const sent = new Map<string, Window>()
    for (const [keyId, window] of this.#windows) {
      if (window.own === 0 || window.endsAt <= now) continue
      window.sending = window.own
      sent.set(keyId, window)
    }
    if (sent.size === 0) return
    const counts = [...sent].map(([keyId, { sending, endsAt }]) => ({ keyId, count: sending, leftMs: endsAt - now }))
    try {
      const told = await shared.exchange(this.#policy, counts, this.#windowMs)
      for (const count of told) this.#hear(sent.get(count.keyId), count)
    } catch (error) {
      this.#failed(error)
    }
    for (const window of sent.values()) {
      window.known += window.sending
      window.own -= window.sending
      window.sending = 0
    }
  }

  #failed(error: unknown): void {
    if (!this.#isAlone) this.#logger?.warn({ cause: describe(error) }, 'requests are counted without other processes')
    this.#isAlone = true
  }

  #hear(window: Window | undefined, { count, leftMs }: SharedCount): void {
    if (window === undefined) return
    const endsAt = this.#now() + leftMs
    const isLater = endsAt > window.endsAt + Math.min(SAME_END_MS, this.#windowMs / 2)
    // Within one window a count only grows: a smaller one comes from a server that has lost its counts.
    window.known = isLater ? count : Math.max(count, window.known + window.sending)
    window.own -= window.sending
    window.sending = 0
    window.endsAt = endsAt
    window.isHeard = true
    this.#isAlone = false
  }
}
