import { inspect } from 'node:util'
import { GetQueryExecutionCommand, ListQueryExecutionsCommand } from '@aws-sdk/client-athena'
import { GetCrawlerCommand, GetDatabasesCommand, GetPartitionsCommand, GetTablesCommand } from '@aws-sdk/client-glue'
import { GetObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3'
import { parquetMetadata } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describe as describeError } from '../../src/errors.ts'
import { contracts, type TableContract } from '../../src/lake/contract.ts'
import { datasets, type TableName } from '../../src/lake/datasets.ts'
import { ensureLake, type LakeParts, lakeParts } from '../../src/lake/lake-setup.ts'
import { codec } from '../../src/lake/parquet/codecs.ts'
import { recoverSnapshots } from '../../src/lake/snapshot/recover.ts'
import { retainSnapshots } from '../../src/lake/snapshot/retention.ts'
import { runSnapshot } from '../../src/lake/snapshot/run.ts'
import { verifySnapshots } from '../../src/lake/snapshot/verify.ts'
import { createLogger } from '../../src/logger.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startTestAws, type TestAws } from '../support/local-aws.ts'
import { testPlace } from './lake-fixture.ts'
import { pseudonym } from './parquet/edge-files.ts'
import { idNeedles, markEverything, markerNeedles, withheldColumns } from './personal-markers.ts'
import { seedAccounts } from './snapshot/seed.ts'
import { type OpenLake, openLake, TEST_SETTINGS } from './snapshot/test-lake.ts'

const place = testPlace('personal')
const PLAYERS = 40

let database: TestDatabase
let client: pg.Client
let aws: TestAws
let open: OpenLake
let parts: LakeParts
let lake: OpenLake['lake']
let markedColumns: string[]
let persons: string[]
/** What was logged, told as progress, or thrown. */
const said: string[] = []

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, PLAYERS)
  client = new pg.Client({ connectionString: database.url, options: '-c timezone=UTC' })
  await client.connect()
  await client.query(`SET session_replication_role = replica;
    INSERT INTO player_identity (id, player_id, provider, subject, linked_at) SELECT gen_random_uuid(), id, 'epic', username, now() FROM player;
    INSERT INTO audit_event (actor_type, actor_id, request_id, action, entity_type, entity_id, reason, changes)
    SELECT 'user', o.id::text, p.id::text, 'player.update', 'player', p.id::text, 'x', '{}' FROM player p, (SELECT id FROM studio_owner LIMIT 1) o;
    INSERT INTO audit_event (actor_type, actor_id, request_id, action, entity_type, entity_id)
    SELECT 'api_key', 'key', 'req_1', 'owner.update', 'owner', id::text FROM studio_owner`)
  markedColumns = await markEverything(client)
  const { rows } = await client.query<{ id: string }>('SELECT id FROM player UNION ALL SELECT id FROM studio_owner')
  persons = rows.map(({ id }) => id)
  await ensureLake(place, aws, { owned: true })
  parts = lakeParts(place, aws)
  const { credentials, dir, endpoint, region } = aws
  open = openLake({ databaseUrl: database.url, credentials, endpoint, region, bucket: place.bucket, publisherDir: dir })
  const logger = createLogger({ level: 'trace', destination: { write: (line) => said.push(line) } })
  lake = { ...open.lake, publisher: parts.publisher, logger }
})

afterAll(async () => {
  await open?.close()
  await client?.end()
  await Promise.all([database?.drop(), aws?.stop()])
})

/** Everything in a bucket, keys included. */
async function objects(Bucket: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>()
  for await (const page of paginateListObjectsV2({ client: aws.s3 }, { Bucket })) {
    for (const { Key = '' } of page.Contents ?? []) {
      const { Body, Metadata } = await aws.s3.send(new GetObjectCommand({ Bucket, Key }))
      const bytes = Buffer.from((await Body?.transformToByteArray()) ?? [])
      found.set(Key, Buffer.concat([Buffer.from(`${Key}\n${JSON.stringify(Metadata)}\n`), bytes]))
    }
  }
  return found
}

/** All pages of a Parquet file as they were before compression: levels, dictionaries, values. */
function decompressedPages(object: Buffer): Buffer {
  const file = object.subarray(object.indexOf('PAR1'))
  const bytes = file.buffer.slice(file.byteOffset, file.byteOffset + file.length) as ArrayBuffer
  const pages: Buffer[] = []
  for (const group of parquetMetadata(bytes).row_groups) {
    for (const { meta_data: chunk } of group.columns) {
      if (chunk === undefined) throw new Error('a column chunk has no metadata')
      let at = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset)
      const end = at + Number(chunk.total_compressed_size)
      while (at < end) {
        const reader = { view: new DataView(bytes, at, end - at), offset: 0 }
        const header = parquetHeader(reader)
        at += reader.offset
        const body = codec('zstd').decompress(file.subarray(at, at + header.compressed_page_size))
        expect(body.length).toBe(header.uncompressed_page_size)
        pages.push(Buffer.from(body))
        at += header.compressed_page_size
      }
    }
  }
  return Buffer.concat(pages)
}

