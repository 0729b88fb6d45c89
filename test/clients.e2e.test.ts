import { writeFileSync } from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seedAccounts } from './lake/snapshot/seed.ts'
import { createTestDatabase, type TestDatabase } from './support/database.ts'
import { pythonEnvironment } from './support/python.ts'
import { removeFolder, run, runCommand, type Service, startService } from './support/service.ts'

/** The AWS CLI and boto3 as they come, with nothing set but what `rocketgames env` prints. */
const REQUIREMENTS = ['awscli==1.46.3', 'boto3==1.44.5', 'botocore==1.44.5']

const PLAYERS = 50

const BOTO3 = `
import json, os, time
import boto3

bucket = os.environ["LAKE_BUCKET"]
keys = [o["Key"] for page in boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="lake/") for o in page["Contents"]]
table = boto3.client("glue").get_table(DatabaseName="rocketgames_raw", Name="players")["Table"]
athena = boto3.client("athena")
run = athena.start_query_execution(QueryString="SELECT count(*) AS n, count(DISTINCT country) AS c FROM rocketgames.players_latest", WorkGroup=os.environ["ATHENA_WORKGROUP"])["QueryExecutionId"]
while True:
    status = athena.get_query_execution(QueryExecutionId=run)["QueryExecution"]["Status"]
    if status["State"] not in ("QUEUED", "RUNNING"):
        break
    time.sleep(0.1)
rows = [[c.get("VarCharValue") for c in r["Data"]] for r in athena.get_query_results(QueryExecutionId=run)["ResultSet"]["Rows"]]
print(json.dumps({"keys": keys, "columns": [c["Name"] for c in table["StorageDescriptor"]["Columns"]],
                  "partition_keys": [c["Name"] for c in table["PartitionKeys"]], "state": status["State"], "rows": rows}))
`

const python = await pythonEnvironment('aws-clients', REQUIREMENTS)

describe.skipIf('missing' in python)(
  `other people's clients${'missing' in python ? ` (skipped: ${python.missing})` : ''}`,
  () => {
    let database: TestDatabase
    let service: Service
    let env: Record<string, string>
    const program = 'python' in python ? python.python : ''

    beforeAll(async () => {
      database = await createTestDatabase()
      await seedAccounts(database.url, PLAYERS)
      const client = new pg.Client(database.url)
      await client.connect()
      await client.query(`UPDATE player SET country = 'SE' WHERE username LIKE '%7'`)
      await client.end()
      service = await startService({ env: { DATABASE_URL: database.url, LAKE_SCHEDULER: 'none' } })
      await service.saw(/ready to use/i)
      const printed = await runCommand(['env', '--json'], { LOCAL_DATA_DIR: service.dir })
      env = JSON.parse(printed.stdout) as Record<string, string>
    }, 180_000)

    afterAll(async () => {
      await service?.stop()
      await database?.drop()
      removeFolder(service.dir)
    })

    it('boto3 lists the objects, reads the Glue table and runs an Athena query', { timeout: 120_000 }, async () => {
      const script = path.join(service.dir, 'check.py')
      writeFileSync(script, BOTO3)
      const done = await run(program, [script], env)
      expect(done.code, done.stderr).toBe(0)
      const seen = JSON.parse(done.stdout) as Record<string, unknown> & { keys: string[]; columns: string[] }
      expect(
        seen.keys.some((k) =>
          /^lake\/v1\/players\/snapshot_date=[\d-]+\/snapshot_id=[\w-]+\/part-00-00000\.parquet$/.test(k),
        ),
      ).toBe(true)
      expect(seen.columns).toContain('player_ref')
      expect(seen.columns).not.toContain('email')
      expect(seen.partition_keys).toEqual(['snapshot_date', 'snapshot_id'])
      expect(seen.state).toBe('SUCCEEDED')
      expect(seen.rows).toEqual([
        ['n', 'c'],
        [String(PLAYERS), '2'],
      ])
    })

    it('the AWS CLI does the same', { timeout: 180_000 }, async () => {
      const aws = async (...args: string[]) => {
        const done = await run(path.join(path.dirname(program), 'aws'), [...args, '--output', 'json'], env)
        expect(done.code, done.stderr).toBe(0)
        return JSON.parse(done.stdout) as Record<string, unknown>
      }
      const listed = await aws(
        's3api',
        'list-objects-v2',
        '--bucket',
        env.LAKE_BUCKET as string,
        '--prefix',
        'lake-meta/v1/',
      )
      expect((listed.Contents as { Key: string }[]).map((o) => o.Key)).toContain('lake-meta/v1/CURRENT.json')
      const { Table } = await aws('glue', 'get-table', '--database-name', 'rocketgames_raw', '--name', 'games')
      expect((Table as { Name: string }).Name).toBe('games')
      const started = await aws(
        'athena',
        'start-query-execution',
        '--work-group',
        env.ATHENA_WORKGROUP as string,
        '--query-string',
        'SELECT title, count(*) FROM rocketgames.games_latest GROUP BY title',
      )
      const id = started.QueryExecutionId as string
      for (let state = 'QUEUED'; state !== 'SUCCEEDED'; ) {
        const { QueryExecution } = await aws('athena', 'get-query-execution', '--query-execution-id', id)
        state = (QueryExecution as { Status: { State: string } }).Status.State
        expect(['QUEUED', 'RUNNING', 'SUCCEEDED']).toContain(state)
      }
      const results = await aws('athena', 'get-query-results', '--query-execution-id', id)
      // A header and the games.
      expect((results.ResultSet as { Rows: unknown[] }).Rows).toHaveLength(51)
    })
  },
)
