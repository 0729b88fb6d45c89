import { CreateBucketCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestAws, type TestAws } from '../../../support/local-aws.ts'
import { reason, run } from './athena-client.ts'

/** Ways from SQL to the machine. Each must fail by name, and none may tell where files lie. */
const ATTACKS = [
  "SELECT * FROM read_csv('/etc/passwd')",
  "SELECT * FROM read_text('/etc/passwd')",
  "SELECT read_text('/etc/passwd')",
  "SELECT content FROM read_blob('/etc/hostname')",
  "SELECT * FROM read_parquet('/tmp/x.parquet')",
  "SELECT * FROM parquet_metadata('/tmp/x.parquet')",
  "SELECT * FROM glob('/*')",
  "SELECT * FROM '/etc/passwd'",
  'SELECT * FROM "/etc/passwd"',
  "COPY (SELECT 1) TO '/tmp/leak.csv'",
  "COPY players FROM '/etc/passwd'",
  "ATTACH '/tmp/x.db' AS x",
  "ATTACH ':memory:' AS x",
  'INSTALL httpfs',
  'LOAD httpfs',
  "EXPORT DATABASE '/tmp/x'",
  "IMPORT DATABASE '/tmp/x'",
  'SET enable_external_access=true',
  'SET x=1',
  'RESET lock_configuration',
  'PRAGMA database_list',
  'CALL pragma_version()',
  'SELECT * FROM duckdb_settings()',
  'SELECT * FROM duckdb_tables()',
  'SELECT * FROM pragma_database_list()',
  "SELECT getenv('HOME')",
  "SELECT current_setting('temp_directory')",
  "SELECT getvariable('x')",
  'SELECT 1; SELECT 2',
  "SELECT 1; COPY (SELECT 1) TO '/tmp/leak.csv'",
  'CREATE TABLE x AS SELECT 1',
  'CREATE MACRO f(a) AS a',
  "SELECT * FROM query('SELECT 1')",
  "SELECT * FROM query_table('x')",
  "SELECT * FROM json_execute_serialized_sql('{}')",
  'SELECT trino_0_fail(1)',
  'SELECT * FROM sqlite_master',
  'SELECT * FROM main.t0',
  'SELECT * FROM system.information_schema.tables',
  "SELECT * FROM (FROM read_csv('/etc/passwd'))",
  'VALUES (1) ; INSTALL x',
  'SELECT 1 AS x FROM range(3)',
  'SELECT struct_pack(a := 1)',
  "SELECT '1'::integer",
  "SELECT {'a': 1}",
  "SELECT 'a' ILIKE 'A'",
  'SELECT * EXCLUDE (a) FROM (VALUES 1) t(a)',
  'SELECT list_transform([1], x -> x)',
]

describe('SQL of strangers', () => {
  let aws: TestAws
  beforeAll(async () => {
    aws = await startTestAws()
    await aws.s3.send(new CreateBucketCommand({ Bucket: 'results' }))
    await run(aws.athena, 'CREATE DATABASE games')
  })
  afterAll(() => aws.stop())

  it.each(ATTACKS)('is refused by name: %s', async (sql) => {
    const result = await run(aws.athena, sql)
    expect(result.execution.Status?.State).toBe('FAILED')
    expect(reason(result)).toMatch(
      /^(?:SYNTAX_ERROR|NOT_SUPPORTED|FUNCTION_NOT_FOUND|TABLE_NOT_FOUND|SCHEMA_NOT_FOUND|CATALOG_NOT_FOUND): /,
    )
    expect(reason(result)).not.toContain(aws.dir)
  })

  it('leaves the endpoint working', async () => {
    const result = await run(aws.athena, 'SELECT 1 AS x')
    expect(result.rows).toEqual([['x'], ['1']])
  })
})
