import { describe, expect, it as plain } from 'vitest'
import { AppError } from '../../src/errors.ts'
import { type JobWork, MAX_JOB_ERROR_LINES } from '../../src/jobs/job.ts'
import { JobUpkeep } from '../../src/jobs/job-upkeep.ts'
import { createGate } from '../support/gate.ts'
import {
  context,
  createJobBench,
  ended,
  input,
  type JobBench,
  resultOf,
  someBytes,
  stranger,
  until,
} from './job-bench.ts'

/** Each has a database of its own, and waits for its queue, which is asked once a second, beside the others. */
const it = plain.extend<{ jobBench: JobBench }>({
  // biome-ignore lint/correctness/noEmptyPattern: what a fixture is made of is read from its pattern
  jobBench: async ({}, use) => {
    const bench = await createJobBench()
    await use(bench)
    await bench.close()
  },
})

describe.concurrent('a job', () => {
  it('reads its body, writes a result and parts of any length, and tells what it counted', async ({
    jobBench: bench,
  }) => {
    const body = someBytes(2_500_000)
    const process = bench.open(async (work) => {
      const copy = await work.result({ name: 'copy.bin', type: 'application/octet-stream' })
      let bytes = 0
      for await (const piece of work.body()) {
        bytes += piece.length
        await copy.write(piece)
      }
      await copy.end()
      const part = await work.part(3, { name: 'part.txt', type: 'text/plain' })
      await part.write('a part, ')
      await part.write('Zoë')
      const told = await part.end()
      work.progress(bytes, body.length)
      return { summary: { bytes, told } }
    })
    await process.worker.start()
    async function* pieces() {
      for (let from = 0; from < body.length; from += 300_000) yield body.subarray(from, from + 300_000)
    }
    const { id, state } = await process.jobs.submit('export', input, context, pieces())
    expect(state).toBe('queued')
    const job = await ended(process, id)
    expect(job).toMatchObject({
      state: 'succeeded',
      progressDone: body.length,
      progressTotal: body.length,
      problem: null,
    })
    expect(job.summary).toMatchObject({ bytes: body.length, told: { bytes: 12 } })
    expect((await resultOf(process, id)).equals(body)).toBe(true)
    expect((await resultOf(process, id, 3)).toString()).toBe('a part, Zoë')
    await expect(resultOf(process, id, 4)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('leaves neither its body nor its input behind', async ({ jobBench: bench }) => {
    const process = bench.open(async () => ({}))
    await process.worker.start()
    async function* pieces() {
      yield Buffer.from('personal')
    }
    const { id } = await process.jobs.submit('export', { ...input }, context, pieces())
    await ended(process, id)
    const { rows } = await process.database.withClient((client) =>
      client.query('SELECT input, (SELECT count(*)::int FROM job_chunk) AS chunks FROM job'),
    )
    expect(rows).toEqual([{ input: {}, chunks: 0 }])
  })

  it('whose submission fails leaves nothing to do', async ({ jobBench: bench }) => {
    const process = bench.open()
    async function* broken() {
      yield Buffer.from('half a bo')
      throw new AppError('malformed-input', 'The body ended before its end')
    }
    await expect(process.jobs.submit('export', input, context, broken())).rejects.toMatchObject({
      code: 'malformed-input',
    })
    const { rows } = await process.database.withClient((client) =>
      client.query('SELECT (SELECT count(*)::int FROM job_file) AS files, (SELECT count(*)::int FROM job) AS jobs'),
    )
    expect(rows).toEqual([{ files: 0, jobs: 0 }])
  })

  it('is queued by the transaction around its submission, or not at all', async ({ jobBench: bench }) => {
    const process = bench.open()
    const undone = process.database.enclose(async () => {
      await process.jobs.submit('export', input, context)
      throw new Error('changed my mind')
    })
    await expect(undone).rejects.toThrow('changed my mind')
    const kept = await process.database.enclose(() => process.jobs.submit('export', input, context))
    const { rows } = await process.database.withClient((client) =>
      client.query("SELECT id, (SELECT array_agg(id) FROM job) AS jobs FROM pgboss.job WHERE name = 'accounts-job'"),
    )
    expect(rows).toEqual([{ id: kept.id, jobs: [kept.id] }])
  })

  it('counts every error line, keeps the first of them in order, and pages through them', async ({
    jobBench: bench,
  }) => {
    const lines = MAX_JOB_ERROR_LINES + 700
    const process = bench.open(async (work) => {
      for (let line = 1; line <= lines; line++) await work.error({ line })
      return {}
    })
    await process.worker.start()
    const { id } = await process.jobs.submit('export', input, context)
    expect(await ended(process, id)).toMatchObject({ state: 'succeeded_with_errors', errorLines: lines })
    expect(await process.jobs.errors(id, 41, 2, context)).toEqual([
      { number: 42, line: { line: 42 } },
      { number: 43, line: { line: 43 } },
    ])
    const all: unknown[] = []
    for await (const batch of await process.jobs.allErrors(id, context)) all.push(...batch)
    expect(all).toEqual(Array.from({ length: MAX_JOB_ERROR_LINES }, (_, index) => ({ line: index + 1 })))
  })

  it('fails with the problem that its handler met, and never with the text of a defect', async ({
    jobBench: bench,
  }) => {
    const process = bench.open(async (work) => {
      if (work.input.resource === 'players')
        throw new AppError('validation', '1 field is invalid', { errors: [{ pointer: '/a', code: 'format' }] })
      throw new Error('the password is hunter2')
    })
    await process.worker.start()
    const refused = await process.jobs.submit('export', input, context)
    const broken = await process.jobs.submit('export', { resource: 'games' }, context)
    expect(await ended(process, refused.id)).toMatchObject({
      state: 'failed',
      problem: { code: 'validation', detail: '1 field is invalid', errors: [{ pointer: '/a', code: 'format' }] },
    })
    const { state, problem } = await ended(process, broken.id)
    expect(state).toBe('failed')
    expect(problem?.code).toBe('internal')
    expect(JSON.stringify(problem)).not.toContain('hunter2')
  })

  it('is tried again when something it needs is away', async ({ jobBench: bench }) => {
    let attempts = 0
    const process = bench.open(async () => {
      attempts++
      if (attempts === 1) throw new AppError('unavailable', 'the database cannot be reached')
      return { summary: { attempts } }
    })
    await process.worker.start()
    const { id } = await process.jobs.submit('export', input, context)
    expect(await ended(process, id)).toMatchObject({ state: 'succeeded', summary: { attempts: 2 } })
  })

  it('is nobody else’s business', async ({ jobBench: bench }) => {
    const process = bench.open()
    const { id } = await process.jobs.submit('export', input, context)
    await expect(process.jobs.get(id, stranger)).rejects.toMatchObject({ code: 'not-found' })
    await expect(process.jobs.cancel(id, stranger)).rejects.toMatchObject({ code: 'not-found' })
    await expect(process.jobs.download(id, undefined, stranger)).rejects.toMatchObject({ code: 'not-found' })
    const request = {
      filters: [],
      search: undefined,
      sort: [{ field: 'createdAt', descending: true }],
      position: undefined,
      limit: 10,
    }
    expect((await process.jobs.list(request, stranger)).rows).toEqual([])
    expect((await process.jobs.list(request, context)).rows.map((job) => job.id)).toEqual([id])
    const own = await process.jobs.submit('export', input, stranger)
    expect((await process.jobs.list(request, stranger)).rows.map((job) => job.id)).toEqual([own.id])
  })

  it('that is one too many for its caller is refused', async ({ jobBench: bench }) => {
    const process = bench.open()
    await process.database.withClient((client) =>
      client.query(
        `INSERT INTO job (id, kind, resource, caller_type, caller_id, caller_scopes, request_id, input)
         SELECT gen_random_uuid(), 'export', 'players', 'system', $1, '{}', 'r', '{}' FROM generate_series(1, 100)`,
        [context.principal.id],
      ),
    )
    await expect(process.jobs.submit('export', input, context)).rejects.toMatchObject({ code: 'quota-exceeded' })
    let read = false
    async function* body() {
      read = true
      yield Buffer.from('in vain')
    }
    const withBody = process.jobs.submit('import', input, context, body())
    await expect(withBody).rejects.toMatchObject({ code: 'quota-exceeded' })
    expect(read).toBe(false)
    expect(await process.jobs.submit('export', input, stranger)).toMatchObject({ state: 'queued' })
  })
})

describe.concurrent('cancelling', () => {
  it('ends a job that waits at once and for good', async ({ jobBench: bench }) => {
    const process = bench.open()
    const { id } = await process.jobs.submit('export', input, context)
    expect(await process.jobs.cancel(id, context)).toMatchObject({ state: 'cancelled' })
    const { rows } = await process.database.withClient((client) => client.query('SELECT id FROM pgboss.job'))
    expect(rows).toEqual([])
  })

  it('reaches a job that runs in another process', async ({ jobBench: bench }) => {
    const began = Promise.withResolvers<void>()
    const worker = bench.open(async (work) => {
      work.progress(7)
      began.resolve()
      await new Promise((_, reject) => work.signal.addEventListener('abort', () => reject(work.signal.reason)))
      return {}
    })
    await worker.worker.start()
    const caller = bench.open()
    const { id } = await caller.jobs.submit('export', input, context)
    await began.promise
    expect(await caller.jobs.cancel(id, context)).toMatchObject({ state: 'running' })
    const job = await ended(caller, id)
    expect(job.state).toBe('cancelled')
    expect(job.cancelRequestedAt).toBeInstanceOf(Date)
    expect(await caller.jobs.cancel(id, context)).toEqual(job)
    await expect(caller.jobs.download(id, undefined, context)).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe.concurrent('a process that starts while the database is away', () => {
  it('does jobs as soon as there is one, and ends at once when it is told to', async ({ jobBench: bench }) => {
    const gate = await createGate(bench.url)
    try {
      gate.shut()
      const [waiting, leaving] = [bench.open(undefined, gate.url), bench.open(undefined, gate.url)]
      const stop = new AbortController()
      const started = waiting.worker.start(new AbortController().signal)
      const left = leaving.worker.start(stop.signal)
      // Who does not say how long to wait is told.
      await expect(bench.open(undefined, gate.url).worker.start()).rejects.toMatchObject({ code: 'unavailable' })
      stop.abort()
      await left
      gate.open()
      await started
      const { id } = await waiting.jobs.submit('export', input, context)
      expect(await ended(waiting, id)).toMatchObject({ state: 'succeeded' })
    } finally {
      await bench.close()
      await gate.close()
    }
  })
})

describe.concurrent('several processes', () => {
  it('do each job once', async ({ jobBench: bench }) => {
    const done: string[] = []
    const run = async ({ id }: { id: string }) => {
      done.push(id)
      return {}
    }
    const [one, other] = [bench.open(run), bench.open(run)]
    await Promise.all([one.worker.start(), other.worker.start()])
    const submitted = await Promise.all(Array.from({ length: 12 }, () => one.jobs.submit('export', input, context)))
    await Promise.all(submitted.map(({ id }) => ended(one, id)))
    expect([...done].sort()).toEqual(submitted.map(({ id }) => id).sort())
  })

  it('give back what they are doing when they stop, and the next one begins it anew', async ({ jobBench: bench }) => {
    const began = Promise.withResolvers<void>()
    const leaving = bench.open(async (work) => {
      const result = await work.result({ name: 'r.txt', type: 'text/plain' })
      await result.write('of the first attempt')
      await result.end()
      await work.error({ attempt: 1 })
      began.resolve()
      await new Promise((_, reject) => work.signal.addEventListener('abort', () => reject(work.signal.reason)))
      return {}
    })
    await leaving.worker.start()
    const { id } = await leaving.jobs.submit('export', input, context)
    await began.promise
    await leaving.worker.stop()
    expect(await leaving.jobs.get(id, context)).toMatchObject({ state: 'queued' })
    const next = bench.open(async (work) => {
      const result = await work.result({ name: 'r.txt', type: 'text/plain' })
      await result.write('of the second')
      await result.end()
      return {}
    })
    await next.worker.start()
    expect(await ended(next, id)).toMatchObject({ state: 'succeeded', errorLines: 0 })
    expect((await resultOf(next, id)).toString()).toBe('of the second')
    expect(await next.jobs.errors(id, 0, 10, context)).toEqual([])
  })

  it('take over from one that was thought dead, whose late writes then count for nothing', async ({
    jobBench: bench,
  }) => {
    const began = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    let attempts = 0
    let late: unknown
    const run = async (work: JobWork) => {
      const first = ++attempts === 1
      const result = await work.result({ name: 'r.txt', type: 'text/plain' })
      if (first) {
        began.resolve()
        await goOn.promise
      }
      await result.write(first ? 'too late' : 'in time')
      late = await result.end().catch((error: unknown) => error)
      return { summary: { first } }
    }
    const [one, other] = [bench.open(run), bench.open(run)]
    await one.worker.start()
    const { id } = await one.jobs.submit('export', input, context)
    await began.promise
    await other.worker.start()
    await forgetHeartbeat(other, id)
    const job = await ended(other, id)
    expect(late).not.toBeInstanceOf(Error)
    goOn.resolve()
    await one.worker.stop()
    expect(job).toMatchObject({ state: 'succeeded', summary: { first: false } })
    expect(late).toBeInstanceOf(Error)
    expect(await other.jobs.get(id, context)).toEqual(job)
    expect((await resultOf(other, id)).toString()).toBe('in time')
  })

  it('give up a job that has taken several of them down', async ({ jobBench: bench }) => {
    const process = bench.open()
    const { id } = await process.jobs.submit('export', input, context)
    await process.database.withClient((client) =>
      client.query("UPDATE job SET state = 'running', attempt = 5, interruptions = 4 WHERE id = $1", [id]),
    )
    await process.worker.start()
    expect(await ended(process, id)).toMatchObject({ state: 'failed', problem: { code: 'internal' } })
  })
})

/** As if its worker had been silent for a minute. */
async function forgetHeartbeat(process: ReturnType<JobBench['open']>, id: string): Promise<void> {
  const before = await attemptOf(process, id)
  await until(async () => {
    await process.database.withClient((client) =>
      client.query(
        "UPDATE pgboss.job SET heartbeat_on = now() - interval '1 minute' WHERE id = $1 AND state = 'active' AND retry_count = 0",
        [id],
      ),
    )
    await process.queue.supervise()
    return (await attemptOf(process, id)) !== before
  })
}

async function attemptOf(process: ReturnType<JobBench['open']>, id: string): Promise<number | undefined> {
  const { rows } = await process.database.withClient((client) =>
    client.query<{ attempt: number }>('SELECT attempt FROM job WHERE id = $1', [id]),
  )
  return rows[0]?.attempt
}

describe.concurrent('upkeep', () => {
  it('forgets jobs seven days after their end, with all their files, and bodies that no job has', async ({
    jobBench: bench,
  }) => {
    const process = bench.open(async (work) => {
      const result = await work.result({ name: 'r.txt', type: 'text/plain' })
      await result.write('kept for a while')
      await result.end()
      return {}
    })
    await process.worker.start()
    const old = await process.jobs.submit('export', input, context)
    const young = await process.jobs.submit('export', input, context)
    const { finishedAt, expiresAt } = await ended(process, old.id)
    await ended(process, young.id)
    expect(Number(expiresAt) - Number(finishedAt)).toBe(7 * 24 * 3600 * 1000)
    await process.database.withClient(async (client) => {
      await client.query("UPDATE job SET expires_at = now() - interval '1 second' WHERE id = $1", [old.id])
      await client.query(
        `INSERT INTO job_file (id, attempt, role, number, name, media_type, created_at)
         SELECT gen_random_uuid(), 0, 'body', 0, 'body', 'x', now() - age FROM unnest('{1 hour,25 hours}'::interval[]) age`,
      )
    })
    await new JobUpkeep(process.database, process.queue, undefined).run()
    await expect(process.jobs.get(old.id, context)).rejects.toMatchObject({ code: 'not-found' })
    expect((await resultOf(process, young.id)).toString()).toBe('kept for a while')
    const { rows } = await process.database.withClient((client) =>
      client.query('SELECT count(*)::int AS files, count(job_id)::int AS of_jobs FROM job_file'),
    )
    expect(rows).toEqual([{ files: 2, of_jobs: 1 }])
  })

  it('queues anew what the queue has lost', async ({ jobBench: bench }) => {
    const process = bench.open(async () => ({ summary: { found: true } }))
    const { id } = await process.jobs.submit('export', input, context)
    await process.database.withClient(async (client) => {
      await client.query('DELETE FROM pgboss.job')
      await client.query("UPDATE job SET created_at = now() - interval '2 minutes'")
    })
    await process.worker.start()
    expect(await ended(process, id)).toMatchObject({ state: 'succeeded', summary: { found: true } })
  })
})
