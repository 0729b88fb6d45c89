import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newOwner, type TestApi } from '../support/api.ts'
import { type PostOptions, posted } from './posted.ts'

let api: TestApi
beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

const post = (path: string, body: string | Buffer | readonly object[], options?: PostOptions) =>
  posted(api, path, body, options)
const name = (n: number | string) => `p_${process.pid}_${n}`
const slug = (n: number | string) => `s-${process.pid}-${n}`

/** Everything that an import may write, as text. */
async function contents(): Promise<string> {
  const tables = ['studio', 'studio_owner', 'studio_membership', 'game', 'game_platform', 'player', 'player_identity']
  const texts: string[] = []
  for (const table of [...tables, 'player_game', 'audit_event']) {
    texts.push(JSON.stringify(await api.database.prisma.$queryRawUnsafe(`SELECT t::text FROM ${table} t ORDER BY 1`)))
  }
  return texts.join('\n')
}

describe('the mode of an import', () => {
  it('create refuses what is there, update what is not, and each says which key', async () => {
    await post('studios', [{ slug: slug('mode'), name: 'Mode' }])
    const create = await post('studios?mode=create', [
      { slug: slug('mode'), name: 'Again' },
      { slug: slug('mode-2'), name: 'New' },
    ])
    expect(create.verdicts).toEqual(['1 slug-taken /slug slug-taken', '2 created'])
    const update = await post('studios?mode=update&matchBy=slug', [
      { slug: slug('mode'), name: 'Changed' },
      { slug: slug('mode-3'), name: 'Nowhere' },
      { name: 'No key' },
    ])
    expect(update.verdicts).toEqual(['1 updated', '2 not-found /slug not-found', '3 validation /slug required'])
    expect(update.totals).toEqual({ lines: 3, created: 0, updated: 1, unchanged: 0, errors: 2, dryRun: false })
  })

  it('matchBy decides what a line is about', async () => {
    await post('owners', [
      { email: `${slug('a')}@example.com`, externalRef: slug('ref-a'), fullName: 'A' },
      { email: `${slug('b')}@example.com`, externalRef: slug('ref-b'), fullName: 'B' },
    ])
    const line = { email: `${slug('a')}@example.com`, externalRef: slug('ref-b'), fullName: 'C' }
    expect((await post('owners', [line])).verdicts).toEqual(['1 email-taken /email email-taken'])
    expect((await post('owners?matchBy=email', [line])).verdicts).toEqual(['1 conflict /externalRef conflict'])
  })
})

describe('keys in one file', () => {
  it('that an earlier line gave up are free, those that it took are taken', async () => {
    const lines = [
      { externalRef: slug('k-a'), slug: slug('k-1'), name: 'A' },
      { externalRef: slug('k-b'), slug: slug('k-2'), name: 'B' },
    ]
    await post('studios', lines)
    const moved = await post('studios', [
      { externalRef: slug('k-a'), slug: slug('k-3') },
      { externalRef: slug('k-c'), slug: slug('k-1'), name: 'C' },
      { externalRef: slug('k-b'), slug: slug('k-3') },
      { slug: slug('k-3'), name: 'D' },
      { slug: slug('k-1'), name: 'E' },
    ])
    expect(moved.verdicts).toEqual([
      '1 updated',
      '2 created',
      '3 slug-taken /slug slug-taken',
      '4 duplicate-in-input 1',
      '5 duplicate-in-input 2',
    ])
    const rotated = await post('studios', [
      { externalRef: slug('k-a'), slug: slug('k-4') },
      { externalRef: slug('k-b'), slug: slug('k-3') },
      { externalRef: slug('k-c'), slug: slug('k-2') },
    ])
    expect(rotated.verdicts).toEqual(['1 updated', '2 updated', '3 updated'])
  })

  it('hand over names, addresses and store keys, too', async () => {
    const [a, b, c] = ['ka', 'kb', 'kc'].map((n) => ({ username: name(n), email: `${name(n)}@example.com` }))
    await post('players', [a as object, b as object])
    const players = await post('players?matchBy=username', [
      { username: name('ka'), email: null },
      { username: name('kb'), email: a?.email },
      { username: name('kc'), email: b?.email, displayName: c?.username },
    ])
    expect(players.verdicts).toEqual(['1 updated', '2 updated', '3 created'])

    const studio = { slug: slug('k-store') }
    await post('studios', [{ ...studio, name: 'Store' }])
    const game = (n: number, storeAppId: string) => ({
      externalRef: slug(`k-game-${n}`),
      slug: slug(`k-game-${n}`),
      title: 'Game',
      studio,
      platforms: [{ platform: 'windows', store: 'steam', storeAppId: `${process.pid}${storeAppId}` }],
    })
    expect((await post('games', [game(1, '1'), game(2, '2')])).totals.created).toBe(2)
    const games = await post('games', [game(1, '3'), game(2, '1'), game(3, '3')])
    expect(games.verdicts).toEqual(['1 updated', '2 updated', '3 conflict /platforms/0/storeAppId conflict'])
  })

  it('that stand twice name the first line, across batches and over lines that are skipped', async () => {
    const lines = Array.from({ length: 700 }, (_, i) => ({ username: name(`twice_${i % 600}`) }))
    const { verdicts, totals } = await post('players', `\n${lines.map((line) => JSON.stringify(line)).join('\n')}`)
    expect(totals).toMatchObject({ lines: 700, created: 600, errors: 100 })
    expect(verdicts[600]).toBe('602 duplicate-in-input 2')
    expect(verdicts[699]).toBe('701 duplicate-in-input 101')
  })
})

