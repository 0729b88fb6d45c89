import type { ExportColumn } from '../contract.ts'
import { ColumnEncoder, type Compare, type EncoderOptions, pageCapacity } from './column.ts'
import { LongColumn } from './number-columns.ts'
import { type Batch, CopyFormatError } from './scanner.ts'

/**
 * numeric as sent: int16 number of digits, int16 weight of the first, int16 sign (0, 0x4000 negative, 0xC000 NaN, 0xD000 +inf,
 * 0xF000 -inf), int16 display scale, then digits of base 10,000.
 */
const SPECIAL = 0x8000
const NAN = 0xc000
const NEGATIVE = 0x4000
const POWERS = [1, 10, 100, 1000] as const

export interface DecimalType {
  readonly precision: number
  readonly scale: number
}

/** `numeric(12,2)` -> 12 and 2. */
export function decimalType(pgType: string): DecimalType {
  const match = /^numeric\((\d+),(\d+)\)$/.exec(pgType)
  const precision = Number(match?.[1])
  const scale = Number(match?.[2])
  if (!match || precision < 1 || precision > 38 || scale > precision) {
    throw new RangeError(`${pgType} is no numeric(p,s) with p from 1 to 38 and s up to p`)
  }
  return { precision, scale }
}

/** A magnitude in 32-bit limbs, the lowest first: no BigInt per value. */
class Magnitude {
  readonly limbs: Float64Array
  readonly #limit: Float64Array
  readonly #scale: number
  #isExact = true

  constructor(limbs: number, { precision, scale }: DecimalType) {
    this.limbs = new Float64Array(limbs)
    this.#scale = scale
    const limit = 10n ** BigInt(precision)
    this.#limit = Float64Array.from({ length: limbs }, (_, i) => Number((limit >> BigInt(32 * i)) & 0xffffffffn))
  }

  /** `this * factor + add`; both at most 10,000, so every product is exact as a double. */
  #multiplyAdd(factor: number, add: number): void {
    const { limbs } = this
    let carry = add
    for (let i = 0; i < limbs.length; i++) {
      const product = (limbs[i] as number) * factor + carry
      carry = Math.floor(product / 4294967296)
      limbs[i] = product - carry * 4294967296
    }
    if (carry > 0) this.#isExact = false
  }

  /** Two's complement. */
  negate(): void {
    const { limbs } = this
    let carry = 1
    for (let i = 0; i < limbs.length; i++) {
      const value = 4294967295 - (limbs[i] as number) + carry
      carry = value > 4294967295 ? 1 : 0
      limbs[i] = carry === 1 ? 0 : value
    }
  }

  #isBelowLimit(): boolean {
    for (let i = this.limbs.length - 1; i >= 0; i--) {
      const difference = (this.limbs[i] as number) - (this.#limit[i] as number)
      if (difference !== 0) return difference < 0
    }
    return false
  }

  /**
   * Reads the digits at `at` as a whole number of the last place that the column keeps.
   *
   * @returns false when the value has more digits than the column.
   */
  read(view: DataView, at: number): boolean {
    this.limbs.fill(0)
    this.#isExact = true
    const digits = view.getInt16(at)
    let exponent = view.getInt16(at + 2) * 4 + this.#scale
    for (let k = 0, p = at + 8; k < digits; k++, p += 2, exponent -= 4) this.#digit(view.getUint16(p), exponent)
    // Trailing zeros are not sent. `exponent` is now that of the place behind the last digit.
    if (digits > 0) {
      for (exponent += 4; exponent > 0; exponent -= 4) {
        this.#multiplyAdd(exponent >= 4 ? 10_000 : (POWERS[exponent] as number), 0)
      }
    }
    return this.#isExact && this.#isBelowLimit()
  }

  /** One digit of base 10,000. The last one may reach behind the column's scale, where only zeros can be. */
  #digit(digit: number, exponent: number): void {
    if (exponent >= 0) {
      this.#multiplyAdd(10_000, digit)
      return
    }
    const kept = POWERS[4 + exponent] ?? 1
    const divisor = 10_000 / kept
    if (digit % divisor !== 0) this.#isExact = false
    this.#multiplyAdd(kept, Math.floor(digit / divisor))
  }
}

/** The reason why a numeric has no decimal; undefined for a finite one. */
function special(view: DataView, at: number): 'nan' | 'infinity' | undefined {
  const sign = view.getUint16(at + 4)
  if ((sign & SPECIAL) === 0) return undefined
  return sign === NAN ? 'nan' : 'infinity'
}

/** Up to here a double holds every value, and every digit times its power of ten, exactly. */
const DOUBLE_DIGITS = 15
const TENS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))

function tooManyDigits(column: ExportColumn): never {
  throw new CopyFormatError(`${column.name}: COPY sent a value with more digits than ${column.pgType} has`)
}

