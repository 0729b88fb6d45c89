import { createHash } from 'node:crypto'
import pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CopyFrameScanner } from '../../../src/lake/parquet/frame-scanner.ts'
import { type Batch, CopyScanner, FIELD_STRIDE } from '../../../src/lake/parquet/scanner.ts'
import type { RowConsumer } from '../../../src/lake/snapshot/copy-socket.ts'
import { openSource, type Source } from '../../../src/lake/snapshot/source.ts'
import { createEmptyDatabase, type TestDatabase } from '../../support/database.ts'

const never: RowConsumer = { busy: false, drained: async () => {} }

let database: TestDatabase
let source: Source

beforeAll(async () => {
  database = await createEmptyDatabase()
})

afterAll(() => database?.drop())

beforeEach(async () => {
  source = await openSource(database.url, 'copy-socket-test')
})

afterEach(() => source.client.end().catch(() => undefined))

const copyOf = (select: string) => `COPY (${select}) TO STDOUT (FORMAT binary)`

/** SHA-256 over every field of every row: equal for equal rows, whatever the chunks were. */
function digest(fields: number) {
  const hash = createHash('sha256')
  const onBatch = ({ buf, len, pos, rows }: Batch) => {
    for (let row = 0; row < rows; row++) {
      for (let field = 0; field < fields; field++) {
        const at = field * FIELD_STRIDE + row
        const bytes = len[at] ?? -1
        hash.update(`${bytes}:`)
        if (bytes > 0) hash.update(buf.subarray(pos[at] ?? 0, (pos[at] ?? 0) + bytes))
      }
    }
  }
  return { onBatch, hex: () => hash.digest('hex') }
}

async function socketCopy(select: string, fields: number, consumer = never) {
  const { hex, onBatch } = digest(fields)
  const scanner = new CopyFrameScanner(fields, onBatch)
  await source.socket?.copy(source.client, copyOf(select), scanner, consumer)
  return { rows: scanner.rows, serverRows: scanner.serverRows, error: scanner.error, digest: hex() }
}

async function streamCopy(select: string, fields: number) {
  const client = new pg.Client(database.url)
  await client.connect()
  const { hex, onBatch } = digest(fields)
  const scanner = new CopyScanner(fields, onBatch)
  const stream = client.query(copyTo(copyOf(select)))
  for await (const chunk of stream) scanner.push(chunk as Buffer)
  const rows = scanner.end()
  await client.query('SELECT 1')
  await client.end()
  return { rows, serverRows: stream.rowCount, error: undefined, digest: hex() }
}

describe('COPY over the reused buffer', () => {
  test.each([
    ['no row', 'SELECT 1, 2 WHERE false'],
    ['one row with NULL and an empty text', `SELECT NULL::int, ''`],
    ['many small rows', `SELECT n, CASE WHEN n % 7 > 0 THEN repeat('x', n % 300) END FROM generate_series(1, 60000) n`],
    ['values larger than the buffer', `SELECT n, repeat(chr(64 + n), 700000 * n) FROM generate_series(1, 6) n`],
    [
      'large and small values in turn',
      `SELECT n, repeat('y', CASE WHEN n % 50 = 0 THEN 600000 ELSE n END) FROM generate_series(1, 200) n`,
    ],
  ])('gives the same rows as the ordinary way: %s', async (_, select) => {
    const found = await socketCopy(select, 2)
    expect(found).toEqual(await streamCopy(select, 2))
    expect(found.serverRows).toBe(found.rows)
  })

  test('leaves the connection ready for queries, and for the next COPY', async () => {
    await source.client.query('BEGIN')
    expect((await socketCopy('SELECT generate_series(1, 5000)', 1)).rows).toBe(5000)
    expect((await source.client.query('SELECT 42 AS answer')).rows).toEqual([{ answer: 42 }])
    expect((await socketCopy('SELECT generate_series(1, 3)', 1)).rows).toBe(3)
    expect((await source.client.query('COMMIT')).command).toBe('COMMIT')
  })

  test('stops reading while its consumer is busy', async () => {
    let waits = 0
    const slow: RowConsumer = {
      get busy() {
        return waits < 5
      },
      drained: () =>
        new Promise((resolve) => {
          waits++
          setImmediate(resolve)
        }),
    }
    const select = `SELECT n, repeat('z', 1000) FROM generate_series(1, 20000) n`
    expect(await socketCopy(select, 2, slow)).toEqual(await streamCopy(select, 2))
    expect(waits).toBe(5)
  })

  test('hands over no batch while its consumer is busy, also of rows that came together', async () => {
    const { hex, onBatch } = digest(1)
    let busy = false
    let early = 0
    const scanner = new CopyFrameScanner(1, (batch) => {
      if (busy) early++
      onBatch(batch)
      busy = true
    })
    const oneByOne: RowConsumer = {
      get busy() {
        return busy
      },
      drained: async () => {
        busy = false
      },
    }
    const select = 'SELECT generate_series(1, 50000)'
    await source.socket?.copy(source.client, copyOf(select), scanner, oneByOne)
    const whole = await streamCopy(select, 1)
    expect({ early, digest: hex(), rows: scanner.serverRows }).toEqual({ early: 0, digest: whole.digest, rows: 50_000 })
    expect((await source.client.query('SELECT 42 AS answer')).rows).toEqual([{ answer: 42 }])
  })

  test('ends only after what its consumer had begun when the connection was cut', async () => {
    let begun = false
    let ended = false
    const consumer: RowConsumer = {
      get busy() {
        return !begun
      },
      drained: async () => {
        begun = true
        source.socket?.socket.destroy()
        // Longer than the client needs to notice.
        await streamCopy('SELECT 1', 1)
        ended = true
      },
    }
    const select = `SELECT n, repeat('k', 1000) FROM generate_series(1, 20000) n`
    await expect(socketCopy(select, 2, consumer)).rejects.toThrow()
    expect({ begun, ended }).toEqual({ begun: true, ended: true })
  })

  test("tells the server's error, and the connection lives on", async () => {
    const { error } = await socketCopy('SELECT 1 / (5000 - n) FROM generate_series(1, 10000) n', 1)
    expect(error?.C).toBe('22012')
    expect((await source.client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    expect((await socketCopy('SELECT broken', 1)).error?.C).toBe('42703')
  })

  test('tells with which error the server ended the session, or that the connection was cut', async () => {
    const pid = (await source.client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid
    const killer = new pg.Client(database.url)
    await killer.connect()
    let killed = false
    const consumer: RowConsumer = {
      get busy() {
        return !killed
      },
      drained: async () => {
        await killer.query('SELECT pg_terminate_backend($1)', [pid])
        killed = true
      },
    }
    const copying = socketCopy(`SELECT n, repeat('k', 1000) FROM generate_series(1, 200000) n`, 2, consumer)
    // A server that cannot write when it is told to end says nothing more.
    const end = await copying.then(
      ({ error }) => error?.C,
      (error: Error) => error.message,
    )
    expect(end).toMatch(/57P01|terminat|ECONNRESET/i)
    await killer.end()
  })

  test('fails with what the consumer of the rows threw', async () => {
    const scanner = new CopyFrameScanner(1, () => {
      throw new Error('cannot be encoded')
    })
    const copying = source.socket?.copy(source.client, copyOf('SELECT 1'), scanner, never)
    await expect(copying).rejects.toThrow('cannot be encoded')
  })
})
