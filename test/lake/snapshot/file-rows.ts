import { zstdDecompressSync } from 'node:zlib'
import { parquetReadObjects } from 'hyparquet'
import { parseManifest } from '../../../src/lake/manifest.ts'
import type { Lake } from '../../../src/lake/snapshot/lake.ts'
import { manifestOf } from '../../../src/lake/snapshot/snapshots.ts'

const compressors = { ZSTD: (input: Uint8Array) => new Uint8Array(zstdDecompressSync(input)) }

/** All rows of a lake table in one snapshot, read from S3 by hyparquet. */
export async function tableRows(lake: Lake, snapshotId: string, table: string): Promise<Record<string, unknown>[]> {
  const manifest = parseManifest((await manifestOf(lake.database, snapshotId)) ?? '')
  const files = manifest.tables.find((each) => each.name === table)?.files ?? []
  const rows: Record<string, unknown>[] = []
  for (const file of files) {
    const bytes = await lake.bucket.range(file.key, 0, file.bytes)
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
    for (const row of await parquetReadObjects({ file: buffer, compressors })) rows.push(row)
  }
  return rows
}
