import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemContext } from '../../src/caller.ts'
import { createTestApi, type TestApi, unique } from '../support/api.ts'
import { duringChange } from '../support/held-change.ts'
import { imported } from './imported.ts'

let api: TestApi
beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

const owner = () => ({ fullName: 'Olga Owner', email: `${unique('olga')}@example.com` })
const member = (email: string, fields: object = {}) => ({
  owner: { email },
  role: 'owner',
  status: 'active',
  ...fields,
})

async function studioWithOwner(fields: object = {}) {
  const person = owner()
  await imported(api, 'owners', [person])
  const studio = { slug: unique('studio'), name: 'Acme', status: 'active', members: [member(person.email)], ...fields }
  const { verdicts } = await imported(api, 'studios', [studio])
  expect(verdicts).toEqual(['1 created'])
  return { studio, person }
}

const facts = { genres: ['rpg'], minAge: 12, releaseDate: '2024-05-06' }
const game = (studio: { slug: string }, fields: object = {}) => {
  const slug = unique('game')
  const platforms = [{ platform: 'windows', store: 'steam', storeAppId: slug }]
  return { slug, title: 'Star Haul', studio: { slug: studio.slug }, status: 'released', ...facts, platforms, ...fields }
}
const player = (fields: object = {}) => ({ username: unique('player').replaceAll('-', '_'), ...fields })
let steamId = 76561198000000000n + BigInt(process.pid) * 1000n
const steam = () => ({ provider: 'steam', subject: String(steamId++) })

describe('importing studios', () => {
  it('brings an active studio and its owner in at once, and says who is missing otherwise', async () => {
    const person = owner()
    await imported(api, 'owners', [person])
    const line = { slug: unique('studio'), name: 'Acme', status: 'active' }
    const { verdicts } = await imported(api, 'studios', [
      { ...line, members: [member(person.email, { ownershipPercent: 60 })] },
      { ...line, slug: unique('studio') },
      { ...line, slug: unique('studio'), members: [member('nobody@example.com')] },
      { ...line, slug: unique('studio'), members: [member(person.email), member(person.email)] },
      { ...line, slug: unique('studio'), members: [member(person.email, { ownershipPercent: 100.5 })] },
      { ...line, slug: unique('studio'), members: [{ role: 'owner' }] },
    ])
    expect(verdicts).toEqual([
      '1 created',
      '2 last-owner /members last-owner',
      '3 validation /members/0/owner not-found',
      '4 validation /members/1/owner duplicate',
      '5 validation /members/0/ownershipPercent too-large',
      '6 validation /members/0/owner required',
    ])
  })

  it('upserts members, moves shares, and refuses more than the whole and the last owner gone', async () => {
    const { studio, person } = await studioWithOwner()
    const second = owner()
    await imported(api, 'owners', [second])
    const members = (a: object, b: object) => [
      { slug: studio.slug, members: [member(person.email, a), member(second.email, b)] },
    ]
    const runs = [
      members({ ownershipPercent: 60 }, { ownershipPercent: 50 }),
      members({ ownershipPercent: 60 }, { ownershipPercent: 40 }),
      members({ ownershipPercent: 40 }, { ownershipPercent: 60 }),
      members({ ownershipPercent: 40 }, { ownershipPercent: 60 }),
      members({ status: 'left' }, { status: 'left' }),
      [{ slug: studio.slug, status: 'prospect' }],
      [{ slug: studio.slug, status: 'suspended' }],
    ]
    const verdicts: string[] = []
    for (const lines of runs) verdicts.push(...(await imported(api, 'studios', lines)).verdicts)
    expect(verdicts).toEqual([
      '1 conflict /members/0/ownershipPercent over-100-percent',
      '1 updated',
      '1 updated',
      '1 unchanged',
      '1 last-owner /members last-owner',
      '1 invalid-transition',
      '1 updated',
    ])
  })

  it('refuses to disable the last owner, and nothing else of the file', async () => {
    const { person } = await studioWithOwner()
    const others = Array.from({ length: 20 }, owner)
    const { totals, verdicts } = await imported(api, 'owners', [
      ...others,
      { email: person.email, status: 'disabled' },
      owner(),
    ])
    expect(verdicts[20]).toBe('21 last-owner')
    expect(totals).toMatchObject({ created: 21, errors: 1 })
  })
})

