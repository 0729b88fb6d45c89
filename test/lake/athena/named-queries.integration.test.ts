import {
  BatchGetNamedQueryCommand,
  CreateNamedQueryCommand,
  ListNamedQueriesCommand,
  type NamedQuery,
  UpdateNamedQueryCommand,
} from '@aws-sdk/client-athena'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureNamedQueries } from '../../../src/lake/athena/named-queries.ts'
import { editorText } from '../../../src/lake/athena/named-query-text.ts'
import { loadSavedQueries, parseSavedQuery } from '../../../src/lake/athena/saved-queries.ts'
import { ensureLake } from '../../../src/lake/lake-setup.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { testPlace } from '../lake-fixture.ts'

const place = testPlace('named')
const saved = loadSavedQueries('snapshots')
const curated = loadSavedQueries('curated')

let aws: TestAws

beforeAll(async () => {
  aws = await startTestAws()
})

afterAll(() => aws?.stop())

/** What the console lists of a database, by name. */
async function listed(database = place.database): Promise<NamedQuery[]> {
  const { NamedQueryIds } = await aws.athena.send(
    new ListNamedQueriesCommand({ WorkGroup: place.workgroup, MaxResults: 50 }),
  )
  if (!NamedQueryIds?.length) return []
  const { NamedQueries = [] } = await aws.athena.send(new BatchGetNamedQueryCommand({ NamedQueryIds }))
  return NamedQueries.filter(({ Database }) => Database === database).sort((a, b) =>
    `${a.Name}` < `${b.Name}` ? -1 : 1,
  )
}

describe('the saved queries in the console of Athena', () => {
  it('are there once the lake is set up, each under its name, and once only', async () => {
    await Promise.all([1, 2, 3].map(() => ensureLake(place, aws, { owned: true })))
    expect(await ensureLake(place, aws, { owned: true })).toEqual({ created: [], differing: [] })
    const found = await listed()
    expect(found.map((each) => each.Name)).toEqual(saved.map((query) => query.name))
    for (const [i, query] of saved.entries()) {
      expect(found[i]).toMatchObject({ Database: place.database, QueryString: editorText(query) })
      expect(found[i]?.Description).toContain(query.description)
    }
    // Those of the curated tables are found in the database that they read.
    const others = await listed(place.curatedDatabase)
    expect(others.map((each) => [each.Name, each.QueryString])).toEqual(curated.map((q) => [q.name, editorText(q)]))
  })

  it('run as they stand: values take the places of parameters, and the head says which', () => {
    const query = saved.find(({ name }) => name === 'registrations-per-day')
    const text = query ? editorText(query) : ''
    expect(text).toContain('-- days = 30: Days before the snapshot\nSELECT')
    expect(text).toContain(`date_add('day', -1 * 30, `)
    expect(text).not.toContain(':days')
  })

  it('follow a changed text, go when they are given up, and leave those of others alone', async () => {
    const other = { WorkGroup: place.workgroup, Database: place.database, QueryString: 'SELECT 1' }
    await aws.athena.send(new CreateNamedQueryCommand({ ...other, Name: 'library-sources', Description: 'mine' }))
    const changed = parseSavedQuery('active-players', '-- @title A\n-- @description B\nSELECT 2')
    const given = saved
      .filter(({ name }) => name !== 'active-players')
      .map(({ name }) => `saved query ${name}: removed`)
    expect((await ensureNamedQueries(aws.athena, place, [changed])).sort()).toEqual(
      ['saved query active-players: its text', ...given].sort(),
    )
    expect((await listed()).map(({ Name, QueryString }) => [Name, QueryString])).toEqual([
      ['active-players', '-- A\n-- B\nSELECT 2'],
      ['library-sources', 'SELECT 1'],
    ])
    await ensureNamedQueries(aws.athena, place, saved)
    expect(await listed()).toHaveLength(saved.length + 1)
  })

  it('get their text back where somebody has edited them', async () => {
    const found = (await listed()).find(({ Name }) => Name === 'changes-per-day')
    await aws.athena.send(
      new UpdateNamedQueryCommand({
        ...{ NamedQueryId: found?.NamedQueryId, Name: 'changes-per-day', Description: found?.Description },
        QueryString: 'SELECT 3',
      }),
    )
    expect(await ensureNamedQueries(aws.athena, place, saved)).toEqual(['saved query changes-per-day: its text'])
    expect((await listed()).find(({ Name }) => Name === 'changes-per-day')?.QueryString).toBe(found?.QueryString)
  })
})
