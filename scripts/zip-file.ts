import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipEntry {
  /** With `/` between folders. */
  readonly name: string
  readonly content: Buffer
}

/** 1980-01-01 00:00, the first that a zip file can say: equal contents make equal files. */
const DATE = 0x0021
const DEFLATED = 8
const VERSION = 20
/** Names are UTF-8 (APPNOTE 4.4.4, bit 11). */
const FLAGS = 0x0800
/** A regular file, rw-r--r--, in the high half of the external attributes; made by Unix. */
const MODE = 0o100644
const MADE_BY = (3 << 8) | VERSION

function words(...fields: readonly (readonly [bytes: 2 | 4, value: number])[]): Buffer {
  return Buffer.concat(
    fields.map(([bytes, value]) => {
      const buffer = Buffer.alloc(bytes)
      buffer.writeUIntLE(value, 0, bytes)
      return buffer
    }),
  )
}

/** A zip file (PKWARE APPNOTE 4.3) of these entries in this order, each deflated. At most 65,535 entries and 4 GiB. */
export function zipFile(entries: readonly ZipEntry[]): Buffer {
  const files: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { content, name } of entries) {
    const path = Buffer.from(name, 'utf8')
    const packed = deflateRawSync(content, { level: 9 })
    const shared = words(
      ...([
        [2, VERSION],
        [2, FLAGS],
        [2, DEFLATED],
        [2, 0],
        [2, DATE],
        [4, crc32(content)],
      ] as const),
      ...([
        [4, packed.length],
        [4, content.length],
        [2, path.length],
        [2, 0],
      ] as const),
    )
    const file = Buffer.concat([words([4, 0x04034b50]), shared, path, packed])
    files.push(file)
    const rest = words([2, 0], [2, 0], [2, 0], [4, MODE * 0x10000], [4, offset])
    directory.push(Buffer.concat([words([4, 0x02014b50], [2, MADE_BY]), shared, rest, path]))
    offset += file.length
  }
  const list = Buffer.concat(directory)
  const n = entries.length
  const end = words([4, 0x06054b50], [2, 0], [2, 0], [2, n], [2, n], [4, list.length], [4, offset], [2, 0])
  return Buffer.concat([...files, list, end])
}
