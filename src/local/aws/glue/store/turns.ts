/** Work that shares a key runs one after the other, in the order of the calls; different keys do not wait for each other. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  async take<T>(key: string, work: () => Promise<T> | T): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve()
    const mine = before.then(work, work)
    this.#last.set(key, mine)
    try {
      return await mine
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key)
    }
  }

  /** Resolves when nothing runs or waits. */
  async settled(): Promise<void> {
    while (this.#last.size > 0) await Promise.allSettled([...this.#last.values()])
  }
}