async function glue(): Promise<string> {
  const answers: unknown[] = [await aws.glue.send(new GetDatabasesCommand({}))]
  answers.push(await aws.glue.send(new GetCrawlerCommand({ Name: place.crawler })))
  for (const DatabaseName of [place.rawDatabase, place.database]) {
    const { TableList = [] } = await aws.glue.send(new GetTablesCommand({ DatabaseName }))
    answers.push(TableList)
    for (const { Name, PartitionKeys } of TableList) {
      if (!PartitionKeys?.length) continue
      answers.push(await aws.glue.send(new GetPartitionsCommand({ DatabaseName, TableName: Name })))
    }
  }
  return JSON.stringify(answers)
}

async function queryRuns(): Promise<string> {
  const { QueryExecutionIds = [] } = await aws.athena.send(
    new ListQueryExecutionsCommand({ WorkGroup: place.workgroup, MaxResults: 50 }),
  )
  const runs = QueryExecutionIds.map((QueryExecutionId) =>
    aws.athena.send(new GetQueryExecutionCommand({ QueryExecutionId })),
  )
  return JSON.stringify(await Promise.all(runs))
}

async function controlRows(): Promise<string> {
  const names = (Object.keys(datasets) as TableName[]).filter((name) => name.startsWith('lake_'))
  const texts: string[] = []
  for (const name of names) {
    const { rows } = await client.query<{ text: string }>(`SELECT row_to_json(t)::text AS text FROM ${name} t`)
    texts.push(...rows.map((row) => row.text))
  }
  return texts.join('\n')
}

/** What analysts get: every row of every view, as results in S3. */
async function readAllViews(): Promise<void> {
  for (const { lakeTable } of contracts) {
    for (const view of ['latest', 'daily']) {
      const { run } = await parts.runner.rows(`SELECT * FROM ${place.database}.${lakeTable}_${view} LIMIT 500`)
      expect(run.problem).toBeNull()
    }
  }
}

/** Every place where something of a snapshot is, by name. */
async function places(): Promise<Map<string, Buffer>> {
  const found = await objects(place.bucket)
  for (const [key, object] of [...found]) {
    if (key.endsWith('.parquet')) found.set(`${key}, decompressed`, decompressedPages(object))
  }
  for (const [key, object] of await objects(new URL(place.resultsUri).host)) found.set(`results/${key}`, object)
  const texts = {
    'control rows': await controlRows(),
    Glue: await glue(),
    'query runs': await queryRuns(),
    said: said.join('\n'),
  }
  for (const [name, text] of Object.entries(texts)) found.set(name, Buffer.from(text))
  return found
}

/** What of the needles is in which place. */
function search(haystacks: ReadonlyMap<string, Buffer>, needles: ReadonlyMap<string, Buffer>): string[] {
  return [...haystacks].flatMap(([name, bytes]) =>
    [...needles].filter(([, needle]) => bytes.includes(needle)).map(([what]) => `${what} in ${name}`),
  )
}

const needles = () =>
  new Map<string, Buffer>([
    ...markerNeedles(),
    ...persons.flatMap((id) => idNeedles(id).map((form, i): [string, Buffer] => [`a person's id in form ${i}`, form])),
  ])

const note = (event: unknown) => void said.push(JSON.stringify(event))

