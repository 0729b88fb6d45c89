import { type Compare, type EncoderOptions, WordColumn } from './column.ts'
import type { Batch } from './scanner.ts'

/** Days and microseconds from 1970-01-01 to Postgres' epoch, 2000-01-01. */
const EPOCH_DAYS = 10_957
const EPOCH_HIGH = Math.floor(946_684_800_000_000 / 2 ** 32)
const EPOCH_LOW = 946_684_800_000_000 % 2 ** 32

/** Accepted dates as sent: 1582-10-15 to 9999-12-31. Below, Spark 3 stops with SparkUpgradeException. */
const DATE_MIN = -152_384
const DATE_MAX = 2_921_939
/** 0001-01-01. */
const DATE_BC = -730_119
const INT32_MAX = 2_147_483_647
const INT32_MIN = -2_147_483_648

const compareInt32: Compare = (a, b) => a.readInt32LE() - b.readInt32LE()
const compareInt64: Compare = (a, b) => a.readInt32LE(4) - b.readInt32LE(4) || a.readUInt32LE() - b.readUInt32LE()

/** smallint, integer, date -> INT32. */
export class Int32Column extends WordColumn {
  override readonly compare = compareInt32
  readonly #isDate: boolean
  readonly #width: number
  #min = INT32_MAX
  #max = INT32_MIN

  constructor(options: EncoderOptions) {
    super(options)
    this.#isDate = options.column.pgType === 'date'
    this.#width = options.column.pgType === 'smallint' ? 2 : 4
  }

  protected override values(batch: Batch, base: number): void {
    if (this.#isDate) this.#screenDates(batch, base)
    const { view, pos, len, rows } = batch
    const out = this.room(rows)
    const add = this.#isDate ? EPOCH_DAYS : 0
    const width = this.#width
    const { sum } = this
    let { used } = this
    let { a, b } = sum
    let min = this.#min
    let max = this.#max
    for (let i = base; i < base + rows; i++) {
      const bytes = len[i] as number
      if (bytes < 0) {
        a = (a - 1) | 0
        b = (b + a) | 0
        continue
      }
      if (bytes !== width) this.wrongWidth(bytes)
      const p = pos[i] as number
      const value = (width === 4 ? view.getInt32(p) : view.getInt16(p)) + add
      out[used++] = value
      a = (a + value) | 0
      b = (b + a) | 0
      if (value < min) min = value
      if (value > max) max = value
    }
    this.used = used
    sum.a = a
    sum.b = b
    this.#min = min
    this.#max = max
  }

  #screenDates(batch: Batch, base: number): void {
    const { view, pos, len, rows } = batch
    for (let i = base; i < base + rows; i++) {
      if (len[i] !== 4) {
        if ((len[i] as number) >= 0) this.wrongWidth(len[i] as number)
        continue
      }
      const days = view.getInt32(pos[i] as number)
      if (days >= DATE_MIN && days <= DATE_MAX) continue
      const infinite = days === INT32_MAX || days === INT32_MIN
      this.reject(batch, i - base, infinite ? 'infinity' : days < DATE_BC ? 'bc' : 'out_of_range')
      len[i] = -1
    }
  }

  protected override takeBounds(): readonly [Buffer, Buffer] | undefined {
    if (this.#min > this.#max) return undefined
    const bounds = [this.#min, this.#max].map((value) => {
      const bytes = Buffer.alloc(4)
      bytes.writeInt32LE(value)
      return bytes
    }) as [Buffer, Buffer]
    this.#min = INT32_MAX
    this.#max = INT32_MIN
    return bounds
  }
}

/** Columns of 64-bit values in two words: no BigInt per value. */
export abstract class LongColumn extends WordColumn {
  override readonly compare = compareInt64
  protected minHigh = INT32_MAX
  protected minLow = 0xffffffff
  protected maxHigh = INT32_MIN
  protected maxLow = 0

  /** Appends one value. For the loops of rare types; the hot ones do the same in place. */
  protected push(high: number, low: number): void {
    this.out[this.used] = low | 0
    this.out[this.used + 1] = high
    this.used += 2
    this.sum.add(low | 0)
    this.sum.add(high)
    if (high < this.minHigh || (high === this.minHigh && low < this.minLow)) {
      this.minHigh = high
      this.minLow = low
    }
    if (high > this.maxHigh || (high === this.maxHigh && low > this.maxLow)) {
      this.maxHigh = high
      this.maxLow = low
    }
  }

