import type http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import {
  type AccountsClient,
  createClient,
  type ImportTotals,
  IncompleteStreamError,
  ProblemError,
  type Schemas,
} from '../../src/client/index.ts'
import { createTestApi, newStudio, type TestApi, unique } from '../support/api.ts'
import { newPlayer } from '../support/records.ts'

let api: TestApi
let server: http.Server
let baseUrl: string
let apiKey: string
let client: AccountsClient

beforeAll(async () => {
  api = await createTestApi()
  server = api.app.express.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  apiKey = await api.token()
  client = createClient({ baseUrl, apiKey })
})

afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await api.close()
})

/** Sends some requests elsewhere: to a function that says how they end, undefined to let them pass. */
function through(intercept: (request: Request, attempt: number) => Promise<Response> | undefined) {
  let attempt = 0
  const seen: Request[] = []
  const send = async (request: Request) => {
    attempt += 1
    seen.push(new Request(request.url, { method: request.method, headers: request.headers }))
    return (await intercept(request, attempt)) ?? fetch(request)
  }
  return { client: createClient({ baseUrl, apiKey, fetch: send as typeof fetch }), seen }
}

const busy = (status: number) =>
  Promise.resolve(new Response('{"code":"unavailable","detail":"busy"}', { status, headers: { 'Retry-After': '0' } }))