async function failing(contract: TableContract): Promise<unknown> {
  const mine = contracts.map((each) => (each.table === contract.table ? contract : each))
  const error = await runSnapshot({ ...lake, contracts: mine }, { progress: note }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeDefined()
  // What the command line prints and what a log line of an error holds.
  said.push(describeError(error), inspect(error, { depth: 8 }))
  lake.logger.error({ err: error }, 'the snapshot failed')
  return error
}

describe('lake 27: search logs, manifest, file metadata and Parquet for seeded e-mails, names and person ids', () => {
  test('lake 27: every personal and every secret column of the database is marked', () => {
    const textual = (Object.keys(datasets) as TableName[]).flatMap((table) =>
      withheldColumns(table).map((column) => `${table}.${column}`),
    )
    // Numbers and ids by themselves: nothing to look for.
    expect(textual.filter((name) => !markedColumns.includes(name))).toEqual([
      'studio_membership.ownership_percent',
      'player_identity.id',
    ])
    expect(markedColumns).toEqual(
      expect.arrayContaining(['player.email', 'studio_owner.full_name', 'api_key.secret_hash', 'audit_event.changes']),
    )
  })

  test('lake 27: search logs, manifest, file metadata and Parquet for seeded e-mails, names and person ids → none', async () => {
    const { id } = await runSnapshot(lake, { progress: note })
    expect((await verifySnapshots(lake, { all: true, deep: true })).findings).toEqual([])
    await runSnapshot(lake, { progress: note })
    await recoverSnapshots(lake)
    await retainSnapshots(lake, {})
    await readAllViews()
    const haystacks = await places()
    const names = [...haystacks.keys()]
    expect(names.filter((name) => name.endsWith('.parquet, decompressed'))).toHaveLength(2 * contracts.length)
    expect(names.filter((name) => name.startsWith('results/')).length).toBeGreaterThanOrEqual(2 * contracts.length)
    expect(names).toContain(`lake-meta/v1/manifests/${id}.json`)
    expect(search(haystacks, needles())).toEqual([])
    // The search finds what is there: exported values in each kind of place, and a pseudonym where the id would be.
    const there = (text: string) => search(haystacks, new Map([['it', Buffer.from(text)]])).join('\n')
    expect(there('Studio 7')).toMatch(/studios\/.*, decompressed/)
    expect(there('Studio 7')).toContain('results/')
    expect(there('player_ref')).toContain('Glue')
    expect(there(id)).toContain('said')
    expect(there(pseudonym(persons[0] ?? '', TEST_SETTINGS.pseudonymKey))).toMatch(/players\/.*, decompressed/)
  })

  test('lake 27: … → none; the same person has one player_ref in all tables', async () => {
    const refs = async (table: string, column: string, where = 'true') => {
      const sql = `SELECT DISTINCT ${column} FROM ${place.database}.${table}_latest WHERE ${where} AND ${column} IS NOT NULL`
      return (await parts.runner.rows(sql)).rows.map(([ref]) => String(ref)).sort()
    }
    const { rows } = await client.query<{ id: string }>('SELECT id FROM player')
    const wanted = rows.map(({ id }) => pseudonym(id, TEST_SETTINGS.pseudonymKey)).sort()
    expect(new Set(wanted).size).toBe(PLAYERS)
    expect(await refs('players', 'player_ref')).toEqual(wanted)
    expect(await refs('player_identities', 'player_ref')).toEqual(wanted)
    expect(await refs('player_games', 'player_ref')).toEqual(wanted)
    expect(await refs('audit_events', 'entity_ref', `entity_type = 'player'`)).toEqual(wanted)
    const owners = await refs('studio_owners', 'owner_ref')
    expect(await refs('studio_memberships', 'owner_ref')).toEqual(owners)
    expect(await refs('audit_events', 'entity_ref', `entity_type = 'owner'`)).toEqual(owners)
    const [actor] = await refs('audit_events', 'actor_ref')
    expect(owners).toContain(actor)
  })

  test('lake 27: error texts of failed runs hold no value of a row', async () => {
    const players = contracts.find((each) => each.table === 'player') as TableContract
    const sabotaged = (sql: string): TableContract => ({
      ...players,
      columns: players.columns.map((column) =>
        column.name === 'status' ? { ...column, sql, pgType: 'text' } : column,
      ),
    })
    // Postgres's own sentence quotes the value: invalid input syntax for type integer: "…".
    for (const sql of [
      'username::integer::text',
      `(email || '')::date::text`,
      'id::text::integer::text',
      `(1 / (version - version))::text`,
    ]) {
      expect(await failing(sabotaged(sql))).toMatchObject({ code: 'copy_failed' })
    }
    expect(search(await places(), needles())).toEqual([])
  })

  test('lake 27: of a row that stops a snapshot the key is told, in the row of the snapshot and to who ran it, and nowhere else', async () => {
    const { rows } = await client.query<{ id: string }>(
      `UPDATE player SET closed_at = 'infinity' WHERE id = (SELECT id FROM player LIMIT 1) RETURNING id`,
    )
    const [{ id } = { id: '' }] = rows
    const before = said.length
    const error = await runSnapshot(lake, { progress: note }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'unrepresentable_value', facts: { primaryKey: `id=${id}` } })
    expect(said.slice(before).join('\n')).not.toContain(id)
    expect(said.slice(before).join('\n')).toContain(
      'player.closed_at of the row (its key is in the problem of the snapshot) cannot',
    )
    const key = new Map(idNeedles(id).map((form, i): [string, Buffer] => [`form ${i}`, form]))
    expect(search(await places(), key)).toEqual(['form 0 in control rows'])
    const { rows: told } = await client.query(
      `SELECT id FROM lake_snapshots WHERE problem::text LIKE '%' || $1 || '%'`,
      [id],
    )
    expect(told).toHaveLength(1)
    expect(search(await places(), markerNeedles())).toEqual([])
  })
})
