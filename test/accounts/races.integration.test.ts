import { randomUUID } from 'node:crypto'
import type { Test } from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createTestApi,
  newActiveStudio,
  newMember,
  newOwner,
  newStudio,
  type TestApi,
  takeSteps,
  unique,
} from '../support/api.ts'
import { counted } from '../support/counts.ts'
import { newEntitlement, newGame, newGameIn, newPlayer } from '../support/records.ts'

/** Everything goes through HTTP and two processes' worth of application on one database. */
const TIMES = counted(3, 200)
const CROWD = 10

let api: TestApi
let replica: TestApi

beforeAll(async () => {
  api = await createTestApi()
  replica = await createTestApi({ replicaOf: api })
})

afterAll(async () => {
  await replica.close()
  await api.close()
})

/** The requests at once, in turns by one and the other process. */
function atOnce<T>(count: number, request: (agent: TestApi['admin'], index: number) => PromiseLike<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => request(agentOf(index), index)))
}
const agentOf = (index: number) => (index % 2 === 0 ? api : replica).admin

async function again(times: number, race: (round: number) => Promise<void>): Promise<void> {
  for (let round = 0; round < times; round++) await race(round)
}

const statuses = (answers: readonly { readonly status: number }[]) => answers.map(({ status }) => status).sort()
const codes = (answers: readonly { readonly body: { readonly code?: string } }[]) =>
  answers.flatMap(({ body }) => (body.code === undefined ? [] : [body.code]))

/** One wins, all others are refused with `code`. */
function expectOne(
  answers: readonly { status: number; body: { code?: string } }[],
  status: number,
  code: string,
): void {
  expect(answers.filter((answer) => answer.status === status)).toHaveLength(1)
  expect(codes(answers)).toEqual(Array.from({ length: answers.length - 1 }, () => code))
}

describe('of two who want the same', () => {
  const name = () => unique('racer').replaceAll('-', '_')
  const same: Record<string, (mark: string) => { path: string; bodies: readonly object[]; code: string }> = {
    'username, in two writings': (mark) => ({
      ...{ path: '/v1/players', code: 'username-taken' },
      bodies: [{ username: `${mark}_e\u0301` }, { username: `${mark}_É`.toUpperCase() }],
    }),
    'e-mail address of players': (mark) => ({
      ...{ path: '/v1/players', code: 'email-taken' },
      bodies: [`${mark}@mail.example`, `${mark.toUpperCase()}@MAIL.example`].map((email) => ({
        username: name(),
        email,
      })),
    }),
    'e-mail address of owners': (mark) => ({
      ...{ path: '/v1/owners', code: 'email-taken' },
      bodies: [1, 2].map(() => ({ fullName: 'Olga', email: `${mark}@mail.example` })),
    }),
    'identity of new players': (mark) => ({
      ...{ path: '/v1/players', code: 'identity-taken' },
      bodies: [1, 2].map(() => ({ username: name(), identities: [{ provider: 'epic', subject: mark }] })),
    }),
    'slug of studios': (mark) => ({
      ...{ path: '/v1/studios', code: 'slug-taken' },
      bodies: [1, 2].map(() => ({ slug: mark.replaceAll('_', '-'), name: 'Racer' })),
    }),
  }

  it.each(Object.keys(same))('%s, one gets it and the other hears so', async (what) => {
    await again(TIMES, async () => {
      const { path, bodies, code } = (same[what] as (typeof same)[string])(name())
      const answers = await atOnce(2, (agent, i) => agent.post(path).send(bodies[i]))
      expect(statuses(answers)).toEqual([201, 409])
      expect(codes(answers)).toEqual([code])
    })
  })

  it('slug of games, one gets it and the other hears so', async () => {
    const { id: studioId } = await newStudio(api)
    await again(TIMES, async () => {
      const slug = unique('game')
      const answers = await atOnce(2, (agent) => agent.post('/v1/games').send({ studioId, slug, title: 'Racer' }))
      expect(statuses(answers)).toEqual([201, 409])
      expect(codes(answers)).toEqual(['slug-taken'])
    })
  })

  it('identity for two players who exist, one gets it and the other hears so', async () => {
    const players = [await newPlayer(api), await newPlayer(api)]
    await again(TIMES, async () => {
      const identity = { provider: 'discord', subject: unique('subject') }
      const answers = await atOnce(2, (agent, i) =>
        agent.post(`/v1/players/${players[i].id}/identities`).send(identity),
      )
      expect(statuses(answers)).toEqual([201, 409])
      expect(codes(answers)).toEqual(['identity-taken'])
    })
  })

  it('name by a change, one gets it and the other hears so', async () => {
    const players = [await newPlayer(api), await newPlayer(api)]
    const etags = ['"1"', '"1"']
    await again(TIMES, async () => {
      const username = name()
      const answers = await atOnce(2, (agent, i) =>
        agent
          .patch(`/v1/players/${players[i].id}`)
          .set('If-Match', etags[i] as string)
          .send({ username }),
      )
      expectOne(answers, 200, 'username-taken')
      for (const [i, answer] of answers.entries()) etags[i] = answer.headers.etag ?? (etags[i] as string)
    })
  })
})

