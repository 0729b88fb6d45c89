import { UpdateWorkGroupCommand } from '@aws-sdk/client-athena'
import { GetTablesCommand } from '@aws-sdk/client-glue'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bindParameters, loadSavedQueries } from '../../../src/lake/athena/saved-queries.ts'
import { contracts } from '../../../src/lake/contract.ts'
import { LakeProblem } from '../../../src/lake/lake-problem.ts'
import { ensureLake, type LakeParts, lakeParts } from '../../../src/lake/lake-setup.ts'
import type { Manifest } from '../../../src/lake/manifest.ts'
import { publishedSnapshot } from '../../../src/lake/publication.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { type RowValues, testPlace, writeSnapshot } from '../lake-fixture.ts'

const FIRST = '20261121t020000z-00000001'
const SECOND = '20261122t020000z-00000002'
const place = testPlace('athena')

let aws: TestAws
let lake: LakeParts
let first: Manifest
let second: Manifest

const day = (text: string) => `TIMESTAMP '2026-${text} 12:00:00'`

const player = (ref: string, country: string, created: string, status = 'active'): RowValues => ({
  ...{ player_ref: `'${ref}'`, country: `'${country}'`, status: `'${status}'`, created_at: day(created) },
  ...{ email_verified: ref === 'a' ? 'true' : 'false', version: '1', updated_at: day(created) },
})

const owned = (ref: string, game: string, values: RowValues): RowValues => ({
  ...{ id: `'${ref}-${game}'`, player_ref: `'${ref}'`, game_id: `'${game}'`, platform: "'windows'" },
  ...{ source: "'purchase'", acquired_at: day('01-02'), playtime_seconds: '0' },
  ...values,
})

const rows: Record<string, RowValues[]> = {
  players: [player('a', 'DE', '11-01'), player('b', 'DE', '11-01', 'closed'), player('c', 'FR', '05-01')],
  studios: [
    { id: "'s1'", name: '\'Nova, "Games"\'', country: "'DE'", status: "'active'" },
    { id: "'s2'", name: "'Empty'", country: "'FR'", status: "'prospect'" },
  ],
  games: [{ id: "'g1'", studio_id: "'s1'", title: "'=Star Haul'", status: "'released'" }],
  player_games: [
    owned('a', 'g1', { playtime_seconds: '7200', last_played_at: day('11-15') }),
    owned('b', 'g1', { revoked_at: day('03-01'), revoke_reason: "'refund'" }),
    owned('c', 'g1', { source: "'gift'", platform: "'linux'", playtime_seconds: '1800', last_played_at: day('06-10') }),
  ],
  player_identities: [
    { player_ref: "'a'", provider: "'steam'", verified_at: day('11-01'), linked_at: day('11-01') },
    { player_ref: "'a'", provider: "'epic'", linked_at: day('11-01') },
    { player_ref: "'c'", provider: "'steam'", linked_at: day('05-01'), unlinked_at: day('06-01') },
  ],
  audit_events: [
    { seq: '1', occurred_at: day('11-01'), actor_type: "'api_key'", action: "'create'", entity_type: "'player'" },
  ],
}

beforeAll(async () => {
  aws = await startTestAws()
  await ensureLake(place, aws, { owned: true })
  lake = lakeParts(place, aws)
  first = await writeSnapshot(aws.s3, place.bucket, { id: FIRST, sequence: 1, rows })
  await lake.publisher.crawlerReady(new Date(Date.now() + 30_000))
  await lake.publisher.register(first)
  await lake.publisher.publishViews([publishedSnapshot(first)])
})

afterAll(async () => {
  await aws?.stop()
})

async function select(sql: string) {
  const { run, rows: found } = await lake.runner.rows(sql)
  if (run.state !== 'succeeded') throw new Error(run.problem?.detail ?? run.state)
  return found
}

const shownIds = async (view: string) =>
  (await select(`SELECT DISTINCT snapshot_id FROM ${place.database}.${view} ORDER BY 1`)).flat()

describe('setting the lake up', () => {
  it('makes nothing a second time and finds nothing different', async () => {
    expect(await ensureLake(place, aws, { owned: true })).toEqual({ created: [], differing: [] })
    expect(await ensureLake(place, aws, { owned: false })).toEqual({ created: [], differing: [] })
  })

  it('names the buckets that somebody else has to make', async () => {
    const elsewhere = testPlace('nowhere')
    await expect(ensureLake(elsewhere, aws, { owned: false })).rejects.toThrow('lake-nowhere and results-nowhere')
  })

  it('tells where a work group is weaker than ours, and leaves it', async () => {
    const other = { ...testPlace('weak'), bucket: place.bucket, resultsUri: place.resultsUri }
    await ensureLake(other, aws, { owned: true })
    const ConfigurationUpdates = { EnforceWorkGroupConfiguration: false }
    await aws.athena.send(new UpdateWorkGroupCommand({ WorkGroup: other.workgroup, ConfigurationUpdates }))
    const { differing } = await ensureLake(other, aws, { owned: true })
    expect(differing).toEqual(['The work group group-weak does not enforce its configuration'])
  })
})

