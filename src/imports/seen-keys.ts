import { randomInt } from 'node:crypto'

/** So many tables; each grows by itself, so that growing never needs twice the memory of all. */
const TABLES = 256
const FIRST_SLOTS = 16
/** A slot takes 12 bytes: two halves of a hash and a line. */
const MAX_ENTRIES_PER_TABLE = 48_000

class Table {
  private high = new Uint32Array(FIRST_SLOTS)
  private low = new Uint32Array(FIRST_SLOTS)
  private lines = new Uint32Array(FIRST_SLOTS)
  private entries = 0

  get(high: number, low: number): number | undefined {
    return this.lines[this.slot(high, low)] || undefined
  }

  set(high: number, low: number, line: number): void {
    const at = this.slot(high, low)
    if (this.lines[at] === 0) {
      if (this.entries >= MAX_ENTRIES_PER_TABLE) return
      this.entries++
    }
    this.high[at] = high
    this.low[at] = low
    this.lines[at] = line
    if (this.entries * 4 > this.lines.length * 3) this.grow()
  }

  /** Where the entry is, or the free slot where it belongs. */
  private slot(high: number, low: number): number {
    const mask = this.lines.length - 1
    let at = low & mask
    while (this.lines[at] !== 0 && (this.low[at] !== low || this.high[at] !== high)) at = (at + 1) & mask
    return at
  }

  private grow(): void {
    const { high, low, lines } = this
    this.high = new Uint32Array(lines.length * 2)
    this.low = new Uint32Array(lines.length * 2)
    this.lines = new Uint32Array(lines.length * 2)
    for (let i = 0; i < lines.length; i++) {
      if (lines[i] === 0) continue
      const at = this.slot(high[i] as number, low[i] as number)
      this.high[at] = high[i] as number
      this.low[at] = low[i] as number
      this.lines[at] = lines[i] as number
    }
  }
}

/**
 * The line on which each key of an import was first seen, in bounded memory: 12 million keys at most, 300 MB; what comes after
 * is not remembered, and its repetition is then an update like any other. Keys are kept as 64-bit hashes with a seed of the
 * import's own: of 4 million keys, a wrong "seen before" happens in one import of two million.
 */
export class SeenKeys {
  readonly #tables = Array.from({ length: TABLES }, () => new Table())
  readonly #seed = randomInt(2 ** 32)

  /** The line on which the key was seen first. */
  lineOf(key: string): number | undefined {
    const [high, low] = this.#hash(key)
    return (this.#tables[high & (TABLES - 1)] as Table).get(high, low)
  }

  /** @param line from 1 */
  add(key: string, line: number): void {
    const [high, low] = this.#hash(key)
    const table = this.#tables[high & (TABLES - 1)] as Table
    if (table.get(high, low) === undefined) table.set(high, low, line)
  }

  /** Two multiplicative hashes over the UTF-16 units, mixed with each other at the end. */
  #hash(key: string): [high: number, low: number] {
    let a = this.#seed ^ 0x9e3779b9
    let b = this.#seed ^ 0x41c6ce57
    for (let i = 0; i < key.length; i++) {
      const unit = key.charCodeAt(i)
      a = Math.imul(a ^ unit, 0x9e3779b1)
      b = Math.imul(b ^ unit, 0x5f356495)
      a ^= a >>> 15
      b ^= b >>> 13
    }
    const high = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35)
    const low = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35)
    return [high >>> 0, low >>> 0]
  }
}
