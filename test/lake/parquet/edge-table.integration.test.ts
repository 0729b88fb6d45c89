import { createCipheriv } from 'node:crypto'
import { mkdtemp, rm, writeFile as save } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CodecName } from '../../../src/lake/parquet/codecs.ts'
import { checkTail, verifyFile } from '../../../src/lake/parquet/read.ts'
import { createEmptyDatabase, type TestDatabase } from '../../support/database.ts'
import { pythonEnvironment } from '../../support/python.ts'
import { canonicalSql, EDGE_COLUMNS, EDGE_SQL } from './edge-table.ts'
import { asyncBuffer, PSEUDONYM_KEY, type WrittenFile, writeFile } from './parquet-file.ts'
import {
  type Canonical,
  digests,
  readWithDuckDb,
  readWithHyparquet,
  readWithParquetjs,
  readWithPyArrow,
} from './readers.ts'

const python = await pythonEnvironment('pyarrow', ['pyarrow==22.0.0'])

/** The rows in the order of COPY, as Postgres writes them; the pseudonym by a single call of the cipher. */
async function expectedRows(client: pg.Client, where: string): Promise<Canonical> {
  const select = EDGE_COLUMNS.map(canonicalSql).join(', ')
  const { rows } = await client.query<(string | null)[]>({
    text: `SELECT ${select} FROM edge WHERE ${where} ORDER BY edge.k`,
    rowMode: 'array',
  })
  const ref = EDGE_COLUMNS.findIndex((c) => c.action === 'pseudonymise')
  for (const row of rows) {
    const id = row[ref]
    if (!id) continue
    const cipher = createCipheriv('aes-256-ecb', PSEUDONYM_KEY, null).setAutoPadding(false)
    row[ref] = cipher.update(Buffer.from(id.replaceAll('-', ''), 'hex')).toString('hex')
  }
  return rows
}

async function copyRows(client: pg.Client, where: string): Promise<Buffer> {
  const select = EDGE_COLUMNS.map((c) => c.sql).join(', ')
  const stream = client.query(
    copyTo(`COPY (SELECT ${select} FROM edge WHERE ${where} ORDER BY edge.k) TO STDOUT (FORMAT binary)`),
  )
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Reports the first difference, not megabytes. */
function expectSame(label: string, found: Canonical, wanted: Canonical): void {
  expect(found.length, label).toBe(wanted.length)
  for (const [r, row] of wanted.entries()) {
    for (const [c, value] of row.entries()) {
      const got = found[r]?.[c] ?? null
      if (got === value) continue
      const name = EDGE_COLUMNS[c]?.name
      expect(got?.slice(0, 80), `${label}: row ${r}, ${name}`).toBe(value?.slice(0, 80))
      throw new Error(`${label}: row ${r}, ${name} differs behind its first 80 characters`)
    }
  }
}

interface Variant {
  readonly codec: CodecName
  readonly dictionary: boolean
  readonly rowGroupRows: number
  /** Fewer rows where each is a row group of its own. */
  readonly where: string
}

const VARIANTS: readonly Variant[] = [
  ...(['zstd', 'snappy', 'gzip'] as const).flatMap((codec) =>
    [true, false].map((dictionary) => ({
      codec,
      dictionary,
      rowGroupRows: dictionary ? 1000 : 262_144,
      where: 'true',
    })),
  ),
  { codec: 'zstd', dictionary: true, rowGroupRows: 262_144, where: 'true' },
  { codec: 'zstd', dictionary: true, rowGroupRows: 1, where: 'k < 160 AND k <> 4 AND k <> 5' },
]

describe('the edge table', () => {
  let database: TestDatabase
  let client: pg.Client
  let folder: string

  beforeAll(async () => {
    database = await createEmptyDatabase()
    client = new pg.Client({ connectionString: database.url, options: '-c timezone=UTC -c datestyle=ISO' })
    await client.connect()
    await client.query(EDGE_SQL)
    folder = await mkdtemp(path.join(os.tmpdir(), 'parquet-edge-'))
  }, 60_000)

  afterAll(async () => {
    await client?.end()
    await database?.drop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  async function make(variant: Variant): Promise<WrittenFile & { file: string }> {
    const { where, ...options } = variant
    const written = await writeFile(await copyRows(client, where), EDGE_COLUMNS, options)
    const file = path.join(folder, `${Object.values(options).join('-')}.parquet`)
    await save(file, written.bytes)
    return { ...written, file }
  }

  it.each(VARIANTS)(
    'is read back equal by three readers: $codec, dictionary $dictionary, row groups of $rowGroupRows',
    async (variant) => {
      const wanted = await expectedRows(client, variant.where)
      const { bytes, facts, file } = await make(variant)
      expect(facts.rows).toBe(wanted.length)
      expect(facts.rowGroups).toBe(Math.ceil(wanted.length / variant.rowGroupRows))
      expect(checkTail(facts.tail, bytes.length, EDGE_COLUMNS)).toEqual({
        rows: facts.rows,
        rowGroups: facts.rowGroups,
      })
      expectSame('hyparquet', await readWithHyparquet(bytes, EDGE_COLUMNS), wanted)
      expectSame('DuckDB', await readWithDuckDb(file, EDGE_COLUMNS), wanted)
      expectSame('parquetjs-lite', await readWithParquetjs(bytes, EDGE_COLUMNS), wanted)
    },
  )

  it('has the same sums and NULL counts whatever its layout, and when read back', async () => {
    const sums = new Set<string>()
    for (const variant of VARIANTS.filter((v) => v.where === 'true')) {
      const { bytes, facts } = await make(variant)
      const counted = Object.fromEntries(
        Object.entries(facts.columns).map(([n, c]) => [n, { nulls: c.nulls, sum: c.sum }]),
      )
      const found = await verifyFile(asyncBuffer(bytes), EDGE_COLUMNS)
      expect(found).toEqual({ rows: facts.rows, columns: counted })
      sums.add(JSON.stringify(counted))
    }
    expect(sums.size).toBe(1)
  })

  it.skipIf('missing' in python)(
    `is read back equal by PyArrow${'missing' in python ? ` (skipped: ${python.missing})` : ''}`,
    { timeout: 120_000 },
    async () => {
      const program = 'python' in python ? python.python : ''
      const files: { file: string; where: string }[] = []
      for (const variant of VARIANTS) files.push({ file: (await make(variant)).file, where: variant.where })
      const answers = await readWithPyArrow(
        program,
        files.map((f) => f.file),
      )
      for (const { file, where } of files) {
        expect(answers[file]?.columns, file).toEqual(digests(await expectedRows(client, where), EDGE_COLUMNS))
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
