import { createHash } from 'node:crypto'

/** Chance that repeats itself: the n-th throw for one purpose follows from the seed, whatever is thrown in between. */
export class Dice {
  readonly #seed: number
  readonly #throws = new Map<string, number>()

  constructor(seed: number) {
    this.#seed = seed
  }

  /** Between 0 and 1. */
  throw(purpose: string): number {
    const n = (this.#throws.get(purpose) ?? 0) + 1
    this.#throws.set(purpose, n)
    return createHash('sha256').update(`${this.#seed} ${purpose} ${n}`).digest().readUInt32LE(0) / 2 ** 32
  }

  chance(purpose: string, share: number): boolean {
    return this.throw(purpose) < share
  }

  /** 0 to `below` - 1. */
  whole(purpose: string, below: number): number {
    return Math.floor(this.throw(purpose) * below)
  }
}
