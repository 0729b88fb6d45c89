import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { accountsApi } from '../../src/commands/accounts.ts'
import { CursorCodec } from '../../src/http/cursor.ts'
import type { Route } from '../../src/http/route.ts'
import type { FilterField, ListSpec, Operator, Position } from '../../src/list.ts'
import { toSnakeCase } from '../../src/naming.ts'
import { createTestApi, expectStatus, type TestApi } from '../support/api.ts'
import { counted } from '../support/counts.ts'
import { type Crowd, seedCrowd } from '../support/crowd.ts'
import { explain, type Plan, rowsRead, type Statement } from '../support/plans.ts'

/** Tables that grow with the players. The others have some ten thousand rows, and every sort of them has an index, too. */
const LARGE = ['player', 'player_identity', 'player_game', 'audit_event']
/** Full: `npm run proof -- list-plans`. */
const PLAYERS = counted(20_000, 1_000_000)
/** A page of 50 may read so many rows, however many there are: a filter may begin with what it names, up to 5,000 of these. */
const MOST_ROWS_READ = 12_000
/** A studio's players are filtered already: with a second filter those are read that satisfy one of the two, until a page is full. */
const MOST_ROWS_OF_TWO_FILTERS = 60_000
/** Events are short: of a thing as rare as one in a thousand, the walk along the others takes as long as sorting its own. */
const MOST_EVENTS_READ = 60_000

let api: TestApi
let crowd: Crowd
let client: pg.Client
let routes: { readonly path: string; readonly list: ListSpec; readonly fixed: string }[]

beforeAll(async () => {
  api = await createTestApi()
  crowd = await seedCrowd(api.databaseUrl, PLAYERS)
  client = new pg.Client(api.databaseUrl)
  await client.connect()
  routes = accountsApi(api.database)
    .groups.flatMap((group) => group.routes)
    .flatMap(listOf)
}, 3_600_000)
afterAll(async () => {
  await client.end()
  await api.close()
})

/** A list at an address that exists; the rows that the address fixes, as a condition. */
function listOf(route: Route) {
  const { path, view } = route
  if (view?.list === undefined || !LARGE.concat('game', 'studio', 'studio_owner').includes(view.table)) return []
  const game = crowd.popularGameId
  const addresses: Readonly<Record<string, readonly [id: string, fixed: string]>> = {
    '/v1/players/{id}': [crowd.playerId, `player_id = '${crowd.playerId}'`],
    '/v1/games/{id}': [game, `game_id = '${game}'`],
    '/v1/studios/{id}': [
      crowd.popularStudioId,
      view.table === 'game' ? `studio_id = '${crowd.popularStudioId}'` : 'true',
    ],
    '/v1/owners/{id}': [crowd.ownerId, 'true'],
  }
  const [, parent = ''] = /^(.*\{id\})/.exec(path) ?? []
  const [id, fixed] = addresses[parent] ?? ['', 'true']
  return [{ path: path.replace('{id}', id), list: view.list, fixed }]
}

/** Values of a filter: ones that many rows have and ones that few have. */
function valuesOf(name: string, field: FilterField, operator: Operator): string[] {
  if (operator === 'isNull') return ['true', 'false']
  const known: Readonly<Record<string, readonly string[]>> = {
    id: [crowd.playerId],
    gameId: [crowd.popularGameId, crowd.smallGameId],
    studioId: [crowd.popularStudioId, crowd.smallStudioId],
    country: ['US', 'IS'],
    status: ['active', 'closed'],
    provider: ['steam', 'nintendo'],
    platform: ['windows', 'linux'],
    source: ['purchase', 'press'],
    hasEmail: ['true', 'false'],
    active: ['true', 'false'],
    entityId: [crowd.playerId],
    actorId: ['key1', 'nobody'],
    actorType: ['api_key', 'system', 'user'],
    entityType: ['player', 'api_key'],
    action: ['player.update', 'player.transition'],
    createdAt: [operator.startsWith('l') ? '2023-11-15T08:00:00Z' : '2026-01-01T00:00:00Z'],
  }
  const values = known[name]?.filter((value) => field.values?.includes(value) ?? true) ?? []
  if (values.length > 0 || (known[name] && !field.values)) return values
  if (field.values) return [field.values[0] ?? '']
  const samples = {
    timestamp: '2023-11-16T00:00:00Z',
    date: '2024-01-01',
    integer: '12',
    boolean: 'true',
    text: 'game-77',
  }
  return [samples[field.kind as keyof typeof samples] ?? '']
}

function questionsOf({ list, path }: (typeof routes)[number]): string[] {
  const filters = Object.entries<FilterField>(list.filters).flatMap(([name, field]) =>
    field.operators.flatMap((operator) =>
      valuesOf(name, field, operator).map((value) => {
        const beside = name === 'entityId' ? '&entityType=player' : ''
        return `${operator === 'eq' ? name : `${name}[${operator}]`}=${value}${beside}`
      }),
    ),
  )
  const searches = list.search ? ['q=ann', 'q=chloe123', 'q=nobody-at-all'] : []
  const sorts = Object.keys(list.sorts).flatMap((field) => [field, `-${field}`])
  // A range of another field than the sort's is a question for the default sort.
  const suits = (question: string, sort: string) => {
    const [name = '', operator = ''] = question.split(/[[\]]/)
    const only = list.filters[name]?.onlySort
    if (only !== undefined) return sort.endsWith(only)
    return !/^(gt|lt)e?$/.test(operator) || sort.endsWith(name)
  }
  const asked = filters.concat(searches)
  const crossed = LARGE.includes(list.table) ? sorts : [list.defaultSort]
  return [
    ...sorts.map((sort) => `${path}?sort=${sort}`),
    ...crossed.flatMap((sort) =>
      asked.filter((question) => suits(question, sort)).map((question) => `${path}?sort=${sort}&${question}`),
    ),
  ]
}

