import { zstdDecompressSync } from 'node:zlib'
import { parquetMetadata, parquetReadObjects, readColumnIndex, readOffsetIndex } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import type { ExportColumn } from '../../../src/lake/contract.ts'
import { bool, column, copyBytes, type Field, int32, int64, text, uuid } from './copy-bytes.ts'
import { asyncBuffer, writeFile } from './parquet-file.ts'

const compressors = { ZSTD: (b: Uint8Array) => zstdDecompressSync(b) }

async function statisticsOf(fields: readonly Field[], of: ExportColumn) {
  const { bytes, facts } = await writeFile(copyBytes(fields.map((f) => [f])), [of])
  const chunk = parquetMetadata(bytes).row_groups[0]?.columns[0]
  return { facts: facts.columns[of.name], statistics: chunk?.meta_data?.statistics, chunk, bytes }
}

describe('statistics', () => {
  it('order text by unsigned bytes, which is not the order of UTF-16', async () => {
    // U+FFFD is below U+1F600 in bytes and above it in UTF-16.
    const { statistics, facts } = await statisticsOf([text('😀'), text('\ufffd'), text('é'), null], column('t', 'text'))
    expect(statistics).toMatchObject({ min_value: 'é', max_value: '😀', null_count: 1n })
    expect(facts).toMatchObject({ min: 'é', max: '😀', nulls: 1 })
  })

  it('leave the deprecated bounds out for text, whose order they do not define', async () => {
    const { statistics } = await statisticsOf([text('b'), text('a')], column('t', 'text'))
    expect(statistics).toMatchObject({ min_value: 'a', max_value: 'b' })
    expect(statistics?.min).toBeUndefined()
    expect(statistics?.max).toBeUndefined()
  })

  it('leave out a bound of more than 256 bytes, since a cut one is none', async () => {
    const long = (bytes: number) => statisticsOf([text('a'), text('b'.repeat(bytes))], column('t', 'text'))
    expect((await long(256)).statistics).toMatchObject({ max_value: 'b'.repeat(256) })
    const { statistics, chunk, facts } = await long(257)
    expect(statistics?.min_value).toBeUndefined()
    expect(statistics?.max_value).toBeUndefined()
    expect(chunk?.column_index_offset).toBeUndefined()
    expect(chunk?.offset_index_offset).toBeDefined()
    expect(facts).not.toHaveProperty('max')
  })

  it('hold the bounds of every other type in its own order', async () => {
    const of = async (fields: Field[], type: ExportColumn['pgType']) =>
      (await statisticsOf(fields, column('c', type))).facts
    expect(await of([int32(-1), int32(1), int32(-2_147_483_648)], 'integer')).toMatchObject({
      min: '-2147483648',
      max: '1',
    })
    expect(await of([int64(-1n), int64(2n ** 40n), int64(-(2n ** 40n))], 'bigint')).toMatchObject({
      min: '-1099511627776',
      max: '1099511627776',
    })
    expect(await of([int32(0), int32(-1)], 'date')).toMatchObject({ min: '1999-12-31', max: '2000-01-01' })
    expect(await of([int64(0n), int64(-1000n)], 'timestamptz(3)')).toMatchObject({
      min: '1999-12-31T23:59:59.999Z',
      max: '2000-01-01T00:00:00.000Z',
    })
    expect(await of([bool(true), bool(false)], 'boolean')).toMatchObject({ min: 'false', max: 'true' })
    expect(await of([bool(true)], 'boolean')).toMatchObject({ min: 'true', max: 'true' })
    const ids = ['ffffffff-0000-0000-0000-000000000000', '00000000-0000-0000-0000-0000000000ff']
    expect(await of(ids.map(uuid), 'uuid')).toMatchObject({ min: ids[1], max: ids[0] })
  })

  it('are absent for pseudonyms and where the dataset says so', async () => {
    const id = uuid('0193a5b2-0000-7000-8000-000000000001')
    for (const more of [{ stats: false }, { action: 'pseudonymise', stats: false }] as const) {
      const { statistics, facts, chunk } = await statisticsOf([id], column('c', 'uuid', more))
      expect(statistics).toMatchObject({ null_count: 0n })
      expect(statistics?.min_value).toBeUndefined()
      expect(chunk?.column_index_offset).toBeUndefined()
      expect(facts).toEqual({ nulls: 0, sum: expect.any(String) })
    }
  })

  it('are absent for a chunk of NULLs, which is no reason to drop those of the file', async () => {
    const rows = [...Array<Field[]>(1000).fill([null]), ...Array<Field[]>(1000).fill([int32(7)])]
    const { bytes, facts } = await writeFile(copyBytes(rows), [column('c', 'integer')], { rowGroupRows: 1000 })
    const [first, second] = parquetMetadata(bytes).row_groups
    expect(first?.columns[0]?.meta_data?.statistics).toMatchObject({ null_count: 1000n })
    expect(first?.columns[0]?.meta_data?.statistics?.min_value).toBeUndefined()
    expect(second?.columns[0]?.meta_data?.statistics).toMatchObject({ min_value: 7, max_value: 7 })
    expect(facts.columns.c).toMatchObject({ min: '7', max: '7', nulls: 1000 })
  })
})

