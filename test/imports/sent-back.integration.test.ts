import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, type TestApi } from '../support/api.ts'
import { ndjson, posted } from './posted.ts'

let api: TestApi
beforeAll(async () => {
  api = await createTestApi()
  const owners = [
    { fullName: 'Olga Owner', email: 'olga@example.com', externalRef: 'crm-1', country: 'SE', authSubject: 'idp|1' },
    {
      fullName: '=Formula',
      email: 'other@example.com',
      emailVerifiedAt: '2025-01-01T00:00:00.123Z',
      status: 'disabled',
    },
  ]
  const member = { owner: { email: 'olga@example.com' }, role: 'owner', status: 'active', ownershipPercent: 60 }
  const studios = [
    {
      slug: 'acme',
      name: 'Acme',
      status: 'active',
      legalName: "'-quoted",
      website: 'https://acme.example',
      members: [member],
    },
    { slug: 'bare', name: 'Bare\u2028Studio' },
  ]
  const released = { releaseDate: '2025-06-30', releasePrecision: 'month' }
  const games = [
    {
      slug: 'star-haul',
      title: 'Star Haul',
      studio: { slug: 'acme' },
      genres: ['rpg', 'card'],
      ...released,
      status: 'approved',
      minAge: 7,
      platforms: [{ platform: 'windows', store: 'steam', storeAppId: '440' }],
    },
    { slug: 'draft', title: 'Draft', studio: { slug: 'bare' }, externalRef: 'g-1', summary: 'Line\nLine' },
  ]
  const players = [
    { username: 'Zoë', displayName: '+ "Zoë"', email: 'zoe@example.com', birthDate: '1990-02-28', locale: 'de-AT' },
    { username: 'gone', status: 'closed', closedAt: '2025-02-01T00:00:00.000Z', createdAt: '2024-01-01T00:00:00.000Z' },
  ]
  const library = [
    {
      player: { username: 'zoë' },
      game: { slug: 'star-haul' },
      platform: 'windows',
      source: 'beta',
      sourceRef: '-1',
      playtimeSeconds: 2 ** 40,
      firstPlayedAt: '2025-01-01T00:00:00.001Z',
      lastPlayedAt: '2025-03-01T00:00:00.000Z',
      revokedAt: '2025-04-01T00:00:00.000Z',
      revokeReason: 'refund',
    },
  ]
  for (const [resource, lines] of Object.entries({ owners, studios, games, players, library })) {
    const { totals, text } = await posted(api, resource, lines)
    expect([text, totals.created]).toEqual([text, lines.length])
  }
})
afterAll(() => api.close())

type Row = Readonly<Record<string, unknown>>

async function rowsOf(resource: string): Promise<Row[]> {
  if (resource !== 'library') return (await api.admin.get(`/v1/${resource}`)).body.data
  const players = await rowsOf('players')
  const libraries = players.map(async ({ id }) => (await api.admin.get(`/v1/players/${id}/library`)).body.data as Row[])
  return (await Promise.all(libraries)).flat()
}

/** RFC 4180, texts that begin like a formula shielded; NULL as nothing or, if told so, as \N. */
function csv(rows: readonly Row[], nothing: string): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const cell = (value: unknown) => {
    if (value === null || value === undefined) return nothing
    const text = typeof value === 'string' ? value.replace(/^[=+\-@\t\r']/, "'$&") : JSON.stringify(value)
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return [names, ...rows.map((row) => names.map((name) => row[name]))]
    .map((cells) => cells.map(cell).join(','))
    .join('\r\n')
}

describe('rows that the API gave', () => {
  const resources = ['owners', 'studios', 'games', 'players', 'library']

  it.each(resources)('of %s are taken back as lines, all of them unchanged', async (resource) => {
    const rows = await rowsOf(resource)
    expect(rows.length).toBeGreaterThan(0)
    const bodies = [
      [ndjson(...rows), 'application/x-ndjson'],
      [JSON.stringify(rows), 'application/json'],
      [csv(rows, ''), 'text/csv'],
      [csv(rows, '\\N'), 'text/csv'],
    ] as const
    for (const [body, type] of bodies) {
      const { totals, text } = await posted(api, resource, body, { type })
      expect([text, totals.unchanged]).toEqual([text, rows.length])
    }
    expect(await rowsOf(resource)).toEqual(rows)
  })

  it('are checked in what the service made of them, too', async () => {
    const [row = {}] = await rowsOf('studios')
    const wrong = { version: 'x', updatedAt: 'yesterday', statusChangedAt: 5, shoeSize: 43 }
    const { verdicts } = await posted(api, 'studios', [{ ...row, ...wrong }])
    const places = Object.keys(wrong).map((field) => `/${field}`)
    for (const place of places) expect(verdicts[0]).toContain(place)
  })
})