/** The statements that answering a request sends about large tables. */
async function sent(url: string): Promise<Statement[]> {
  const query = pg.Client.prototype.query
  const statements: Statement[] = []
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const [config, values] = args as [Statement | string, unknown[] | undefined]
    const text = typeof config === 'string' ? config : config.text
    if (/^\s*SELECT/.test(text) && !/FROM "?api_key|FROM "?public"?."?api_key/.test(text)) {
      statements.push({ text, values: (typeof config === 'string' ? values : (config.values ?? values)) ?? [] })
    }
    return (query as (...all: unknown[]) => unknown).apply(this, args)
  } as typeof query
  try {
    expectStatus(await api.admin.get(url), 200)
  } finally {
    pg.Client.prototype.query = query
  }
  expect(statements.length).toBeGreaterThan(0)
  return statements
}

const faultsOf = (plan: Plan, mostRows: number): string[] => {
  const faults: string[] = []
  const visit = (node: Plan): void => {
    const table = node['Relation Name'] ?? ''
    if (node['Node Type'] === 'Seq Scan' && LARGE.includes(table)) faults.push(`reads ${table} from end to end`)
    if (node['Node Type'] === 'Sort' && (node.Plans?.[0]?.['Actual Rows'] ?? 0) > mostRows)
      faults.push('sorts everything')
    for (const child of node.Plans ?? []) visit(child)
  }
  visit(plan)
  const read = rowsRead(plan, LARGE)
  const events = rowsRead(plan, ['audit_event'])
  if (read - events > mostRows || events > MOST_EVENTS_READ) faults.push(`reads ${read} rows`)
  return faults
}

async function judge(url: string): Promise<string[]> {
  const found: string[] = []
  const mostRows = /^\/v1\/studios\/.*\?.*&/.test(url) ? MOST_ROWS_OF_TWO_FILTERS : MOST_ROWS_READ
  for (const statement of await sent(url)) {
    const plan = await explain(client, statement)
    found.push(...faultsOf(plan, mostRows).map((fault) => `${url}: ${fault}`))
  }
  return found
}

it('the first page of every list, by every sort and filter, reads what an index gives', async () => {
  const faults: string[] = []
  for (const route of routes) for (const url of questionsOf(route)) faults.push(...(await judge(url)))
  expect(faults).toEqual([])
}, 3_600_000)

it('the players of a popular studio who are players of a small one, too, are all found', async () => {
  const { popularStudioId, smallStudioId } = crowd
  const { rows } = await client.query<{ id: string }>(
    `SELECT player_id AS id FROM player_game JOIN game ON game.id = game_id
     WHERE studio_id = ANY($1) AND revoked_at IS NULL GROUP BY player_id HAVING count(DISTINCT studio_id) = 2`,
    [[popularStudioId, smallStudioId]],
  )
  expect(rows.length).toBeGreaterThan(0)
  const answer = await api.admin.get(`/v1/studios/${popularStudioId}/players?studioId=${smallStudioId}&limit=200`)
  expectStatus(answer, 200)
  // The newest first; ids have the order of time.
  const newest = rows
    .map(({ id }) => id)
    .sort()
    .reverse()
  expect(answer.body.data.map(({ id }: { id: string }) => id)).toEqual(newest.slice(0, 200))
}, 3_600_000)

it('a page far behind costs what the first one costs, by every sort, forwards and backwards', async () => {
  const faults: string[] = []
  for (const { path, list, fixed } of routes) {
    for (const field of Object.keys(list.sorts)) {
      for (const sort of [field, `-${field}`]) {
        for (const backward of [false, true]) {
          const first = `${path}?sort=${sort}&limit=2`
          const place = await placeIn(list, field, fixed)
          const cursor = place && (await cursorAt(first, place, backward))
          if (cursor !== undefined) faults.push(...(await judge(`${path}?sort=${sort}&cursor=${cursor}`)))
        }
      }
    }
  }
  expect(faults).toEqual([])
}, 3_600_000)

/** The sort value and id of a row in the middle of a list; undefined when no row has a value. */
async function placeIn(
  { table, idField }: ListSpec,
  field: string,
  fixed: string,
): Promise<Omit<Position, 'backward'> | undefined> {
  const [column, id] = [toSnakeCase(field), toSnakeCase(idField)]
  const { rows } = await client.query(
    `SELECT ${column} AS value, ${id} AS id FROM ${table} WHERE ${fixed} AND ${column} IS NOT NULL ORDER BY 1
     OFFSET (SELECT count(*) / 2 FROM ${table} WHERE ${fixed} AND ${column} IS NOT NULL) LIMIT 1`,
  )
  if (rows[0] === undefined) return undefined
  const { value, id: at } = rows[0]
  return { values: [value instanceof Date ? value.toISOString() : value], id: String(at) }
}

/** A cursor of the list at another place than the list itself would give; undefined for a list of one page. */
async function cursorAt(
  url: string,
  place: Omit<Position, 'backward'>,
  backward: boolean,
): Promise<string | undefined> {
  const { encode } = CursorCodec.prototype
  let made: string | undefined
  CursorCodec.prototype.encode = function (this: CursorCodec, position, fingerprint) {
    made = encode.call(this, { ...place, backward }, fingerprint)
    return encode.call(this, position, fingerprint)
  }
  try {
    expectStatus(await api.admin.get(url), 200)
  } finally {
    CursorCodec.prototype.encode = encode
  }
  return made
}
