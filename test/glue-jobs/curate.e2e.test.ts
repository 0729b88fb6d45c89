import { CreateWorkGroupCommand } from '@aws-sdk/client-athena'
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { QueryRunner } from '../../src/lake/athena/query-runner.ts'
import { runSnapshot } from '../../src/lake/snapshot/run.ts'
import { glueJobCommand, runGlueJob } from '../../src/local/spark/glue-job.ts'
import { sparkEnvironment } from '../../src/local/spark/spark-environment.ts'
import { seedAccounts } from '../lake/snapshot/seed.ts'
import { newPlace, openLake } from '../lake/snapshot/test-lake.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startTestAws, type TestAws } from '../support/local-aws.ts'

const spark = await sparkEnvironment()
const skipped = 'missing' in spark ? ` (skipped: ${spark.missing})` : ''
const PLAYERS = 300
const DATABASE = 'curated_e2e'
const WORKGROUP = 'curate-e2e'
const RESULTS = 'results-curate-e2e'

/** What happens between two snapshots: people play and move, one leaves, a studio gets another name, a game is bought. */
const CHANGES = `
  UPDATE player_game SET playtime_seconds = playtime_seconds + 3600, first_played_at = now(), last_played_at = now()
   WHERE player_id IN (SELECT id FROM player ORDER BY id LIMIT 40);
  UPDATE player SET country = 'SE' WHERE id IN (SELECT id FROM player ORDER BY id DESC LIMIT 7);
  UPDATE studio SET name = 'Another Name' WHERE slug = 'studio-3';
  DELETE FROM player_game WHERE player_id = (SELECT id FROM player ORDER BY id OFFSET 100 LIMIT 1);
  DELETE FROM player WHERE id = (SELECT id FROM player ORDER BY id OFFSET 100 LIMIT 1);
  INSERT INTO player_game (id, player_id, game_id, platform, source, acquired_at)
  SELECT md5('bought')::uuid, (SELECT id FROM player ORDER BY id LIMIT 1), md5('game50')::uuid, 'linux', 'purchase', now()`

describe.skipIf('missing' in spark)(
  `the curate job on snapshots of the service${skipped}`,
  { timeout: 600_000 },
  () => {
    let database: TestDatabase
    let aws: TestAws
    let client: pg.Client
    let place: Awaited<ReturnType<typeof newPlace>>
    let runner: QueryRunner

    beforeAll(async () => {
      ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
      await seedAccounts(database.url, PLAYERS)
      client = new pg.Client({ connectionString: database.url, options: '-c timezone=UTC' })
      await client.connect()
      await client.query('SET session_replication_role = replica')
      place = await newPlace(aws, database.url)
      await aws.s3.send(new CreateBucketCommand({ Bucket: RESULTS }))
      const ResultConfiguration = { OutputLocation: `s3://${RESULTS}/` }
      await aws.athena.send(new CreateWorkGroupCommand({ Name: WORKGROUP, Configuration: { ResultConfiguration } }))
      runner = new QueryRunner(aws.athena, { workgroup: WORKGROUP, database: DATABASE, curatedDatabase: DATABASE })
    })

    afterAll(async () => {
      await client?.end()
      await place?.remove()
      await Promise.all([database?.drop(), aws?.stop()])
    })

    async function takeSnapshot(): Promise<string> {
      const open = openLake(place)
      try {
        return (await runSnapshot(open.lake)).id
      } finally {
        await open.close()
      }
    }

    /** The job's process, with the settings that production gives it. @returns the codes of the events that it logs. */
    async function curate(...more: readonly string[]): Promise<{ code: number | null; events: string[]; log: string }> {
      const { accessKeyId, secretAccessKey } = aws.credentials
      const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
      const command = await glueJobCommand('curate', { ...process.env, ...keys, ROCKETGAMES_SPARK_MEMORY: '1g' })
      if ('missing' in command) throw new Error(command.missing)
      const lines: string[] = []
      const { code } = await runGlueJob({
        command,
        args: [
          ...['--bucket', place.bucket, '--region', aws.region, '--endpoint-url', aws.endpoint, '--database', DATABASE],
          ...['--workgroup', WORKGROUP, '--results', `s3://${RESULTS}/`, ...more],
        ],
        signal: new AbortController().signal,
        onLine: (line) => lines.push(line),
      })
      const events = lines.flatMap((line) =>
        line.startsWith('{') ? [(JSON.parse(line) as { event: string }).event] : [],
      )
      return { code, events, log: lines.join('\n') }
    }

    const shown = async (sql: string) => (await runner.rows(sql)).rows.map((row) => row.map(Number))
    const stored = async (text: string) =>
      (await client.query<unknown[]>({ text, rowMode: 'array' })).rows.map((row) => row.map(Number))

    test('two snapshots with changes between: the views tell who is there now, who has gone, what changed, and what was played', async () => {
      const ids = [await takeSnapshot()]
      await client.query(CHANGES)
      const first = await curate()
      expect(first, first.log).toMatchObject({ code: 0 })
      expect(await shown('SELECT count(*), count_if(is_current) FROM dim_player')).toEqual([[PLAYERS, PLAYERS]])
      expect(await shown('SELECT count(*) FROM fact_daily_activity')).toEqual([[0]])

      ids.push(await takeSnapshot())
      const second = await curate()
      expect(second, second.log).toMatchObject({ code: 0 })
      expect(second.events).toContain('published')

      expect(await shown('SELECT count(*) FROM dim_player WHERE is_current AND NOT is_deleted')).toEqual(
        await stored('SELECT count(*) FROM player'),
      )
      expect(await shown("SELECT count_if(is_deleted), count_if(country = 'SE'), count(*) FROM dim_player")).toEqual([
        [1, 7, PLAYERS + 8],
      ])
      expect(await shown("SELECT count(*), count_if(name = 'Another Name' AND is_current) FROM dim_studio")).toEqual([
        [21, 1],
      ])
      expect(await shown('SELECT count(*), count_if(is_owned), sum(playtime_seconds) FROM fact_library')).toEqual(
        await stored(
          'SELECT count(*), count(*) FILTER (WHERE revoked_at IS NULL), sum(playtime_seconds) FROM player_game',
        ),
      )
      expect(
        await shown('SELECT count(*), sum(seconds_played), count(DISTINCT player_ref) FROM fact_daily_activity'),
      ).toEqual(
        await stored(
          'SELECT count(*), sum(playtime_seconds), count(DISTINCT player_id) FROM player_game WHERE playtime_seconds > 0',
        ),
      )
      expect(await shown('SELECT snapshots FROM curated_runs')).toEqual([[ids.length]])

      // The instant from which a version holds is that of the snapshot that shows it.
      const takenAt = (
        await client.query("SELECT manifest::json #>> '{source,taken_at}' AS at FROM lake_snapshots ORDER BY sequence")
      ).rows
      const from = await runner.rows(
        "SELECT DISTINCT date_format(valid_from, '%Y-%m-%dT%H:%i:%s') FROM dim_player ORDER BY 1",
      )
      expect(from.rows.flat()).toEqual(takenAt.map(({ at }) => String(at).slice(0, 19)))

      const third = await curate()
      expect(third.code).toBe(0)
      expect(third.events).toContain('nothing-to-do')
      expect(third.events).not.toContain('run-started')
    })
  },
)
