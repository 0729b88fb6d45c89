/**
 * CRCs that zlib does not offer, and the joining of CRCs. All are reflected, with an initial value and a final XOR of all
 * ones: CRC-32 (zlib computes it), CRC-32C (RFC 3720) and CRC-64/NVME (NVM Express base specification).
 */

export interface CrcModel {
  readonly bits: 32 | 64
  /** The polynomial, reflected. */
  readonly polynomial: bigint
}

export const CRC32: CrcModel = { bits: 32, polynomial: 0xedb88320n }
export const CRC32C: CrcModel = { bits: 32, polynomial: 0x82f63b78n }
export const CRC64NVME: CrcModel = { bits: 64, polynomial: 0x9a6c9329ac4bc9b5n }

/** Eight tables of 256 words, so that eight bytes are taken in one step (slicing by 8); low and high halves apart. */
function slicingTables({ polynomial }: CrcModel): { low: Int32Array; high: Int32Array } {
  const words: bigint[] = []
  for (let byte = 0n; byte < 256n; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n
    words.push(crc)
  }
  for (let i = 256; i < 8 * 256; i++) {
    const previous = words[i - 256] ?? 0n
    words.push((previous >> 8n) ^ (words[Number(previous & 255n)] ?? 0n))
  }
  return {
    low: Int32Array.from(words, (word) => Number(BigInt.asIntN(32, word))),
    high: Int32Array.from(words, (word) => Number(BigInt.asIntN(32, word >> 32n))),
  }
}

export interface RunningCrc {
  update(bytes: Uint8Array): void
  digest(): Buffer
}

let tables32c: Int32Array | undefined

/** CRC-32C. */
export function runningCrc32c(): RunningCrc {
  tables32c ??= slicingTables(CRC32C).low
  const t = tables32c
  let crc = -1
  return {
    update(bytes) {
      let c = crc
      let i = 0
      const end = bytes.length - 7
      for (; i < end; i += 8) {
        c ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
        c =
          t[1792 + (c & 255)]! ^
          t[1536 + ((c >>> 8) & 255)]! ^
          t[1280 + ((c >>> 16) & 255)]! ^
          t[1024 + (c >>> 24)]! ^
          t[768 + bytes[i + 4]!]! ^
          t[512 + bytes[i + 5]!]! ^
          t[256 + bytes[i + 6]!]! ^
          t[bytes[i + 7]!]!
      }
      for (; i < bytes.length; i++) c = t[(c ^ bytes[i]!) & 255]! ^ (c >>> 8)
      crc = c
    },
    digest() {
      const out = Buffer.alloc(4)
      out.writeInt32BE(~crc)
      return out
    },
  }
}

let tables64: { low: Int32Array; high: Int32Array } | undefined

/** CRC-64/NVME, in two halves of 32 bits: BigInt arithmetic is fifty times slower. */
export function runningCrc64Nvme(): RunningCrc {
  tables64 ??= slicingTables(CRC64NVME)
  const { low: l, high: h } = tables64
  let low = -1
  let high = -1
  return {
    update(bytes) {
      let a = low
      let b = high
      let i = 0
      const end = bytes.length - 7
      for (; i < end; i += 8) {
        a ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
        b ^= bytes[i + 4]! | (bytes[i + 5]! << 8) | (bytes[i + 6]! << 16) | (bytes[i + 7]! << 24)
        const i7 = 1792 + (a & 255)
        const i6 = 1536 + ((a >>> 8) & 255)
        const i5 = 1280 + ((a >>> 16) & 255)
        const i4 = 1024 + (a >>> 24)
        const i3 = 768 + (b & 255)
        const i2 = 512 + ((b >>> 8) & 255)
        const i1 = 256 + ((b >>> 16) & 255)
        const i0 = b >>> 24
        a = l[i7]! ^ l[i6]! ^ l[i5]! ^ l[i4]! ^ l[i3]! ^ l[i2]! ^ l[i1]! ^ l[i0]!
        b = h[i7]! ^ h[i6]! ^ h[i5]! ^ h[i4]! ^ h[i3]! ^ h[i2]! ^ h[i1]! ^ h[i0]!
      }
      for (; i < bytes.length; i++) {
        const at = (a ^ bytes[i]!) & 255
        a = l[at]! ^ ((a >>> 8) | (b << 24))
        b = h[at]! ^ (b >>> 8)
      }
      low = a
      high = b
    },
    digest() {
      const out = Buffer.alloc(8)
      out.writeInt32BE(~high, 0)
      out.writeInt32BE(~low, 4)
      return out
    },
  }
}

/** Product of two polynomials modulo the CRC's, in reflected form. */
function multiply({ bits, polynomial }: CrcModel, a: bigint, b: bigint): bigint {
  let product = 0n
  let factor = b
  for (let mask = 1n << BigInt(bits - 1); mask !== 0n; mask >>= 1n) {
    if (a & mask) product ^= factor
    factor = factor & 1n ? (factor >> 1n) ^ polynomial : factor >> 1n
  }
  return product
}

/** x to the power of `exponent`. */
function power(model: CrcModel, exponent: bigint): bigint {
  let result = 1n << BigInt(model.bits - 1)
  let square = 1n << BigInt(model.bits - 2)
  for (let rest = exponent; rest !== 0n; rest >>= 1n) {
    if (rest & 1n) result = multiply(model, result, square)
    square = multiply(model, square, square)
  }
  return result
}

/**
 * The CRC of pieces laid end to end, from the CRCs (big endian) and sizes of the pieces alone: no byte is read again.
 * The CRC of A followed by B is crc(A) * x^(8 |B|) + crc(B).
 */
export function joinCrcs(model: CrcModel, pieces: readonly { crc: Buffer; sizeBytes: number }[]): Buffer {
  const shifts = new Map<number, bigint>()
  let joined = 0n
  for (const { crc, sizeBytes } of pieces) {
    let shift = shifts.get(sizeBytes)
    if (shift === undefined) {
      shift = power(model, 8n * BigInt(sizeBytes))
      shifts.set(sizeBytes, shift)
    }
    joined = multiply(model, joined, shift) ^ BigInt(`0x${crc.toString('hex')}`)
  }
  return Buffer.from(joined.toString(16).padStart(model.bits / 4, '0'), 'hex')
}