describe('views', () => {
  it('show the rows of the published snapshot', async () => {
    expect(await select(`SELECT player_ref, country FROM ${place.database}.players_latest ORDER BY 1`)).toEqual([
      ['a', 'DE'],
      ['b', 'DE'],
      ['c', 'FR'],
    ])
    expect(await lake.publisher.findings([first])).toEqual([])
  })

  it('move to a second snapshot, keep the first as its day, and list both', async () => {
    second = await writeSnapshot(aws.s3, place.bucket, {
      id: SECOND,
      sequence: 2,
      rows: { players: rows.players ?? [] },
    })
    await lake.publisher.register(second)
    expect(await shownIds('players_latest')).toEqual([FIRST])
    await lake.publisher.publishViews([first, second].map(publishedSnapshot))
    expect(await shownIds('players_latest')).toEqual([SECOND])
    expect(await shownIds('players_daily')).toEqual([FIRST, SECOND])
    expect(
      await select(`SELECT snapshot_id, sequence, total_rows FROM ${place.database}.snapshots ORDER BY 2`),
    ).toEqual([
      [FIRST, 1, first.totals.rows],
      [SECOND, 2, second.totals.rows],
    ])
    expect(await lake.publisher.findings([first, second])).toEqual([])
  })

  it('read the files of the snapshots that they show, and of them those that a condition leaves', async () => {
    const bytes = async (from: string) => {
      const { run } = await lake.runner.rows(`SELECT * FROM ${from}`)
      expect(run.state).toBe('succeeded')
      return run.bytesScanned
    }
    const [one, two] = [first, second].map(
      ({ tables }) =>
        tables.find(({ name }) => name === 'players')?.files.reduce((sum, file) => sum + file.bytes, 0) ?? 0,
    ) as [number, number]
    expect(one).toBeGreaterThan(0)
    expect(await bytes(`${place.database}.players_latest`)).toBe(two)
    expect(await bytes(`${place.database}.players_daily`)).toBe(one + two)
    expect(await bytes(`${place.database}.players_daily WHERE snapshot_id = '${FIRST}'`)).toBe(one)
    expect(await bytes(`${place.database}.players_latest WHERE snapshot_id = '${FIRST}'`)).toBe(0)
    expect(await bytes(`${place.rawDatabase}.players`)).toBe(one + two)
  })

  it('stay where they are when a count differs from the manifest', async () => {
    const wrong = {
      ...publishedSnapshot(first),
      sequence: 3,
      tableRows: { ...publishedSnapshot(first).tableRows, games: 7 },
    }
    const error = await lake.publisher.publishViews([wrong]).catch((each: unknown) => each)
    expect(error).toBeInstanceOf(LakeProblem)
    expect(error).toMatchObject({ code: 'smoke_mismatch', message: expect.stringContaining('games shows 1') })
    expect(await shownIds('players_latest')).toEqual([SECOND])
  })

  it('that somebody re-pointed or dropped are found', async () => {
    const name = `${place.database}.games_latest`
    await select(
      `CREATE OR REPLACE VIEW ${name} AS SELECT * FROM ${place.rawDatabase}.games WHERE snapshot_id = '${FIRST}'`,
    )
    await select(`DROP VIEW ${place.database}.studios_daily`)
    const found = await lake.publisher.findings([first, second])
    expect(found.map(({ code, table }) => `${code} ${table}`)).toEqual([
      'view_drift games_latest',
      'view_missing studios_daily',
    ])
    await select(
      `CREATE OR REPLACE VIEW ${place.database}.games_daily AS
       SELECT * FROM ${place.rawDatabase}.games WHERE snapshot_id IN ('${FIRST}', '${SECOND}')`,
    )
    expect((await lake.publisher.findings([first, second])).map(({ code, table }) => `${code} ${table}`)).toContain(
      'view_altered games_daily',
    )
    await lake.publisher.publishViews([first, second].map(publishedSnapshot))
    expect(await lake.publisher.findings([first, second])).toEqual([])
  })

  it('that say the right thing are left as they are', async () => {
    const versions = async () => {
      const { TableList: tables = [] } = await aws.glue.send(new GetTablesCommand({ DatabaseName: place.database }))
      return new Map(tables.map((table) => [table.Name, `${table.VersionId} ${table.UpdateTime?.getTime()}`]))
    }
    const before = await versions()
    await lake.publisher.publishViews([first, second].map(publishedSnapshot))
    expect(await versions()).toEqual(before)
    await lake.publisher.publishViews([publishedSnapshot(second)])
    const moved = [...(await versions())].filter(([name, version]) => before.get(name) !== version)
    const daily = contracts.map((contract) => `${contract.lakeTable}_daily`)
    expect(moved.map(([name]) => name).sort()).toEqual([...daily, 'snapshots'].sort())
    await lake.publisher.publishViews([first, second].map(publishedSnapshot))
  })

  it('show nothing when no snapshot is live', async () => {
    await lake.publisher.publishViews([])
    expect(await shownIds('players_latest')).toEqual([])
    expect(await select(`SELECT count(*) FROM ${place.database}.snapshots`)).toEqual([[0]])
    await lake.publisher.publishViews([publishedSnapshot(first)])
  })
})