/** numeric(p ≤ 18, s) -> INT64 DECIMAL. */
export class DecimalColumn extends LongColumn {
  readonly #type: DecimalType
  readonly #magnitude: Magnitude
  readonly #limit: number

  constructor(options: EncoderOptions) {
    super(options)
    this.#type = decimalType(options.column.pgType)
    this.#magnitude = new Magnitude(2, this.#type)
    this.#limit = 10 ** this.#type.precision
  }

  protected override values(batch: Batch, base: number): void {
    const { view, pos, len, rows } = batch
    this.room(2 * rows)
    const isDouble = this.#type.precision <= DOUBLE_DIGITS
    for (let i = base; i < base + rows; i++) {
      if ((len[i] as number) >= 0) {
        const p = pos[i] as number
        const reason = special(view, p)
        if (reason === undefined) {
          if (isDouble) this.#pushDouble(view, p)
          else this.#pushLimbs(view, p)
          continue
        }
        this.reject(batch, i - base, reason)
        len[i] = -1
      }
      this.sum.addNull()
    }
  }

  #pushDouble(view: DataView, at: number): void {
    const digits = view.getInt16(at)
    let exponent = view.getInt16(at + 2) * 4 + this.#type.scale
    let value = 0
    for (let k = 0, p = at + 8; k < digits; k++, p += 2, exponent -= 4) {
      const digit = view.getUint16(p)
      // Beyond the table of powers the product is NaN, which no comparison lets pass.
      value += exponent >= 0 ? digit * (TENS[exponent] as number) : digit / (TENS[-exponent] as number)
    }
    if (!(value < this.#limit) || value !== Math.floor(value)) tooManyDigits(this.column)
    if (view.getUint16(at + 4) === NEGATIVE) value = -value
    const high = Math.floor(value / 4294967296)
    this.push(high, value - high * 4294967296)
  }

  #pushLimbs(view: DataView, at: number): void {
    const magnitude = this.#magnitude
    if (!magnitude.read(view, at)) tooManyDigits(this.column)
    if (view.getUint16(at + 4) === NEGATIVE) magnitude.negate()
    this.push((magnitude.limbs[1] as number) | 0, magnitude.limbs[0] as number)
  }
}

/** Bounds are signed big-endian numbers of 16 bytes. */
const compareBigEndian: Compare = (a, b) => a.readInt8(0) - b.readInt8(0) || Buffer.compare(a, b)

/** numeric(p 19-38, s) -> FIXED_LEN_BYTE_ARRAY(16) DECIMAL, big-endian two's complement. */
export class WideDecimalColumn extends ColumnEncoder {
  override readonly compare = compareBigEndian
  readonly #magnitude: Magnitude
  protected override readonly hasHeadroom = false
  #out = Buffer.alloc(0)
  #used = 0
  #min: Buffer | undefined
  #max: Buffer | undefined

  constructor(options: EncoderOptions) {
    super(options)
    this.#magnitude = new Magnitude(4, decimalType(options.column.pgType))
  }

  protected override values(batch: Batch, base: number): void {
    const { view, pos, len, rows } = batch
    for (let i = base; i < base + rows; i++) {
      const p = pos[i] as number
      if ((len[i] as number) >= 0) {
        const reason = special(view, p)
        if (reason) {
          this.reject(batch, i - base, reason)
          len[i] = -1
        }
      }
      if ((len[i] as number) < 0) {
        this.sum.addNull()
        continue
      }
      if (!this.#magnitude.read(view, p)) tooManyDigits(this.column)
      if (view.getUint16(p + 4) === NEGATIVE) this.#magnitude.negate()
      this.#push()
    }
  }

  #push(): void {
    if (this.#used + 16 > this.#out.length) {
      const larger = Buffer.allocUnsafeSlow(pageCapacity(this.#out.length, this.#used + 16))
      this.#out.copy(larger, 0, 0, this.#used)
      this.#out = larger
    }
    const value = this.#out.subarray(this.#used, this.#used + 16)
    for (let limb = 0; limb < 4; limb++) value.writeUInt32BE(this.#magnitude.limbs[3 - limb] as number, limb * 4)
    this.#used += 16
    this.sum.addBytes(value)
    if (!this.#min || compareBigEndian(value, this.#min) < 0) this.#min = Buffer.from(value)
    if (!this.#max || compareBigEndian(value, this.#max) > 0) this.#max = Buffer.from(value)
  }

  protected override size(): number {
    return this.#used
  }

  protected override take(): Uint8Array {
    const values = this.#out.subarray(0, this.#used)
    this.#used = 0
    return values
  }

  protected override takeBounds(): readonly [Buffer, Buffer] | undefined {
    if (!this.#min || !this.#max) return undefined
    const bounds = [this.#min, this.#max] as const
    this.#min = undefined
    this.#max = undefined
    return bounds
  }
}
