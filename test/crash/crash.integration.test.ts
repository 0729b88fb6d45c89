import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newStudio, type TestApi, unique } from '../support/api.ts'
import { type ApiProcess, startApiProcess } from '../support/api-process.ts'
import { counted } from '../support/counts.ts'
import { newGame } from '../support/records.ts'
import { createStatementTap, type StatementTap, type Strike } from '../support/statement-tap.ts'

/** A client that repeats meets a lease that a dead process left; here it need not wait for a minute. */
const LEASE_MS = 200

let api: TestApi
let tap: StatementTap

beforeAll(async () => {
  api = await createTestApi()
  tap = await createStatementTap(api.databaseUrl)
})

afterAll(async () => {
  await tap?.close()
  await api?.close()
})

/** The API as a process that reaches its database through the tap. */
async function startApi(): Promise<ApiProcess> {
  const started = await startApiProcess({ databaseUrl: tap.url, secret: api.secret, leaseMs: LEASE_MS })
  // Connections, the query compiler and the note of the key's use: a request after this is its own statements only.
  await call(started, { method: 'GET', path: '/v1/studios?limit=1' })
  return started
}

interface Call {
  readonly method: string
  readonly path: string
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

async function call({ port }: ApiProcess, { method, path, body, headers = {} }: Call) {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { Authorization: `Bearer ${api.adminToken}`, 'Content-Type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

/** What a client does whose answer did not come: the same again, until there is one. */
async function repeated(process: ApiProcess, request: Call) {
  for (;;) {
    const answer = await call(process, request)
    if (answer.status !== 409) return answer
    expect(JSON.parse(answer.text).code).toBe('idempotency-in-progress')
    await wait(LEASE_MS / 4)
  }
}

interface Scenario {
  readonly request: Call
  /** Throws unless what was asked for happened exactly once. */
  readonly happenedOnce: (answer: string) => Promise<void>
}

const auditOf = (entityId: string, action: string) =>
  api.database.prisma.auditEvent.count({ where: { entityId, action } })

const scenarios: Readonly<Record<string, () => Promise<Scenario>>> = {
  async 'a POST that makes a player with identities'() {
    const username = unique('crash').replaceAll('-', '_')
    const identities = [
      { provider: 'epic', subject: `${username}-1` },
      { provider: 'discord', subject: `${username}-2` },
    ]
    return {
      request: { method: 'POST', path: '/v1/players', body: { username, identities } },
      async happenedOnce(answer) {
        const players = await api.database.prisma.player.findMany({ where: { username } })
        expect(players.map(({ id }) => id)).toEqual([JSON.parse(answer).id])
        expect(await api.database.prisma.playerIdentity.count({ where: { playerId: players[0]?.id ?? '' } })).toBe(2)
        expect(await auditOf(players[0]?.id ?? '', 'player.create')).toBe(1)
      },
    }
  },
  async 'a PATCH of a studio'() {
    const studio = await newStudio(api)
    const name = unique('Renamed')
    return {
      request: { method: 'PATCH', path: `/v1/studios/${studio.id}`, body: { name }, headers: { 'If-Match': '"1"' } },
      async happenedOnce(answer) {
        expect(JSON.parse(answer)).toMatchObject({ version: 2, name })
        const { version } = await api.database.prisma.studio.findUniqueOrThrow({ where: { id: studio.id } })
        expect(version).toBe(2)
        expect(await auditOf(studio.id, 'studio.update')).toBe(1)
      },
    }
  },
  async 'a POST that makes a step, with If-Match: *'() {
    const game = await newGame(api)
    return {
      request: {
        ...{ method: 'POST', path: `/v1/games/${game.id}/transitions`, body: { to: 'submitted' } },
        headers: { 'If-Match': '*' },
      },
      async happenedOnce(answer) {
        expect(JSON.parse(answer)).toMatchObject({ version: 2, status: 'submitted' })
        expect(await auditOf(game.id, 'game.transition')).toBe(1)
      },
    }
  },
}

const withKey = (request: Call): Call => ({
  ...request,
  headers: { ...request.headers, 'Idempotency-Key': randomUUID() },
})

/** How many statements the request takes when nobody disturbs it. */
async function statementsOf(process: ApiProcess, scenario: () => Promise<Scenario>): Promise<number> {
  const { request } = await scenario()
  tap.arm()
  expect((await call(process, withKey(request))).status).toBeLessThan(300)
  return tap.count()
}

/**
 * All points; in `npm test`, where each costs a process, those that differ most: the key is claimed, the answer is not stored, not
 * committed, not sent - and for the second scenario the last two of them.
 */
function pointsOf(total: number, isFirst: boolean): Omit<Strike, 'kill'>[] {
  const all = Array.from({ length: total }, (_, i) => i + 1).flatMap((at) => [
    { at, moment: 'before' as const },
    { at, moment: 'after' as const },
  ])
  const telling = [
    { at: 2, moment: 'after' as const },
    { at: total - 1, moment: 'before' as const },
    { at: total, moment: 'before' as const },
    { at: total, moment: 'after' as const },
  ]
  return counted(0, 1) === 1 ? all : telling.slice(isFirst ? 0 : 2)
}

describe('a process that is killed between two statements', () => {
  it.each(Object.keys(scenarios).slice(0, counted(2, 99)))(
    'leaves %s to happen exactly once',
    async (name) => {
      const scenario = scenarios[name] as () => Promise<Scenario>
      let process = await startApi()
      const found: string[] = []
      const total = await statementsOf(process, scenario)
      for (const point of pointsOf(total, name === Object.keys(scenarios)[0])) {
        const { request, happenedOnce } = await scenario()
        const keyed = withKey(request)
        const victim = process
        tap.arm({ ...point, kill: () => victim.child.kill('SIGKILL') })
        await expect(call(victim, keyed)).rejects.toThrow()
        await victim.kill()
        tap.arm()
        process = await startApi()
        const answer = await repeated(process, keyed)
        expect(answer.status).toBe(request.path === '/v1/players' ? 201 : 200)
        await happenedOnce(answer.text)
        const replay = await call(process, keyed)
        expect(replay.text).toBe(answer.text)
        expect(replay.headers.get('idempotency-replayed')).toBe('true')
        await happenedOnce(replay.text)
        found.push(answer.headers.get('idempotency-replayed') === 'true' ? 'done' : 'undone')
      }
      // Up to the commit nothing had happened, and after it everything.
      expect(found).toEqual(found.map((_, i) => (i === found.length - 1 ? 'done' : 'undone')))
      await process.kill()
    },
    counted(180_000, 3_600_000),
  )
})
