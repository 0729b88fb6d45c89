/**
 * Rows of a query to a Parquet file as parquetjs-lite's documentation shows it, `appendRow` with one object a row, read by a cursor. It has
 * no zstd: snappy. `node rival-row-api.ts <url> <file> <sql> <rows>` prints one line of JSON.
 */
import { stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import pg from 'pg'
import { contracts } from '../../src/lake/contract.ts'
import { peakRssBytes } from '../../src/lake/snapshot/peak-memory.ts'

const PAGE_ROWS = 5_000
const TYPES: Readonly<Record<string, string>> = { boolean: 'BOOLEAN', int: 'INT32', timestamp: 'TIMESTAMP_MILLIS' }

interface RowWriter {
  appendRow(row: object): Promise<void>
  close(): Promise<void>
}

const { ParquetSchema, ParquetWriter } = createRequire(import.meta.url)('parquetjs-lite') as {
  ParquetSchema: new (fields: object) => object
  ParquetWriter: { openFile(schema: object, file: string): Promise<RowWriter> }
}

const [url, file = '', sql, limit] = process.argv.slice(2)
const { columns } = contracts.find((contract) => contract.table === 'player')!
const schema = new ParquetSchema(
  Object.fromEntries(
    columns.map(({ athenaType, name }) => [
      name,
      { type: TYPES[athenaType] ?? 'UTF8', optional: true, compression: 'SNAPPY' },
    ]),
  ),
)
const began = performance.now()
const before = process.cpuUsage()
const client = new pg.Client(url)
await client.connect()
await client.query(`BEGIN; DECLARE rows CURSOR FOR ${sql} LIMIT ${Number(limit)}`)
const writer = await ParquetWriter.openFile(schema, file)
let rows = 0
for (;;) {
  const page = await client.query(`FETCH ${PAGE_ROWS} FROM rows`)
  for (const row of page.rows) await writer.appendRow(row)
  rows += page.rows.length
  if (page.rows.length < PAGE_ROWS) break
}
await writer.close()
await client.end()
const { system, user } = process.cpuUsage(before)
console.log(
  JSON.stringify({
    rows,
    bytes: (await stat(file)).size,
    wallMs: performance.now() - began,
    cpuMs: (user + system) / 1000,
    peakRssMiB: peakRssBytes() / 2 ** 20,
  }),
)
