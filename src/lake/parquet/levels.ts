/**
 * Definition levels of an optional, flat column: bit width 1, hybrid RLE with a length in front (Parquet format, Encodings.md,
 * "RLE / bit-packing hybrid"; data page V1).
 */

function varint(value: number, out: number[]): void {
  let rest = value
  while (rest > 127) {
    out.push((rest & 127) | 128)
    rest = Math.floor(rest / 128)
  }
  out.push(rest)
}

/**
 * @param bitmap one bit a row, least significant first, 1 = a value is there; not read when the page has no NULL or only NULLs.
 */
export function definitionLevels(bitmap: Uint8Array, rows: number, nulls: number): Buffer {
  const run: number[] = []
  if (nulls === 0 || nulls === rows) {
    varint(rows * 2, run)
    run.push(nulls === 0 ? 1 : 0)
    const levels = Buffer.alloc(4 + run.length)
    levels.writeUInt32LE(run.length)
    levels.set(run, 4)
    return levels
  }
  const groups = (rows + 7) >> 3
  varint(groups * 2 + 1, run)
  const levels = Buffer.allocUnsafe(4 + run.length + groups)
  levels.writeUInt32LE(run.length + groups)
  levels.set(run, 4)
  levels.set(bitmap.subarray(0, groups), 4 + run.length)
  return levels
}

/** Which rows of an open page have a value. */
export class NullBitmap {
  bytes = new Uint8Array(1 << 14)

  /** Appends rows `len[base … base + n)` after the `rows` already there. Returns how many of them are NULL. */
  append(len: Int32Array, base: number, n: number, rows: number): number {
    if (this.bytes.length * 8 < rows + n + 8) {
      const larger = new Uint8Array(Math.max(this.bytes.length * 2, (rows + n + 64) >> 3))
      larger.set(this.bytes)
      this.bytes = larger
    }
    const { bytes } = this
    let nulls = 0
    let at = rows
    for (let i = base; i < base + n; i++, at++) {
      const bit = at & 7
      if (bit === 0) bytes[at >> 3] = 0
      if ((len[i] as number) >= 0) bytes[at >> 3] = (bytes[at >> 3] as number) | (1 << bit)
      else nulls++
    }
    return nulls
  }
}
