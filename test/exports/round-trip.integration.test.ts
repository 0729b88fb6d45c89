import { afterAll, beforeAll, expect, it } from 'vitest'
import { accountsApi } from '../../src/commands/accounts.ts'
import { snapshotReader } from '../../src/database/snapshot-reader.ts'
import { prepareExport } from '../../src/exports/export-request.ts'
import { exportBytes } from '../../src/http/export-stream.ts'
import { createTestApi, newActiveStudio, newMember, newOwner, type TestApi, takeSteps, unique } from '../support/api.ts'
import { asText, CSV, download, NDJSON } from './download.ts'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
  await fill()
})
afterAll(() => api.close())

async function made(path: string, body: object, method: 'post' | 'put' = 'post') {
  const answer = await api.admin[method](path).send(body)
  if (answer.status > 201) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

/** Something of everything that an export may have to tell. */
async function fill(): Promise<void> {
  await made('/v1/studios', { slug: unique('studio'), name: '@home' })
  const { studio } = await newActiveStudio(api, {
    externalRef: 'crm-1',
    legalName: 'Acme, "GmbH"',
    website: 'https://example.com/',
  })
  const second = await newOwner(api, { fullName: "=cmd|' /C calc'!A0", country: 'DE', externalRef: '+49-1' })
  await newMember(api, studio.id, second.id, { role: 'admin', status: 'active' })
  await newMember(api, studio.id, (await newOwner(api)).id, { role: 'owner', ownershipPercent: 12.5 })
  const left = await newMember(api, studio.id, (await newOwner(api)).id, { role: 'viewer', status: 'active' })
  await api.admin
    .delete(`/v1/studios/${studio.id}/members/${left.ownerId}`)
    .set('If-Match', `"${left.version}"`)
    .expect(204)
  const facts = {
    title: 'Star, "Haul"',
    summary: 'two\r\nlines — and more',
    genres: ['strategy', 'action'],
    minAge: 12,
  }
  const release = { releaseDate: '2026-03-31', releasePrecision: 'day' }
  const game = await made('/v1/games', { studioId: studio.id, slug: unique('game'), ...facts, ...release })
  await made('/v1/games', { studioId: studio.id, slug: unique('game'), title: "'quoted" })
  for (const platform of ['windows', 'linux']) {
    await made(
      `/v1/games/${game.id}/platforms/${platform}`,
      { store: 'steam', storeAppId: '440', releasedOn: '2026-03-31' },
      'put',
    )
  }
  await made(`/v1/games/${game.id}/platforms/web`, {}, 'put')
  await takeSteps(api, `/v1/games/${game.id}`, 'submitted', 'in_review', 'approved', 'announced', 'released')
  for (const [index, displayName] of ['Zoë', '-5 points', '\\N', '🎮 한국어', null].entries()) {
    const identities =
      index < 2
        ? [
            { provider: 'steam', subject: `7656119800000000${index}` },
            { provider: 'psn', subject: unique('psn') },
          ]
        : []
    const email =
      index % 2 === 0 ? { email: `${unique('p')}@example.com`, emailVerifiedAt: '2026-01-01T00:00:00.120Z' } : {}
    const player = await made('/v1/players', {
      username: unique('player'),
      displayName,
      ...email,
      identities,
      birthDate: '1999-12-31',
    })
    await made(
      `/v1/players/${player.id}/library/${game.id}/windows`,
      { source: 'purchase', sourceRef: `=order-${index}`, playtimeSeconds: 2 ** 33 },
      'put',
    )
    if (index === 3) await takeSteps(api, `/v1/players/${player.id}`, 'closed')
    if (index === 4) {
      const path = `/v1/players/${player.id}/library/${game.id}/windows`
      const { body } = await api.admin.get(path)
      await api.admin
        .post(`${path}/revocation`)
        .set('If-Match', `"${body.version}"`)
        .send({ reason: 'refund' })
        .expect(200)
    }
  }
}

const EXPORTS = {
  players: '/v1/players?expand=identities',
  studios: '/v1/studios?expand=members',
  owners: '/v1/owners',
  games: '/v1/games?expand=platforms',
} as const

async function imported(resource: string, type: string, body: string) {
  const answer = await api.admin
    .post(`/v1/imports/${resource}`)
    .set('Content-Type', type)
    .buffer(true)
    .parse(asText)
    .send(body)
  const lines = String(answer.body)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  return { end: lines.pop()._end, refused: lines.filter((line) => line.status !== 'unchanged') }
}

for (const type of [NDJSON, CSV]) {
  for (const [resource, path] of Object.entries(EXPORTS)) {
    it(`${resource} as ${type} come back in unchanged and go out again byte for byte`, async () => {
      const text = await download(api, path, type)
      const { end, refused } = await imported(resource, type, text)
      expect(refused).toEqual([])
      expect(end).toMatchObject({ created: 0, updated: 0, errors: 0 })
      expect(end.unchanged).toBeGreaterThan(1)
      expect(await download(api, path, type)).toBe(text)
    })
  }
}

for (const format of ['ndjson', 'csv'] as const) {
  it(`everybody's libraries as ${format} come back in unchanged and go out again byte for byte`, async () => {
    const whole = async () => {
      const request = { resource: 'library', format, compress: 'none' } as const
      const { statement, shape } = await prepareExport(accountsApi(api.database).exports, request, api.context)
      const pieces: Uint8Array[] = []
      for await (const piece of exportBytes(snapshotReader(api.database), statement, shape)) pieces.push(piece)
      return Buffer.concat(pieces).toString()
    }
    const text = await whole()
    const { end, refused } = await imported('library', format === 'csv' ? CSV : NDJSON, text)
    expect(refused).toEqual([])
    expect(end).toMatchObject({ created: 0, updated: 0, unchanged: 5, errors: 0 })
    expect(await whole()).toBe(text)
  })
}

it('an export that was cut off is refused by the import, and so is one that was changed', async () => {
  const text = await download(api, EXPORTS.owners, NDJSON)
  const other = text.replace('"status":"active"', '"status":"disabled"')
  const answer = await api.admin
    .post('/v1/imports/owners?dryRun=true')
    .set('Content-Type', NDJSON)
    .buffer(true)
    .parse(asText)
    .send(other)
  expect(String(answer.body)).toContain('"errors":1')
  const lines = text.split('\n')
  const short = [...lines.slice(0, 1), ...lines.slice(2)].join('\n')
  const second = await api.admin
    .post('/v1/imports/owners?dryRun=true')
    .set('Content-Type', NDJSON)
    .buffer(true)
    .parse(asText)
    .send(short)
  expect(String(second.body)).toContain('"errors":1')
})
