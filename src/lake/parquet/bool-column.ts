import { ColumnEncoder, type Compare, PAGE_BYTES } from './column.ts'
import type { Batch } from './scanner.ts'

const PAGE_VALUES = 1 << 19
const compareBool: Compare = (a, b) => (a[0] as number) - (b[0] as number)

/** boolean -> BOOLEAN, bit-packed, the least significant bit first. */
export class BoolColumn extends ColumnEncoder {
  override readonly compare = compareBool
  protected override readonly hasHeadroom = false
  readonly #out = new Uint8Array((PAGE_VALUES + 8192) >> 3)
  #used = 0
  #true = 0

  protected override values(batch: Batch, base: number): void {
    const { buf, pos, len, rows } = batch
    const out = this.#out
    let used = this.#used
    for (let i = base; i < base + rows; i++) {
      const bytes = len[i] as number
      if (bytes !== 1) {
        if (bytes >= 0) this.wrongWidth(bytes)
        this.sum.addNull()
        continue
      }
      const bit = used & 7
      if (bit === 0) out[used >> 3] = 0
      const value = buf[pos[i] as number] === 0 ? 0 : 1
      if (value === 1) {
        out[used >> 3] = (out[used >> 3] as number) | (1 << bit)
        this.#true++
      }
      this.sum.add(value)
      used++
    }
    this.#used = used
  }

  protected override size(): number {
    return this.#used >= PAGE_VALUES ? PAGE_BYTES : 0
  }

  protected override take(): Uint8Array {
    return this.#out.subarray(0, (this.#used + 7) >> 3)
  }

  protected override takeBounds(): readonly [Buffer, Buffer] | undefined {
    const values = this.#used
    const trues = this.#true
    this.#used = 0
    this.#true = 0
    if (values === 0) return undefined
    return [Buffer.from([trues === values ? 1 : 0]), Buffer.from([trues > 0 ? 1 : 0])]
  }
}