describe('importing games', () => {
  it('holds the rules between a game, its state and its studio', async () => {
    const { studio } = await studioWithOwner()
    const prospect = { slug: unique('studio'), name: 'Hopeful' }
    await imported(api, 'studios', [prospect])
    const { verdicts } = await imported(api, 'games', [
      game(studio),
      game(studio, { minAge: null }),
      game(prospect),
      game(prospect, { status: 'draft' }),
      game({ slug: 'no-such-studio' }),
      game(studio, { studio: undefined }),
      game(studio, { releaseDate: '2024-05', createdAt: '2999-01-01T00:00:00Z' }),
      game(studio, { createdAt: '2999-01-01T00:00:00Z' }),
      game(studio, { studio: { slug: studio.slug, externalRef: 'x' } }),
      game(studio, { platforms: [{ platform: 'ps5', storeAppId: 'x' }] }),
    ])
    expect(verdicts).toEqual([
      '1 created',
      '2 validation /minAge needed-in-state',
      '3 transition-blocked /status transition-blocked',
      '4 created',
      '5 validation /studio not-found',
      '6 validation /studio required',
      '7 validation /releaseDate format',
      '8 validation /createdAt too-late',
      '9 validation /studio reference',
      '10 validation /platforms/0/store required',
    ])
  })

  it('steps, merges platforms, refuses another studio and the key of another game', async () => {
    const { studio } = await studioWithOwner()
    const { studio: other } = await studioWithOwner()
    const [a, b] = [game(studio), game(studio)]
    await imported(api, 'games', [a, b])
    const key = { slug: a.slug }
    const runs: (readonly [object, object?])[] = [
      [{ ...key, status: 'announced' }],
      [{ ...key, status: 'delisted' }],
      [{ ...key, genres: [] }],
      [{ ...key, platforms: [{ platform: 'linux', releasedOn: '2024-06-01' }] }],
      [{ ...key, platforms: [{ platform: 'linux', delistedOn: '2024-05-01' }] }],
      [{ ...key, platforms: [{ platform: 'windows', storeAppId: b.slug }] }],
      [{ ...key, studio: { slug: other.slug } }],
      [{ title: 'Renamed', platforms: a.platforms }, { matchBy: 'storeApp' }],
      [a, { mode: 'create' }],
      [game(studio), { mode: 'update' }],
      [{ slug: b.slug, externalRef: unique('ref') }, { matchBy: 'externalRef' }],
    ]
    const verdicts: string[] = []
    for (const [line, options] of runs) verdicts.push(...(await imported(api, 'games', [line], options)).verdicts)
    expect(verdicts).toEqual([
      '1 invalid-transition',
      '1 updated',
      '1 validation /genres needed-in-state',
      '1 updated',
      '1 validation /platforms/0/delistedOn before-release',
      '1 conflict /platforms conflict',
      '1 validation /studio immutable',
      '1 updated',
      '1 slug-taken /slug slug-taken',
      '1 not-found /slug not-found',
      '1 slug-taken /slug slug-taken',
    ])
  })
})

describe('importing players', () => {
  it('links free identities, refuses those of others, and merges what is given', async () => {
    const [mine, theirs, free] = [steam(), steam(), steam()]
    const [a, b] = [player({ identities: [mine], locale: 'de-de' }), player({ identities: [theirs] })]
    const verdicts: string[] = []
    const run = async (line: object, options = {}) =>
      verdicts.push(...(await imported(api, 'players', [line], options)).verdicts)
    await run(a)
    await run(b)
    await run({ ...a, identities: [mine, free] })
    await run({ ...a, identities: [mine, free] })
    await run({ username: a.username, identities: [theirs] }, { matchBy: 'username' })
    await run({ username: b.username, identities: [mine] })
    await run({ username: a.username, email: 'zoe@example', identities: [mine, { provider: 'steam', subject: 'x' }] })
    await run({ identities: [mine], status: 'closed', closedAt: '2025-01-02T03:04:05Z' })
    await run({ identities: [mine], status: 'closed' })
    await run({ identities: [mine], emailVerifiedAt: '2025-01-02T03:04:05Z' })
    await run({ identities: [mine], status: 'erased' })
    await run({ identities: [mine], username: b.username.toUpperCase() })
    expect(verdicts).toEqual([
      '1 created',
      '1 created',
      '1 updated',
      '1 unchanged',
      '1 identity-taken /identities/0/subject identity-taken',
      '1 username-taken /username username-taken',
      '1 validation /email format /identities/1/subject format',
      '1 updated',
      '1 unchanged',
      '1 validation /emailVerifiedAt needs-email',
      '1 validation /status not-allowed',
      '1 username-taken /username username-taken',
    ])
  })

  it('lets one of two imports of the same new players create each of them', async () => {
    const lines = Array.from({ length: 300 }, () => player({ identities: [steam()] }))
    const [a, b] = await Promise.all([imported(api, 'players', lines), imported(api, 'players', lines.toReversed())])
    expect(a.totals.created + b.totals.created).toBe(300)
    expect(a.totals.unchanged + b.totals.unchanged).toBe(300)
    expect(a.totals.errors + b.totals.errors).toBe(0)
  })

  it('says which line was first, also across batches', async () => {
    const lines = Array.from({ length: 700 }, () => player())
    const { verdicts, totals } = await imported(
      api,
      'players',
      [...lines, lines[3], lines[650]].map((l) => l ?? {}),
    )
    expect(verdicts.slice(-2)).toEqual(['701 duplicate-in-input 4', '702 duplicate-in-input 651'])
    expect(totals).toMatchObject({ created: 700, errors: 2 })
  })

  it('says so as well when only the database sees that two lines of a batch are about the same player', async () => {
    const twice = player()
    const lines = [{ ...twice, identities: [steam()] }, { ...twice, country: 'DE' }, player()]
    const told = ['1 created', '2 duplicate-in-input 1', '3 created']
    expect((await imported(api, 'players', lines)).verdicts).toEqual(told)
    expect((await imported(api, 'players', lines)).verdicts).toEqual(['1 unchanged', told[1], '3 unchanged'])
  })

  it('links nothing under a slug that its studio is giving up at that moment', async () => {
    const { studio } = await studioWithOwner()
    const line = player({ identities: [{ provider: 'studio', namespace: studio.slug, subject: 'abc' }] })
    const rename = { sql: 'UPDATE studio SET slug = $1 WHERE slug = $2', values: [unique('studio'), studio.slug] }
    const { verdicts } = await duringChange(api, rename, () => imported(api, 'players', [line]))
    expect(verdicts).toEqual(['1 validation /identities/0/namespace not-found'])
  })

  it('stops at the first error when told to, and keeps what stood before it', async () => {
    const taken = player()
    await imported(api, 'players', [taken])
    const lines = [player(), player(), { ...taken, identities: [steam()] }, player(), { username: 'x' }, player()]
    const { verdicts, totals } = await imported(api, 'players', lines, { onError: 'abort' })
    expect(verdicts).toEqual(['1 created', '2 created', '3 username-taken /username username-taken'])
    expect(totals).toEqual({ lines: 3, created: 2, updated: 0, unchanged: 0, errors: 1, dryRun: false, aborted: true })
    const again = await imported(api, 'players', lines)
    expect(again.totals).toMatchObject({ created: 2, unchanged: 2, errors: 2 })
  })
})

