/**
 * Column sums: two unsigned 32-bit accumulators over the words of all values in row order. `a` catches every single changed
 * word, `b` most exchanges of rows. They do not depend on pages, row groups or dictionaries.
 *
 * Words of a value: NULL is 0xFFFFFFFF; BOOLEAN 0 or 1; INT32 the value; INT64 low word, high word; bytes their length, then the
 * bytes as little-endian words, the last one padded with zeros.
 */
export class ColumnSum {
  a = 0
  b = 0

  add(word: number): void {
    this.a = (this.a + word) | 0
    this.b = (this.b + this.a) | 0
  }

  addNull(): void {
    this.add(-1)
  }

  /** Words of a byte string, its length first. */
  addBytes(bytes: Uint8Array): void {
    this.add(bytes.length)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const whole = bytes.length & ~3
    for (let at = 0; at < whole; at += 4) this.add(view.getInt32(at, true))
    if (whole === bytes.length) return
    let word = 0
    for (let at = bytes.length - 1; at >= whole; at--) word = (word << 8) | (bytes[at] as number)
    this.add(word)
  }

  /** 16 hex digits, `a` then `b`. */
  toString(): string {
    const hex = (word: number) => (word >>> 0).toString(16).padStart(8, '0')
    return hex(this.a) + hex(this.b)
  }
}