describe('equal requests with one Idempotency-Key', () => {
  /** A client that does what it is told: it waits and asks again while the first one is at work. */
  async function persistent(request: () => Test) {
    for (;;) {
      const answer = await request()
      if (answer.status !== 409) return answer
      expect(answer.body.code).toBe('idempotency-in-progress')
      expect(answer.headers['retry-after']).toBe('1')
    }
  }

  it('make one row and get identical answers', async () => {
    await again(TIMES, async () => {
      const key = randomUUID()
      const username = unique('once').replaceAll('-', '_')
      const email = `${username}@mail.example`
      const answers = await atOnce(CROWD, (agent) =>
        persistent(() => agent.post('/v1/players').set('Idempotency-Key', key).send({ username, email })),
      )
      expect(statuses(answers)).toEqual(Array.from({ length: CROWD }, () => 201))
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
      expect(new Set(answers.map(({ headers }) => `${headers.location} ${headers.etag}`)).size).toBe(1)
      expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1)
      expect(await api.database.prisma.player.count({ where: { email } })).toBe(1)
      expect(await api.database.prisma.auditEvent.count({ where: { entityId: answers[0]?.body.id } })).toBe(1)
    })
  })

  it('make one change and get identical answers', async () => {
    const studio = await newStudio(api)
    await again(TIMES, async (round) => {
      const key = randomUUID()
      const answers = await atOnce(CROWD, (agent) =>
        persistent(() =>
          agent
            .patch(`/v1/studios/${studio.id}`)
            .set({ 'Idempotency-Key': key, 'If-Match': `"${round + 1}"` })
            .send({ name: `Round ${round}` }),
        ),
      )
      expect(statuses(answers)).toEqual(Array.from({ length: CROWD }, () => 200))
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
      expect(answers[0]?.body).toMatchObject({ version: round + 2, name: `Round ${round}` })
    })
  })

  it('with other contents: one content wins, requests with the other one are refused', async () => {
    await again(TIMES, async () => {
      const key = randomUUID()
      const slugs = [unique('left'), unique('right')]
      const answers = await atOnce(CROWD, (agent, i) =>
        agent
          .post('/v1/studios')
          .set('Idempotency-Key', key)
          .send({ slug: slugs[Math.floor(i / 2) % 2], name: 'Either' }),
      )
      expect(await api.database.prisma.studio.count({ where: { slug: { in: slugs } } })).toBe(1)
      expect(codes(answers)).toContain('idempotency-mismatch')
      for (const code of codes(answers)) expect(code).toMatch(/^idempotency-(mismatch|in-progress)$/)
    })
  })
})