describe('the client', () => {
  it('creates, reads and changes a record with its version', async () => {
    const slug = unique('studio')
    const created = await client.post('/v1/studios', { body: { slug, name: 'Comet Forge' } })
    expect(created.etag).toBe('"1"')
    expectTypeOf(created.data).toEqualTypeOf<Schemas['Studio']>()
    const params = { path: { id: `slug:${slug}` } }
    const changed = await client.patch('/v1/studios/{id}', {
      params,
      body: { country: 'SE' },
      ifMatch: created.etag ?? '',
    })
    expect(changed.data).toMatchObject({ id: created.data.id, country: 'SE', version: 2 })
    const read = await client.get('/v1/studios/{id}', { params })
    expect(read).toMatchObject({ data: changed.data, etag: '"2"' })
  })

  it('throws a problem with its code, status and fields', async () => {
    const refused = client.post('/v1/players', { body: { username: 'x', birthDate: 'yesterday' } })
    await expect(refused).rejects.toBeInstanceOf(ProblemError)
    const problem = (await refused.catch((error: unknown) => error)) as ProblemError
    expect(problem).toMatchObject({ code: 'validation', status: 422 })
    expect(problem.errors.map(({ pointer }) => pointer)).toEqual(['/username', '/birthDate'])
    expect(problem.requestId).toMatch(/^[\w-]{8,}$/)
  })

  it('tells what a proxy on the way said, too', async () => {
    const { client: behind } = through(() => Promise.resolve(new Response('<h1>Bad gateway</h1>', { status: 502 })))
    await expect(behind.get('/v1/whoami')).rejects.toMatchObject({ code: 'unknown', status: 502 })
  })

  it('acts once when the answer to a POST was lost', async () => {
    const slug = unique('studio')
    const { client: shaky, seen } = through((request, attempt) => {
      if (attempt > 1) return undefined
      return fetch(request).then(() => Promise.reject(new TypeError('the connection was lost')))
    })
    const { data, response } = await shaky.post('/v1/studios', { body: { slug, name: 'Once' } })
    expect(seen.map(({ headers }) => headers.get('Idempotency-Key'))).toEqual([
      seen[0]?.headers.get('Idempotency-Key'),
      seen[0]?.headers.get('Idempotency-Key'),
    ])
    expect(response.headers.get('Idempotency-Replayed')).toBe('true')
    expect(data).toMatchObject({ slug, version: 1 })
  })

  it('waits and sends again after 429 and 503, and gives up after its retries', async () => {
    const { client: patient, seen } = through((_, attempt) =>
      attempt < 3 ? busy(attempt === 1 ? 429 : 503) : undefined,
    )
    expect((await patient.get('/v1/whoami')).data.type).toBe('api_key')
    expect(seen).toHaveLength(3)
    const { client: refused, seen: all } = through(() => busy(503))
    await expect(refused.get('/v1/whoami')).rejects.toMatchObject({ status: 503 })
    expect(all).toHaveLength(5)
  })

  it('does not repeat what is not safe to repeat', async () => {
    const { id } = await newStudio(api)
    const params = { path: { id, ownerId: crypto.randomUUID() } }
    const { client: shaky, seen } = through(() => busy(503))
    await expect(shaky.delete('/v1/studios/{id}/members/{ownerId}', { params, ifMatch: '"1"' })).rejects.toThrow()
    await expect(
      shaky.put('/v1/studios/{id}/members/{ownerId}', { params, ifMatch: '"1"', body: { role: 'owner' } }),
    ).rejects.toThrow()
    expect(seen).toHaveLength(2)
  })

  it('stops waiting when it is told to', async () => {
    const { client: waiting } = through(() =>
      Promise.resolve(new Response('{}', { status: 503, headers: { 'Retry-After': '30' } })),
    )
    await expect(waiting.get('/v1/whoami', { signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout/i)
  })

  it('walks over pages and over rows', async () => {
    const country = 'NZ'
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const name of names) await newStudio(api, { name, country })
    const query = { country, limit: 2, sort: 'createdAt' }
    const sizes: number[] = []
    for await (const page of client.pages('/v1/studios', { params: { query } })) sizes.push(page.data.length)
    expect(sizes).toEqual([2, 2, 1])
    const seen: string[] = []
    for await (const studio of client.rows('/v1/studios', { params: { query } })) seen.push(studio.name ?? '')
    expect(seen).toEqual(names)
  })

  it('changes what somebody else has changed in between, on top of it', async () => {
    const { id } = await newStudio(api)
    const params = { path: { id } }
    let reads = 0
    const { data } = await client.change('/v1/studios/{id}', { params }, (studio) => {
      reads += 1
      // The race is lost once: the other change is sent before this one.
      return { name: `${studio.name}!` }
    })
    expect(data).toMatchObject({ name: 'Acme Games!', version: 2 })
    expect(reads).toBe(1)
    const { client: raced } = through((request, attempt) =>
      attempt === 2
        ? client.change('/v1/studios/{id}', { params }, () => ({ country: 'SE' })).then(() => fetch(request))
        : undefined,
    )
    const second = await raced.change('/v1/studios/{id}', { params }, ({ name }) => ({ name: `${name}?` }))
    expect(second.data).toMatchObject({ name: 'Acme Games!?', country: 'SE', version: 4 })
    const same = await client.change('/v1/studios/{id}', { params }, () => undefined)
    expect(same.data.version).toBe(4)
  })

  it('brings records in and reads the answers while it sends', async () => {
    const username = unique('player').replaceAll('-', '_')
    const run = client.import('players', [{ username }, { username: 'x' }], { mode: 'create' })
    const lines: unknown[] = []
    for await (const line of run) lines.push(line.status)
    expect(lines).toEqual(['created', 'error'])
    const totals = await run.totals()
    expect(totals).toMatchObject({ lines: 2, created: 1, errors: 1 })
    expectTypeOf(totals).toEqualTypeOf<ImportTotals>()
    await expect(client.import('players', [], { mode: 'none' as 'create' }).totals()).rejects.toMatchObject({
      code: 'invalid-parameter',
    })
  })

  it('notices an import whose answer was cut off', async () => {
    const { client: cut } = through(() => Promise.resolve(new Response('{"line":1,"status":"created"}\n')))
    await expect(cut.import('players', [{ username: 'nova' }]).totals()).rejects.toBeInstanceOf(IncompleteStreamError)
  })

  it('exports a list whole, and notices one that is not', async () => {
    await newPlayer(api)
    const rows: string[] = []
    const run = client.export('/v1/players')
    let step = await run.next()
    for (; !step.done; step = await run.next()) rows.push(step.value.id ?? '')
    expect(step.value.rows).toBe(rows.length)
    expect(new Set(rows).size).toBe(rows.length)
    const cut = (text: string) => through(() => Promise.resolve(new Response(text))).client.export('/v1/players')
    const row = '{"id":"1"}\n'
    await expect(
      cut(row)
        .next()
        .then(() => drained(cut(row))),
    ).rejects.toThrow(/before its _end/)
    await expect(drained(cut(`${row}{"_end":{"rows":2,"sha256":""}}\n`))).rejects.toBeInstanceOf(IncompleteStreamError)
    await expect(drained(cut(`${row}{"_end":{"rows":1,"sha256":"00"}}\n`))).rejects.toThrow(/not what/)
  })
})

async function drained(run: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of run);
}

describe('the types of the client', () => {
  it('know paths, parameters, bodies and what needs If-Match', () => {
    const never = () => {
      // @ts-expect-error there is no such path
      void client.get('/v1/studio')
      // @ts-expect-error a studio has no colour
      void client.post('/v1/studios', { body: { slug: 'a', name: 'b', colour: 'red' } })
      // @ts-expect-error the name is needed
      void client.post('/v1/studios', { body: { slug: 'a' } })
      // @ts-expect-error If-Match is needed
      void client.patch('/v1/studios/{id}', { params: { path: { id: 'a' } }, body: {} })
      // @ts-expect-error the id is needed
      void client.get('/v1/studios/{id}')
      // @ts-expect-error no page of it
      void client.pages('/v1/whoami')
    }
    expectTypeOf(never).toBeFunction()
    expectTypeOf(client.get<'/v1/whoami'>).returns.resolves.toHaveProperty('data')
  })
})
