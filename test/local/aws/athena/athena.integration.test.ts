import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import {
  BatchGetQueryExecutionCommand,
  CreatePreparedStatementCommand,
  CreateWorkGroupCommand,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  GetQueryRuntimeStatisticsCommand,
  GetTableMetadataCommand,
  GetWorkGroupCommand,
  ListDatabasesCommand,
  ListQueryExecutionsCommand,
  StopQueryExecutionCommand,
  UpdateWorkGroupCommand,
} from '@aws-sdk/client-athena'
import { GetTableCommand } from '@aws-sdk/client-glue'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestAws, type TestAws } from '../../../support/local-aws.ts'
import { ended, OUTPUT, reason, run, start } from './athena-client.ts'

/** A query that takes minutes when nobody stops it. */
const LONG =
  'SELECT count(*) FROM UNNEST(sequence(1, 10000)) a(x) CROSS JOIN UNNEST(sequence(1, 10000)) b(y) CROSS JOIN UNNEST(sequence(1, 1000)) c(z) WHERE x * y % 7 = z % 5'

let aws: TestAws
const sql = (text: string) => run(aws.athena, text)
const rows = async (text: string) => {
  const result = await sql(text)
  expect(reason(result)).toBe('SUCCEEDED')
  return result.rows
}

async function parquet(select: string): Promise<Buffer> {
  const file = `${aws.dir}/made-${Math.random()}.parquet`
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  await connection.run(`COPY (${select}) TO '${file}' (FORMAT parquet)`)
  connection.closeSync()
  instance.closeSync()
  return readFileSync(file)
}

const put = async (Key: string, select: string) =>
  aws.s3.send(new PutObjectCommand({ Bucket: 'lake', Key, Body: await parquet(select) }))

beforeAll(async () => {
  aws = await startTestAws()
  for (const Bucket of ['results', 'lake']) await aws.s3.send(new CreateBucketCommand({ Bucket }))
  await rows('CREATE DATABASE IF NOT EXISTS games')
  await put(
    'players/d=2026-01-01/a.parquet',
    "SELECT 1::INT AS id, 'Ann' AS name, {'city': 'Bonn', 'zip': 53111} AS home",
  )
  await put('players/d=2026-01-02/a.parquet', "SELECT 'Bo' AS name, 2::INT AS id")
  await put('players/d=2026-01-02/_hidden.parquet', "SELECT 'No' AS name, 9::INT AS id")
  await put('players/d=2026-01-03/a.parquet', "SELECT 3::INT AS id, 'unregistered' AS name")
  await rows(`CREATE EXTERNAL TABLE \`games\`.\`players\` (\`id\` bigint COMMENT 'the "id", as (given)', name string, home struct<city:string,zip:int>, \`later\` decimal(10,2))
    COMMENT 'who plays' PARTITIONED BY (d string) STORED AS PARQUET LOCATION 's3://lake/players/' TBLPROPERTIES ('classification'='parquet', 'note'='it''s')`)
  await rows(
    "ALTER TABLE players ADD IF NOT EXISTS PARTITION (d='2026-01-01') PARTITION (d='2026-01-02') LOCATION 's3://lake/players/d=2026-01-02/'",
  )
})
afterAll(() => aws.stop())