describe('the last owner', () => {
  /** An active studio with two active owners. */
  async function studioOfTwo() {
    const { studio, owner } = await newActiveStudio(api)
    const other = await newOwner(api)
    await newMember(api, studio.id, other.id)
    return { studio, owners: [owner.id as string, other.id as string] }
  }
  const activeOwners = (studioId: string) =>
    api.database.prisma.studioMembership.count({
      where: { studioId, role: 'owner', status: 'active', owner: { status: 'active' } },
    })

  it.each(['both leave', 'one leaves, one becomes a viewer', 'one leaves, one is disabled'])(
    'stays: %s',
    async (how) => {
      await again(TIMES, async () => {
        const { studio, owners } = await studioOfTwo()
        const at = (i: number) => `/v1/studios/${studio.id}/members/${owners[i]}`
        const leave = (agent: TestApi['admin'], i: number) => agent.delete(at(i)).set('If-Match', '"1"')
        const other = (agent: TestApi['admin'], i: number) => {
          if (how === 'both leave') return leave(agent, i)
          if (how.endsWith('viewer')) return agent.patch(at(i)).set('If-Match', '"1"').send({ role: 'viewer' })
          return agent.post(`/v1/owners/${owners[i]}/transitions`).set('If-Match', '"1"').send({ to: 'disabled' })
        }
        const answers = await atOnce(2, (agent, i) => (i === 0 ? leave(agent, i) : other(agent, i)))
        expect(answers.filter(({ status }) => status < 300)).toHaveLength(1)
        // An owner who is somebody's last one may not be disabled: there the step is blocked.
        for (const code of codes(answers)) expect(code).toMatch(/^(last-owner|transition-blocked)$/)
        expect(await activeOwners(studio.id)).toBe(1)
      })
    },
  )

  it('stays: one leaves by an import, one by the API', async () => {
    await again(TIMES, async () => {
      const { studio, owners } = await studioOfTwo()
      const line = { slug: studio.slug, members: [{ owner: { id: owners[0] }, status: 'left' }] }
      const [imported, left] = await Promise.all([
        api.admin
          .post('/v1/imports/studios?mode=update&matchBy=slug')
          .set('Content-Type', 'application/x-ndjson')
          .buffer(true)
          .parse((response, done) => {
            let text = ''
            response.setEncoding('utf8')
            response.on('data', (piece) => {
              text += piece
            })
            response.on('end', () => done(null, text))
          })
          .send(`${JSON.stringify(line)}\n`),
        replica.admin.delete(`/v1/studios/${studio.id}/members/${owners[1]}`).set('If-Match', '"1"'),
      ])
      const [answer] = String(imported.body)
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text))
      expect([answer.status === 'updated', left.status === 204].filter(Boolean)).toHaveLength(1)
      expect(answer.problem?.code ?? left.body.code).toBe('last-owner')
      expect(await activeOwners(studio.id)).toBe(1)
    })
  })

  it('stays: the studio becomes active while its only owner leaves', async () => {
    await again(TIMES, async () => {
      const studio = await newStudio(api)
      const owner = await newOwner(api)
      await newMember(api, studio.id, owner.id)
      await takeSteps(api, `/v1/studios/${studio.id}`, 'in_review')
      const answers = await Promise.all([
        api.admin.post(`/v1/studios/${studio.id}/transitions`).set('If-Match', '*').send({ to: 'active' }),
        replica.admin.delete(`/v1/studios/${studio.id}/members/${owner.id}`).set('If-Match', '"1"'),
      ])
      expect(answers.filter(({ status }) => status < 300)).toHaveLength(1)
      const { status } = (await api.admin.get(`/v1/studios/${studio.id}`)).body
      expect(await activeOwners(studio.id)).toBe(status === 'active' ? 1 : 0)
    })
  })
})

describe('a studio and its games', () => {
  it('are never suspended and moved at the same moment: the step came first, or it was refused', async () => {
    await again(TIMES, async (round) => {
      const game = await newGameIn(api, 'approved')
      const path = `/v1/studios/${game.studioId}`
      const answers = await atOnce(2, (agent, i) =>
        i === round % 2
          ? agent.post(`${path}/transitions`).set('If-Match', '*').send({ to: 'suspended' })
          : agent.post(`/v1/games/${game.id}/transitions`).set('If-Match', '*').send({ to: 'announced' }),
      )
      const step = answers[1 - (round % 2)]
      expect(answers[round % 2]?.status).toBe(200)
      if (step?.status !== 200) expect(step).toMatchObject({ status: 422, body: { code: 'transition-blocked' } })
      const events = await api.database.prisma.auditEvent.findMany({
        where: { studioId: game.studioId, action: { in: ['game.transition', 'studio.transition'] } },
        orderBy: { seq: 'desc' },
        take: 2,
      })
      if (step?.status === 200)
        expect(events.map(({ action }) => action)).toEqual(['studio.transition', 'game.transition'])
      else expect(events[0]?.action).toBe('studio.transition')
    })
  })

  it('are not closed and moved at the same moment', async () => {
    await again(TIMES, async () => {
      const { studio } = await newActiveStudio(api)
      const game = await newGame(api, { studioId: studio.id })
      const [closed, moved] = await Promise.all([
        api.admin.post(`/v1/studios/${studio.id}/transitions`).set('If-Match', '*').send({ to: 'closed' }),
        replica.admin.post(`/v1/games/${game.id}/transitions`).set('If-Match', '*').send({ to: 'submitted' }),
      ])
      expect(statuses([closed, moved])).toEqual([200, 422])
      const now = (await api.admin.get(`/v1/games/${game.id}`)).body.status
      expect(now).toBe(closed.status === 200 ? 'draft' : 'submitted')
    })
  })

  it('share out no more than the whole', async () => {
    await again(TIMES, async () => {
      const studio = await newStudio(api)
      const owners = [await newOwner(api), await newOwner(api)]
      const answers = await atOnce(2, (agent, i) =>
        agent
          .put(`/v1/studios/${studio.id}/members/${owners[i].id}`)
          .send({ role: 'owner', status: 'active', ownershipPercent: 60 }),
      )
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
      const { _sum } = await api.database.prisma.studioMembership.aggregate({
        where: { studioId: studio.id },
        _sum: { ownershipPercent: true },
      })
      expect(Number(_sum.ownershipPercent)).toBe(60)
    })
  })
})

