import { createCipheriv } from 'node:crypto'
import { mkdtemp, rm, writeFile as save } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { expect } from 'vitest'
import type { ExportColumn } from '../../../src/lake/contract.ts'
import type { CodecName } from '../../../src/lake/parquet/codecs.ts'
import { counted } from '../../support/counts.ts'
import { createEmptyDatabase, type TestDatabase } from '../../support/database.ts'
import { canonicalSql, EDGE_COLUMNS, EDGE_SQL } from './edge-table.ts'
import { PSEUDONYM_KEY, type WrittenFile, writeFile } from './parquet-file.ts'
import type { Canonical } from './readers.ts'

export interface Variant {
  readonly codec: CodecName
  readonly dictionary: boolean
  readonly rowGroupRows: number
  /** Fewer rows where each is a row group of its own. */
  readonly where: string
}

const layout = (codec: CodecName, dictionary: boolean, rowGroupRows: number, where = 'true'): Variant => ({
  codec,
  dictionary,
  rowGroupRows,
  where,
})

/**
 * Codecs with and without dictionaries, row groups of 1, 1,000 and 262,144 rows. In `npm test` what a lake has where nobody sets anything,
 * and of the others each codec, no dictionaries, and each size of a row group in one of them.
 */
export const VARIANTS: readonly Variant[] = [
  layout('zstd', true, 262_144),
  layout('snappy', false, 262_144),
  layout('gzip', true, 1_000),
  layout('zstd', true, 1, 'k < 160 AND k <> 4 AND k <> 5'),
  ...(counted(0, 1) === 1
    ? [
        layout('zstd', true, 1_000),
        layout('zstd', false, 262_144),
        layout('snappy', true, 1_000),
        layout('gzip', false, 262_144),
      ]
    : []),
]

export const variantName = ({ codec, dictionary, rowGroupRows }: Variant): string =>
  `${codec}, ${dictionary ? 'dictionary' : 'no dictionary'}, row groups of ${rowGroupRows}`

/** A pseudonym by a single call of the cipher: the encoder makes them a batch at a time. */
export function pseudonym(id: string, key: Buffer): string {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  return cipher.update(Buffer.from(id.replaceAll('-', ''), 'hex')).toString('hex')
}

/** What Postgres says of a table's columns, as canonical text, pseudonyms in place of ids. */
export async function postgresRows(
  client: pg.Client,
  columns: readonly ExportColumn[],
  from: string,
  key: Buffer,
): Promise<Canonical> {
  const { rows } = await client.query<(string | null)[]>({
    text: `SELECT ${columns.map(canonicalSql).join(', ')} FROM ${from}`,
    rowMode: 'array',
  })
  for (const [at, column] of columns.entries()) {
    if (column.action !== 'pseudonymise') continue
    for (const row of rows) if (row[at]) row[at] = pseudonym(row[at], key)
  }
  return rows
}

/** The edge table in a database of its own, and files of it. */
export class EdgeFiles {
  readonly #database: TestDatabase
  readonly #client: pg.Client
  readonly #folder: string
  readonly #expected = new Map<string, Promise<Canonical>>()
  readonly #made = new Map<Variant, Promise<WrittenFile & { file: string }>>()

  private constructor(database: TestDatabase, client: pg.Client, folder: string) {
    this.#database = database
    this.#client = client
    this.#folder = folder
  }

  static async open(): Promise<EdgeFiles> {
    const database = await createEmptyDatabase()
    const client = new pg.Client({ connectionString: database.url, options: '-c timezone=UTC -c datestyle=ISO' })
    await client.connect()
    await client.query(EDGE_SQL)
    return new EdgeFiles(database, client, await mkdtemp(path.join(os.tmpdir(), 'parquet-edge-')))
  }

  async close(): Promise<void> {
    await this.#client.end()
    await this.#database.drop()
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** The rows in the order of COPY, as Postgres writes them. */
  expected({ where }: Variant): Promise<Canonical> {
    const from = `edge WHERE ${where} ORDER BY edge.k`
    const rows = this.#expected.get(from) ?? postgresRows(this.#client, EDGE_COLUMNS, from, PSEUDONYM_KEY)
    this.#expected.set(from, rows)
    return rows
  }

  /** Once of each. */
  make(variant: Variant): Promise<WrittenFile & { file: string }> {
    const made = this.#made.get(variant) ?? this.#write(variant)
    this.#made.set(variant, made)
    return made
  }

  async #write(variant: Variant): Promise<WrittenFile & { file: string }> {
    const { where, ...options } = variant
    const select = EDGE_COLUMNS.map((c) => c.sql).join(', ')
    const sql = `COPY (SELECT ${select} FROM edge WHERE ${where} ORDER BY edge.k) TO STDOUT (FORMAT binary)`
    const chunks: Buffer[] = []
    for await (const chunk of this.#client.query(copyTo(sql))) chunks.push(chunk as Buffer)
    const written = await writeFile(Buffer.concat(chunks), EDGE_COLUMNS, options)
    const file = path.join(this.#folder, `${Object.values(options).join('-')}.parquet`)
    await save(file, written.bytes)
    return { ...written, file }
  }
}

/** Reports the first difference, not megabytes. */
export function expectSame(label: string, columns: readonly ExportColumn[], found: Canonical, wanted: Canonical): void {
  expect(found.length, label).toBe(wanted.length)
  for (const [r, row] of wanted.entries()) {
    for (const [c, value] of row.entries()) {
      const got = found[r]?.[c] ?? null
      if (got === value) continue
      const name = columns[c]?.name
      expect(got?.slice(0, 80), `${label}: row ${r}, ${name}`).toBe(value?.slice(0, 80))
      throw new Error(`${label}: row ${r}, ${name} differs behind its first 80 characters`)
    }
  }
}
