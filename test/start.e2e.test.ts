import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { blocksOf } from './docs/guide-blocks.ts'
import { CuratedProof, SHORT_SPARK, SMALL_SPARK } from './glue-jobs/curated-checks.ts'
import { loadedTables } from './glue-jobs/loaded-checks.ts'
import { counted } from './support/counts.ts'
import { AthenaQueries, lakeDifferences } from './support/lake-equality.ts'
import { quickNpx } from './support/npx.ts'
import {
  cleanEnvironment,
  endpointPid,
  postgresPid,
  ROOT,
  removeFolder,
  run,
  runCommand,
  type Service,
  startService,
} from './support/service.ts'

/** `npm start` as its user lives it: first start, second shell, stop, start again, crash. */

const COUNTS = `SELECT (SELECT count(*) FROM studio)::int AS studios, (SELECT count(*) FROM game)::int AS games,
  (SELECT count(*) FROM player)::int AS players, (SELECT count(*) FROM player_game)::int AS library,
  (SELECT count(DISTINCT status) FROM game)::int AS states, (SELECT count(DISTINCT country) FROM player)::int AS countries,
  (SELECT count(DISTINCT extract(year FROM created_at)) FROM player)::int AS years,
  (SELECT count(*) FROM studio s WHERE NOT EXISTS (SELECT FROM studio_membership m WHERE m.studio_id = s.id))::int AS ownerless`

async function counts(url: string): Promise<Record<string, number>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<Record<string, number>>(COUNTS)
  await client.end()
  return rows[0] as Record<string, number>
}

const isListening = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

const environment = async (dir: string) => {
  const printed = await runCommand(['env', '--json'], { LOCAL_DATA_DIR: dir })
  return JSON.parse(printed.stdout) as Record<string, string>
}