describe('tables', () => {
  it('are read by column name, cast to the catalogue type, missing columns NULL, registered partitions only', async () => {
    expect(await rows('SELECT id, name, home, later, d, "$path" FROM players ORDER BY id')).toEqual([
      ['id', 'name', 'home', 'later', 'd', '$path'],
      ['1', 'Ann', '{city=Bonn, zip=53111}', undefined, '2026-01-01', 's3://lake/players/d=2026-01-01/a.parquet'],
      ['2', 'Bo', undefined, undefined, '2026-01-02', 's3://lake/players/d=2026-01-02/a.parquet'],
    ])
    expect(
      await rows("SELECT count(*) AS n, typeof(max(id)) AS t FROM awsdatacatalog.games.players WHERE d = '2026-01-02'"),
    ).toEqual([
      ['n', 't'],
      ['1', 'bigint'],
    ])
    expect(await rows('SELECT * FROM "players$partitions" ORDER BY 1')).toEqual([['d'], ['2026-01-01'], ['2026-01-02']])
  })

  it('made by SQL stand in Glue as written', async () => {
    const { Table } = await aws.glue.send(new GetTableCommand({ DatabaseName: 'games', Name: 'players' }))
    expect(Table?.StorageDescriptor?.Columns?.map((c) => [c.Name, c.Type])).toEqual([
      ['id', 'bigint'],
      ['name', 'string'],
      ['home', 'struct<city:string,zip:int>'],
      ['later', 'decimal(10,2)'],
    ])
    expect(Table?.StorageDescriptor?.Columns?.[0]?.Comment).toBe('the "id", as (given)')
    expect(Table?.Parameters).toMatchObject({
      EXTERNAL: 'TRUE',
      classification: 'parquet',
      note: "it's",
      comment: 'who plays',
    })
    expect(Table?.StorageDescriptor?.SerdeInfo?.SerializationLibrary).toContain('ParquetHiveSerDe')
  })

  it('are told about by SHOW, DESCRIBE, information_schema and the metadata calls', async () => {
    expect(await rows('SHOW TABLES')).toContainEqual(['players'])
    expect(await rows("SHOW TABLES IN games 'play*'")).toEqual([['players']])
    expect(await rows('SHOW PARTITIONS players')).toEqual([['d=2026-01-01'], ['d=2026-01-02']])
    expect((await rows('DESCRIBE players')).map((r) => r[0]?.split('\t')[0]?.trim()).slice(0, 5)).toEqual([
      'id',
      'name',
      'home',
      'later',
      'd',
    ])
    expect((await rows('SHOW CREATE TABLE players')).flat().join('\n')).toContain('PARTITIONED BY')
    expect(
      await rows(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'players' ORDER BY ordinal_position LIMIT 3",
      ),
    ).toEqual([
      ['column_name', 'data_type'],
      ['id', 'bigint'],
      ['name', 'varchar'],
      ['home', 'row(city varchar, zip integer)'],
    ])
    const { DatabaseList } = await aws.athena.send(new ListDatabasesCommand({ CatalogName: 'AwsDataCatalog' }))
    expect(DatabaseList?.map((d) => d.Name)).toContain('games')
    await expect(
      aws.athena.send(
        new GetTableMetadataCommand({ CatalogName: 'AwsDataCatalog', DatabaseName: 'games', TableName: 'none' }),
      ),
    ).rejects.toThrow(/Error Code: EntityNotFoundException/)
  })

  it('take partitions from MSCK REPAIR TABLE and lose them by ALTER TABLE', async () => {
    await rows(
      "CREATE EXTERNAL TABLE other (id int) PARTITIONED BY (d string) STORED AS PARQUET LOCATION 's3://lake/players'",
    )
    expect((await rows('MSCK REPAIR TABLE other')).flat()).toContain(
      'Repair: Added partition to metastore other:d=2026-01-03',
    )
    expect(await rows('SELECT count(*) AS n FROM other')).toEqual([['n'], ['3']])
    await rows("ALTER TABLE other DROP PARTITION (d='2026-01-03')")
    await rows('ALTER TABLE other ADD COLUMNS (name string)')
    expect(await rows('SELECT max(name) AS n FROM other')).toEqual([['n'], ['Bo']])
    await rows('DROP TABLE other')
    expect(reason(await sql('SELECT 1 FROM other'))).toMatch(/^TABLE_NOT_FOUND: /)
  })
})

describe('views', () => {
  it('expand recursively, keep Trino types and refuse a cycle', async () => {
    await rows(
      "CREATE OR REPLACE VIEW games.latest AS SELECT id, name, CAST(1.5 AS decimal(5,2)) AS price FROM games.players WHERE d IN ('2026-01-02')",
    )
    await rows('CREATE VIEW twice AS SELECT id * 2 AS id, price FROM latest')
    expect(await rows('SELECT * FROM twice')).toEqual([
      ['id', 'price'],
      ['4', '1.50'],
    ])
    expect(reason(await sql('CREATE VIEW twice AS SELECT 1 AS x'))).toMatch(/^ALREADY_EXISTS: /)
    await rows(
      'CREATE OR REPLACE VIEW latest AS SELECT id, CAST(2.5 AS decimal(5,2)) AS price FROM players WHERE id = 1',
    )
    expect(await rows('SELECT * FROM twice')).toEqual([
      ['id', 'price'],
      ['2', '2.50'],
    ])
    await sql('CREATE OR REPLACE VIEW latest AS SELECT id, price FROM twice')
    expect(reason(await sql('SELECT * FROM latest'))).toMatch(/^VIEW_IS_(?:RECURSIVE|STALE): /)
    await rows('DROP VIEW twice')
    await rows('DROP VIEW IF EXISTS twice')
  })
})