  protected override takeBounds(): readonly [Buffer, Buffer] | undefined {
    const { minHigh, minLow, maxHigh, maxLow } = this
    if (minHigh > maxHigh || (minHigh === maxHigh && minLow > maxLow)) return undefined
    const encode = (high: number, low: number) => {
      const bytes = Buffer.alloc(8)
      bytes.writeUInt32LE(low)
      bytes.writeInt32LE(high, 4)
      return bytes
    }
    this.minHigh = INT32_MAX
    this.minLow = 0xffffffff
    this.maxHigh = INT32_MIN
    this.maxLow = 0
    return [encode(minHigh, minLow), encode(maxHigh, maxLow)]
  }
}

/** bigint -> INT64; timestamptz -> INT64 microseconds since 1970, UTC. */
export class Int64Column extends LongColumn {
  readonly #isTime: boolean

  constructor(options: EncoderOptions) {
    super(options)
    this.#isTime = options.column.pgType === 'timestamptz(3)'
  }

  protected override values(batch: Batch, base: number): void {
    if (this.#isTime) this.#screenTimes(batch, base)
    const { view, pos, len, rows } = batch
    const out = this.room(2 * rows)
    const addHigh = this.#isTime ? EPOCH_HIGH : 0
    const addLow = this.#isTime ? EPOCH_LOW : 0
    let { used, minHigh, minLow, maxHigh, maxLow } = this
    let { a, b } = this.sum
    for (let i = base; i < base + rows; i++) {
      const bytes = len[i] as number
      if (bytes !== 8) {
        if (bytes >= 0) this.wrongWidth(bytes)
        a = (a - 1) | 0
        b = (b + a) | 0
        continue
      }
      const p = pos[i] as number
      let high = view.getInt32(p)
      let low = view.getUint32(p + 4) + addLow
      if (low >= 4294967296) {
        low -= 4294967296
        high++
      }
      high = (high + addHigh) | 0
      out[used] = low | 0
      out[used + 1] = high
      used += 2
      a = (a + low) | 0
      b = (b + a) | 0
      a = (a + high) | 0
      b = (b + a) | 0
      if (high < minHigh || (high === minHigh && low < minLow)) {
        minHigh = high
        minLow = low
      }
      if (high > maxHigh || (high === maxHigh && low > maxLow)) {
        maxHigh = high
        maxLow = low
      }
    }
    this.used = used
    this.minHigh = minHigh
    this.minLow = minLow
    this.maxHigh = maxHigh
    this.maxLow = maxLow
    this.sum.a = a
    this.sum.b = b
  }

  /** Accepted: 1900-01-01 to 9999-12-31 23:59:59.999. Nearly all values are decided by their high word. */
  #screenTimes(batch: Batch, base: number): void {
    const { view, pos, len, rows } = batch
    for (let i = base; i < base + rows; i++) {
      if (len[i] !== 8) continue
      const p = pos[i] as number
      const high = view.getInt32(p)
      if (high > TIME_MIN.high && high < TIME_MAX.high) continue
      const low = view.getUint32(p + 4)
      if (!isBefore(high, low, TIME_MIN) && !isAfter(high, low, TIME_MAX)) continue
      this.reject(batch, i - base, timeReason(high, low))
      len[i] = -1
    }
  }
}

interface Words {
  readonly high: number
  readonly low: number
}

function words(value: bigint): Words {
  return { high: Number(value >> 32n), low: Number(value & 0xffffffffn) }
}

/** As sent: microseconds since 2000-01-01. */
const TIME_MIN = words(-3_155_673_600_000_000n)
const TIME_MAX = words(252_455_615_999_999_000n)
/** 0001-01-01 00:00 UTC. */
const TIME_AD = words(-63_082_281_600_000_000n)

function isBefore(high: number, low: number, bound: Words): boolean {
  return high < bound.high || (high === bound.high && low < bound.low)
}

function isAfter(high: number, low: number, bound: Words): boolean {
  return high > bound.high || (high === bound.high && low > bound.low)
}

function timeReason(high: number, low: number): 'infinity' | 'bc' | 'out_of_range' {
  // int64 max and min. The last finite instant that Postgres knows has another high word.
  if (high === INT32_MAX || high === INT32_MIN) return 'infinity'
  return isBefore(high, low, TIME_AD) ? 'bc' : 'out_of_range'
}
