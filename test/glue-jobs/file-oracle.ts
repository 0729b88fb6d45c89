import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { ExportColumn } from '../../src/lake/contract.ts'
import { checkTail, fileMetadata, verifyFile } from '../../src/lake/parquet/read.ts'
import { ColumnSum } from '../../src/lake/parquet/sums.ts'

/**
 * Reads files that the Spark jobs have written, and computes column sums, with the service's own code: for the Python tests, which start
 * this once and ask one JSON line after another.
 */

interface Request {
  readonly id: number
  readonly verify?: { readonly path: string; readonly tailBytes: number; readonly columns: readonly OracleColumn[] }
  /** Values in row order: NULL, a number, a 64-bit number as text, or bytes in hexadecimal digits. */
  readonly sum?: readonly (null | { readonly word: number } | { readonly long: string } | { readonly bytes: string })[]
}

type OracleColumn = Pick<ExportColumn, 'name' | 'pgType' | 'athenaType' | 'action' | 'nullable'>

function sum(values: NonNullable<Request['sum']>): string {
  const total = new ColumnSum()
  for (const value of values) {
    if (value === null) total.addNull()
    else if ('word' in value) total.add(value.word)
    else if ('bytes' in value) total.addBytes(Buffer.from(value.bytes, 'hex'))
    else {
      const long = BigInt.asUintN(64, BigInt(value.long))
      total.add(Number(BigInt.asIntN(32, long)))
      total.add(Number(BigInt.asIntN(32, long >> 32n)))
    }
  }
  return total.toString()
}

async function verify({ path, tailBytes, columns: given }: NonNullable<Request['verify']>): Promise<unknown> {
  const columns = given.map(
    (each): ExportColumn => ({
      ...each,
      source: each.name,
      sql: '',
      class: 'internal',
      onUnrepresentable: 'fail',
      stats: false,
    }),
  )
  const { size } = statSync(path)
  const file = openSync(path, 'r')
  try {
    const read = (start: number, end = size): Buffer => {
      const bytes = Buffer.alloc(end - start)
      if (readSync(file, bytes, 0, bytes.length, start) !== bytes.length) throw new Error('The file is shorter')
      return bytes
    }
    const slice = (start: number, end?: number) => {
      const { buffer, byteOffset, byteLength } = read(start, end)
      return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
    }
    const tail = read(size - tailBytes)
    const counts = checkTail(tail, size, columns)
    const found = await verifyFile({ byteLength: size, slice }, columns)
    return { ...counts, ...found, metadata: Object.fromEntries(fileMetadata(tail)) }
  } finally {
    closeSync(file)
  }
}

async function answer({ id, sum: values, verify: file }: Request): Promise<object> {
  try {
    return { id, result: values ? sum(values) : file ? await verify(file) : undefined }
  } catch (error) {
    return { id, error: (error as Error).message }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as Request))}\n`)
}
