import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newStudio, type TestApi, takeSteps, unique } from '../../support/api.ts'
import { newPlayer } from '../../support/records.ts'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

interface Event {
  readonly seq: number
  readonly action: string
  readonly entityId: string
  readonly actorId: string
  readonly occurredAt: string
  readonly studioId: string | null
}

const list = async (query: object, agent = api.admin) => agent.get('/v1/audit-events').query(query)
const rows = async (query: object): Promise<Event[]> => (await list(query)).body.data

/** The numbers of all events, read in pages of two. */
async function walk(query: object): Promise<number[]> {
  const seen: number[] = []
  let cursor: string | null = null
  do {
    const { body } = await list({ ...query, limit: 2, ...(cursor === null ? {} : { cursor }) })
    seen.push(...body.data.map(({ seq }: Event) => seq))
    cursor = body.page.next
  } while (cursor !== null)
  return seen
}

describe('the trail', () => {
  it('is told newest first, and oldest first when asked, page by page without gap or repetition', async () => {
    const { id } = await newStudio(api)
    await takeSteps(api, `/v1/studios/${id}`, 'in_review', 'prospect', 'in_review', 'prospect')
    const about = { entityType: 'studio', entityId: id }
    // At one time, which the order of seq decides.
    await api.database.withClient((client) =>
      client.query(`
        INSERT INTO audit_event (occurred_at, actor_type, actor_id, request_id, action, entity_type, entity_id)
        SELECT '2026-01-01T00:00:00Z', 'system', 'test', 'r', 'studio.update', 'studio', '${id}' FROM generate_series(1, 5)`),
    )
    for (const sort of ['-occurredAt', 'occurredAt']) {
      const range = { ...about, 'occurredAt[gte]': '2026-01-01T00:00:00Z', sort }
      const whole = await rows(range)
      expect(whole).toHaveLength(10)
      const key = ({ occurredAt, seq }: Event) => `${occurredAt} ${String(seq).padStart(9, '0')}`
      const upwards = [...whole].sort((a, b) => (key(a) < key(b) ? -1 : 1))
      expect(whole).toEqual(sort === 'occurredAt' ? upwards : upwards.reverse())
      expect(await walk(range)).toEqual(whole.map(({ seq }) => seq))
    }
    expect(await rows({ ...about, 'occurredAt[gte]': '2026-01-01T00:00:00Z' })).toEqual(
      await rows({ ...about, 'occurredAt[gte]': '2026-01-01T00:00:00Z', sort: '-occurredAt' }),
    )
    for (const sort of ['-seq', 'seq']) {
      const whole = (await rows({ ...about, sort })).map(({ seq }) => seq)
      expect(whole).toHaveLength(10)
      expect(whole).toEqual([...whole].sort((a, b) => (sort === 'seq' ? a - b : b - a)))
      expect(await walk({ ...about, sort })).toEqual(whole)
    }
    const second = await list({ ...about, limit: 2, cursor: (await list({ ...about, limit: 2 })).body.page.next })
    const back = await list({ ...about, limit: 2, cursor: second.body.page.prev })
    expect(back.body.data).toEqual((await list({ ...about, limit: 2 })).body.data)
  })

  it('is filtered by entity, actor, action, studio and time, and by several of them', async () => {
    const token = await api.token()
    const writer = api.as(token)
    const actorId = (await writer.get('/v1/whoami')).body.id
    const { body: studio } = await writer.post('/v1/studios').send({ slug: unique('audit'), name: 'A' })
    await writer.patch(`/v1/studios/${studio.id}`).set('If-Match', '*').send({ name: 'B' })
    const { body: player } = await writer.post('/v1/players').send({ username: unique('aud').replaceAll('-', '_') })
    const actions = async (query: object) => (await rows({ sort: 'seq', ...query })).map(({ action }) => action)
    expect(await actions({ actorId })).toEqual(['studio.create', 'studio.update', 'player.create'])
    expect(await actions({ actorId, actorType: 'system' })).toEqual([])
    expect(await actions({ actorId, action: 'player.create' })).toEqual(['player.create'])
    expect(await actions({ actorId, 'action[in]': 'player.create,studio.create' })).toEqual([
      'studio.create',
      'player.create',
    ])
    expect(await actions({ studioId: studio.id })).toEqual(['studio.create', 'studio.update'])
    expect(await actions({ entityType: 'player', entityId: player.id })).toEqual(['player.create'])
    const [first, second, third] = await rows({ actorId, sort: 'seq' })
    expect(
      await actions({
        actorId,
        sort: 'occurredAt',
        'occurredAt[gte]': second?.occurredAt,
        'occurredAt[lt]': third?.occurredAt,
      }),
    ).toEqual(second?.occurredAt === third?.occurredAt ? [] : ['studio.update'])
    expect(await actions({ actorId, sort: 'occurredAt', 'occurredAt[lt]': first?.occurredAt })).toEqual([])
    expect((await rows({ studioId: studio.id, sort: '-seq' }))[0]).toMatchObject({
      ...{
        actorType: 'api_key',
        actorId,
        entityType: 'studio',
        entityId: studio.id,
        studioId: studio.id,
        reason: null,
      },
      changes: { name: { from: 'A', to: 'B' }, $ifMatch: '*' },
    })
  })

  it('refuses an id without its kind, and what it does not know', async () => {
    const { id } = await newStudio(api)
    const refused = await list({ entityId: id })
    expect(refused.body).toMatchObject({ status: 400, errors: [{ parameter: 'entityId', code: 'required' }] })
    expect((await list({ entityType: 'sanction' })).status).toBe(400)
    expect((await list({ sort: 'action' })).status).toBe(400)
    const range = { 'occurredAt[lt]': '2099-01-01T00:00:00Z' }
    expect((await list({ ...range, sort: '-seq' })).body).toMatchObject({
      status: 400,
      errors: [{ parameter: 'sort' }],
    })
    expect((await list({ q: 'x' })).status).toBe(400)
    expect((await list({ reason: 'x' })).status).toBe(400)
    expect((await list({ entityType: 'studio', entityId: "' OR 1=1 --" })).body.data).toEqual([])
  })

  it('shows the reason only with players:read.personal, and never a personal value', async () => {
    const email = `${unique('mia')}@x.example`
    const player = await newPlayer(api, { email, birthDate: '1999-12-31' })
    const step = { to: 'closed', reason: `asked by ${email}` }
    await api.admin.post(`/v1/players/${player.id}/transitions`).set('If-Match', '*').send(step)
    const about = { entityType: 'player', entityId: player.id }
    const auditor = api.as(await api.token('audit:read'))
    const [closed, created] = (await list(about, auditor)).body.data
    expect(closed).toMatchObject({ action: 'player.transition', changes: { status: { from: 'active', to: 'closed' } } })
    expect(Object.keys(closed)).not.toContain('reason')
    expect(created.changes).toMatchObject({ username: 'changed', email: 'changed', birthDate: 'changed' })
    const { text } = await list(about, auditor)
    expect(text).not.toMatch(new RegExp(`${email}|${player.username}|1999-12-31`))
    expect((await list({ ...about, fields: 'seq,reason' }, auditor)).status).toBe(403)
    const trusted = api.as(await api.token('audit:read', 'players:read.personal'))
    expect((await list(about, trusted)).body.data[0].reason).toBe(step.reason)
  })

  it('needs audit:read, and nobody can change it', async () => {
    expect((await list({}, api.as(await api.token('keys:manage')))).body.scope).toBe('audit:read')
    for (const method of ['post', 'put', 'patch', 'delete'] as const) {
      const answer = await api.admin[method]('/v1/audit-events')
      expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS'])
    }
  })

  it('of many events is read by an index, whatever is asked', async () => {
    await api.database.withClient(async (client) => {
      await client.query('BEGIN')
      await client.query(`
        INSERT INTO audit_event (occurred_at, actor_type, actor_id, request_id, action, entity_type, entity_id, studio_id)
        SELECT now() - interval '1 s' * (60000 - n), 'api_key', 'k' || n % 50, 'r', CASE n % 30000 WHEN 7 THEN 'game.rare' ELSE 'player.update' END,
               'player', gen_random_uuid()::text, CASE n % 10000 WHEN 3 THEN '0193aaaa-0000-7000-8000-000000000009'::uuid END
        FROM generate_series(1, 60000) AS n`)
      await client.query('ANALYZE audit_event')
      const plan = async (where: string, order = 't.seq DESC') => {
        const { rows } = await client.query(
          `EXPLAIN SELECT * FROM audit_event t WHERE ${where} ORDER BY ${order} LIMIT 51`,
        )
        return rows.map((row) => row['QUERY PLAN']).join('\n')
      }
      expect(await plan("t.entity_type = 'player' AND t.entity_id = 'x'")).toContain('audit_entity')
      expect(await plan("t.actor_id = 'nobody'")).toContain('audit_actor')
      expect(await plan("t.action = 'game.rare'")).toContain('audit_action')
      expect(await plan("t.studio_id = '0193aaaa-0000-7000-8000-000000000009'")).toContain('audit_studio')
      const then = "now() - interval '8 hours'"
      const range = `t.occurred_at >= ${then} AND t.occurred_at < ${then} + interval '1 minute'`
      expect(await plan(range, 't.occurred_at DESC, t.seq DESC')).toContain('audit_occurred')
      expect(await plan('true')).toContain('audit_event_pkey')
      await client.query('ROLLBACK')
    })
  })
})