describe('importing libraries', () => {
  async function owned() {
    const { studio } = await studioWithOwner()
    const title = game(studio)
    await imported(api, 'games', [title])
    const id = steam()
    await imported(api, 'players', [player({ identities: [id] })])
    const line = {
      player: id,
      game: { store: 'steam', storeAppId: title.slug },
      platform: 'windows',
      source: 'purchase',
      acquiredAt: '2025-01-01T00:00:00Z',
    }
    return { studio, title, line }
  }

  it('resolves references by every kind of key and points at those that lead nowhere', async () => {
    const { line, title, studio } = await owned()
    const unborn = game(studio, { status: 'approved', minAge: null, genres: [] })
    await imported(api, 'games', [unborn])
    const { verdicts } = await imported(api, 'library', [
      line,
      { ...line, game: { slug: title.slug } },
      { ...line, player: steam() },
      { ...line, platform: 'linux' },
      { ...line, game: { slug: title.slug }, platform: 'linux' },
      { ...line, game: { store: 'steam' } },
      { ...line, player: { email: 'zoe@example.com', username: 'zoe' } },
      { ...line, player: undefined },
      { ...line, game: { slug: unborn.slug } },
      { ...line, playerId: '00000000-0000-7000-8000-000000000000' },
    ])
    expect(verdicts).toEqual([
      '1 created',
      '2 duplicate-in-input 1',
      '3 validation /player not-found',
      '4 validation /game not-found',
      '5 validation /platform not-found',
      '6 validation /game reference',
      '7 validation /player reference',
      '8 validation /player required',
      '9 conflict /source game-not-available',
      '10 validation /playerId not-allowed',
    ])
  })

  it('keeps the greatest play time, takes revocations, and answers unchanged the second time', async () => {
    const { line } = await owned()
    const verdicts: string[] = []
    const versions: number[] = []
    const runs = [
      { ...line, playtimeSeconds: 5_000_000_000 },
      { ...line, playtimeSeconds: 3600 },
      { ...line, playtimeSeconds: 5_000_000_001, lastPlayedAt: '2025-02-01T00:00:00Z' },
      { ...line, revokedAt: '2025-03-01T00:00:00Z' },
      { ...line, revokedAt: '2025-03-01T00:00:00Z', revokeReason: 'refund' },
      line,
      { ...line, revokedAt: null },
      { ...line, expiresAt: '2024-01-01T00:00:00Z' },
      { ...line, firstPlayedAt: '2025-02-02T00:00:00Z' },
    ]
    for (const run of runs) {
      const {
        verdicts: [verdict = ''],
        answers: [answer],
      } = await imported(api, 'library', [run])
      verdicts.push(verdict)
      if (answer && answer.status !== 'error') versions.push(answer.version ?? 0)
    }
    expect(verdicts).toEqual([
      '1 created',
      '1 unchanged',
      '1 updated',
      '1 validation /revokeReason required',
      '1 updated',
      '1 unchanged',
      '1 updated',
      '1 validation /expiresAt not-after-acquired',
      '1 validation /firstPlayedAt after-last',
    ])
    expect(versions).toEqual([1, 1, 1, 2, 2, 3])
  })

  it('does not tell a caller without the scope whether a person exists', async () => {
    const { line } = await owned()
    const { principal, requestId } = systemContext('x', 'request-12345')
    const scopes = new Set(['imports:write', 'library:write'] as const)
    const narrow = { ...api, context: { principal: { ...principal, scopes }, requestId } }
    const { verdicts } = await imported(narrow, 'library', [line, { ...line, player: steam() }])
    expect(verdicts).toEqual(['1 forbidden /player personal', '2 forbidden /player personal'])
  })
})
