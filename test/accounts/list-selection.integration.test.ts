import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { studioList } from '../../src/accounts/studios/studio-list.ts'
import { totalOf } from '../../src/database/list-page.ts'
import { createTestApi, newActiveStudio, newOwner, newStudio, type TestApi } from '../support/api.ts'
import { newEntitlement, newGame, newPlatform, newPlayer } from '../support/records.ts'

let api: TestApi
let studio: { id: string; slug: string }
let ownerId: string
let gameId: string
let playerId: string

beforeAll(async () => {
  api = await createTestApi()
  const active = await newActiveStudio(api)
  studio = active.studio
  ownerId = active.owner.id
  const line = await newEntitlement(api, { playerId: (await newPlayer(api, { country: 'DE' })).id })
  playerId = line.playerId
  gameId = line.gameId
  for (const subject of ['1', '2']) {
    await api.admin.post(`/v1/players/${playerId}/identities`).send({ provider: 'discord', subject })
  }
  const more = await newGame(api, { studioId: studio.id })
  await newPlatform(api, more.id, 'web')
  await newPlatform(api, more.id, 'windows')
})
afterAll(() => api.close())

const body = async (path: string) => {
  const answer = await api.admin.get(path)
  return { status: answer.status, ...answer.body }
}

describe('fields', () => {
  it('leave only what they name, and the key always', async () => {
    const { data } = await body(`/v1/studios?fields=name,status&slug=${studio.slug}`)
    expect(data).toEqual([{ id: studio.id, name: 'Acme Games', status: 'active' }])
    const one = await api.admin.get(`/v1/studios/slug:${studio.slug}?fields=slug`)
    expect(one.body).toEqual({ id: studio.id, slug: studio.slug })
    expect(one.headers.etag).toMatch(/^"\d+"$/)
    const members = await body(`/v1/studios/${studio.id}/members?fields=role`)
    expect(members.data).toEqual([{ studioId: studio.id, ownerId, role: 'owner' }])
  })

  it('that do not exist are refused with those that do', async () => {
    for (const path of ['/v1/studios', `/v1/studios/${studio.id}`]) {
      for (const fields of ['colour', 'name,name', '', 'name,', 'toString', 'legal_name']) {
        const answer = await body(`${path}?fields=${fields}`)
        expect({ fields, status: answer.status, code: answer.code }).toEqual({
          fields,
          status: 400,
          code: 'invalid-parameter',
        })
      }
      expect((await body(`${path}?fields=colour`)).errors[0].detail).toContain('id, slug, name, legalName, country')
    }
    expect((await body('/v1/players?fields=usernameKey')).status).toBe(400)
  })

  it('stay in the links to the other pages, as do expand and count', async () => {
    await newStudio(api)
    const query = 'fields=slug&count=estimated&sort=slug'
    const first = await api.admin.get(`/v1/studios?${query}&limit=1`)
    expect(first.headers.link).toContain(`</v1/studios?${query}&limit=1&cursor=`)
    const [, next = ''] = /<([^>]+)>; rel="next"/.exec(first.headers.link as string) ?? []
    const second = await api.admin.get(next)
    expect(Object.keys(second.body.data[0])).toEqual(['id', 'slug'])
    expect(second.headers.link).toContain('rel="prev"')
    const written = await api.admin.get(next.replace('cursor=', 'c%75rsor='))
    expect(written.headers.link).toBe(second.headers.link)
  })
})

describe('expand', () => {
  it('embeds what a row belongs to and what belongs to it', async () => {
    const games = await body(`/v1/games?studioId=${studio.id}&expand=studio,platforms`)
    expect(games.data[0].studio).toMatchObject({ id: studio.id, slug: studio.slug, status: 'active' })
    expect(games.data[0].platforms.map(({ platform }: { platform: string }) => platform)).toEqual(['windows', 'web'])
    const [player] = (await body(`/v1/players?country=DE&expand=identities`)).data
    expect(player.identities).toMatchObject({ data: [{ subject: '1' }, { subject: '2' }], hasMore: false })
    const [line] = (await body(`/v1/players/${playerId}/library?expand=game,player`)).data
    expect(line).toMatchObject({ game: { id: gameId }, player: { id: playerId, country: 'DE' } })
    const [member] = (await body(`/v1/studios/${studio.id}/members?expand=owner,studio`)).data
    expect(member).toMatchObject({ owner: { id: ownerId, fullName: 'Olga Owner' }, studio: { id: studio.id } })
  })

  it('needs the scope to read what is embedded, and shows its personal fields by its own scope', async () => {
    const plain = api.as(await api.token('studios:read', 'library:read'))
    const path = `/v1/studios/${studio.id}/members?expand=owner`
    expect((await plain.get(path)).body).toMatchObject({ status: 403, scope: 'owners:read' })
    const reader = api.as(await api.token('studios:read', 'owners:read', 'players:read.personal'))
    const [{ owner }] = (await reader.get(path)).body.data
    expect(owner).toMatchObject({ id: ownerId, status: 'active' })
    for (const field of ['fullName', 'email', 'country']) expect(owner).not.toHaveProperty(field)
  })

  it('takes the ETag from a single record, because what is embedded changes without its version', async () => {
    const etag = (await api.admin.get(`/v1/games/${gameId}`)).headers.etag
    expect(etag).toBeDefined()
    const expanded = await api.admin.get(`/v1/games/${gameId}?expand=studio`).set('If-None-Match', etag as string)
    expect(expanded.status).toBe(200)
    expect(expanded.headers.etag).toBeUndefined()
    expect(expanded.body.studio).toMatchObject({ name: 'Acme Games' })
  })

  it('refuses what cannot be embedded, twice the same and more than three', async () => {
    for (const expand of ['owner', 'studio,studio', '', 'studio,']) {
      expect(await body(`/v1/games?expand=${expand}`)).toMatchObject({ status: 400, code: 'invalid-parameter' })
    }
    expect(await body('/v1/studios?expand=games')).toMatchObject({ status: 400 })
  })

  it('asks once for each expansion, however long the page', async () => {
    for (let i = 0; i < 3; i++) await newGame(api)
    const statements = async (path: string) => {
      const { query } = Client.prototype
      let count = 0
      Client.prototype.query = function (this: Client, ...args: unknown[]) {
        const [config] = args as [{ text: string } | string]
        if (
          /^SELECT .*FROM "?(public"?\."?)?(game|studio|game_platform)\b/s.test(
            typeof config === 'string' ? config : config.text,
          )
        )
          count++
        return (query as (...all: unknown[]) => unknown).apply(this, args)
      } as typeof query
      try {
        expect((await api.admin.get(path)).status).toBe(200)
      } finally {
        Client.prototype.query = query
      }
      return count
    }
    expect(await statements('/v1/games?limit=1&expand=studio,platforms')).toBe(3)
    expect(await statements('/v1/games?expand=studio,platforms')).toBe(3)
  })
})

