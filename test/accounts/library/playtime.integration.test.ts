import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, type TestApi } from '../../support/api.ts'
import { duringChange } from '../../support/held-change.ts'
import { newEntitlement, newGameIn, newPlatform, newPlayer } from '../../support/records.ts'

let api: TestApi
let gameId: string

beforeAll(async () => {
  api = await createTestApi()
  gameId = (await newPlatform(api, (await newGameIn(api, 'released')).id)).gameId
})
afterAll(() => api.close())

const nobody = '0193aaaa-0000-7000-8000-000000000001'
const report = (items: unknown, agent = api.admin) => agent.post('/v1/playtime').send(items as object)
const send = (type: string, body: string | Buffer) =>
  api.admin.post('/v1/playtime').set('Content-Type', type).send(body)
const NDJSON = 'application/x-ndjson'

async function newLine() {
  const line = await newEntitlement(api, { gameId })
  const item = { playerId: line.playerId, gameId, platform: 'windows' }
  return { ...line, item, path: `/v1/players/${line.playerId}/library/${gameId}/windows` }
}

const events = (id: string) =>
  api.database.prisma.auditEvent.findMany({ where: { entityId: id, action: 'player_game.report_playtime' } })

describe('a report of play time', () => {
  it('answers each item in order, and keeps the good ones of a batch with bad ones', async () => {
    const [a, b] = [await newLine(), await newLine()]
    const answer = await report([
      { ...a.item, playtimeSeconds: 60, firstPlayedAt: '2026-01-01T00:00:00Z', lastPlayedAt: '2026-01-02T00:00:00Z' },
      { ...a.item, playerId: nobody, playtimeSeconds: 1 },
      { ...b.item, playtimeSeconds: -1 },
      { ...b.item, playtimeSeconds: 5_000_000_000 },
      { ...b.item, platform: 'web', playtimeSeconds: 1 },
      'x',
      { ...b.item, playtimeSeconds: 0 },
      { ...b.item, playtimeSeconds: 6, firstPlayedAt: '2026-01-01T00:00:00Z' },
      { ...b.item },
    ])
    expect(answer.status).toBe(200)
    const statuses = answer.body.data.map(({ status, problem }: { status: string; problem?: { code: string } }) =>
      problem === undefined ? status : problem.code,
    )
    const [updated, unchanged] = ['updated', 'unchanged']
    expect(statuses).toEqual([
      ...[updated, 'not-found', 'validation', updated, 'not-found', 'validation'],
      ...[unchanged, 'validation', 'validation'],
    ])
    expect(answer.body.data[0]).toEqual({
      ...{ status: 'updated', id: a.id, playtimeSeconds: 60 },
      ...{ firstPlayedAt: '2026-01-01T00:00:00.000Z', lastPlayedAt: '2026-01-02T00:00:00.000Z' },
    })
    expect(answer.body.data[2].problem).toEqual({
      ...{ code: 'validation', status: 422, detail: '1 field is invalid' },
      errors: [{ pointer: '/playtimeSeconds', code: 'too-small', detail: 'at least 0' }],
    })
    const kept = await api.admin.get(b.path)
    expect(kept.body).toMatchObject({ playtimeSeconds: 5_000_000_000, version: 1 })
    expect(kept.headers.etag).toBe('"1"')
  })

  it('with a moment that only a wrong clock tells is refused: it would be kept for good', async () => {
    const { item, path } = await newLine()
    const hours = (ahead: number) => new Date(Date.now() + ahead * 3_600_000).toISOString()
    const answer = await report([
      { ...item, playtimeSeconds: 5, firstPlayedAt: '0001-01-01T00:00:00Z', lastPlayedAt: hours(25) },
      { ...item, playtimeSeconds: 4, firstPlayedAt: '1980-01-01T00:00:00Z', lastPlayedAt: hours(23) },
    ])
    expect(answer.body.data[0].problem.errors).toMatchObject([
      { pointer: '/firstPlayedAt', code: 'too-early' },
      { pointer: '/lastPlayedAt', code: 'too-late' },
    ])
    expect(answer.body.data[1]).toMatchObject({ status: 'updated', playtimeSeconds: 4 })
    expect((await api.admin.get(path)).body).toMatchObject({ playtimeSeconds: 4 })
  })

  it('is safe to repeat and out of order; only what changes is in the trail, once a line', async () => {
    const { item, id, path } = await newLine()
    const totals = [100, 300, 200, 300, 50].map((playtimeSeconds, day) => ({
      ...{ ...item, playtimeSeconds, lastPlayedAt: `2026-02-0${5 - day}T00:00:00Z` },
      firstPlayedAt: `2026-01-0${5 - day}T00:00:00Z`,
    }))
    const answer = await report(totals)
    expect(answer.body.data.map(({ status }: { status: string }) => status)).toEqual(Array(5).fill('updated'))
    const kept = {
      playtimeSeconds: 300,
      firstPlayedAt: '2026-01-01T00:00:00.000Z',
      lastPlayedAt: '2026-02-05T00:00:00.000Z',
    }
    expect((await api.admin.get(path)).body).toMatchObject({ ...kept, version: 1 })
    const again = await report(totals.reverse())
    expect(again.body.data).toEqual(Array(5).fill({ status: 'unchanged', id, ...kept }))
    expect(await events(id)).toMatchObject([
      { actorType: 'api_key', entityType: 'player_game', changes: { playtimeSeconds: { from: 0, to: 300 } } },
    ])
  })

  it('that contradicts what is known is refused for its item alone', async () => {
    const { item } = await newLine()
    const answer = await report([
      { ...item, playtimeSeconds: 1, lastPlayedAt: '2026-01-01T00:00:00Z' },
      { ...item, playtimeSeconds: 2, firstPlayedAt: '2026-06-01T00:00:00Z' },
      { ...item, playtimeSeconds: 3 },
    ])
    expect(answer.body.data).toMatchObject([
      { status: 'updated' },
      { status: 'error', problem: { errors: [{ pointer: '/firstPlayedAt', code: 'after-last' }] } },
      { status: 'updated', playtimeSeconds: 3 },
    ])
  })

  it('counts for what was revoked, too: it was played', async () => {
    const { item, path } = await newLine()
    await api.admin.post(`${path}/revocation`).set('If-Match', '*').send({ reason: 'refund' })
    expect((await report([{ ...item, playtimeSeconds: 7 }])).body.data[0]).toMatchObject({ status: 'updated' })
  })

  it('may be NDJSON: with BOM, CRLF, blank lines, no newline at its end, and lines that are no JSON', async () => {
    const { item } = await newLine()
    const line = (playtimeSeconds: number) => JSON.stringify({ ...item, playtimeSeconds })
    const good = await send(NDJSON, `\ufeff${line(1)}\r\n\r\n  \n${line(2)}\n{"x":\n${line(3)}`)
    expect(good.body.data.map((each: { status: string }) => each.status)).toEqual([
      'updated',
      'updated',
      'error',
      'updated',
    ])
    expect(good.body.data[2].problem).toMatchObject({ code: 'malformed-json', status: 400 })
    const bad = await send(NDJSON, Buffer.concat([Buffer.from(`${line(4)}\n`), Buffer.from([0x22, 0xff, 0x22])]))
    expect(bad.body.data.map((each: { status: string }) => each.status)).toEqual(['updated', 'error'])
    expect((await send(NDJSON, '\n')).body).toEqual({ data: [] })
    expect((await send(NDJSON, `{"playerId":"${nobody}","playerId":"${nobody}"}`)).body.data[0].problem.code).toBe(
      'malformed-json',
    )
  })

  it('has at most 1000 items, of any size that they need', async () => {
    const item = { playerId: nobody, gameId: nobody, platform: 'xbox_series', playtimeSeconds: 9_007_199_254_740_991 }
    const times = { firstPlayedAt: '2026-01-01T00:00:00.000Z', lastPlayedAt: '2026-01-01T00:00:00.000Z' }
    const many = (n: number) => Array.from({ length: n }, () => ({ ...item, ...times }))
    const full = await send('application/json', JSON.stringify(many(1000), null, 2))
    expect(full.body.data).toHaveLength(1000)
    expect((await report(many(1001))).body).toMatchObject({ status: 422, errors: [{ pointer: '', code: 'too-long' }] })
    expect((await report([])).body).toEqual({ data: [] })
  })

  it('writes a thousand lines in one go', async () => {
    const players = await Promise.all(Array.from({ length: 10 }, () => newPlayer(api)))
    await Promise.all(players.map(({ id }) => newEntitlement(api, { playerId: id, gameId })))
    const items = Array.from({ length: 1000 }, (_, n) => ({
      ...{ playerId: players[n % 10].id, gameId, platform: 'windows', playtimeSeconds: n + 1 },
    }))
    const answer = await report(items)
    expect(new Set(answer.body.data.map(({ status }: { status: string }) => status))).toEqual(new Set(['updated']))
    expect(answer.body.data.at(-1).playtimeSeconds).toBe(1000)
  })

  it('refuses a body that is no list, no JSON, too large or of another type', async () => {
    expect((await send('application/json', '{}')).body.errors).toMatchObject([{ pointer: '', code: 'type' }])
    expect((await send('application/json', '[')).body.code).toBe('malformed-json')
    expect((await send('text/plain', '[]')).status).toBe(415)
    expect((await send('application/json', `[${' '.repeat(1024 * 1024)}]`)).status).toBe(413)
    const keyed = await report([]).set('Idempotency-Key', '12345678')
    expect(keyed.body.code).toBe('malformed-header')
  })

  it('waits for a change of the same line, and loses nothing', async () => {
    const { item, id, path } = await newLine()
    const change = { sql: 'UPDATE player_game SET playtime_seconds = 500 WHERE id = $1', values: [id] }
    const answer = await duringChange(api, change, () => report([{ ...item, playtimeSeconds: 400 }]))
    expect(answer.body.data[0]).toMatchObject({ status: 'unchanged', playtimeSeconds: 500 })
    expect((await api.admin.get(path)).body.playtimeSeconds).toBe(500)
  })

  it('by many at once, in any order of lines, never ends in a deadlock, and the greatest totals win', async () => {
    const lines = await Promise.all(Array.from({ length: 5 }, newLine))
    const reports = Array.from({ length: 20 }, (_, n) =>
      lines.map(({ item }) => ({ ...item, playtimeSeconds: n + 1 })).sort(() => (n % 2 === 0 ? 1 : -1)),
    )
    const answers = await Promise.all(reports.map((items) => report(items)))
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    for (const { path } of lines) expect((await api.admin.get(path)).body.playtimeSeconds).toBe(20)
  })

  it('needs library:write', async () => {
    const reader = api.as(await api.token('library:read'))
    expect((await report([], reader)).body).toMatchObject({ status: 403, scope: 'library:write' })
  })
})
