import { createHash } from 'node:crypto'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newActiveStudio, newStudio, type TestApi, unique } from '../support/api.ts'

const NDJSON = 'application/x-ndjson'
const CSV = 'text/csv'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

async function whole(path: string, type: string, token?: string): Promise<string> {
  const client = token === undefined ? api.admin : api.as(token)
  const answer = await client.get(path).set('Accept', type).buffer(true).parse(asText)
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.body}`)
  return answer.body
}

function asText(answer: object, done: (error: Error | null, body: string) => void): void {
  const response = answer as NodeJS.ReadableStream
  const pieces: Buffer[] = []
  response.on('data', (piece: Buffer) => pieces.push(piece))
  response.on('end', () => done(null, Buffer.concat(pieces).toString()))
  response.on('error', (error) => done(error, ''))
}

/** The rows of an NDJSON export whose end line was checked by hand. */
function rowsOf(text: string): Record<string, unknown>[] {
  const lines = text.trimEnd().split('\n')
  const end = JSON.parse(lines.pop() as string) as { _end: { rows: number; sha256: string } }
  const before = text.slice(0, text.lastIndexOf('{"_end"'))
  expect(end._end.sha256).toBe(createHash('sha256').update(before).digest('hex'))
  expect(end._end.rows).toBe(lines.length)
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** The rows of a CSV export, read by a parser of others, whose end line was checked by hand. */
function recordsOf(text: string): string[][] {
  const records: string[][] = parse(text, { record_delimiter: '\r\n' })
  const last = records.pop() ?? []
  const { _end } = JSON.parse(last[0] as string) as { _end: { rows: number; sha256: string } }
  expect(last.slice(1).every((cell) => cell === '')).toBe(true)
  const before = text.slice(0, text.lastIndexOf('"{""_end""'))
  expect(_end).toEqual({ rows: records.length - 1, sha256: createHash('sha256').update(before).digest('hex') })
  return records
}

async function everything(path: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for (let next: string | null = ''; next !== null; ) {
    const { body } = await api.admin.get(`${path}${path.includes('?') ? '&' : '?'}limit=2${next && `&cursor=${next}`}`)
    rows.push(...body.data)
    next = body.page.next
  }
  return rows
}

const NAMES = ['Zoë', '한국어', '🎮 pad', 'a,b', 'say "hi"', "'quoted", '=1+1', '+49', '-5', '@home', '\\N', 'مرحبا']

describe('a list as a whole', () => {
  beforeAll(async () => {
    for (const [index, displayName] of NAMES.entries()) {
      const email = index % 2 === 0 ? { email: `${unique('p')}@example.com` } : {}
      const sent = { username: unique('player'), displayName, birthDate: '1999-12-31', ...email }
      await api.admin.post('/v1/players').send(sent).expect(201)
    }
    await newActiveStudio(api)
    await newStudio(api, { country: 'DE', website: 'https://example.com/' })
  })

  it('has as NDJSON what its pages have, in their order', async () => {
    for (const path of [
      '/v1/players',
      '/v1/players?sort=createdAt',
      '/v1/studios',
      '/v1/owners',
      '/v1/audit-events',
      '/v1/api-keys',
      '/v1/jobs',
    ]) {
      expect(rowsOf(await whole(path, NDJSON)), path).toEqual(await everything(path))
    }
  })

  it('has as CSV the same, every text shielded from spreadsheets', async () => {
    const [header = [], ...records] = recordsOf(await whole('/v1/players?sort=createdAt', CSV))
    const pages = await everything('/v1/players?sort=createdAt')
    expect(header[0]).toBe('id')
    expect(header).toEqual(Object.keys(pages[0] ?? {}))
    const texts = records.map((record) => record[header.indexOf('displayName')])
    expect(texts).toEqual([
      'Zoë',
      '한국어',
      '🎮 pad',
      'a,b',
      'say "hi"',
      "''quoted",
      "'=1+1",
      "'+49",
      "'-5",
      "'@home",
      "'\\N",
      'مرحبا',
    ])
    expect(records.map((record) => record[header.indexOf('email')])).toEqual(pages.map(({ email }) => email ?? '\\N'))
    expect(records.map((record) => record[header.indexOf('createdAt')])).toEqual(
      pages.map(({ createdAt }) => createdAt),
    )
  })

  it('that is empty has a header and an end', async () => {
    expect(rowsOf(await whole('/v1/games', NDJSON))).toEqual([])
    const [header, ...records] = recordsOf(await whole('/v1/games?fields=slug', CSV))
    expect([header, records]).toEqual([['id', 'slug'], []])
  })

  it('takes filters, sorts, q and fields as pages do', async () => {
    const path = '/v1/studios?country=DE&fields=name&sort=-createdAt'
    expect(rowsOf(await whole(path, NDJSON))).toEqual(await everything(path))
    const search = '/v1/studios?q=Acme&fields=slug'
    expect(rowsOf(await whole(search, NDJSON))).toEqual(await everything(search))
  })

  it('refuses what belongs to pages, and parts that it does not have', async () => {
    for (const query of ['limit=5', 'count=exact', 'expand=owners', 'colour=red']) {
      const answer = await api.admin.get(`/v1/studios?${query}`).set('Accept', NDJSON)
      expect(answer.status, query).toBe(400)
    }
    await api.admin.get('/v1/studios?expand=members').expect(400)
  })

  it('needs exports:read, the scope of the list, and the personal one for personal fields', async () => {
    const get = async (token: string, path: string) => (await api.as(token).get(path).set('Accept', NDJSON)).status
    expect(await get(await api.token('players:read'), '/v1/players')).toBe(403)
    expect(await get(await api.token('exports:read'), '/v1/players')).toBe(403)
    const plain = await api.token('players:read', 'exports:read')
    expect(await get(plain, '/v1/players?country=DE')).toBe(403)
    expect(await get(plain, '/v1/players?fields=username')).toBe(403)
    expect(await get(plain, '/v1/players?expand=identities')).toBe(403)
    const [row = {}] = rowsOf(await whole('/v1/players', NDJSON, plain))
    expect(Object.keys(row)).toEqual(['id', 'status', 'closedAt', 'erasedAt', 'version', 'createdAt', 'updatedAt'])
    const [header] = recordsOf(await whole('/v1/players', CSV, plain))
    expect(header).toEqual(Object.keys(row))
  })
})