describe('npm start', () => {
  let service: Service
  let env: Record<string, string>
  let proof: CuratedProof
  let curatedTables: string[]
  const ports = () => ({
    dir: service.dir,
    port: service.port,
    awsPort: Number(new URL(env.AWS_ENDPOINT_URL as string).port),
  })
  const restart = async (extra: Record<string, string> = {}) => {
    service = await startService({ ...ports(), env: extra })
    await service.saw(/ready to use/i)
  }

  async function expectCuratedRows(): Promise<void> {
    const { rows, differences } = await proof.tables()
    expect(differences).toEqual([])
    for (const [table, n] of Object.entries(rows)) expect(n, table).toBeGreaterThan(20)
    curatedTables = Object.keys(rows)
    const answers = await proof.answers('defaults')
    for (const { name, params, got, wanted } of answers) {
      expect(got, `${name} ${JSON.stringify(params)}`).toEqual(wanted)
      expect(wanted.length, name).toBeGreaterThan(0)
    }
    expect(new Set(answers.map(({ name }) => name)).size).toBe(10)
  }

  beforeAll(async () => {
    service = await startService()
    await service.saw(/ready to use/i)
    env = await environment(service.dir)
  }, 180_000)

  afterAll(async () => {
    await proof?.close()
    await service?.stop()
    removeFolder(service.dir)
  })

  it('loads the sample data, takes a snapshot and prints the answer of a first query', async () => {
    expect(await counts(env.DATABASE_URL as string)).toEqual({
      studios: 30,
      games: 150,
      players: 20_000,
      library: 80_000,
      states: 13,
      countries: 60,
      years: 4,
      ownerless: 0,
    })
    expect(service.output()).toMatch(/│ title +│ studio +│ +players │ +hours │/)
    const ready = await fetch(`${env.API_URL}/readyz`)
    expect(ready.status).toBe(200)
  })

  it('shows in Athena what Postgres holds, column by column', { timeout: 120_000 }, async () => {
    expect(await lakeDifferences(env)).toEqual([])
  })

  it('prints export lines that a shell can evaluate, and keeps secrets to their owner', () => {
    const shell = `eval "$(npx rocketgames env)"; printf '%s|%s|%s' "$API_URL" "$API_KEY" "$AWS_DEFAULT_REGION"`
    const printed = execFileSync('sh', ['-c', shell], {
      cwd: ROOT,
      env: cleanEnvironment({ LOCAL_DATA_DIR: service.dir }),
    }).toString()
    // boto3 knows the region by that name only
    expect(printed).toBe(`${env.API_URL}|${env.API_KEY}|us-east-1`)
    for (const name of ['bootstrap-api-key', 'running.json', 'secrets.json', 'postgres/password']) {
      expect(statSync(path.join(service.dir, name)).mode & 0o777, name).toBe(0o600)
    }
    expect(readFileSync(path.join(service.dir, 'bootstrap-api-key'), 'utf8').trim()).toBe(env.API_KEY)
  })

  it('answers the API with the printed key', async () => {
    const answer = await fetch(`${env.API_URL}/v1/players?limit=2`, {
      headers: { authorization: `Bearer ${env.API_KEY}` },
    })
    expect(answer.status).toBe(200)
    expect(((await answer.json()) as { data: unknown[] }).data).toHaveLength(2)
  })

  it('refuses a second copy on the same folder and a taken port, each in a sentence that says what to do', async () => {
    const second = await startService({ dir: service.dir })
    expect(await second.ended).toBe(2)
    expect(second.output()).toMatch(
      /(already works on|is in use by) .*(S|s)top .*or set LOCAL_DATA_DIR to another folder/s,
    )
    const other = await startService({ port: service.port, env: { SAMPLE_DATA: 'off' } })
    expect(await other.ended).toBe(2)
    expect(other.output()).toMatch(/Port \d+ is taken: .*PORT/)
    removeFolder(other.dir)
  })

  it('does what the README says of curated tables, as pasted: a day passes, a snapshot shows it, and every question has an answer', {
    timeout: 600_000,
  }, async () => {
    const asked = await runCommand(['query', 'retention-curve'], env)
    expect([asked.code, asked.stderr]).toEqual([1, expect.stringContaining('"rocketgames glue curate"')])
    const before = await counts(env.DATABASE_URL as string)
    proof = await CuratedProof.open(env)
    await proof.keep()
    const [block] = blocksOf('README.md', 'sh', '## Curated tables')
    const pasted = await run('bash', ['-euo', 'pipefail', '-c', String(block)], {
      LOCAL_DATA_DIR: service.dir,
      PATH: quickNpx(service.dir),
      ...SHORT_SPARK,
    })
    expect(pasted.code, pasted.stdout + pasted.stderr).toBe(0)
    await proof.keep()
    const after = await counts(env.DATABASE_URL as string)
    expect(after.players).toBe((before.players as number) + 25)
    const athena = new AthenaQueries(env)
    expect(await athena.rows('SELECT count(*) FROM rocketgames.players_latest')).toEqual([[String(after.players)]])
    expect(await athena.rows('SELECT snapshots FROM rocketgames_curated.curated_runs')).toEqual([['2']])
    const questions = [...blocksOf('README.md', 'sql', '## Curated tables'), ...blocksOf('docs/curated.md', 'sql')]
    expect(questions.length).toBeGreaterThanOrEqual(13)
    for (const sql of questions) {
      const rows = await athena.rows(sql, 'rocketgames_curated')
      expect(rows.length, sql).toBeGreaterThan(0)
    }
    athena.close()
  })

  it('has in its curated tables what the snapshots say, row by row, and answers what Postgres says', {
    timeout: 600_000,
  }, async () => {
    await expectCuratedRows()
  })

  it.runIf(counted(0, 1) === 1)(
    'takes one more snapshot into its curated tables, with the same proof',
    {
      timeout: 600_000,
    },
    async () => {
      await proof.live(1)
      const snapshot = await runCommand(['snapshot'], env)
      expect(snapshot.code, snapshot.stderr).toBe(0)
      await proof.keep()
      const curated = await runCommand(['glue', 'curate', '--json'], { ...env, ...SMALL_SPARK })
      expect(curated.code, curated.stdout + curated.stderr).toBe(0)
      expect(curated.stderr).toMatch(/"run-started".*"mode": ?"incremental"/)
      await expectCuratedRows()
    },
  )

  it.runIf(counted(0, 1) === 1)(
    'loads the curated tables into a warehouse beside its database: every row as Athena shows it, whatever the zone of the machine',
    {
      timeout: 300_000,
    },
    async () => {
      const java = `${SMALL_SPARK.ROCKETGAMES_SPARK_JAVA_OPTIONS} -Duser.timezone=America/Sao_Paulo`
      const settings = { ...env, ...SMALL_SPARK, ROCKETGAMES_SPARK_JAVA_OPTIONS: java }
      const done = await runCommand(['glue', 'load'], settings)
      expect(done.code, done.stdout + done.stderr).toBe(0)
      const tables = await loadedTables(env)
      expect(tables.map(({ name }) => name)).toEqual(curatedTables.toSorted())
      for (const { name, rows, differences } of tables) {
        expect(differences, name).toEqual([])
        expect(rows, name).toBeGreaterThan(20)
      }
    },
  )

  it('stops all of it on SIGTERM, and starts again in the shell that has its settings', {
    timeout: 120_000,
  }, async () => {
    const before = await counts(env.DATABASE_URL as string)
    const databasePort = Number(new URL(env.DATABASE_URL as string).port)
    expect(await service.stop()).toBe(0)
    expect(await isListening(service.port)).toBe(false)
    expect(await isListening(databasePort)).toBe(false)
    expect(await isListening(ports().awsPort)).toBe(false)
    // What `eval "$(rocketgames env)"` set is its own: ROCKETGAMES_LOCAL says so.
    await restart(env)
    expect(await environment(service.dir)).toEqual(env)
    expect(await counts(env.DATABASE_URL as string)).toEqual(before)
    expect(service.output()).not.toMatch(/Sample data:/)
  })

  it('has everything that was acknowledged after kill -9 of the service and of Postgres', {
    timeout: 180_000,
  }, async () => {
    const create = async (slug: string) => {
      const answer = await fetch(`${env.API_URL}/v1/studios`, {
        method: 'POST',
        headers: { authorization: `Bearer ${env.API_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ slug, name: `Studio ${slug}` }),
      })
      expect(answer.status).toBe(201)
    }
    const exists = async (slug: string) => {
      const answer = await fetch(`${env.API_URL}/v1/studios/slug:${slug}`, {
        headers: { authorization: `Bearer ${env.API_KEY}` },
      })
      return answer.status === 200
    }
    await create('before-service-kill')
    await service.stop('SIGKILL')
    await restart()
    expect(await exists('before-service-kill')).toBe(true)

    await create('before-postgres-kill')
    process.kill(postgresPid(service.dir), 'SIGKILL')
    await service.stop('SIGKILL')
    await restart()
    expect(await exists('before-postgres-kill')).toBe(true)
  })

  it('goes on by itself after kill -9 of Postgres or of the endpoint while it runs', { timeout: 120_000 }, async () => {
    process.kill(postgresPid(service.dir), 'SIGKILL')
    await service.saw(/Postgres.*started again/)
    await vi.waitFor(async () => expect((await fetch(`${env.API_URL}/readyz`)).status).toBe(200), { timeout: 30_000 })

    process.kill(endpointPid(service.dir), 'SIGKILL')
    await service.saw(/endpoint.*started again/)
    await vi.waitFor(async () => expect((await fetch(env.AWS_ENDPOINT_URL as string)).status).toBe(403), {
      timeout: 30_000,
    })
    const athena = new AthenaQueries(env)
    expect(await athena.rows('SELECT count(*) FROM rocketgames.snapshots')).toEqual([[String(counted(2, 3))]])
    athena.close()
  })
})