describe('count', () => {
  it('tells how many rows there are in all, exactly or as the planner expects', async () => {
    expect((await body('/v1/studios?limit=1')).page).not.toHaveProperty('total')
    const { n } = (await api.database.prisma.$queryRaw<{ n: number }[]>`SELECT count(*)::int AS n FROM studio`)[0] ?? {
      n: 0,
    }
    expect((await body('/v1/studios?limit=1&count=exact')).page).toMatchObject({ total: n, totalKind: 'exact' })
    await api.database.prisma.$executeRaw`ANALYZE studio`
    expect((await body('/v1/studios?limit=1&count=estimated')).page).toMatchObject({ total: n, totalKind: 'estimated' })
    expect((await body(`/v1/studios?slug=${studio.slug}&count=estimated`)).page).toMatchObject({
      total: 1,
      totalKind: 'exact',
    })
    expect((await body(`/v1/players?gameId=${gameId}&provider=discord&q=player&count=exact`)).page.total).toBe(1)
    expect(await body('/v1/studios?count=true')).toMatchObject({ status: 400, errors: [{ parameter: 'count' }] })
  })

  it('that takes too long is given up and says what to do', async () => {
    const slow = { spec: studioList, conditions: { slug: () => 'pg_sleep(5) IS NOT NULL' } }
    const filters = [{ field: 'slug', operator: 'eq', value: 'x' }] as const
    const counted = totalOf(api.database.prisma, slow, { filters, search: undefined }, 'exact', 50)
    await expect(counted).rejects.toMatchObject({
      code: 'invalid-parameter',
      errors: [{ parameter: 'count', code: 'too-slow' }],
    })
    expect((await body('/v1/studios?count=exact')).status).toBe(200)
  })
})

describe('a filter', () => {
  it.each([
    ['/v1/studios?country=de', 'country'],
    ['/v1/players?country[in]=DE,us', 'country[in]'],
    ['/v1/owners?country=Germany', 'country'],
    ['/v1/studios?slug=Comet', 'slug'],
    ['/v1/studios?slug[prefix]=-a', 'slug[prefix]'],
    ['/v1/games?minAge[gte]=22', 'minAge[gte]'],
    ['/v1/games?externalRef=%20x', 'externalRef'],
    ['/v1/games?id=1', 'id'],
    ['/v1/players?q=ab', 'q'],
    ['/v1/players?q=...', 'q'],
    ['/v1/players?q=a--', 'q'],
    ['/v1/players?q=%F0%9F%8E%AE%F0%9F%8E%AE%F0%9F%8E%AE', 'q'],
    ['/v1/audit-events?action=update', 'action'],
    ['/v1/audit-events?occurredAt[gte]=2026-01-01T00:00:00Z&sort=seq', 'sort'],
    ['/v1/players?sort=createdAt,-createdAt', 'sort'],
    ['/v1/players?sort=updatedAt', 'sort'],
  ])('that nothing can satisfy is an error, not an empty list: %s', async (path, parameter) => {
    expect(await body(path)).toMatchObject({ status: 400, code: 'invalid-parameter', errors: [{ parameter }] })
  })

  it.each(['jo li', 'a_b', 'x.1', 'ann', '漢字名', 'שלום', 'a-bc'])(
    'searches for what an index can find: %s',
    async (q) => {
      expect((await api.admin.get('/v1/players').query({ q })).status).toBe(200)
    },
  )

  it('by ids finds these', async () => {
    const other = (await newOwner(api)).id
    const { data } = await body(`/v1/owners?id[in]=${ownerId},${other}&fields=id&sort=createdAt`)
    expect(data).toEqual([{ id: ownerId }, { id: other }])
    expect((await body('/v1/studios?slug[prefix]=studio-&fields=slug')).data.length).toBeGreaterThan(1)
  })
})
