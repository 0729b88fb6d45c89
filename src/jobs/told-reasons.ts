/** What was told a moment ago need not be told again: whoever reads the log of an outage would find nothing else there. */
export class ToldReasons {
  readonly #everyMs: number
  readonly #now: () => number
  #reason: string | undefined
  #toldAt = 0

  /** @param now in ms; for tests */
  constructor(everyMs: number, now: () => number = () => performance.now()) {
    this.#everyMs = everyMs
    this.#now = now
  }

  /** True once for each change of the reason, and again when it lasts. */
  isNew(reason: string): boolean {
    const now = this.#now()
    if (reason === this.#reason && now - this.#toldAt < this.#everyMs) return false
    this.#reason = reason
    this.#toldAt = now
    return true
  }
}