describe('results', () => {
  it('come in pages, the header first, NULL without a value, and lie as CSV in S3', async () => {
    const id = await start(
      aws.athena,
      "SELECT x, IF(x = 2, NULL, 'a \"b\", c' || chr(10) || 'd') AS t FROM UNNEST(sequence(1, 2500)) u(x) ORDER BY x",
    )
    await ended(aws.athena, id)
    const first = await aws.athena.send(new GetQueryResultsCommand({ QueryExecutionId: id }))
    expect(first.ResultSet?.Rows).toHaveLength(1000)
    expect(first.ResultSet?.Rows?.[0]?.Data).toEqual([{ VarCharValue: 'x' }, { VarCharValue: 't' }])
    expect(first.ResultSet?.Rows?.[1]?.Data).toEqual([{ VarCharValue: '1' }, { VarCharValue: 'a "b", c\nd' }])
    expect(first.ResultSet?.Rows?.[2]?.Data).toEqual([{ VarCharValue: '2' }, {}])
    expect(first.ResultSet?.ResultSetMetadata?.ColumnInfo?.map((c) => c.Type)).toEqual(['bigint', 'varchar'])
    let page = first
    let count = 1000
    while (page.NextToken !== undefined) {
      page = await aws.athena.send(new GetQueryResultsCommand({ QueryExecutionId: id, NextToken: page.NextToken }))
      count += page.ResultSet!.Rows!.length
    }
    expect(count).toBe(2501)
    const object = await aws.s3.send(new GetObjectCommand({ Bucket: 'results', Key: `athena/${id}.csv` }))
    expect((await object.Body!.transformToString()).slice(0, 40)).toBe('"x","t"\n"1","a ""b"", c\nd"\n"2",\n"3","a "')
    const statistics = await aws.athena.send(new GetQueryRuntimeStatisticsCommand({ QueryExecutionId: id }))
    expect(statistics.QueryRuntimeStatistics?.Rows?.OutputRows).toBe(2500)
  })

  it('are made once for one token, newest first in the list', async () => {
    const token = 'a-token-of-at-least-thirty-two-characters'
    const [a, b] = [
      await start(aws.athena, 'SELECT 1', { ClientRequestToken: token }),
      await start(aws.athena, 'SELECT 1', { ClientRequestToken: token }),
    ]
    expect(b).toBe(a)
    await expect(start(aws.athena, 'SELECT 2', { ClientRequestToken: token })).rejects.toThrow(/Idempotent/)
    const { QueryExecutionIds } = await aws.athena.send(new ListQueryExecutionsCommand({ MaxResults: 1 }))
    expect(QueryExecutionIds).toEqual([a])
    const batch = await aws.athena.send(new BatchGetQueryExecutionCommand({ QueryExecutionIds: [a, 'none'] }))
    expect([batch.QueryExecutions?.length, batch.UnprocessedQueryExecutionIds?.length]).toEqual([1, 1])
  })
})

describe('prepared statements', () => {
  it('take parameters from USING and from the call', async () => {
    await rows('PREPARE by_id FROM SELECT name FROM players WHERE id = ? AND name <> ?')
    expect(await rows("EXECUTE by_id USING 2, 'x'")).toEqual([['name'], ['Bo']])
    await aws.athena.send(
      new CreatePreparedStatementCommand({
        WorkGroup: 'primary',
        StatementName: 'sum2',
        QueryStatement: 'SELECT ? + ? AS s',
      }),
    )
    expect((await run(aws.athena, 'EXECUTE sum2', { ExecutionParameters: ['1', '2'] })).rows).toEqual([['s'], ['3']])
    expect(
      (await run(aws.athena, 'SELECT name FROM players WHERE name = ?', { ExecutionParameters: ["'Ann'"] })).rows,
    ).toEqual([['name'], ['Ann']])
    await rows('DEALLOCATE PREPARE by_id')
    expect(reason(await sql('EXECUTE by_id USING 1, 2'))).toMatch(/^NOT_FOUND: /)
  })
})

