const SMALL_BLOCK_BYTES = 65_536
const BLOCK_BYTES = 1 << 20

/**
 * Memory for the compressed pages of one row group, used again for a later one: pages of their own would make the collector go over
 * the whole heap after every few of them, to free what it does not manage.
 */
export class PageBlocks {
  #blocks: Buffer[] = []
  /** The block that is being filled. */
  #block = 0
  #filled = 0

  /** A copy of `bytes`, good until `clear()`. */
  keep(bytes: Buffer): Buffer {
    const block = this.#blockFor(bytes.length)
    const start = this.#filled
    bytes.copy(block, start)
    this.#filled += bytes.length
    return block.subarray(start, this.#filled)
  }

  #blockFor(bytes: number): Buffer {
    for (; this.#block < this.#blocks.length; this.#block++) {
      const block = this.#blocks[this.#block] as Buffer
      if (this.#filled + bytes <= block.length) return block
      this.#filled = 0
    }
    const usual = this.#blocks.length === 0 ? SMALL_BLOCK_BYTES : BLOCK_BYTES
    const block = Buffer.allocUnsafeSlow(Math.max(bytes, usual))
    this.#blocks.push(block)
    return block
  }

  /** All pages are gone. Blocks of huge values are not kept. */
  clear(): void {
    this.#blocks = this.#blocks.filter((block) => block.length <= BLOCK_BYTES)
    this.#block = 0
    this.#filled = 0
  }
}
