import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PROBLEMS } from '../../src/http/problems.ts'
import { createTestApi, newOwner, newStudio, type TestApi, unique } from '../support/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

describe('a problem', () => {
  it('has the form of RFC 9457, names the request and is not cached', async () => {
    const answer = await api.admin.get('/v1/nothing-here').set('X-Request-Id', 'my-request-7')
    expect(answer.status).toBe(404)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers['x-request-id']).toBe('my-request-7')
    expect(answer.body).toEqual({
      type: 'https://accounts.rocketgames.example/problems/not-found',
      title: 'There is no such thing',
      status: 404,
      detail: 'There is nothing at this address',
      instance: '/v1/nothing-here',
      code: 'not-found',
      requestId: 'my-request-7',
    })
  })

  it('is explained at its own address', async () => {
    const answer = await api.anonymous.get('/v1/problems/version-mismatch')
    expect(answer.body).toMatchObject({ code: 'version-mismatch', status: 412 })
    expect((await api.anonymous.get('/v1/problems/toString')).status).toBe(404)
  })

  it.each(Object.entries(PROBLEMS))(
    '%s is explained with cause and remedy, to programs and in a browser',
    async (code, kind) => {
      const json = await api.anonymous.get(`/v1/problems/${code}`)
      const { status, title, advice } = kind
      expect(json.body).toMatchObject({ code, status, title, advice, cause: expect.stringMatching(/^[A-Z].{20,}\.$/) })
      const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
      const page = await api.anonymous.get(`/v1/problems/${code}`).set('Accept', browser)
      expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
      expect(page.headers.vary).toContain('Accept')
      const shown = page.text.replace(
        /&(\w+);/g,
        (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"' })[name] ?? '?',
      )
      for (const part of [code, title, advice, json.body.cause]) expect(shown).toContain(part)
      expect(page.text).not.toMatch(/<(script|style|link|img)/)
    },
  )

  it('does not repeat an address that may hold a name', async () => {
    const answer = await api.admin.get('/v1/players/zoe@mail.example')
    expect(answer.status).toBe(404)
    expect(answer.text).not.toContain('zoe@')
  })

  it('answers an address that cannot be decoded', async () => {
    const answer = await api.admin.get('/v1/studios/%E0%A4')
    expect(answer.body).toMatchObject({ status: 400, code: 'malformed-input' })
    expect(answer.body).not.toHaveProperty('instance')
  })
})

describe('who calls', () => {
  it('needs a valid key, and every cause answers alike', async () => {
    const token = await api.token()
    const last = token.at(-1) === 'a' ? 'b' : 'a'
    const wrongChecksum = `${token.slice(0, -1)}${last}`
    for (const header of [undefined, 'Basic x', 'Bearer', `Bearer ${wrongChecksum}`, 'Bearer rg_live_x_y_z']) {
      const request = api.anonymous.get('/v1/studios')
      const answer = await (header === undefined ? request : request.set('Authorization', header))
      expect(answer.body).toMatchObject({ status: 401, code: 'unauthenticated' })
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer /)
    }
  })

  it('needs the scope: 403 names it, and a write scope does not read', async () => {
    const writer = api.as(await api.token('studios:write'))
    const answer = await writer.get('/v1/studios')
    expect(answer.body).toMatchObject({ status: 403, code: 'forbidden', scope: 'studios:read' })
    expect(
      (
        await api
          .as(await api.token('studios:read'))
          .post('/v1/studios')
          .send({})
      ).status,
    ).toBe(403)
  })

  it('is told by whoami', async () => {
    const caller = api.as(await api.token('studios:write', 'studios:read'))
    const answer = await caller.get('/v1/whoami')
    expect(answer.body).toMatchObject({ type: 'api_key', name: 'test', scopes: ['studios:read', 'studios:write'] })
    expect(Object.keys(answer.body).sort()).toEqual(['expiresAt', 'id', 'name', 'scopes', 'type'])
  })
})