describe('work groups', () => {
  it('enforce their output, refuse while disabled and cut off what scans too much', async () => {
    await aws.athena.send(
      new CreateWorkGroupCommand({
        Name: 'strict',
        Configuration: {
          EnforceWorkGroupConfiguration: true,
          ResultConfiguration: { OutputLocation: 's3://results/strict/' },
          BytesScannedCutoffPerQuery: 10_000_000,
        },
      }),
    )
    const one = await run(aws.athena, 'SELECT 1', { WorkGroup: 'strict' })
    expect(one.execution.ResultConfiguration?.OutputLocation).toMatch(/^s3:\/\/results\/strict\//)
    await put('big/a.parquet', 'SELECT i, md5(i::VARCHAR) || md5((i + 1)::VARCHAR) AS t FROM range(400000) r(i)')
    await rows("CREATE EXTERNAL TABLE big (i bigint, t string) STORED AS PARQUET LOCATION 's3://lake/big/'")
    const cut = await run(aws.athena, 'SELECT count(*) FROM big', { WorkGroup: 'strict' })
    expect([cut.execution.Status?.State, reason(cut)]).toEqual([
      'CANCELLED',
      'Query cancelled! : Bytes scanned limit was exceeded',
    ])
    await aws.athena.send(new UpdateWorkGroupCommand({ WorkGroup: 'strict', State: 'DISABLED' }))
    await expect(start(aws.athena, 'SELECT 1', { WorkGroup: 'strict' })).rejects.toThrow(/disabled/)
    const { WorkGroup } = await aws.athena.send(new GetWorkGroupCommand({ WorkGroup: 'primary' }))
    expect(WorkGroup?.State).toBe('ENABLED')
  })
})

describe('stopping', () => {
  it('holds at any moment and leaves no slot taken', async () => {
    const ids: string[] = []
    for (let i = 0; i < 10; i++) {
      const id = await start(aws.athena, LONG)
      await aws.athena.send(new StopQueryExecutionCommand({ QueryExecutionId: id }))
      ids.push(id)
    }
    expect(new Set(await Promise.all(ids.map(async (id) => (await ended(aws.athena, id)).Status?.State)))).toEqual(
      new Set(['CANCELLED']),
    )
    expect(await rows('SELECT 1 AS x')).toEqual([['x'], ['1']])
    expect((await ended(aws.athena, ids[0]!)).Status?.State).toBe('CANCELLED')
  })

  it('reaches a query that has been running', async () => {
    const id = await start(aws.athena, LONG)
    for (;;) {
      const { QueryExecution } = await aws.athena.send(new GetQueryExecutionCommand({ QueryExecutionId: id }))
      if (QueryExecution?.Status?.State === 'RUNNING') break
    }
    await aws.athena.send(new StopQueryExecutionCommand({ QueryExecutionId: id }))
    expect((await ended(aws.athena, id)).Status?.State).toBe('CANCELLED')
    expect(await rows('SELECT 2 AS x')).toEqual([['x'], ['2']])
  })
})

describe('the query engine', () => {
  it.skipIf(process.platform !== 'linux')('may crash under a query: that one fails, the next works', async () => {
    const children = () =>
      readFileSync(`/proc/${aws.pid}/task/${aws.pid}/children`, 'utf8')
        .split(' ')
        .filter((p) => p !== '')
        .map(Number)
    const id = await start(aws.athena, LONG)
    for (;;) {
      const { QueryExecution } = await aws.athena.send(new GetQueryExecutionCommand({ QueryExecutionId: id }))
      if (QueryExecution?.Status?.State === 'RUNNING' && children().length > 0) break
    }
    const killed = children()
    for (const pid of killed) process.kill(pid, 'SIGKILL')
    // Also those that ran nothing: until the endpoint has seen their end it may give them the next query.
    while (children().some((pid) => killed.includes(pid))) await delay(10)
    const execution = await ended(aws.athena, id)
    expect([execution.Status?.State, execution.Status?.StateChangeReason]).toEqual([
      'FAILED',
      expect.stringMatching(/^EXHAUSTED_RESOURCES: /),
    ])
    expect(await rows('SELECT 3 AS x')).toEqual([['x'], ['3']])
  })
})

describe('statements that come later', () => {
  it.each([
    'CREATE TABLE x AS SELECT 1 AS a',
    'INSERT INTO players VALUES (1)',
    "UNLOAD (SELECT 1) TO 's3://lake/u/' WITH (format = 'PARQUET')",
  ])('are refused by name: %s', async (text) => {
    expect(reason(await sql(text))).toMatch(/^NOT_SUPPORTED: /)
  })
})

describe('restart', () => {
  it('keeps executions, results and work groups; what ran is FAILED', async () => {
    const done = await run(aws.athena, 'SELECT 7 AS x')
    const cut = await start(aws.athena, LONG)
    await aws.kill()
    aws = await startTestAws(aws.dir)
    const id = done.execution.QueryExecutionId!
    const page = await aws.athena.send(new GetQueryResultsCommand({ QueryExecutionId: id }))
    expect(page.ResultSet?.Rows?.map((r) => r.Data?.[0]?.VarCharValue)).toEqual(['x', '7'])
    expect((await ended(aws.athena, cut)).Status?.State).toBe('FAILED')
    expect(await rows('SELECT count(*) AS n FROM players')).toEqual([['n'], ['2']])
    expect(OUTPUT).toBe('s3://results/athena/')
  })
})
