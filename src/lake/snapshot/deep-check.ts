import { describe } from '../../errors.ts'
import type { FindingCode } from '../finding-guide.ts'
import { LakeProblem } from '../lake-problem.ts'
import type { ManifestFile, ManifestTable } from '../manifest.ts'
import { type ReadBack, verifyFile } from '../parquet/read.ts'
import type { Lake } from './lake.ts'
import { columnsOf } from './manifest-columns.ts'

export interface DeepFinding {
  readonly code: FindingCode
  readonly message: string
}

/**
 * Reads every value of a file back, compares null counts and sums with the manifest, and bounds and page index with the values.
 *
 * Memory: one column of one row group.
 *
 * @param onValues told how many more values have been read.
 */
export async function deepFindings(
  lake: Lake,
  table: ManifestTable,
  file: ManifestFile,
  onValues?: (values: number) => void,
): Promise<DeepFinding[]> {
  const source = {
    byteLength: file.bytes,
    slice: async (start: number, end = file.bytes) => {
      if (end <= start) return new ArrayBuffer(0)
      const bytes = await lake.bucket.range(file.key, start, end)
      // A column chunk may have tens of megabytes: not copied where the buffer is nothing but it.
      if (bytes.length === bytes.buffer.byteLength) return bytes.buffer as ArrayBuffer
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
    },
  }
  let found: ReadBack
  try {
    found = await verifyFile(source, columnsOf(table), onValues === undefined ? {} : { onChunk: onValues })
  } catch (error) {
    // Storage that does not answer says nothing about the file.
    if (error instanceof LakeProblem) throw error
    return [{ code: 'values_unreadable', message: `its values cannot be read: ${describe(error)}` }]
  }
  return [
    ...columnMessages(found, file).map((message): DeepFinding => ({ code: 'column_mismatch', message })),
    ...found.problems.map(
      ({ kind, message }): DeepFinding => ({
        code: kind === 'statistics' ? 'statistics_mismatch' : 'page_index_mismatch',
        message,
      }),
    ),
  ]
}

function columnMessages(found: ReadBack, file: ManifestFile): string[] {
  const messages = found.rows === file.rows ? [] : [`${found.rows} rows can be read, the manifest says ${file.rows}`]
  for (const [name, expected] of Object.entries(file.columns)) {
    const column = found.columns[name]
    if (column?.nulls !== expected.nulls) {
      messages.push(`${name} has ${column?.nulls ?? 'no'} NULLs, the manifest says ${expected.nulls}`)
    } else if (column.sum !== expected.sum) {
      messages.push(`the values of ${name} sum to ${column.sum}, the manifest says ${expected.sum}`)
    }
  }
  return messages
}
