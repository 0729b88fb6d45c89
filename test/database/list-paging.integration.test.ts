import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { studioList } from '../../src/accounts/studios/studio-list.ts'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { readPage } from '../../src/database/list-page.ts'
import type { ListRequest, Position, SortKey } from '../../src/list.ts'
import { createLogger } from '../../src/logger.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

/** Studios of few countries, names and times, so that most rows are equal in most of a sort, and of many no country is known. */
const ROWS = 30

interface Row {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly country: string | null
  readonly createdAt: Date
}

let testDatabase: TestDatabase
let database: Database
let client: pg.Client

beforeAll(async () => {
  testDatabase = await createTestDatabase()
  const logger = createLogger({ level: 'silent', destination: { write: () => {} } })
  database = openDatabase({ url: testDatabase.url, poolSize: 2, logger })
  client = new pg.Client(testDatabase.url)
  await client.connect()
  await client.query('SET session_replication_role = replica')
  await addStudios(1, ROWS)
})
afterAll(async () => {
  await client.end()
  await database.close()
  await testDatabase.drop()
})

const addStudios = (from: number, to: number) =>
  client.query(
    `INSERT INTO studio (id, slug, name, country, created_at)
     SELECT ('0193aaaa-0000-7000-8000-' || lpad(to_hex((n * 7) % 1009), 12, '0'))::uuid, 's-' || (n * 11) % 1013,
       (ARRAY['Ada', 'Bo', 'Éva'])[1 + n % 3], (ARRAY['DE', NULL, 'FR', NULL])[1 + n % 4],
       TIMESTAMPTZ '2026-01-01T00:00:00.001Z' + interval '1 ms' * (n % 5)
     FROM generate_series($1::int, $2::int) AS n`,
    [from, to],
  )

const read = (sort: readonly SortKey[], position: Position | undefined, limit: number) => {
  const request: ListRequest = { filters: [], search: undefined, sort, position, limit }
  return readPage<Row>(database.prisma, { spec: studioList }, request)
}

const sortsOf = (text: string): SortKey[] =>
  text
    .split(',')
    .map((part) =>
      part.startsWith('-') ? { field: part.slice(1), descending: true } : { field: part, descending: false },
    )

/** Every direction of some sorts of one, two and three fields; the country can be unknown. */
const SORTS = [
  'country',
  'name',
  'createdAt',
  'country,name',
  'name,country',
  'country,createdAt,name',
  'name,country,createdAt',
  'createdAt,name,country',
]
  .map((text) => text.split(','))
  .flatMap((fields) =>
    Array.from({ length: 2 ** fields.length }, (_, bits) =>
      fields.map((field, index) => `${(bits >> index) & 1 ? '-' : ''}${field}`).join(','),
    ),
  )

/** The ids as Postgres orders them when it is told everything. */
async function expected(sort: readonly SortKey[]): Promise<string[]> {
  const columns: Readonly<Record<string, string>> = { createdAt: 'created_at' }
  const last = sort.at(-1)?.descending ? 'DESC' : 'ASC'
  const order = sort.map(
    ({ field, descending }) => `${columns[field] ?? field} ${descending ? 'DESC' : 'ASC'} NULLS LAST`,
  )
  const { rows } = await client.query<{ id: string }>(`SELECT id FROM studio ORDER BY ${order.join(', ')}, id ${last}`)
  return rows.map(({ id }) => id)
}

async function walk(
  sort: readonly SortKey[],
  direction: 'next' | 'previous',
  from: Position | undefined,
  limit: number,
) {
  const pages: string[][] = []
  let position = from
  let end: Position | undefined
  do {
    const page = await read(sort, position, limit)
    pages.push(page.rows.map(({ id }) => id))
    position = page[direction]
    end = page[direction === 'next' ? 'previous' : 'next'] ?? end
  } while (position !== undefined)
  return { ids: (direction === 'next' ? pages : pages.reverse()).flat(), end }
}

describe('a list', () => {
  it.each(SORTS)(
    'sorted by %s has every row once, forwards and backwards, whatever is equal or unknown',
    async (text) => {
      const sort = sortsOf(text)
      const whole = await expected(sort)
      expect(whole).toHaveLength(ROWS)
      for (const limit of [2, 7, ROWS - 1, ROWS]) {
        const forwards = await walk(sort, 'next', undefined, limit)
        expect(forwards.ids).toEqual(whole)
        if (forwards.end === undefined) continue
        // From the first row of the last page back to the beginning.
        const lastPage = whole.length % limit || limit
        expect((await walk(sort, 'previous', forwards.end, limit)).ids).toEqual(whole.slice(0, -lastPage))
      }
    },
  )

  it('shows each row that stays as it is once, while others come, go and move', async () => {
    const sort = sortsOf('-country,name')
    const before = await expected(sort)
    const seen: string[] = []
    let position: Position | undefined
    let gone: string | undefined
    let moved: string | undefined
    for (let number = 0; number === 0 || position !== undefined; number++) {
      const page = await read(sort, position, 4)
      seen.push(...page.rows.map(({ id }) => id))
      position = page.next
      if (number !== 1) continue
      // The very row that the cursor stands beside goes, another one moves behind it, and new ones come on both sides.
      gone = seen.at(-1)
      moved = seen[0]
      await client.query('DELETE FROM studio WHERE id = $1', [gone])
      await client.query("UPDATE studio SET country = NULL, name = 'Zoë' WHERE id = $1", [moved])
      await addStudios(ROWS + 1, ROWS + 8)
    }
    const stayed = before.filter((id) => id !== gone && id !== moved)
    expect(seen.filter((id) => stayed.includes(id))).toEqual(stayed)
    expect(seen.filter((id) => id === moved)).toHaveLength(2)
    expect(new Set(seen).size).toBe(seen.length - 1)
  })
})