describe('a query', () => {
  it('is refused for every parameter that is unknown, repeated or out of range', async () => {
    const codes: Record<string, string> = {
      'colour=red': 'unknown-parameter',
      'status=active&status=active': 'unknown-parameter',
      'status[gt]=active': 'unknown-parameter',
      'status[]=active': 'unknown-parameter',
      'limit=0': 'invalid-parameter',
      'limit=201': 'invalid-parameter',
      'limit=1e2': 'invalid-parameter',
      'status=open': 'invalid-parameter',
      'createdAt[gte]=2026-02-30T00:00:00Z': 'invalid-parameter',
      'createdAt[gte]=2026-01-01T00:00:00.0001Z': 'invalid-parameter',
      'sort=legalName': 'invalid-parameter',
      'sort=name,name': 'invalid-parameter',
      'q=': 'invalid-parameter',
      'cursor=abc': 'invalid-cursor',
    }
    for (const [query, code] of Object.entries(codes)) {
      const answer = await api.admin.get(`/v1/studios?${query}`)
      expect(answer.body, query).toMatchObject({ status: 400, code })
      // A name that cannot be read is not repeated.
      const parameter = query.startsWith('status[]') ? undefined : query.split('=')[0]
      expect(answer.body.errors?.[0]?.parameter, query).toBe(parameter)
    }
  })

  it('ends where the address ends: a second question mark hides nothing behind it', async () => {
    const hidden = await api.admin.get('/v1/studios?q=who?&limit=0')
    expect(hidden.body).toMatchObject({ status: 400, errors: [{ parameter: 'limit' }] })
    expect((await api.admin.get('/v1/studios?status=active?')).body).toMatchObject({ code: 'invalid-parameter' })
    await newStudio(api, { name: 'Who? One' })
    await newStudio(api, { name: 'Who? Two' })
    const first = await api.admin.get('/v1/studios?q=who?&limit=1')
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.link ?? '')?.[1] ?? ''
    const second = await api.admin.get(next)
    expect(second.body.data.map(({ name }: { name: string }) => name)).toEqual(['Who? One'])
  })

  it('on an operation without one is refused as well', async () => {
    const studio = await newStudio(api)
    expect((await api.admin.get(`/v1/studios/${studio.id}?x=1`)).body.code).toBe('unknown-parameter')
    expect((await api.admin.post('/v1/studios?x=1').send({})).body.code).toBe('unknown-parameter')
  })

  it('of more than 8 KB is refused', async () => {
    const answer = await api.admin.get(`/v1/studios?q=${'x'.repeat(8200)}`)
    expect(answer.body).toMatchObject({ status: 414, code: 'uri-too-long' })
  })
})

describe('a body', () => {
  const post = () => api.admin.post('/v1/studios')

  it('is strict JSON in UTF-8', async () => {
    const bodies = ['', '{', '{"a":1,}', '\ufeff{}', 'NaN', "{'a':1}"]
    for (const body of bodies) {
      const answer = await post().set('Content-Type', 'application/json').send(body)
      expect(answer.body, JSON.stringify(body)).toMatchObject({ status: 400, code: 'malformed-json' })
    }
    const latin1 = await post()
      .set('Content-Type', 'application/json')
      .serialize((x) => x)
      .send(Buffer.from('{"name":"\xe9"}', 'latin1') as never)
    expect(latin1.body.code).toBe('malformed-json')
  })

  it('has the right media type, charset and coding', async () => {
    for (const type of [
      'text/plain',
      'application/xml',
      'application/json; charset=latin1',
      'application/x-www-form-urlencoded',
    ]) {
      const answer = await post().set('Content-Type', type).send('{}')
      expect(answer.body, type).toMatchObject({ status: 415, code: 'unsupported-media-type' })
    }
    const coding = await post().set('Content-Type', 'application/json').set('Content-Encoding', 'zstd-2').send('{}')
    expect(coding.body).toMatchObject({ status: 415 })
  })

  it('may be compressed, and is bounded after decompression', async () => {
    const zipped = (value: unknown) =>
      post()
        .set('Content-Type', 'application/json')
        .set('Content-Encoding', 'gzip')
        .serialize((x) => x)
        .send(gzipSync(JSON.stringify(value)) as never)
    expect((await zipped({ slug: unique('zip'), name: 'Zip' })).status).toBe(201)
    expect((await zipped({ slug: 'x', name: 'x'.repeat(300_000) })).body).toMatchObject({ status: 413 })
  })

  it('of more than 256 KB is refused', async () => {
    const answer = await post().send({ slug: 'big', name: 'x'.repeat(256 * 1024) })
    expect(answer.body).toMatchObject({ status: 413, code: 'payload-too-large', maxBytes: 262_144 })
  })

  it('is refused where none belongs', async () => {
    const answer = await api.admin.get('/v1/studios').send({ a: 1 })
    expect(answer.body).toMatchObject({ status: 415 })
  })

  it('has no unknown field and no coerced value', async () => {
    const answer = await post().send({ slug: 7, name: 'A', owner: 'x' })
    expect(answer.body).toMatchObject({ status: 422, code: 'validation' })
    expect(answer.body.errors).toEqual([
      { pointer: '/slug', code: 'type', detail: 'must be a string' },
      { pointer: '/owner', code: 'unknown-field' },
    ])
  })

  it('with a NUL or half a surrogate pair is refused before the database sees it', async () => {
    const answer = await post().set('Content-Type', 'application/json').send('{"slug":"nul","name":"a\\u0000b"}')
    expect(answer.body).toMatchObject({ status: 422, errors: [{ pointer: '/name', code: 'invalid-text' }] })
  })
})

