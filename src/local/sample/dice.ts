/**
 * A stream of random numbers that depends only on a label and an index, so that row 17,000 can be made again without the
 * 16,999 before it, and every machine makes the same sample. (sfc32 over an FNV-1a hash of the label; not for secrets.)
 */
export class Dice {
  private a: number
  private b: number
  private c: number
  private d = 1

  constructor(label: string, index: number) {
    let h = 0x811c9dc5 ^ index
    for (let i = 0; i < label.length; i++) h = Math.imul(h ^ label.charCodeAt(i), 0x01000193)
    this.a = h >>> 0
    this.b = Math.imul(h ^ 0x9e3779b9, 0x85ebca6b) >>> 0
    this.c = Math.imul(index + 0x7f4a7c15, 0xc2b2ae35) >>> 0
    for (let i = 0; i < 12; i++) this.next()
  }

  /** Uniform in [0, 1). */
  next(): number {
    const t = (((this.a + this.b) | 0) + this.d) | 0
    this.d = (this.d + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + t) | 0
    return (t >>> 0) / 4294967296
  }

  /** Whole number in [min, max]. */
  between(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)] as T
  }

  /** An index into `cumulative`, a rising list of weights summed up. */
  weighted(cumulative: readonly number[]): number {
    const at = this.next() * (cumulative.at(-1) ?? 0)
    let low = 0
    let high = cumulative.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((cumulative[middle] as number) > at) high = middle
      else low = middle + 1
    }
    return low
  }

  digits(count: number): string {
    let text = ''
    while (text.length < count) text += String(this.between(0, 9))
    return text
  }

  hex(count: number): string {
    let text = ''
    while (text.length < count) text += this.between(0, 15).toString(16)
    return text
  }
}

/** Running sums, for `Dice.weighted`. */
export function cumulate(weights: readonly number[]): number[] {
  let sum = 0
  return weights.map((w) => {
    sum += w
    return sum
  })
}
