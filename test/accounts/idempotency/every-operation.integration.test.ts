import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestApi, newStudio, type TestApi, unique } from '../../support/api.ts'
import { type Change, changes } from '../../support/changes.ts'
import { newPlayer } from '../../support/records.ts'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
})

afterAll(() => api.close())

type Asked = Pick<Change, 'method' | 'path' | 'body'> & Partial<Change>

/** Requests of operations that make something new; those that change what is there are `changes`. */
const creations: Readonly<Record<string, () => Promise<Asked>>> = {
  createStudio: async () => ({ method: 'post', path: '/v1/studios', body: { slug: unique('studio'), name: 'Acme' } }),
  createOwner: async () => ({
    ...{ method: 'post', path: '/v1/owners' },
    body: { fullName: 'Olga Owner', email: `${unique('olga')}@owners.example` },
  }),
  async createGame() {
    const { id } = await newStudio(api)
    return { method: 'post', path: '/v1/games', body: { studioId: id, slug: unique('game'), title: 'Star Haul' } }
  },
  createPlayer: async () => ({
    ...{ method: 'post', path: '/v1/players' },
    body: { username: unique('player').replaceAll('-', '_'), identities: [{ provider: 'epic', subject: unique('s') }] },
  }),
  async linkPlayerIdentity() {
    const { id } = await newPlayer(api)
    return { method: 'post', path: `/v1/players/${id}/identities`, body: { provider: 'epic', subject: unique('s') } }
  },
  createExport: async () => ({
    ...{ method: 'post', path: '/v1/exports' },
    body: { resource: 'studios', format: 'ndjson' },
  }),
  async cancelJob() {
    const { body } = await api.admin.post('/v1/exports').send({ resource: 'studios', format: 'ndjson' })
    return { method: 'post', path: `/v1/jobs/${body.id}/cancel` }
  },
}

function honouring(): string[] {
  const paths = api.app.document.paths as Record<
    string,
    Record<string, { operationId: string; parameters?: unknown[] }>
  >
  return Object.values(paths)
    .flatMap((item) => Object.values(item))
    .filter(({ parameters }) => /Idempotency-?Key/.test(JSON.stringify(parameters ?? [])))
    .map(({ operationId }) => operationId)
}

/** Audit events and jobs so far. */
async function tally(): Promise<number> {
  const [row] = await api.database.prisma.$queryRaw<{ n: bigint }[]>`
    SELECT (SELECT count(*) FROM audit_event) + (SELECT count(*) FROM job) AS n`
  return Number(row?.n)
}

const prepared = (operation: string): Promise<Asked> =>
  creations[operation]?.() ?? changes[operation]?.(api) ?? unknown(operation)

function send({ method, path, body, version }: Asked, key?: string) {
  const request = api.admin[method](path)
  if (version !== undefined) request.set('If-Match', `"${version}"`)
  if (key !== undefined) request.set('Idempotency-Key', key)
  return body === undefined ? request : request.send(body)
}

/** As a client does it that is told to come again. */
async function persistently(asked: Asked, key: string) {
  for (;;) {
    const answer = await send(asked, key)
    if (answer.body.code !== 'idempotency-in-progress') return answer
  }
}

it('every operation that honours an Idempotency-Key acts once for many equal requests, and all get one answer', async () => {
  const operations = honouring()
  expect(operations.length).toBeGreaterThan(10)
  for (const operation of operations) {
    const grown = async (act: (asked: Asked) => Promise<unknown>) => {
      const asked = await prepared(operation)
      const before = await tally()
      await act(asked)
      return (await tally()) - before
    }
    const byOne = await grown(async (asked) => {
      expect([operation, (await send(asked)).status]).toEqual([operation, expect.toSatisfy((status) => status < 300)])
    })
    const key = randomUUID()
    const byMany = await grown(async (asked) => {
      const answers = await Promise.all([1, 2, 3, 4].map(() => persistently(asked, key)))
      const [first, ...others] = answers
      expect([operation, first?.status]).toEqual([operation, expect.toSatisfy((status) => status < 300)])
      for (const { text } of others) expect([operation, text]).toEqual([operation, first?.text])
      expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1)
    })
    expect([operation, byMany]).toEqual([operation, byOne])
  }
})

function unknown(operation: string): never {
  throw new Error(`${operation} honours Idempotency-Key and is not tried here`)
}