describe('a method or media type that does not exist', () => {
  it('answers 405 with Allow, and OPTIONS tells the methods', async () => {
    const answer = await api.admin.put('/v1/studios').send({})
    expect(answer.body).toMatchObject({ status: 405, code: 'method-not-allowed' })
    expect(answer.headers.allow).toBe('GET, POST, HEAD, OPTIONS')
    const options = await api.anonymous.options('/v1/studios')
    expect(options.status).toBe(204)
    expect(options.headers.allow).toBe('GET, POST, HEAD, OPTIONS')
  })

  it('answers 406 when JSON is not accepted', async () => {
    const answer = await api.admin.get('/v1/studios').set('Accept', 'image/png')
    expect(answer.body).toMatchObject({ status: 406, code: 'not-acceptable' })
    expect((await api.admin.get('/v1/studios').set('Accept', 'application/*;q=0.5')).status).toBe(200)
  })

  it('answers HEAD like GET, without the body', async () => {
    const studio = await newStudio(api)
    const head = await api.admin.head(`/v1/studios/${studio.id}`)
    const get = await api.admin.get(`/v1/studios/${studio.id}`)
    expect(head.status).toBe(200)
    expect(head.headers.etag).toBe(get.headers.etag)
    expect(head.headers['content-length']).toBe(get.headers['content-length'])
    expect(head.text).toBeFalsy()
  })
})

describe('every answer', () => {
  it('carries the standard headers and a request id of its own making when the given one is odd', async () => {
    const answer = await api.admin.get('/v1/studios').set('X-Request-Id', 'has spaces in it')
    expect(answer.headers).toMatchObject({
      vary: 'Accept, Authorization',
      'cache-control': 'private, no-cache',
      'x-content-type-options': 'nosniff',
    })
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(answer.headers['x-powered-by']).toBeUndefined()
  })

  it('leaves one log line with pattern, status and key, and nothing personal', async () => {
    const secret = createHash('sha256').update(unique('x')).digest('hex').slice(0, 12)
    const email = `${secret}@mail.example`
    const owner = await newOwner(api, { email, fullName: `Name ${secret}` })
    await api.admin.post('/v1/owners').send({ email, fullName: secret })
    await api.admin.get(`/v1/owners?q=${secret}`)
    await api.admin.get(`/v1/owners/${secret}@mail.example`)
    await api.admin.patch(`/v1/owners/${owner.id}`).set('If-Match', '"1"').send({ email: secret })
    const log = api.log()
    expect(log).not.toContain(secret)
    expect(log).not.toContain(owner.id)
    const lines = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.at(-1)).toMatchObject({ msg: 'request', method: 'PATCH', route: '/v1/owners/{id}', status: 422 })
    expect(lines.at(-1).keyId).toMatch(/^[0-9a-z]{12}$/)
  })

  it('is counted by route pattern', async () => {
    await api.admin.get('/v1/studios')
    const metrics = await api.anonymous.get('/metrics')
    expect(metrics.headers['content-type']).toContain('text/plain')
    expect(metrics.text).toMatch(
      /http_request_duration_seconds_count\{method="GET",route="\/v1\/studios",status="200"\} \d+/,
    )
  })
})
