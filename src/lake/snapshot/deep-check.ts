import { describe } from '../../errors.ts'
import { LakeProblem } from '../lake-problem.ts'
import type { ManifestFile, ManifestTable } from '../manifest.ts'
import { verifyFile } from '../parquet/read.ts'
import type { Lake } from './lake.ts'
import { columnsOf } from './manifest-columns.ts'

/** Reads every value of a file back and compares null counts and sums with the manifest. @returns what differs, one text each. */
export async function deepFindings(lake: Lake, table: ManifestTable, file: ManifestFile): Promise<string[]> {
  const source = {
    byteLength: file.bytes,
    slice: async (start: number, end = file.bytes) => {
      const bytes = await lake.bucket.range(file.key, start, end)
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
    },
  }
  let found: Awaited<ReturnType<typeof verifyFile>>
  try {
    found = await verifyFile(source, columnsOf(lake, table))
  } catch (error) {
    // Storage that does not answer says nothing about the file.
    if (error instanceof LakeProblem) throw error
    return [`its values cannot be read: ${describe(error)}`]
  }
  const messages: string[] = []
  if (found.rows !== file.rows) messages.push(`${found.rows} rows can be read, the manifest says ${file.rows}`)
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
