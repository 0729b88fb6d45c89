import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { endpointPid, postgresPid, removeFolder, runCommand, type Service, startService } from './support/service.ts'

/** What users do wrong and what machines do to us: each a clear error, nothing lost, no restart of the service. */
describe('the running service', () => {
  let service: Service
  let env: Record<string, string>

  interface Problem {
    readonly code: string
    readonly status: number
    readonly detail?: string
    readonly snapshotId?: string
    readonly errors?: readonly { readonly pointer?: string; readonly parameter?: string; readonly code: string }[]
  }

  const call = async (method: string, address: string, body?: string, type = 'application/json') => {
    const answer = await fetch(`${env.API_URL}${address}`, {
      method,
      headers: { authorization: `Bearer ${env.API_KEY}`, ...(body === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body }),
    })
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  }
  const problem = async (method: string, address: string, body?: string): Promise<Problem> => {
    const answer = await call(method, address, body)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    return JSON.parse(answer.text) as Problem
  }

  beforeAll(async () => {
    service = await startService({ env: { SAMPLE_DATA: 'off', LAKE_SCHEDULER: 'none' } })
    await service.saw(/ready to use/i)
    const printed = await runCommand(['env', '--json'], { LOCAL_DATA_DIR: service.dir })
    env = JSON.parse(printed.stdout) as Record<string, string>
  }, 180_000)

  afterAll(async () => {
    await service?.stop()
    removeFolder(service.dir)
  })

  it('tells malformed JSON, wrong types and unknown fields apart, and points at each', async () => {
    expect(await problem('POST', '/v1/studios', '{"slug":')).toMatchObject({ status: 400, code: 'malformed-json' })
    const wrong = await problem('POST', '/v1/studios', '{"slug":7,"name":"Seven","colour":"red"}')
    expect(wrong).toMatchObject({ status: 422, code: 'validation' })
    expect(wrong.errors?.map((e) => e.pointer).sort()).toEqual(['/colour', '/slug'])
    expect(await problem('GET', '/v1/studios?colour=red')).toMatchObject({ status: 400, code: 'unknown-parameter' })
  })

  it('imports what is right around a bad line in the middle of a file', async () => {
    const lines = [
      '{"slug":"first","name":"First"}',
      '{"slug":"Bad Slug","name":"B"}',
      'not json',
      '{"slug":"last","name":"Last"}',
    ]
    const { status, text } = await call('POST', '/v1/imports/studios', lines.join('\n'), 'application/x-ndjson')
    expect(status).toBe(200)
    const answers = text
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as { status?: string; problem?: Problem; _end?: object })
    expect(answers.map((a) => a.status)).toEqual(['created', 'error', 'error', 'created', undefined])
    expect(answers[1]?.problem?.errors?.[0]?.pointer).toBe('/slug')
    expect(answers[4]?._end).toMatchObject({ lines: 4, created: 2, errors: 2 })
    expect((await call('GET', '/v1/studios/slug:last')).status).toBe(200)
  })

  it('refuses SQL that writes, two statements and an unknown table', { timeout: 60_000 }, async () => {
    for (const sql of [
      'DROP TABLE rocketgames_raw.players',
      'SELECT 1; SELECT 2',
      '/* x */ INSERT INTO t VALUES (1)',
    ]) {
      const answer = await problem('POST', '/v1/lake/queries', JSON.stringify({ sql }))
      expect(answer, sql).toMatchObject({ status: 422, code: 'query-not-allowed' })
    }
    const started = await call('POST', '/v1/lake/queries', '{"sql":"SELECT * FROM no_such_table"}')
    expect(started.status).toBe(202)
    const { id } = JSON.parse(started.text) as { id: string }
    const failed = await vi.waitFor(
      async () => {
        const { text } = await call('GET', `/v1/lake/queries/${id}`)
        expect(text).toContain('"failed"')
        return text
      },
      { timeout: 30_000 },
    )
    expect(failed).toContain('TABLE_NOT_FOUND')
    expect(failed).toContain('no_such_table')
  })

  it('names the snapshot that runs when another one is asked for', { timeout: 120_000 }, async () => {
    const first = await call('POST', '/v1/lake/snapshots')
    expect(first.status).toBe(202)
    const { id } = JSON.parse(first.text) as { id: string }
    expect(first.headers.get('location')).toBe(`/v1/lake/snapshots/${id}`)
    expect(await problem('POST', '/v1/lake/snapshots')).toMatchObject({
      status: 409,
      code: 'snapshot-running',
      snapshotId: id,
    })
    await vi.waitFor(
      async () => expect((await call('GET', `/v1/lake/snapshots/${id}`)).text).toContain('"state":"published"'),
      { timeout: 100_000, interval: 300 },
    )
  })

  it('answers 503 with Retry-After while Postgres is away, and goes on when it is back', {
    timeout: 60_000,
  }, async () => {
    process.kill(postgresPid(service.dir), 'SIGKILL')
    let away: Awaited<ReturnType<typeof call>> | undefined
    // The gap is short: the embedded Postgres is started again.
    while (away === undefined) {
      const answer = await call('GET', '/v1/studios/slug:first')
      if (answer.status !== 200) away = answer
      else if (/Postgres.*started again/.test(service.output())) break
      await delay(5)
    }
    if (away) {
      expect(away.status).toBe(503)
      expect(Number(away.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(away.text).toContain('"unavailable"')
    }
    await vi.waitFor(async () => expect((await call('GET', '/v1/studios/slug:first')).status).toBe(200), {
      timeout: 30_000,
    })
    const client = new pg.Client({ connectionString: env.DATABASE_URL as string })
    await client.connect()
    expect((await client.query('SELECT count(*)::int AS n FROM studio')).rows).toEqual([{ n: 2 }])
    await client.end()
  })

  it('answers 503 while S3, Glue and Athena are away, and goes on when they are back', {
    timeout: 150_000,
  }, async () => {
    process.kill(endpointPid(service.dir), 'SIGKILL')
    const away = await problem('POST', '/v1/lake/queries', '{"sql":"SELECT 1"}')
    expect(away).toMatchObject({ status: 503, code: 'unavailable' })
    // Records do not need the lake.
    expect((await call('GET', '/v1/studios/slug:first')).status).toBe(200)
    await vi.waitFor(
      async () =>
        expect((await call('POST', '/v1/lake/queries', '{"sql":"SELECT count(*) FROM studios_latest"}')).status).toBe(
          202,
        ),
      { timeout: 100_000, interval: 300 },
    )
    const snapshot = await runCommand(['snapshot'], env)
    expect(snapshot.code, snapshot.stderr).toBe(0)
  })
})