describe('the page index', () => {
  const ROWS = 200_000
  const columns = [
    column('rising', 'text'),
    column('falling', 'bigint'),
    column('mixed', 'bigint'),
    column('gaps', 'integer'),
  ]
  const name = (i: number) => `name-${String(i).padStart(12, '0')}-${'x'.repeat(20)}`
  const rows = Array.from({ length: ROWS }, (_, i): Field[] => [
    text(name(i)),
    int64(BigInt(-i)),
    // Its second page lies within the bounds of the first.
    int64(i < 100_000 ? (i % 2 === 0 ? 10n ** 9n : -(10n ** 9n)) : BigInt(i)),
    // NULLs take no room, so they make no page of their own.
    i < 100_000 || i > 190_000 ? int32(i) : null,
  ])

  it('tells order, bounds and NULLs of each page, and where it lies', async () => {
    const { bytes } = await writeFile(copyBytes(rows), columns)
    const footer = parquetMetadata(bytes)
    const read = (i: number) => {
      const chunk = footer.row_groups[0]?.columns[i]
      const slice = (offset?: bigint, length?: number) =>
        new DataView(bytes.buffer, bytes.byteOffset + Number(offset), length as number)
      const at = (offset?: bigint, length?: number) => ({ view: slice(offset, length), offset: 0 })
      const element = footer.schema[i + 1]
      if (!chunk || !element) throw new Error('no such column')
      return {
        index: readColumnIndex(at(chunk.column_index_offset, chunk.column_index_length), element),
        locations: readOffsetIndex(at(chunk.offset_index_offset, chunk.offset_index_length)).page_locations,
        chunk,
      }
    }
    const rising = read(0)
    expect(rising.index.boundary_order).toBe('ASCENDING')
    expect(rising.locations.length).toBeGreaterThan(5)
    expect(rising.index.min_values.map(String)).toEqual(rising.locations.map((l) => name(Number(l.first_row_index))))
    expect(Number(rising.locations[0]?.offset)).toBe(Number(rising.chunk.meta_data?.data_page_offset))
    expect(read(1).index.boundary_order).toBe('DESCENDING')
    expect(read(2).index.boundary_order).toBe('UNORDERED')
    const { index } = read(3)
    expect(index.null_counts?.reduce((a, b) => a + b, 0n)).toBe(90_001n)
  })

  it('lets a reader skip pages and still find every row', async () => {
    const { bytes } = await writeFile(copyBytes(rows), columns)
    const { byteLength, slice } = asyncBuffer(bytes)
    const read = async (i: number, useIndex: boolean) => {
      let fetchedBytes = 0
      const file = {
        byteLength,
        slice: (start: number, end?: number) => {
          const part = slice(start, end)
          fetchedBytes += part.byteLength
          return part
        },
      }
      const found = await parquetReadObjects({
        file,
        compressors,
        metadata: parquetMetadata(bytes),
        columns: ['rising'],
        filter: { rising: { $eq: name(i) } },
        usePageIndex: useIndex,
        useOffsetIndex: useIndex,
      })
      return { found, fetchedBytes }
    }
    for (const i of [0, 1, 77_777, 199_999]) {
      const [pages, whole] = [await read(i, true), await read(i, false)]
      expect(pages.found).toEqual([{ rising: name(i) }])
      expect(whole.found).toEqual(pages.found)
      expect(pages.fetchedBytes).toBeLessThan(whole.fetchedBytes / 2)
    }
  })

  it('cuts columns of narrow values, too: a page has about 20,480 rows at most, but where a dictionary or NULLs alone are smaller still', async () => {
    const rows = 50_000
    const columns = [
      column('n', 'integer', { nullable: false }),
      column('at', 'timestamptz(3)'),
      column('word', 'text'),
      column('nothing', 'integer'),
    ]
    const fields = Array.from({ length: rows }, (_, i) => [int32(i), int64(BigInt(i)), text(`w${i % 3}`), null])
    const { bytes } = await writeFile(copyBytes(fields), columns)
    const firstRows = parquetMetadata(bytes).row_groups[0]?.columns.map((chunk) => {
      const from = Number(chunk.offset_index_offset)
      const view = new DataView(asyncBuffer(bytes).slice(from, from + Number(chunk.offset_index_length)))
      return readOffsetIndex({ view, offset: 0 }).page_locations.map((each) => Number(each.first_row_index))
    })
    const [narrow = [], ...others] = firstRows ?? []
    // A page ends with the batch that passes the bound.
    const lengths = [...narrow, rows].slice(1).map((end, i) => end - (narrow[i] ?? 0))
    expect(lengths).toHaveLength(3)
    expect(Math.max(...lengths)).toBeLessThan(20_480 + 1_024)
    expect(others).toEqual([narrow, [0], [0]])
    const found = await parquetReadObjects({ file: asyncBuffer(bytes), compressors, filter: { n: { $gte: 49_999 } } })
    expect(found).toMatchObject([{ n: 49_999, word: 'w1', nothing: null }])
  })
})
