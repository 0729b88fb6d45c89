import http from 'node:http'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { snapshotReader } from '../../src/database/snapshot-reader.ts'
import { type RunningServer, startServer } from '../../src/http/server.ts'
import type { RawBatch } from '../../src/list.ts'
import { until } from '../jobs/job-bench.ts'
import { createTestApi, type TestApi } from '../support/api.ts'
import { NDJSON } from './download.ts'

/** More than every buffer between the cursor and a client that does not read, also when it is compressed. */
const MANY = 60_000

let api: TestApi
let server: RunningServer
let token: string

beforeAll(async () => {
  api = await createTestApi()
  token = await api.token()
  await api.database.withClient((client) =>
    client.query(
      `INSERT INTO studio (id, slug, name, legal_name, created_at)
       SELECT gen_random_uuid(), 'bulk-' || n, 'Studio ' || n,
         (SELECT string_agg(md5(n || '-' || i), '') FROM generate_series(1, 6) i), now() + n * interval '1 ms' FROM generate_series(1, $1) n`,
      [MANY],
    ),
  )
  server = await startServer(api.app, { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server.drain(0)
  await api.close()
})

const STATEMENT = { text: 'SELECT t.id, t.name FROM studio t ORDER BY t.created_at', values: [] }

const readers = async () => {
  const { rows } = await api.database.withClient((client) =>
    client.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND (query LIKE '%whole_list%' OR query LIKE '%pg_sleep%')",
    ),
  )
  return rows.map(({ pid }) => pid)
}

const nobodyReads = () => until(async () => (await readers()).length === 0)

/** How the access log and the error log tell of what was asked for last. */
const nothingFailed = async (requests: number) => {
  await until(async () => api.log().split('"route":"/v1/studios"').length > requests)
  expect(api.log()).not.toMatch(/"level":[45]0/)
}

function get(path: string, coding = 'identity', signal?: AbortSignal): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${token}`, Accept: NDJSON, 'Accept-Encoding': coding }
    http.get({ host: '127.0.0.1', port: server.port, path, headers, signal }, resolve).on('error', reject)
  })
}

describe('reading a whole list', () => {
  it('shows it as it was when it began', async () => {
    const names: (string | null)[] = []
    let batches = 0
    for await (const batch of snapshotReader(api.database).read(STATEMENT, [])) {
      if (batches++ === 0) {
        await api.database.withClient(async (client) => {
          await client.query("UPDATE studio SET name = 'renamed meanwhile' WHERE slug = $1", [`bulk-${MANY}`])
          await client.query("INSERT INTO studio (id, slug, name) VALUES (gen_random_uuid(), 'latecomer', 'Latecomer')")
        })
      }
      for (const [, name] of batch.rows) names.push(name as string)
    }
    expect(batches).toBe(MANY / 2000)
    expect(names).toHaveLength(MANY)
    expect(names.at(-1)).toBe(`Studio ${MANY}`)
  })

  it('frees its connection when the reader stops in the middle', async () => {
    const before = api.database.poolState().total
    for await (const batch of snapshotReader(api.database).read(STATEMENT, [])) {
      expect(batch.rows).toHaveLength(2000)
      break
    }
    await nobodyReads()
    expect(api.database.poolState()).toMatchObject({ waiting: 0 })
    expect(api.database.poolState().total).toBeLessThanOrEqual(before)
  })

  it('ends a statement that runs when nobody waits for it any more', async () => {
    const leave = new AbortController()
    const reading = (async () => {
      const found: RawBatch[] = []
      const slow = { text: 'SELECT gen_random_uuid() AS id, pg_sleep(600)', values: [] }
      for await (const batch of snapshotReader(api.database).read(slow, [], leave.signal)) found.push(batch)
      return found
    })()
    await until(async () => (await readers()).length > 0)
    leave.abort()
    await expect(reading).rejects.toBeInstanceOf(Error)
    await nobodyReads()
  })
})

/** What could be decoded of an answer, and whether it came to its end. */
async function readToTheEnd(response: http.IncomingMessage, coding: string): Promise<{ said: string; whole: boolean }> {
  const decoders = { gzip: createGunzip, zstd: createZstdDecompress, identity: () => new PassThrough() }
  const decoded = decoders[coding as keyof typeof decoders]()
  let said = ''
  decoded.on('data', (piece: Buffer) => {
    said += piece
  })
  const whole = await pipeline(response, decoded).then(
    () => true,
    () => false,
  )
  return { said, whole }
}

describe('a download', () => {
  it('whose client leaves costs nothing any more', async () => {
    const response = await get('/v1/studios')
    expect(response.statusCode).toBe(200)
    await until(async () => (await readers()).length > 0)
    response.destroy()
    await nobodyReads()
    await nothingFailed(1)
  })

  it('whose client leaves before it begins costs nothing any more', async () => {
    await api.database.rawTransaction(async (client) => {
      await client.query('LOCK TABLE studio IN ACCESS EXCLUSIVE MODE')
      const leave = new AbortController()
      const answer = get('/v1/studios', 'identity', leave.signal).catch((error: Error) => error)
      await until(async () => (await readers()).length > 0)
      leave.abort()
      expect(await answer).toMatchObject({ name: 'AbortError' })
      await nobodyReads()
    })
    await nothingFailed(2)
  })

  it.each(['identity', 'gzip', 'zstd'])(
    'that fails in its middle has no end line, and its connection breaks (%s)',
    async (coding) => {
      const response = await get('/v1/studios', coding)
      expect(response.headers['content-encoding'] ?? 'identity').toBe(coding)
      const [reader] = await until(async () => {
        const found = await readers()
        return found.length > 0 && found
      })
      await api.database.withClient((client) => client.query('SELECT pg_terminate_backend($1)', [reader]))
      const { said, whole } = await readToTheEnd(response, coding)
      expect(whole).toBe(false)
      expect(said).toContain('"slug":"bulk-')
      expect(said).not.toContain('_end')
    },
  )

  it('is compressed for a client that takes that, and HEAD reads nothing', async () => {
    const agent = api.as(token)
    const zipped = await agent
      .get('/v1/studios?slug=bulk-7')
      .set('Accept', NDJSON)
      .set('Accept-Encoding', 'gzip')
      .buffer(true)
      .parse((response, done) => {
        const pieces: Buffer[] = []
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.on('end', () => done(null, Buffer.concat(pieces).toString()))
      })
    expect(zipped.headers['content-encoding']).toBe('gzip')
    expect(zipped.headers.vary).toContain('Accept-Encoding')
    expect(zipped.body).toContain('"slug":"bulk-7"')
    expect(zipped.body).toContain('"_end":{"rows":1,')
    const plain = await agent.get('/v1/studios?slug=bulk-7').set('Accept', NDJSON).set('Accept-Encoding', 'identity')
    expect(plain.headers['content-encoding']).toBeUndefined()
    const head = await agent.head('/v1/studios').set('Accept', NDJSON)
    expect([head.status, head.headers['content-type']]).toEqual([200, NDJSON])
  })
})
