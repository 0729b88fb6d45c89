import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemContext } from '../../src/caller.ts'
import { createTestApi, newStudio, type TestApi, unique } from '../support/api.ts'
import { until } from './job-bench.ts'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
  await newStudio(api)
})
afterAll(() => api.close())

const context = systemContext('test', 'job-keys')
const keyOf = (token: string) => String(token.split('_')[2])

async function submit(token: string, body: object): Promise<string> {
  const answer = await api.as(token).post('/v1/exports').send(body)
  expect(answer.status).toBe(202)
  return answer.body.id
}

const ended = (id: string) =>
  until(async () => {
    const { body } = await api.admin.get(`/v1/jobs/${id}`)
    return body.finishedAt !== null && body
  })

it('a job whose key was revoked or has expired meanwhile is not done', async () => {
  const [revoked, expired] = [
    await api.token('exports:read', 'studios:read'),
    await api.token('exports:read', 'studios:read'),
  ]
  const ids = [await submit(revoked, { resource: 'studios' }), await submit(expired, { resource: 'studios' })]
  await api.keys.revoke(keyOf(revoked), context)
  await api.database.withClient((client) =>
    client.query(
      "UPDATE api_key SET created_at = now() - interval '2 days', expires_at = now() - interval '1 day' WHERE id = $1",
      [keyOf(expired)],
    ),
  )
  await api.worker.start()
  for (const id of ids) {
    expect(await ended(id)).toMatchObject({
      state: 'failed',
      summary: null,
      problem: { code: 'forbidden', status: 403 },
    })
    expect((await api.admin.get(`/v1/jobs/${id}/result`)).status).toBe(404)
  }
})

it('a job that runs when its key is revoked is stopped', async () => {
  const token = await api.token('imports:write', 'players:write')
  const name = unique('held').replaceAll('-', '_')
  const held = Promise.withResolvers<void>()
  const holding = api.database.rawTransaction(async (client) => {
    await client.query('INSERT INTO player (id, username, username_key) VALUES (gen_random_uuid(), $1, $1)', [name])
    await held.promise
  })
  const answer = await api
    .as(token)
    .post('/v1/imports/players')
    .set({ 'Content-Type': 'application/x-ndjson', Prefer: 'respond-async' })
    .send(`${JSON.stringify({ username: name })}\n`)
  expect(answer.status).toBe(202)
  await until(async () => (await api.admin.get(`/v1/jobs/${answer.body.id}`)).body.state === 'running')
  await api.keys.revoke(keyOf(token), context)
  const said = ended(answer.body.id)
  await until(async () => {
    const { rows } = await api.database.withClient((client) =>
      client.query("SELECT 1 FROM api_key WHERE revoked_at < now() - interval '1.5 s' AND id = $1", [keyOf(token)]),
    )
    return rows.length > 0
  })
  held.resolve()
  await holding
  expect(await said).toMatchObject({ state: 'failed', problem: { code: 'forbidden' } })
})

it('managing keys is no way to personal data in the results of others', async () => {
  const submitter = await api.token('exports:read', 'players:read', 'players:read.personal')
  const id = await submit(submitter, { resource: 'players' })
  await ended(id)
  const result = async (...scopes: Parameters<TestApi['token']>) => {
    const answer = await api.as(await api.token(...scopes)).get(`/v1/jobs/${id}/result/parts/1`)
    return [answer.status, answer.body.scope]
  }
  expect(await result('keys:manage', 'exports:read', 'players:read')).toEqual([403, 'players:read.personal'])
  expect((await result('keys:manage'))[0]).toBe(403)
  expect((await result('exports:read', 'players:read', 'players:read.personal'))[0]).toBe(404)
  expect((await result('keys:manage', 'exports:read', 'players:read', 'players:read.personal'))[0]).toBe(200)
  expect((await api.as(submitter).get(`/v1/jobs/${id}/result`)).status).toBe(200)
})
