import { parquetMetadata, readColumnIndex, readOffsetIndex } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { describe, expect, it } from 'vitest'
import type { ExportColumn } from '../../../src/lake/contract.ts'
import { checkTail, verifyFile } from '../../../src/lake/parquet/read.ts'
import { column, copyBytes, type Field, int32, text } from './copy-bytes.ts'
import { asyncBuffer, writeFile } from './parquet-file.ts'

const COLUMNS: readonly ExportColumn[] = [column('n', 'integer'), column('t', 'text')]
const ROWS = 300_000

/** Ascending numbers and long texts: several pages, two row groups. */
const rows = (): Field[][] =>
  Array.from({ length: ROWS }, (_, i) => [
    i % 1_000 === 7 ? null : int32(i),
    text(`row ${String(i).padStart(8, '0')} ${'x'.repeat(i % 20)}`),
  ])

const written = writeFile(copyBytes(rows()), COLUMNS)

async function withChange(change: (bytes: Buffer, at: Places) => void) {
  const { bytes, facts } = await written
  const changed = Buffer.from(bytes)
  change(changed, placesIn(bytes))
  // The footer is well-formed as before.
  checkTail(changed.subarray(changed.length - facts.tail.length), changed.length, COLUMNS)
  return verifyFile(asyncBuffer(changed), COLUMNS)
}

type Places = ReturnType<typeof placesIn>

/** Where things lie of column `field` in the first row group. */
function placesIn(bytes: Buffer, field = 0) {
  const chunk = parquetMetadata(bytes).row_groups[0]?.columns[field]
  const range = (offset: bigint | undefined, length: number | undefined) => {
    if (offset === undefined || length === undefined) throw new Error('the chunk has its index')
    return { start: Number(offset), end: Number(offset) + length }
  }
  return {
    columnIndex: range(chunk?.column_index_offset, chunk?.column_index_length),
    offsetIndex: range(chunk?.offset_index_offset, chunk?.offset_index_length),
    footer: { start: bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8), end: bytes.length - 8 },
  }
}

/** Replaces the first occurrence of a number by another of the same length. */
function replaceInt32(bytes: Buffer, { start, end }: { start: number; end: number }, from: number, to: number): void {
  const wanted = Buffer.alloc(4)
  wanted.writeInt32LE(from)
  const at = bytes.indexOf(wanted, start)
  if (at < 0 || at + 4 > end) throw new Error(`${from} is not there`)
  bytes.writeInt32LE(to, at)
}

/** A number of three bytes as thrift writes it. */
const varint = (value: number) => Buffer.from([(value & 127) | 128, ((value >> 7) & 127) | 128, value >> 14])

function firstRows(bytes: Buffer): number[] {
  const { start, end } = placesIn(bytes).offsetIndex
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start)
  return readOffsetIndex({ view, offset: 0 }).page_locations.map((each) => Number(each.first_row_index))
}

describe('reading a file back', () => {
  it('finds nothing in a good file of many pages and two row groups', async () => {
    const { bytes, facts } = await written
    expect(firstRows(bytes).length).toBeGreaterThanOrEqual(1)
    const seen: number[] = []
    const found = await verifyFile(asyncBuffer(bytes), COLUMNS, { onChunk: (n) => seen.push(n) })
    expect(found.problems).toEqual([])
    expect(found.rows).toBe(ROWS)
    expect(found.columns).toEqual({
      n: { nulls: ROWS / 1_000, sum: facts.columns.n?.sum },
      t: { nulls: 0, sum: facts.columns.t?.sum },
    })
    expect(seen.reduce((sum, n) => sum + n)).toBe(2 * ROWS)
  })

  it('finds a lower bound of the statistics that leaves a value out', async () => {
    const { problems } = await withChange((bytes, { footer }) => {
      // Both pairs of bounds hold the smallest number, 0; one of them is raised.
      const { row_groups: groups } = parquetMetadata(bytes)
      const max = groups[0]?.columns[0]?.meta_data?.statistics?.max_value as number
      replaceInt32(bytes, footer, max, max - 1)
    })
    expect(problems).toEqual([
      { kind: 'statistics', message: expect.stringMatching(/^n in row group 0: the .*bounds of its statistics/) },
    ])
  })

  it('finds a bound of the page index that leaves a value out', async () => {
    const { problems } = await withChange((bytes, { columnIndex }) => {
      const { start, end } = columnIndex
      const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start)
      const { max_values: values } = readColumnIndex({ view, offset: 0 }, { name: 'n', type: 'INT32' })
      const max = Number(values[0])
      replaceInt32(bytes, columnIndex, max, max - 1)
    })
    expect(problems).toEqual([
      { kind: 'page-index', message: 'n in row group 0: its column index leaves out a value of page 0' },
    ])
  })

  it('finds a page index that leads to another place, or is no index at all', async () => {
    const found = await Promise.all(
      (['offsetIndex', 'columnIndex'] as const).map((which) =>
        withChange((bytes, places) => {
          const { start, end } = places[which]
          bytes.fill(0x11, start + Math.floor((end - start) / 2), end)
        }),
      ),
    )
    for (const { problems } of found) {
      expect(problems.length).toBeGreaterThan(0)
      expect(problems.every(({ kind }) => kind === 'page-index')).toBe(true)
    }
  })

  it('makes no room for what a damaged header promises', async () => {
    const { bytes } = await written
    const changed = Buffer.from(Uint8Array.from(bytes).buffer)
    const { data_page_header: header } = parquetHeader({ view: new DataView(changed.buffer), offset: 4 })
    const at = changed.indexOf(varint((header?.num_values ?? 0) * 2), 4)
    expect([at > 4, at < 40]).toEqual([true, true])
    // The third byte of three: from some thousand to more than a million.
    changed[at + 2] = 0x7f
    await expect(verifyFile(asyncBuffer(changed), COLUMNS)).rejects.toThrow(
      /^the page at 4 promises 10\d{5} values, \d{6} of its column chunk are left$/,
    )
  })

  it('finds a page whose bytes are not what was written', async () => {
    const { bytes, facts } = await written
    const changed = Buffer.from(bytes)
    changed.fill(0, 2_000, 2_400)
    const outcome = await verifyFile(asyncBuffer(changed), COLUMNS).then(
      ({ columns }) => columns.n?.sum === facts.columns.n?.sum,
      () => false,
    )
    expect(outcome).toBe(false)
  })
})