describe('an atomic import', () => {
  it('writes all lines or none, and says which were refused', async () => {
    const owner = await newOwner(api)
    const good = [
      { slug: slug('at-1'), name: 'One' },
      {
        slug: slug('at-2'),
        name: 'Two',
        status: 'active',
        members: [{ ownerId: owner.id, role: 'owner', status: 'active' }],
      },
    ]
    const before = await contents()
    const refused = await post('studios?atomic=true', [
      ...good,
      { slug: slug('at-3') },
      { slug: slug('at-1'), name: 'Again' },
      { slug: 'x', name: 'Bad' },
    ])
    expect(refused.status).toBe(200)
    expect(refused.verdicts).toEqual([
      '1 not-applied',
      '2 not-applied',
      '3 validation /name required',
      '4 duplicate-in-input 1',
      expect.stringMatching(/^5 validation \/slug/),
    ])
    expect(refused.answers[0]).toMatchObject({ problem: { status: 424, causedByLine: 3 } })
    expect(refused.totals).toEqual({
      lines: 5,
      created: 0,
      updated: 0,
      unchanged: 0,
      errors: 5,
      dryRun: false,
      rolledBack: true,
    })
    expect(await contents()).toBe(before)
    const taken = await post('studios?atomic=true', good)
    expect(taken.verdicts).toEqual(['1 created', '2 created'])
  })

  it('undoes what only the database refuses, such as the last owner who goes', async () => {
    const [a, b] = [await newOwner(api), await newOwner(api)]
    const members = [a, b].map(({ id }) => ({ ownerId: id, role: 'owner', status: 'active' }))
    await post('studios', [{ slug: slug('at-last'), name: 'Last', status: 'active', members }])
    const before = await contents()
    const gone = [a, b].map(({ id }) => ({ id, status: 'disabled' }))
    for (const query of ['atomic=true', 'atomic=true&dryRun=true']) {
      const { verdicts } = await post(`owners?matchBy=id&${query}`, gone)
      expect(verdicts.filter((verdict) => verdict.includes('last-owner'))).toHaveLength(1)
      expect(verdicts.filter((verdict) => verdict.includes('not-applied'))).toHaveLength(1)
    }
    expect(await contents()).toBe(before)
  })

  it('takes 1000 lines and writes nothing of 1001, nor of a file that is not whole', async () => {
    const lines = (count: number) => Array.from({ length: count }, (_, i) => ({ username: name(`atomic_${i}`) }))
    const before = await contents()
    const tooMany = await post('players?atomic=true', lines(1001))
    expect([tooMany.status, tooMany.problem.code]).toEqual([413, 'payload-too-large'])
    const cut = await post('players?atomic=true', [...lines(2), { _end: { rows: 3 } }])
    expect(cut.verdicts).toEqual(['1 not-applied', '2 not-applied', '3 validation /_end/rows incomplete'])
    expect(await contents()).toBe(before)
    const whole = await post('players?atomic=true', lines(1000))
    expect(whole.totals).toMatchObject({ lines: 1000, created: 1000 })
  })
})