describe('no update is lost', () => {
  /** Two decimals exactly: 1 + 0.14 has more. */
  const share = (index: number, round: number) => (100 * (index + 1) + round) / 100
  type Change = (agent: TestApi['admin'], index: number, round: number) => Test
  const records: Record<string, () => Promise<{ path: string; change: Change }>> = {
    async players() {
      const path = `/v1/players/${(await newPlayer(api)).id}`
      return { path, change: (agent, i, round) => agent.patch(path).send({ displayName: `Name ${round} ${i}` }) }
    },
    async studios() {
      const path = `/v1/studios/${(await newStudio(api)).id}`
      return { path, change: (agent, i, round) => agent.patch(path).send({ name: `Name ${round} ${i}` }) }
    },
    async owners() {
      const path = `/v1/owners/${(await newOwner(api)).id}`
      return { path, change: (agent, i, round) => agent.patch(path).send({ fullName: `Name ${round} ${i}` }) }
    },
    async games() {
      const path = `/v1/games/${(await newGame(api)).id}`
      return { path, change: (agent, i, round) => agent.patch(path).send({ title: `Name ${round} ${i}` }) }
    },
    async memberships() {
      const { studio } = await newActiveStudio(api)
      const owner = await newOwner(api)
      await newMember(api, studio.id, owner.id, { role: 'owner' })
      const path = `/v1/studios/${studio.id}/members/${owner.id}`
      return { path, change: (agent, i, round) => agent.patch(path).send({ ownershipPercent: share(i, round) }) }
    },
    async library() {
      const { playerId, gameId } = await newEntitlement(api)
      const path = `/v1/players/${playerId}/library/${gameId}/windows`
      return { path, change: (agent, i, round) => agent.patch(path).send({ sourceRef: `order ${round} ${i}` }) }
    },
  }

  it.each(Object.keys(records))('of %s: of many changes of one version exactly one is made', async (kind) => {
    const { path, change } = await (records[kind] as (typeof records)[string])()
    let etag = (await api.admin.get(path)).headers.etag as string
    await again(TIMES, async (round) => {
      const answers = await atOnce(CROWD, (agent, i) => change(agent, i, round).set('If-Match', etag))
      expectOne(answers, 200, 'version-mismatch')
      const won = answers.find(({ status }) => status === 200)
      const now = await api.admin.get(path)
      expect(now.body).toEqual(won?.body)
      for (const lost of answers.filter(({ status }) => status === 412))
        expect(lost.headers.etag).toBe(now.headers.etag)
      expect(Number(now.headers.etag?.slice(1, -1))).toBe(Number(etag.slice(1, -1)) + 1)
      etag = now.headers.etag as string
    })
  })

  it('of a lifecycle: of many equal steps from one version exactly one is made', async () => {
    await again(TIMES, async () => {
      const { id } = await newGame(api)
      const answers = await atOnce(CROWD, (agent) =>
        agent.post(`/v1/games/${id}/transitions`).set('If-Match', '"1"').send({ to: 'submitted' }),
      )
      expectOne(answers, 200, 'version-mismatch')
      expect(await api.database.prisma.auditEvent.count({ where: { entityId: id, action: 'game.transition' } })).toBe(1)
    })
  })
})
