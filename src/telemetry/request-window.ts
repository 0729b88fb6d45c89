import type { EndedRequest } from '../metrics.ts'

/** What the requests of one interval were. */
export interface WindowOfRequests {
  readonly requests: number
  readonly serverErrors: number
  readonly rateLimited: number
  /** Milliseconds; of very many requests a fair sample. */
  readonly times: readonly number[]
}

/** 1,000 requests a second for a minute take 0.5 MB; of more each has the same chance to be among them. */
const MOST_TIMES = 60_000

/**
 * Requests since the last look, but for two kinds: probes, which machines send whether anybody is there or not, and streams, whose
 * time is that of their length; streams count, their time does not.
 */
export class RequestWindow {
  #requests = 0
  #serverErrors = 0
  #rateLimited = 0
  #timed = 0
  #times: number[] = []

  add({ isProbe, isStream, seconds, status }: EndedRequest): void {
    if (isProbe) return
    this.#requests++
    if (status >= 500) this.#serverErrors++
    if (status === 429) this.#rateLimited++
    if (!isStream) this.#addTime(Math.round(seconds * 10_000) / 10)
  }

  take(): WindowOfRequests {
    const taken = {
      requests: this.#requests,
      serverErrors: this.#serverErrors,
      rateLimited: this.#rateLimited,
      times: this.#times,
    }
    this.#requests = this.#serverErrors = this.#rateLimited = this.#timed = 0
    this.#times = []
    return taken
  }

  /** Reservoir sampling: the n-th stays with a chance of `MOST_TIMES / n`, in the place of any other. */
  #addTime(ms: number): void {
    this.#timed++
    if (this.#times.length < MOST_TIMES) return void this.#times.push(ms)
    const place = Math.floor(Math.random() * this.#timed)
    if (place < MOST_TIMES) this.#times[place] = ms
  }
}