describe('a dry run', () => {
  it('gives the verdicts of the real run, and writes nothing', async () => {
    const owner = await newOwner(api)
    await post('studios', [{ externalRef: slug('dry-a'), slug: slug('dry-1'), name: 'A' }])
    const lines = [
      { externalRef: slug('dry-a'), slug: slug('dry-2') },
      { externalRef: slug('dry-b'), slug: slug('dry-1'), name: 'B' },
      { slug: slug('dry-2'), name: 'C' },
      { externalRef: slug('dry-d'), slug: slug('dry-1'), name: 'D' },
      { slug: slug('dry-e'), name: 'E', status: 'active' },
      {
        slug: slug('dry-f'),
        name: 'F',
        status: 'active',
        members: [{ owner: { email: owner.email }, role: 'owner', status: 'active' }],
      },
      { slug: slug('dry-g'), name: 'G', members: [{ owner: { email: 'nobody@example.com' }, role: 'owner' }] },
      { slug: 'x' },
    ]
    for (const query of ['', '&onError=abort', '&mode=create', '&mode=update&matchBy=slug']) {
      const before = await contents()
      const dry = await post(`studios?dryRun=true${query}`, lines)
      expect(await contents()).toBe(before)
      const atomic = query.includes('abort') ? undefined : await post(`studios?dryRun=true&atomic=true${query}`, lines)
      const real = await post(`studios?dryRun=false${query}`, lines)
      expect([query, dry.verdicts]).toEqual([query, real.verdicts])
      expect({ ...dry.totals, dryRun: false }).toEqual(real.totals)
      const errors = (verdicts: readonly string[] = []) =>
        verdicts.filter((v) => !/(created|updated|unchanged|not-applied)$/.test(v))
      if (atomic) expect(errors(atomic.verdicts)).toEqual(errors(real.verdicts))
    }
  })

  it('has no id for what it would create', async () => {
    const { answers, totals } = await post('players?dryRun=true', [{ username: name('dry_new') }])
    expect(answers).toEqual([{ line: 1, status: 'created' }])
    expect(totals.dryRun).toBe(true)
  })

  it('of many batches remembers the keys that earlier ones would have taken', async () => {
    const filler = Array.from({ length: 600 }, (_, i) => ({ username: name(`fill_${i}`) }))
    const email = `${name('dry')}@example.com`
    const identities = [{ provider: 'steam', subject: `7656119${String(process.pid).padStart(10, '0')}` }]
    const lines = [
      { username: name('dry_1'), email, identities },
      { username: 'x' },
      ...filler,
      { username: name('dry_2'), email },
      { username: name('dry_3'), identities },
      { username: name('dry_1') },
      { username: name('fill_0'), email: `${name('other')}@example.com` },
    ]
    for (const query of ['matchBy=username', 'mode=create']) {
      const dry = await post(`players?dryRun=true&${query}`, lines)
      const real = query.includes('create') ? undefined : dry.verdicts
      expect(dry.verdicts.filter((verdict) => !verdict.endsWith('created'))).toEqual([
        '2 validation /username too-short',
        '603 email-taken /email email-taken',
        real ? '604 identity-taken /identities/0/subject identity-taken' : '604 duplicate-in-input 1',
        '605 duplicate-in-input 1',
        '606 duplicate-in-input 3',
      ])
    }
    const dry = await post('players?dryRun=true&matchBy=username', lines)
    const real = await post('players?matchBy=username', lines)
    expect(dry.verdicts).toEqual(real.verdicts)
  })

  it('needs the scope to read what could be guessed by it', async () => {
    const writer = api.as(
      await api.token(
        'imports:write',
        'players:write',
        'library:write',
        'owners:write',
        'games:write',
        'studios:write',
      ),
    )
    const refused: string[] = []
    for (const resource of ['players', 'owners', 'library', 'studios', 'games']) {
      const { status, problem } = await post(`${resource}?dryRun=true`, [], { agent: writer })
      refused.push(`${resource} ${status} ${problem.scope ?? ''}`.trim())
    }
    expect(refused).toEqual([
      'players 403 players:read.personal',
      'owners 403 owners:read.personal',
      'library 403 players:read.personal',
      'studios 200',
      'games 200',
    ])
  })
})