describe('saved queries', () => {
  const queries = new Map(loadSavedQueries('snapshots').map((query) => [query.name, query]))
  const answer = async (name: string, params: Record<string, unknown> = {}) => {
    const query = queries.get(name)
    if (query === undefined) throw new Error(`no query ${name}`)
    const { run, rows: found } = await lake.runner.rows(query.sql, { name, parameters: bindParameters(query, params) })
    if (run.state !== 'succeeded') throw new Error(run.problem?.detail ?? run.state)
    return found
  }
  const expected: [string, Record<string, unknown>, unknown[][]][] = [
    [
      'players-by-country',
      { min_players: 1 },
      [
        ['DE', 2, 1, 66.67],
        ['FR', 1, 1, 33.33],
      ],
    ],
    ['players-by-country', { min_players: 2 }, [['DE', 2, 1, 66.67]]],
    ['registrations-per-day', {}, [['2026-11-01', 2, 1]]],
    ['registrations-per-day', { days: 5 }, []],
    ['top-games-by-play-time', { top: 1 }, [['=Star Haul', 'Nova, "Games"', 'released', 2, 2.5, 1.3]]],
    [
      'library-sources',
      {},
      [
        ['purchase', 2, 2, 1, 66.67],
        ['gift', 1, 1, 0, 33.33],
      ],
    ],
    ['refund-rate-by-game', { min_purchases: 1 }, [['=Star Haul', 2, 1, 0, 50]]],
    ['refund-rate-by-game', {}, []],
    [
      'retention-by-cohort',
      {},
      [
        ['2026-05-01', 1, 1, 1, 1, 0],
        ['2026-11-01', 2, 1, 1, 0, 0],
      ],
    ],
    [
      'studios-by-games',
      {},
      [
        ['Nova, "Games"', 'DE', 'active', 1, 1, 2],
        ['Empty', 'FR', 'prospect', 0, 0, 0],
      ],
    ],
    ['studios-by-games', { country: 'FR' }, [['Empty', 'FR', 'prospect', 0, 0, 0]]],
    ['active-players', {}, [['windows', 1, 1]]],
    [
      'active-players',
      { days: 365 },
      [
        ['linux', 1, 1],
        ['windows', 1, 1],
      ],
    ],
    [
      'identities-by-provider',
      {},
      [
        ['epic', 1, 0, 1, 0],
        ['steam', 1, 1, 1, 0],
      ],
    ],
    ['changes-per-day', { since: '2026-11-01' }, [['2026-11-01', 'player', 'create', 1]]],
    ['changes-per-day', { since: '2026-11-02' }, []],
  ]

  it.each(expected)('%s %j', async (name, params, found) => {
    expect(await answer(name, params)).toEqual(found)
  })

  it('are all in this list', () => {
    expect([...queries.keys()].sort()).toEqual([...new Set(expected.map(([name]) => name))].sort())
  })
})

describe('runs', () => {
  it('give their rows page by page, each once', async () => {
    const sql = 'SELECT n FROM UNNEST(sequence(1, 2500)) AS t(n) ORDER BY n'
    const run = await lake.runner.finished(await lake.runner.start(sql))
    const seen: unknown[] = []
    let token: string | undefined
    do {
      const page = await lake.runner.page(run, 700, token)
      expect(page.rows.length).toBeLessThanOrEqual(700)
      seen.push(...page.rows.flat())
      token = page.nextToken
    } while (token !== undefined)
    expect(seen).toEqual(Array.from({ length: 2500 }, (_, i) => i + 1))
    let streamed = 0
    for await (const page of lake.runner.pages(run)) streamed += page.rows.length
    expect(streamed).toBe(2500)
  })

  it('of SHOW have no header row to lose', async () => {
    const tables = (await select(`SHOW TABLES IN ${place.rawDatabase}`)).flat()
    expect(tables).toEqual(contracts.map((contract) => contract.name).sort())
  })

  it('that fail say why, with the code of the engine', async () => {
    const { run } = await lake.runner.rows('SELECT * FROM no_such_table')
    expect(run).toMatchObject({ state: 'failed', problem: { code: 'query-failed', engineCode: 'TABLE_NOT_FOUND' } })
  })

  it('of another work group or of nobody are not found', async () => {
    const id = await lake.runner.start('SELECT 1')
    await lake.runner.finished(id)
    const other = lakeParts({ ...place, workgroup: 'primary' }, aws).runner
    expect(await other.find(id)).toBeUndefined()
    expect(await lake.runner.find('00000000-0000-4000-8000-000000000000')).toBeUndefined()
  })

  it('started twice with one token are one run', async () => {
    const token = 'a-token-of-at-least-32-characters-1'
    expect(await lake.runner.start('SELECT 5', { token })).toBe(await lake.runner.start('SELECT 5', { token }))
  })
})
