import { createReadStream, existsSync, mkdtempSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CuratedProof, SMALL_SPARK } from './glue-jobs/curated-checks.ts'
import { counted } from './support/counts.ts'
import { createTestDatabase, type TestDatabase } from './support/database.ts'
import { lakeDifferences } from './support/lake-equality.ts'
import { ROOT, removeFolder, run, runCommand, type Service, startService } from './support/service.ts'

const STEAM = path.resolve(ROOT, '../shared/data/steam')
const here = existsSync(path.join(STEAM, 'games.csv'))

interface Answer {
  readonly line?: number
  readonly status?: string
  readonly problem?: { readonly code: string; readonly errors?: readonly { pointer?: string; code: string }[] }
}

async function answers(file: string): Promise<Answer[]> {
  const lines: Answer[] = []
  for await (const line of createInterface({ input: createReadStream(file) })) lines.push(JSON.parse(line) as Answer)
  return lines.filter((l) => l.line !== undefined)
}

/** `created`, or why not: `validation /studio required`. */
function verdicts(lines: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status, problem } of lines) {
    const first = problem?.errors?.[0]
    const key = problem ? [problem.code, first?.pointer, first?.code].filter(Boolean).join(' ') : String(status)
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

describe.skipIf(!here)(`the Steam data${here ? '' : ' (skipped: ../shared/data/steam is not here)'}`, () => {
  let database: TestDatabase
  let service: Service
  let env: Record<string, string>
  let lines: string
  const results: Record<string, Answer[]> = {}

  beforeAll(async () => {
    lines = mkdtempSync(path.join(os.tmpdir(), 'steam-'))
    const mapped = await run(process.execPath, ['test/support/steam/map.ts', STEAM, lines])
    expect(mapped.stderr).toBe('')
    database = await createTestDatabase()
    service = await startService({ env: { DATABASE_URL: database.url, LAKE_SCHEDULER: 'none' } })
    await service.saw(/ready to use/i)
    const printed = await runCommand(['env', '--json'], { LOCAL_DATA_DIR: service.dir })
    env = JSON.parse(printed.stdout) as Record<string, string>
  }, 180_000)

  afterAll(async () => {
    await service?.stop()
    await database?.drop()
    removeFolder(service.dir)
    removeFolder(lines)
  })

  it('goes in: every input row is a record or an error line that says why', { timeout: 240_000 }, async () => {
    for (const resource of ['owners', 'studios', 'games', 'players', 'library']) {
      const out = path.join(lines, `${resource}.answers.ndjson`)
      const done = await runCommand(['import', resource, path.join(lines, `${resource}.ndjson`), '--output', out], env)
      // 1: there were error lines, as there are in real files.
      expect([0, 1], done.stderr).toContain(done.code)
      results[resource] = await answers(out)
    }
    expect(Object.fromEntries(Object.entries(results).map(([k, v]) => [k, v.length]))).toEqual({
      owners: 6569,
      studios: 6569,
      games: 10_000,
      players: 9418,
      library: 70_489,
    })
    expect(verdicts(results.owners ?? [])).toEqual({ created: 6569 })
    expect(verdicts(results.players ?? [])).toEqual({ created: 9418 })
    // Developers whose text is longer than a name may be, and one with a hidden direction mark.
    expect(verdicts(results.studios ?? [])).toEqual({
      created: 6561,
      'validation /name too-long': 7,
      'validation /name character': 1,
    })
  })

  it('refuses dirty games and play rows for the reasons that the data has', () => {
    // App ids that occur twice, games without developer, games of the studios above, and one more direction mark.
    expect(verdicts(results.games ?? [])).toEqual({
      created: 9916,
      'duplicate-in-input': 38,
      'validation /studio required': 37,
      'validation /studio not-found': 8,
      'validation /title character': 1,
    })
    const library = verdicts(results.library ?? [])
    const reasons = Object.keys(library).filter((k) => k !== 'created')
    expect(
      reasons.every((r) => /\/game\b|duplicate-in-input/.test(r)),
      reasons.join('; '),
    ).toBe(true)
    const accounted = Object.values(library).reduce((sum, n) => sum + n, 0)
    expect(accounted).toBe(70_489)
  })

  it('is in Postgres as the answers said', async () => {
    const client = new pg.Client({ connectionString: env.DATABASE_URL as string })
    await client.connect()
    const tables = {
      owners: 'studio_owner',
      studios: 'studio',
      games: 'game',
      players: 'player',
      library: 'player_game',
    }
    for (const [resource, table] of Object.entries(tables)) {
      const { rows } = await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`)
      expect(rows[0]?.n, resource).toBe(verdicts(results[resource] ?? []).created)
    }
    await client.end()
  })

  it('is unchanged by the second run', { timeout: 120_000 }, async () => {
    const out = path.join(lines, 'again.ndjson')
    await runCommand(['import', 'games', path.join(lines, 'games.ndjson'), '--output', out], env)
    const { created, unchanged, ...errors } = verdicts(await answers(out))
    const first = verdicts(results.games ?? [])
    expect(created).toBeUndefined()
    expect(unchanged).toBe(first.created)
    const { created: _created, ...firstErrors } = first
    expect(errors).toEqual(firstErrors)
  })

  it('is snapshotted, crawled and queried: Athena and Postgres agree on every exported column', {
    timeout: 240_000,
  }, async () => {
    const snapshot = await runCommand(['snapshot'], { ...env })
    expect(snapshot.code, snapshot.stderr).toBe(0)
    expect(await lakeDifferences(env)).toEqual([])
    const verified = await runCommand(['verify', '--deep'], { ...env })
    expect(verified.code, verified.stdout + verified.stderr).toBe(0)
  })

  // As the sample data is in `npm start`'s own test, which takes as long again: with the proof.
  it.runIf(counted(0, 1) === 1)(
    'is curated: every row of every table is what the snapshots say, every saved answer what Postgres says',
    {
      timeout: 600_000,
    },
    async () => {
      const done = async (...args: string[]) => {
        const { code, stdout, stderr } = await runCommand(args, { ...env, ...SMALL_SPARK })
        expect(code, stdout + stderr).toBe(0)
      }
      const proof = await CuratedProof.open(env)
      await proof.keep()
      // In one run, or as the snapshots come.
      if (counted(0, 1) === 1) await done('glue', 'curate')
      await proof.live(1)
      await done('snapshot')
      await proof.keep()
      await done('glue', 'curate')
      const { rows, differences } = await proof.tables()
      expect(differences).toEqual([])
      for (const [table, n] of Object.entries(rows)) expect(n, table).toBeGreaterThan(0)
      for (const { name, params, got, wanted } of await proof.answers('others')) {
        expect(got, `${name} ${JSON.stringify(params)}`).toEqual(wanted)
      }
      await proof.close()
    },
  )
})
