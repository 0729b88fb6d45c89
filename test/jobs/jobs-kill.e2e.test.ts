import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { proofOf } from '../exports/download.ts'
import { createTestApi, type TestApi } from '../support/api.ts'
import { startApiProcess } from '../support/api-process.ts'
import { until } from './job-bench.ts'

/** A process that does jobs dies without a word; another one on the same database ends them. */

const STUDIOS = 8_000
const LINES = 2_000
const NDJSON = 'application/x-ndjson'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
  await api.database.withClient((client) =>
    client.query(
      `INSERT INTO studio (id, slug, name, legal_name, created_at)
       SELECT gen_random_uuid(), 'bulk-' || n, 'Studio ' || n, repeat('x', 200), now() + n * interval '1 ms' FROM generate_series(1, $1) n`,
      [STUDIOS],
    ),
  )
})
afterAll(() => api.close())

const number = async (text: string, ...values: unknown[]) => {
  const { rows } = await api.database.withClient((client) => client.query<{ n: number }>(text, values))
  return rows[0]?.n ?? 0
}

async function submitted(): Promise<{ exported: string; imported: string }> {
  const lines = Array.from({ length: LINES }, (_, n) => `${JSON.stringify({ username: `killed_${n}` })}\n`)
  const [exported, imported] = [
    await api.admin.post('/v1/exports').send({ resource: 'studios', sort: 'createdAt' }),
    await api.admin
      .post('/v1/imports/players')
      .set({ 'Content-Type': NDJSON, Prefer: 'respond-async' })
      .send(lines.join('')),
  ]
  expect([exported.status, imported.status]).toEqual([202, 202])
  return { exported: exported.body.id, imported: imported.body.id }
}

/** Both jobs run in a process of their own, are stopped by locks in their middle, and the process is killed there. */
async function killedInTheMiddle({ exported, imported }: { exported: string; imported: string }): Promise<void> {
  await api.database.rawTransaction(async (client) => {
    await client.query('SAVEPOINT held')
    await client.query('LOCK TABLE job_chunk IN SHARE MODE')
    const taken = `killed_${LINES / 2}`
    await client.query('INSERT INTO player (id, username, username_key) VALUES (gen_random_uuid(), $1, $1)', [taken])
    const worker = await startApiProcess({ databaseUrl: api.databaseUrl, secret: api.secret, doesJobs: true })
    try {
      await until(async () => {
        const parts = await number(
          "SELECT count(*)::int AS n FROM job_file WHERE job_id = $1 AND role = 'part'",
          exported,
        )
        return parts > 0 && (await number('SELECT count(*)::int AS n FROM player')) > 0
      })
      // While the first one lives, the second has nothing to do.
      await api.worker.start()
    } finally {
      await worker.kill()
    }
    await client.query('ROLLBACK TO held')
  })
  const running = "SELECT count(*)::int AS n FROM job WHERE id = ANY($1) AND state = 'running' AND attempt = 1"
  expect(await number(running, [exported, imported])).toBe(2)
  await api.database.withClient((client) =>
    client.query("UPDATE pgboss.job SET heartbeat_on = now() - interval '1 hour' WHERE id = ANY($1)", [
      [exported, imported],
    ]),
  )
}

const ended = (id: string) =>
  until(async () => {
    const { body } = await api.admin.get(`/v1/jobs/${id}`)
    return body.finishedAt !== null && body
  })

it('ends an export and an import whose process was killed, whole and right', async () => {
  const jobs = await submitted()
  await killedInTheMiddle(jobs)

  expect(await ended(jobs.exported)).toMatchObject({
    state: 'succeeded',
    progressDone: STUDIOS,
    summary: { rows: STUDIOS },
  })
  const { parts } = (await api.admin.get(`/v1/jobs/${jobs.exported}/result`)).body
  expect(parts).toHaveLength(1)
  const { text } = await api.admin.get(parts[0].href).buffer(true)
  expect(createHash('sha256').update(text).digest('hex')).toBe(parts[0].sha256)
  const { said, found, lines } = proofOf(text)
  expect(said).toEqual(found)
  expect(lines.map((line) => JSON.parse(line).slug)).toEqual(Array.from({ length: STUDIOS }, (_, n) => `bulk-${n + 1}`))

  const job = await ended(jobs.imported)
  expect(job).toMatchObject({
    state: 'succeeded',
    progressDone: LINES,
    summary: { lines: LINES, updated: 0, errors: 0 },
  })
  expect(job.summary.created + job.summary.unchanged).toBe(LINES)
  expect(job.summary.unchanged).toBeGreaterThan(0)
  const answers = (await api.admin.get(`/v1/jobs/${jobs.imported}/result`).buffer(true)).text.trimEnd().split('\n')
  expect(answers.slice(0, -1).map((line) => JSON.parse(line).line)).toEqual(
    Array.from({ length: LINES }, (_, n) => n + 1),
  )
  expect(JSON.parse(answers.at(-1) ?? '')).toEqual({ _end: job.summary })
  expect(await number("SELECT count(*)::int AS n FROM player WHERE username LIKE 'killed%'")).toBe(LINES)
  expect(await number("SELECT count(*)::int AS n FROM audit_event WHERE action = 'player.create'")).toBe(LINES)
  expect(await number('SELECT count(*)::int AS n FROM job_file')).toBe(3)
})
