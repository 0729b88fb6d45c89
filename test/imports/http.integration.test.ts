import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LineAnswer } from '../../src/imports/import-answer.ts'
import { createTestApi, type TestApi, unique } from '../support/api.ts'
import { verdictOf } from './imported.ts'

const NDJSON = 'application/x-ndjson'

describe('POST /v1/imports', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await createTestApi()
  })
  afterAll(() => api.close())

  const post = (path: string, body: string | Buffer, type = NDJSON, agent = api.admin) =>
    agent
      .post(`/v1/imports/${path}`)
      .set('Content-Type', type)
      .buffer(true)
      .parse(readText as never)
      .send(body)
  const answersOf = ({ body }: { body: unknown }) =>
    String(body)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  const ndjson = (...lines: object[]) => `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`

  it('answers each line with its verdict and ends with the totals', async () => {
    const username = unique('zoe').replaceAll('-', '_')
    const answer = await post('players', ndjson({ username, locale: 'de-de' }, { username: 'x' }))
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe(NDJSON)
    const [first, second, end] = answersOf(answer)
    expect(first).toEqual({ line: 1, status: 'created', id: expect.stringMatching(/^[0-9a-f-]{36}$/), version: 1 })
    expect(second).toEqual({
      line: 2,
      status: 'error',
      problem: {
        code: 'validation',
        status: 422,
        detail: '1 field is invalid',
        errors: [{ pointer: '/username', code: 'too-short', detail: 'at least 3 characters' }],
      },
    })
    expect(end).toEqual({ _end: { lines: 2, created: 1, updated: 0, unchanged: 0, errors: 1, dryRun: false } })
  })

  it('refuses what it does not know before the first line', async () => {
    const refused = async (path: string, ...rest: [type?: string, agent?: TestApi['admin']]) => {
      const answer = await post(path, ndjson({}), ...rest)
      return `${answer.status} ${(JSON.parse(String(answer.body)) as { code: string }).code}`
    }
    expect(await refused('owners?dryRun=1')).toBe('400 invalid-parameter')
    expect(await refused('owners?atomic=true&onError=continue')).toBe('400 invalid-parameter')
    expect(await refused('owners?force=true')).toBe('400 unknown-parameter')
    expect(await refused('owners?mode=replace')).toBe('400 invalid-parameter')
    expect(await refused('owners?matchBy=fullName')).toBe('400 invalid-parameter')
    expect(await refused('library?matchBy=id')).toBe('400 unknown-parameter')
    expect(await refused('owners', 'text/plain')).toBe('415 unsupported-media-type')
    const keyed = await post('owners', ndjson({})).set('Idempotency-Key', '"0123456789"')
    expect(keyed.status).toBe(400)
    const some = api.as(await api.token('imports:write', 'players:write'))
    expect(await refused('owners', NDJSON, some)).toBe('403 forbidden')
    expect(await refused('players', NDJSON, api.as(await api.token('players:write')))).toBe('403 forbidden')
  })

  it('counts physical lines through a byte order mark, CRLF, blank lines and lines that cannot be read', async () => {
    const name = (n: number) => `line_${n}_${process.pid}`
    const input = Buffer.concat([
      Buffer.from(
        `\uFEFF{"username":"${name(1)}"}\r\n\n{"username":"${name(3)}","displayName":"a\u2028b"}\n[]\n{"a":\n`,
      ),
      Buffer.from([0x22, 0xff, 0x0a]),
      Buffer.from(`{"username":"${name(7)}","username":"${name(8)}"}\n`),
      Buffer.from(`{"username":"${name(8)}","displayName":"${'x'.repeat(65_536)}"}\n`),
      Buffer.from(
        `{"username":"${name(9)}","__proto__":{"admin":true}}\n{"username":${'['.repeat(3000)}${']'.repeat(3000)}}\n`,
      ),
      Buffer.from(`{"username":"${name(11)}","birthDate":1e400}\n{"username":"${name(12)}"}`),
    ])
    const lines = answersOf(await post('players', input)).slice(0, -1) as unknown as LineAnswer[]
    expect(lines.map(verdictOf)).toEqual([
      '1 created',
      '3 created',
      '4 validation type',
      '5 validation malformed-json',
      '6 validation invalid-utf8',
      '7 validation malformed-json',
      '8 validation line-too-long',
      '9 validation /__proto__ unknown-field',
      expect.stringMatching(/^10 validation \/username/),
      '11 validation /birthDate type',
      '12 created',
    ])
  })

  it('takes CSV, numbers its records by physical lines, and refuses a header that it does not know', async () => {
    const name = (n: number) => `csv_${n}_${process.pid}`
    const steam = `[{""provider"":""steam"",""subject"":""7656119${String(process.pid).padStart(10, '0')}""}]`
    const csv = [
      'username,displayName,birthDate,identities',
      `${name(1)},"Zoë\n",2000-01-01,"${steam}"`,
      `${name(2)},'=SUM(A1),,`,
      `x,,,`,
      `${name(3)},,,[`,
    ]
    const answer = await post('players', csv.join('\r\n'), 'text/csv')
    const lines = answersOf(answer).slice(0, -1) as unknown as LineAnswer[]
    expect(lines.map(verdictOf)).toEqual([
      '2 created',
      '4 created',
      '5 validation /username too-short',
      '6 validation /identities malformed-json',
    ])
    const second = lines[1]
    const { body } = await api.admin.get(`/v1/players/${second?.status === 'created' ? second.id : ''}`)
    expect(body).toMatchObject({ username: name(2), displayName: '=SUM(A1)' })
    const refused = await post('players', 'username,shoeSize\nzoe,43\n', 'text/csv')
    expect(refused.status).toBe(422)
    expect(JSON.parse(String(refused.body))).toMatchObject({
      code: 'validation',
      errors: [{ column: 2, code: 'unknown-field' }],
    })
  })

  it('says so when an export that is sent back lost rows on the way', async () => {
    const lines = ndjson({ username: `cut_${process.pid}` }, { _end: { rows: 2, sha256: '00'.repeat(32) } })
    const answers = answersOf(await post('players', lines)).slice(0, -1) as unknown as LineAnswer[]
    expect(answers.map(verdictOf)).toEqual(['1 created', '2 validation /_end/rows incomplete'])
  })

  it('writes the trail of single operations, without a personal value', async () => {
    const username = unique('trail').replaceAll('-', '_')
    await post('players', ndjson({ username, email: `${username}@example.com` }))
    await post('players', ndjson({ username, locale: 'fr-CA', status: 'closed' }))
    const rows = await api.database.prisma.auditEvent.findMany({ orderBy: { seq: 'desc' }, take: 3 })
    expect(rows.map(({ action }) => action)).toEqual(['player.transition', 'player.update', 'player.create'])
    expect(rows[1]?.changes).toEqual({ locale: 'changed' })
    expect(JSON.stringify(rows.map(({ changes }) => changes))).not.toContain(username)
    expect(api.log()).not.toContain(username)
  })
})

function readText(response: NodeJS.ReadableStream, done: (error: Error | null, text: string) => void): void {
  let text = ''
  response.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  response.on('end', () => done(null, text))
}
