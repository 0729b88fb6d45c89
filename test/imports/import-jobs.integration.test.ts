import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '../../src/errors.ts'
import type { ImportAnswer } from '../../src/imports/import-answer.ts'
import { ImportJob, type ImportJobInput } from '../../src/imports/import-job.ts'
import { ImportService } from '../../src/imports/import-service.ts'
import type { JobWork } from '../../src/jobs/job.ts'
import { createTestApi, type TestApi } from '../support/api.ts'
import { ndjson, posted } from './posted.ts'

let api: TestApi
beforeAll(async () => {
  api = await createTestApi()
  await api.worker.start()
})
afterAll(() => api.close())

const name = (n: number | string) => `job_${process.pid}_${n}`
const PREFER = { Prefer: 'respond-async' }

/** Polls until the job has ended: its worker asks the queue once a second. */
async function ended(id: string): Promise<Record<string, unknown>> {
  for (;;) {
    const { body } = await api.admin.get(`/v1/jobs/${id}`)
    if (body.state !== 'queued' && body.state !== 'running') return body
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const answersOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ImportAnswer)

describe('an import as a job', () => {
  it('is taken with 202, and its result is the answer that a streamed import gives', async () => {
    const lines = [{ username: name(1) }, { username: 'x' }, { username: name(2) }, { username: name(1) }]
    const submitted = await posted(api, 'players?mode=upsert', lines, { headers: PREFER, gzip: true })
    expect(submitted.status).toBe(202)
    expect(submitted.problem).toMatchObject({ kind: 'import', resource: 'players', state: 'queued' })
    const id = String(submitted.problem.id)
    const job = await ended(id)
    expect(job).toMatchObject({ state: 'succeeded_with_errors', progressDone: 4, errorLines: 2, problem: null })
    expect(job.summary).toEqual({ lines: 4, created: 2, updated: 0, unchanged: 0, errors: 2, dryRun: false })
    const result = await api.admin.get(`/v1/jobs/${id}/result`).buffer(true)
    expect(result.headers['content-type']).toContain('application/x-ndjson')
    const answers = answersOf(result.text)
    expect(answers.at(-1)).toEqual({ _end: job.summary })
    const streamed = await posted(api, 'players', lines)
    const problems = streamed.answers.filter(({ status }) => status === 'error')
    expect(answers.filter((answer) => 'status' in answer && answer.status === 'error')).toEqual(problems)
    expect((await api.admin.get(`/v1/jobs/${id}/errors`)).body.data).toEqual(problems)
    expect(streamed.totals).toMatchObject({ unchanged: 2, errors: 2 })
  })

  it('is refused at once where it can be, and fails with the problem of its body', async () => {
    const reader = api.as(await api.token('imports:write', 'players:write'))
    for (const [path, agent, code] of [
      ['players?dryRun=true', reader, 'forbidden'],
      ['owners', reader, 'forbidden'],
      ['players?matchBy=slug', api.admin, 'invalid-parameter'],
      ['players?atomic=true&onError=continue', api.admin, 'invalid-parameter'],
    ] as const) {
      expect((await posted(api, path, [], { headers: PREFER, agent })).problem.code).toBe(code)
    }
    const { problem } = await posted(api, 'players', 'shoeSize\n43\n', { headers: PREFER, type: 'text/csv' })
    const job = await ended(String(problem.id))
    expect(job).toMatchObject({
      state: 'failed',
      problem: { code: 'validation', status: 422, errors: [{ column: 1 }] },
    })
  })

  it('is acted on by those who submitted it, and audited as theirs', async () => {
    const agent = api.as(await api.token('imports:write', 'players:write'))
    const { problem } = await posted(api, 'players', [{ username: name('own') }], { headers: PREFER, agent })
    await ended(String(problem.id))
    const event = await api.database.prisma.auditEvent.findFirst({ orderBy: { seq: 'desc' } })
    expect(event).toMatchObject({ action: 'player.create', actorType: 'api_key', actorId: problem.callerId })
  })
})

/** What a handler works with, without a queue. */
function handmade(input: ImportJobInput, body: string) {
  const stop = new AbortController()
  const written: string[] = []
  const errors: object[] = []
  const work: JobWork<ImportJobInput> = {
    id: 'a job',
    input,
    context: api.context,
    signal: stop.signal,
    progress: () => undefined,
    async *body() {
      yield Buffer.from(body)
    },
    result: async () => ({
      write: async (chunk) => void written.push(String(chunk)),
      end: async () => ({ bytes: 0, sha256: '' }),
    }),
    part: () => Promise.reject(new Error('an import has no parts')),
    error: async (line) => void errors.push(line),
  }
  return { work, stop, errors, answers: () => answersOf(written.join('')) }
}

describe('the work of an import', () => {
  it('whose body breaks off says what is in, and fails', async () => {
    const input: ImportJobInput = { resource: 'players', format: 'ndjson', options: {} }
    const { work, answers } = handmade(input, '')
    async function* body() {
      yield Buffer.from(ndjson(...Array.from({ length: 500 }, (_, i) => ({ username: name(`broke_${i}`) }))))
      throw new AppError('malformed-input', 'it broke')
    }
    const run = new ImportJob(new ImportService(api.database)).run({ ...work, body })
    await expect(run).rejects.toMatchObject({ code: 'malformed-input' })
    expect(answers()).toHaveLength(501)
    const totals = { lines: 500, created: 500, updated: 0, unchanged: 0, errors: 0 }
    expect(answers().at(-1)).toEqual({ _problem: { code: 'malformed-input', status: 400, detail: 'it broke' }, totals })
  })

  it('that is cancelled ends after the batch, says what is in, and done again answers unchanged for that', async () => {
    const lines = Array.from({ length: 2000 }, (_, i) => ({ username: name(`cancel_${i}`) }))
    const input: ImportJobInput = { resource: 'players', format: 'ndjson', options: {} }
    const handler = new ImportJob(new ImportService(api.database))
    const first = handmade(input, ndjson(...lines))
    const cancelled = new Error('cancelled')
    const work = { ...first.work, progress: () => first.stop.abort(cancelled) }
    await expect(handler.run(work)).rejects.toBe(cancelled)
    const answers = first.answers()
    expect(answers.at(-1)).toEqual({
      _end: { lines: 500, created: 500, updated: 0, unchanged: 0, errors: 0, dryRun: false, cancelled: true },
    })
    const usernameKey = { startsWith: name('cancel_') }
    expect(await api.database.prisma.player.count({ where: { usernameKey } })).toBe(500)
    const second = handmade(input, ndjson(...lines))
    const { summary } = await handler.run(second.work)
    expect(summary).toMatchObject({ lines: 2000, created: 1500, unchanged: 500, errors: 0 })
    expect(second.answers()).toHaveLength(2001)
  })
})
