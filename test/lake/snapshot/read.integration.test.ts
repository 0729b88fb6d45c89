import { createHash } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { contracts } from '../../../src/lake/contract.ts'
import { type Batch, FIELD_STRIDE } from '../../../src/lake/parquet/scanner.ts'
import { copyTable, fieldCount } from '../../../src/lake/snapshot/read.ts'
import { beginSnapshot, openSource, type Source } from '../../../src/lake/snapshot/source.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { seedAccounts } from './seed.ts'

const PLAYERS = 4_000
const players = contracts.find((contract) => contract.table === 'player')!

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
  await seedAccounts(database.url, PLAYERS)
})

afterAll(() => database?.drop())

/** The two ways to read: over the reused buffer, and through pg-copy-streams, which is the way over TLS. */
const ways: [string, () => Promise<Source>][] = [
  ['plain TCP', () => openSource(database.url, 'read-test')],
  [
    'the stream that TLS takes',
    async () => {
      const client = new pg.Client(database.url)
      client.on('error', () => undefined)
      await client.connect()
      return { client, socket: undefined }
    },
  ],
]

function collector(onRows: (rows: number) => void = () => {}) {
  const hash = createHash('sha256')
  let rows = 0
  return {
    busy: false,
    drained: async () => {},
    append({ buf, len, pos, rows: count }: Batch) {
      for (let row = 0; row < count; row++) {
        for (let field = 0; field < fieldCount(players); field++) {
          const at = field * FIELD_STRIDE + row
          hash.update(buf.subarray(pos[at] ?? 0, (pos[at] ?? 0) + Math.max(len[at] ?? 0, 0)))
        }
      }
      rows += count
      onRows(rows)
    },
    digest: () => hash.digest('hex'),
  }
}

async function withSource<T>(open: () => Promise<Source>, work: (source: Source) => Promise<T>): Promise<T> {
  const source = await open()
  try {
    await beginSnapshot(source.client, 60_000)
    return await work(source)
  } finally {
    await source.client.end().catch(() => undefined)
  }
}

const forever = () => new AbortController().signal

test('both ways read the same rows and agree with the count of Postgres', async () => {
  const digests: string[] = []
  for (const [, open] of ways) {
    const files = collector()
    const count = await withSource(open, (source) => copyTable(source, players, files, forever(), () => {}))
    expect(count).toBe(PLAYERS)
    digests.push(files.digest())
  }
  expect(digests[1]).toBe(digests[0])
})

describe.each(ways)('over %s', (_, open) => {
  test('a COPY ends with the reason when it is told to stop', async () => {
    const controller = new AbortController()
    const files = collector(() => controller.abort(new Error('stop now')))
    const reading = withSource(open, (source) => copyTable(source, players, files, controller.signal, () => {}))
    await expect(reading).rejects.toThrow('stop now')
  })

  test('a statement that the database refuses fails by its SQLSTATE, without its text', async () => {
    const broken = { ...players, columns: [{ ...players.columns[0]!, sql: "('secret' || username)::integer" }] }
    const reading = withSource(open, (source) => copyTable(source, broken, collector(), forever(), () => {}))
    await expect(reading).rejects.toMatchObject({ code: 'copy_failed', facts: { table: 'player', sqlState: '22P02' } })
    await expect(reading).rejects.not.toThrow(/secret/)
  })

  test('no row follows a batch that fills its file, also of those that came together', async () => {
    const narrow = { ...players, columns: [players.columns.find(({ name }) => name === 'country')!] }
    const batches: number[] = []
    let full = false
    let late = 0
    const files = {
      get busy() {
        return full
      },
      drained: async () => {
        full = false
      },
      append({ rows }: Batch) {
        if (full) late++
        batches.push(rows)
        full = true
      },
    }
    const count = await withSource(open, (source) => copyTable(source, narrow, files, forever(), () => {}))
    expect(batches.length).toBeGreaterThan(1)
    expect({ late, rows: batches.reduce((sum, rows) => sum + rows, 0), count }).toEqual({
      ...{ late: 0, rows: PLAYERS, count: PLAYERS },
    })
  })

  test('a session that the server ends says why', async () => {
    // The server notices between two rows, and tells it with its last message.
    const suicide = `CASE WHEN row_number() OVER () = 2000 THEN pg_terminate_backend(pg_backend_pid())::text END`
    const ended = { ...players, columns: [{ ...players.columns[0]!, sql: suicide }] }
    const reading = withSource(open, (source) => copyTable(source, ended, collector(), forever(), () => {}))
    await expect(reading).rejects.toMatchObject({ code: 'connection_lost', cause: { code: '57P01' } })
  })

  test('what the encoder throws comes through as it is', async () => {
    const files = collector(() => {
      throw new Error('no such encoding')
    })
    const reading = withSource(open, (source) => copyTable(source, players, files, forever(), () => {}))
    await expect(reading).rejects.toThrow('no such encoding')
  })
})
