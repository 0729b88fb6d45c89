import type { ExportColumn } from '../../../src/lake/contract.ts'
import { CopyScanner } from '../../../src/lake/parquet/scanner.ts'
import { type FileFacts, ParquetWriter, type ParquetWriterOptions } from '../../../src/lake/parquet/writer.ts'

export const PSEUDONYM_KEY = Buffer.from('5f'.repeat(32), 'hex')

export interface WrittenFile {
  readonly bytes: Buffer
  readonly facts: FileFacts
}

/** A whole file from COPY bytes, in memory. Fields behind the columns belong to the key. */
export async function writeFile(
  copy: Buffer,
  columns: readonly ExportColumn[],
  options: Partial<ParquetWriterOptions> = {},
  chunkBytes = 65_536,
): Promise<WrittenFile> {
  const parts: Uint8Array[] = []
  const writer = new ParquetWriter({
    table: 'edge',
    columns,
    key: [],
    codec: 'zstd',
    rowGroupRows: 262_144,
    rowGroupBytes: 64 << 20,
    pseudonymKey: PSEUDONYM_KEY,
    metadata: { 'rocketgames.table': 'edge' },
    createdBy: 'rocketgames-accounts version 0.0.0 (build test)',
    sink: { write: (bytes) => void parts.push(Buffer.from(bytes)), busy: false, drained: async () => undefined },
    ...options,
  })
  const fields = columns.length + (options.key?.length ?? 0)
  const scanner = new CopyScanner(fields, (batch) => writer.append(batch))
  for (let at = 0; at < copy.length; at += chunkBytes) scanner.push(Buffer.from(copy.subarray(at, at + chunkBytes)))
  scanner.end()
  const facts = await writer.close()
  return { bytes: Buffer.concat(parts), facts }
}

/** The file as hyparquet and `verifyFile` want it. */
export function asyncBuffer(bytes: Buffer) {
  return {
    byteLength: bytes.length,
    slice: (start: number, end = bytes.length) =>
      bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + end) as ArrayBuffer,
  }
}
