import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bindParameters, loadSavedQueries } from '../../../src/lake/athena/saved-queries.ts'
import { ensureLake, type LakeParts, lakeParts } from '../../../src/lake/lake-setup.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { testPlace } from '../lake-fixture.ts'
import { type OpenLake, openLake } from '../snapshot/test-lake.ts'
import { EXPECTED_NUMBERS, NUMBERS_SEED } from './expected-numbers.ts'

/** The numbers of each saved query, from a snapshot, against SQL over Postgres that was written from its description. */
const place = testPlace('numbers')
const saved = new Map(loadSavedQueries('snapshots').map((query) => [query.name, query]))

let database: TestDatabase
let client: pg.Client
let aws: TestAws
let open: OpenLake
let parts: LakeParts
/** The day of the snapshot's id in UTC, from which "days before the snapshot" count. */
let day: string

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  client = new pg.Client({ connectionString: database.url, options: '-c timezone=UTC -c datestyle=ISO' })
  await client.connect()
  await client.query(NUMBERS_SEED)
  await ensureLake(place, aws, { owned: true })
  parts = lakeParts(place, aws)
  const { credentials, dir, endpoint, region } = aws
  open = openLake({ databaseUrl: database.url, credentials, endpoint, region, bucket: place.bucket, publisherDir: dir })
  const { id } = await runSnapshot({ ...open.lake, publisher: parts.publisher })
  day = `${id.slice(0, 4)}-${id.slice(4, 6)}-${id.slice(6, 8)}`
})

afterAll(async () => {
  await open?.close()
  await client?.end()
  await Promise.all([database?.drop(), aws?.stop()])
})

describe('a saved query tells what Postgres tells', () => {
  const cases = EXPECTED_NUMBERS.flatMap(({ name, others, sql }) =>
    [{}, ...others].map((params) => [name, params, sql] as const),
  )
  it.each(cases)('%s %j', async (name, params, sql) => {
    const query = saved.get(name)
    if (query === undefined) throw new Error(`There is no saved query ${name}`)
    const defaults = Object.fromEntries(query.parameters.map((each) => [each.name, each.default]))
    const { rows: wanted } = await client.query<unknown[]>({
      text: sql({ ...defaults, ...params }, `DATE '${day}'`),
      rowMode: 'array',
    })
    const { run, rows } = await parts.runner.rows(query.sql, { name, parameters: bindParameters(query, params) })
    expect(run.problem).toBeNull()
    // An answer without rows would agree with anything.
    expect(wanted.length).toBeGreaterThan(0)
    expect(rows).toEqual(wanted)
  })

  it('and none is left out', () => {
    expect(EXPECTED_NUMBERS.map(({ name }) => name).sort()).toEqual([...saved.keys()].sort())
  })
})
