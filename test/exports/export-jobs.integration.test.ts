import { createHash, randomUUID } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemContext } from '../../src/caller.ts'
import { snapshotReader } from '../../src/database/snapshot-reader.ts'
import { ExportJob } from '../../src/exports/export-job.ts'
import { type ExportRequest, prepareExport } from '../../src/exports/export-request.ts'
import type { JobFileFacts, JobWork } from '../../src/jobs/job.ts'
import { until } from '../jobs/job-bench.ts'
import { createTestApi, newStudio, type TestApi } from '../support/api.ts'
import { download, NDJSON, proofOf } from './download.ts'

let api: TestApi
const slugs: string[] = []

beforeAll(async () => {
  api = await createTestApi()
  for (let n = 0; n < 5; n++) slugs.push((await newStudio(api, { country: n < 3 ? 'DE' : 'SE' })).slug)
  await api.worker.start()
})
afterAll(() => api.close())

async function bytesOf(path: string): Promise<Buffer> {
  const answer = await api.admin
    .get(path)
    .buffer(true)
    .parse((response, done) => {
      const pieces: Buffer[] = []
      response.on('data', (piece: Buffer) => pieces.push(piece))
      response.on('end', () => done(null, Buffer.concat(pieces)))
    })
  if (answer.status !== 200) throw new Error(`${answer.status}`)
  return answer.body
}

const finished = (id: string) =>
  until(async () => {
    const { body, headers } = await api.admin.get(`/v1/jobs/${id}`)
    if (body.finishedAt !== null) return body
    expect(headers['retry-after']).toBe('2')
    return false
  })