describe('the forms of an import', () => {
  it('are NDJSON, CSV and a JSON array, plain or gzip, with the same verdicts', async () => {
    const rows = (kind: string) => [
      { username: name(`${kind}_1`) },
      { username: 'x' },
      { username: name(`${kind}_2`), locale: 'de' },
    ]
    const expected = (lines: readonly number[]) => [
      `${lines[0]} created`,
      `${lines[1]} validation /username too-short`,
      `${lines[2]} created`,
    ]
    for (const gzip of [false, true]) {
      const kind = gzip ? 'gz' : 'plain'
      expect((await post('players', rows(`nd_${kind}`), { gzip })).verdicts).toEqual(expected([1, 2, 3]))
      const csv = `username,locale\r\n${rows(`csv_${kind}`)
        .map((row) => `${row.username},${row.locale ?? ''}`)
        .join('\r\n')}`
      expect((await post('players', csv, { gzip, type: 'text/csv; charset=utf-8' })).verdicts).toEqual(
        expected([2, 3, 4]),
      )
      const json = JSON.stringify(rows(`json_${kind}`), null, 1)
      const array = await post('players', json, { gzip, type: 'application/json' })
      expect(array.verdicts).toEqual(expected([2, 5, 8]))
      expect(array.answers.map(({ index }) => index)).toEqual([0, 1, 2])
    }
  })

  it('have lines of 64 KB and no more, and the second run leaves all of them unchanged', async () => {
    const padded = (kind: string, bytes: number) =>
      `{"username":"${name(kind)}"${' '.repeat(bytes - name(kind).length - 15)}}`
    const cell = (kind: string, bytes: number) => `${name(kind)},"[${' '.repeat(bytes - name(kind).length - 5)}]"`
    const limit = 64 * 1024
    const bodies = (kind: string) =>
      [
        [
          `${padded(`${kind}_1`, limit)}\r\n${padded(`${kind}_2`, limit + 1)}\r\n${padded(`${kind}_3`, 100)}`,
          'application/x-ndjson',
          [1, 2, 3],
        ],
        [
          `[${padded(`${kind}_4`, limit)},\n${padded(`${kind}_5`, limit + 1)},\n${padded(`${kind}_6`, 100)}]`,
          'application/json',
          [1, 2, 3],
        ],
        [
          `username,identities\n${cell(`${kind}_7`, limit)}\n${cell(`${kind}_8`, limit + 1)}\n${cell(`${kind}_9`, 100)}`,
          'text/csv',
          [2, 3, 4],
        ],
      ] as const
    for (const [body, type, lines] of bodies('long')) {
      for (const status of ['created', 'unchanged']) {
        const { verdicts } = await post('players', body, { type })
        expect([type, ...verdicts]).toEqual([
          type,
          `${lines[0]} ${status}`,
          `${lines[1]} validation line-too-long`,
          `${lines[2]} ${status}`,
        ])
      }
    }
  })

  it('of an array on one line tell its elements apart, and a broken one writes nothing', async () => {
    const twice = [{ username: name('arr_1') }, { username: name('arr_2') }, { username: name('arr_1') }]
    const { answers } = await post('players', JSON.stringify(twice), { type: 'application/json' })
    expect(answers.map(({ status }) => status)).toEqual(['created', 'created', 'error'])
    expect(answers[2]).toMatchObject({
      line: 1,
      index: 2,
      problem: { code: 'duplicate-in-input', firstLine: 1, firstIndex: 0 },
    })
    const before = await contents()
    for (const [body, code] of [
      ['[{"username":"arr_3"}', 'malformed-json'],
      ['{"username":"arr_3"}', 'malformed-json'],
      [`[${Array.from({ length: 1001 }, (_, i) => `{"username":"arr_${i}"}`).join()}]`, 'payload-too-large'],
    ] as const) {
      const { status, problem } = await post('players', body, { type: 'application/json' })
      expect([status, problem.code]).toEqual([code === 'malformed-json' ? 400 : 413, code])
    }
    expect(await contents()).toBe(before)
  })

  it('of damaged or unknown coding are refused with nothing written', async () => {
    const before = await contents()
    const headers = { 'Content-Encoding': 'gzip' }
    const damaged = await post('players', '{"username":"plain"}\n', { headers })
    expect([damaged.status, damaged.problem.code]).toEqual([400, 'malformed-input'])
    const other = await post('players', '', { headers: { 'Content-Encoding': 'br' } })
    expect([other.status, other.problem.code]).toEqual([415, 'unsupported-media-type'])
    expect(await contents()).toBe(before)
  })

  it('end with what an export says of itself, and the totals count what does not fit', async () => {
    const rows = `{"username":"${name('end_1')}"}\r\n\n{"username":"${name('end_2')}"}\n`
    const sha256 = createHash('sha256').update(rows).digest('hex')
    const end = JSON.stringify({ _end: { rows: 2, sha256 } })
    const whole = await post('players', `${rows}${end}`)
    expect(whole.verdicts).toEqual(['1 created', '3 created'])
    const changed = await post('players', `${rows.replace('\r', '')}${end}\n{"username":"${name('end_3')}"}\n`)
    expect(changed.verdicts).toEqual([
      '1 unchanged',
      '3 unchanged',
      '4 validation /_end/sha256 digest-mismatch',
      '5 validation after-end',
    ])
    expect(changed.totals).toMatchObject({ lines: 4, unchanged: 2, errors: 2 })
  })
})
