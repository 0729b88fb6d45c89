import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { checkTail, verifyFile } from '../../../src/lake/parquet/read.ts'
import { gluePython } from '../../support/python.ts'
import { EdgeFiles, expectSame, VARIANTS, type Variant, variantName } from './edge-files.ts'
import { EDGE_COLUMNS } from './edge-table.ts'
import { asyncBuffer } from './parquet-file.ts'
import { digests, readWithDuckDb, readWithHyparquet, readWithParquetjs, readWithPyArrow } from './readers.ts'

const python = await gluePython()
const skipped = 'missing' in python ? ` (skipped: ${python.missing})` : ''

// Spark reads the same files in ../spark: one session serves all that is asked of it.
describe('the edge table', () => {
  let files: EdgeFiles

  beforeAll(async () => {
    files = await EdgeFiles.open()
  }, 300_000)

  afterAll(() => files?.close())

  test.each(VARIANTS.map((variant) => [variantName(variant), variant] as const))(
    "lake 28: every file read by DuckDB, hyparquet and parquetjs-lite's reader → all values equal to Postgres: %s",
    async (_, variant) => {
      const wanted = await files.expected(variant)
      const { bytes, facts, file } = await files.make(variant)
      expect(facts.rows).toBe(wanted.length)
      expect(facts.rowGroups).toBe(Math.ceil(wanted.length / variant.rowGroupRows))
      expect(checkTail(facts.tail, bytes.length, EDGE_COLUMNS)).toEqual({
        rows: facts.rows,
        rowGroups: facts.rowGroups,
      })
      expectSame('hyparquet', EDGE_COLUMNS, await readWithHyparquet(bytes, EDGE_COLUMNS), wanted)
      expectSame('DuckDB', EDGE_COLUMNS, await readWithDuckDb(file, EDGE_COLUMNS), wanted)
      expectSame('parquetjs-lite', EDGE_COLUMNS, await readWithParquetjs(bytes, EDGE_COLUMNS), wanted)
    },
  )

  it('has the same sums and NULL counts whatever its layout, and when read back', async () => {
    const sums = new Set<string>()
    for (const variant of VARIANTS.filter((v) => v.where === 'true')) {
      const { bytes, facts } = await files.make(variant)
      const counted = Object.fromEntries(
        Object.entries(facts.columns).map(([n, c]) => [n, { nulls: c.nulls, sum: c.sum }]),
      )
      const found = await verifyFile(asyncBuffer(bytes), EDGE_COLUMNS)
      expect(found).toEqual({ rows: facts.rows, columns: counted, problems: [] })
      sums.add(JSON.stringify(counted))
    }
    expect(sums.size).toBe(1)
  })

  test.skipIf('missing' in python)(
    `lake 28: every file read by PyArrow → all values equal to Postgres${skipped}`,
    { timeout: 120_000 },
    async () => {
      const program = 'python' in python ? python.python : ''
      const made: { readonly variant: Variant; readonly file: string }[] = []
      for (const variant of VARIANTS) made.push({ variant, file: (await files.make(variant)).file })
      const answers = await readWithPyArrow(
        program,
        made.map(({ file }) => file),
      )
      for (const { file, variant } of made) {
        expect(answers[file]?.columns, file).toEqual(digests(await files.expected(variant), EDGE_COLUMNS))
        expect(answers[file]?.types).toMatchObject({
          ts: 'timestamp[us, tz=UTC]',
          d: 'date32[day]',
          n2: 'decimal128(12, 2)',
          n38: 'decimal128(38, 10)',
          i2: 'int32',
          id: 'string',
        })
      }
    },
  )
})