describe('an export by name', () => {
  it('is a job with parts, a manifest that tells their hashes, and end lines', async () => {
    const sent = {
      resource: 'studios',
      filter: { country: 'DE' },
      fields: ['slug'],
      sort: 'createdAt',
      compress: 'gzip',
    }
    const answer = await api.admin.post('/v1/exports').send(sent)
    expect(answer.status).toBe(202)
    expect(answer.headers).toMatchObject({ location: `/v1/jobs/${answer.body.id}`, 'retry-after': '2' })
    expect(answer.body).toMatchObject({ kind: 'export', resource: 'studios', state: 'queued' })
    const job = await finished(answer.body.id)
    expect(job).toMatchObject({ state: 'succeeded', progressDone: 3, progressTotal: 3, summary: { rows: 3, parts: 1 } })
    const manifest = (await api.admin.get(`/v1/jobs/${job.id}/result`)).body
    expect(manifest).toMatchObject({ resource: 'studios', format: 'ndjson', rows: 3 })
    const [part] = manifest.parts
    const bytes = await bytesOf(part.href)
    expect({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }).toEqual({
      bytes: part.bytes,
      sha256: part.sha256,
    })
    const { said, found, lines } = proofOf(gunzipSync(bytes).toString())
    expect(said).toEqual(found)
    expect(lines.map((line) => JSON.parse(line).slug)).toEqual(slugs.slice(0, 3))
    await api
      .as(await api.token('exports:read', 'studios:read'))
      .get(`/v1/jobs/${job.id}/result`)
      .expect(404)
  })

  it('that is asked for twice with one key is one job', async () => {
    const ask = () =>
      api.admin.post('/v1/exports').set('Idempotency-Key', 'export-studios-1').send({ resource: 'studios' })
    const [first, second] = [await ask(), await ask()]
    expect([first.status, second.status]).toEqual([202, 202])
    expect(second.body.id).toBe(first.body.id)
    expect(second.headers['idempotency-replayed']).toBe('true')
    const { rows } = await api.database.withClient((client) =>
      client.query('SELECT count(*)::int AS n FROM job WHERE request_id = (SELECT request_id FROM job WHERE id = $1)', [
        first.body.id,
      ]),
    )
    expect(rows).toEqual([{ n: 1 }])
    await finished(first.body.id)
  })

  it('whose result is asked for too early is answered 303 to the job', async () => {
    const { rows } = await api.database.withClient((client) =>
      client.query(
        `INSERT INTO job (id, kind, resource, caller_type, caller_id, caller_scopes, request_id, input)
         VALUES (gen_random_uuid(), 'export', 'studios', 'api_key', 'x', '{}', 'r', '{}') RETURNING id`,
      ),
    )
    const answer = await api.admin.get(`/v1/jobs/${rows[0].id}/result`).redirects(0)
    expect(answer.status).toBe(303)
    expect(answer.headers).toMatchObject({ location: `/v1/jobs/${rows[0].id}`, 'retry-after': '2' })
  })

  it('is refused with pointers, and without the scopes that its list needs', async () => {
    const refused = async (body: object) => {
      const answer = await api.admin.post('/v1/exports').send(body)
      return [answer.status, answer.body.errors?.[0]?.pointer]
    }
    expect(await refused({ resource: 'studios', filter: { colour: 'red' } })).toEqual([422, '/filter/colour'])
    expect(await refused({ resource: 'studios', filter: { status: 'gone' } })).toEqual([422, '/filter/status'])
    expect(await refused({ resource: 'studios', filter: { limit: '5' } })).toEqual([422, '/filter/limit'])
    expect(await refused({ resource: 'studios', fields: ['colour'] })).toEqual([422, '/fields'])
    expect(await refused({ resource: 'rockets' })).toEqual([422, '/resource'])
    const plain = api.as(await api.token('exports:read', 'players:read'))
    expect((await plain.post('/v1/exports').send({ resource: 'studios' })).status).toBe(403)
    expect((await plain.post('/v1/exports').send({ resource: 'players', filter: { country: 'DE' } })).status).toBe(403)
    expect((await plain.post('/v1/exports').send({ resource: 'players', expand: ['identities'] })).status).toBe(403)
  })

  it('is cut into parts of which each is an export of its own, together the list', async () => {
    await api.database.withClient((client) =>
      client.query(
        `INSERT INTO studio (id, slug, name, created_at) SELECT gen_random_uuid(), 'bulk-' || n, 'Studio ' || n, now() + n * interval '1 ms'
         FROM generate_series(1, 4500) n`,
      ),
    )
    const { lists } = await listsOf(api)
    const job = new ExportJob({ lists, snapshots: snapshotReader(api.database), partBytes: 1 })
    const input: ExportRequest = { resource: 'studios', format: 'ndjson', compress: 'none', sort: 'createdAt' }
    const files = new Map<number, string>()
    const file = (number: number) => async (_facts: JobFileFacts) => ({
      write: async (bytes: Uint8Array | string) =>
        void files.set(number, (files.get(number) ?? '') + Buffer.from(bytes).toString()),
      end: async () => ({ bytes: 0, sha256: '' }),
    })
    const work = {
      ...{
        id: randomUUID(),
        input,
        context: systemContext('test', randomUUID()),
        signal: new AbortController().signal,
      },
      progress: () => undefined,
      result: file(0),
      part: (number: number, facts: JobFileFacts) => file(number)(facts),
    }
    const { summary } = await job.run(work as unknown as JobWork<ExportRequest>)
    expect(summary).toMatchObject({ rows: 4505, parts: 3 })
    const all: string[] = []
    for (const number of [1, 2, 3]) {
      const { said, found, lines } = proofOf(files.get(number) ?? '')
      expect(said).toEqual(found)
      all.push(...lines)
    }
    expect(all).toEqual(proofOf(await download(api, '/v1/studios?sort=createdAt', NDJSON)).lines)
    expect(JSON.parse(files.get(0) ?? '').parts).toHaveLength(3)
  })

  it('prepares nothing for somebody who may not read the list', async () => {
    const { lists } = await listsOf(api)
    const stranger = { type: 'api_key', id: 'x', name: 'x', scopes: new Set<never>(), expiresAt: null } as const
    const request: ExportRequest = { resource: 'players', format: 'csv', compress: 'none' }
    await expect(prepareExport(lists, request, { principal: stranger, requestId: 'r' })).rejects.toMatchObject({
      code: 'forbidden',
    })
  })
})

async function listsOf({ database }: TestApi) {
  const { accountsApi } = await import('../../src/commands/accounts.ts')
  return { lists: accountsApi(database).exports }
}
