import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, type TestApi } from '../support/api.ts'
import { cleanEnvironment, ROOT } from '../support/service.ts'

let api: TestApi
beforeAll(async () => {
  // Nobody here does jobs.
  api = await createTestApi()
  await api.admin.post('/v1/studios').send({ slug: 'work-one', name: 'One' }).expect(201)
})
afterAll(() => api?.close())

/** Ends by itself, or by SIGTERM once `until` is so. */
async function work(args: readonly string[], until?: () => Promise<boolean>): Promise<number | null> {
  const child = spawn(process.execPath, [path.join(ROOT, 'src/main.ts'), 'work', ...args], {
    env: cleanEnvironment({ DATABASE_URL: api.databaseUrl, LOG_LEVEL: 'warn' }),
    stdio: 'inherit',
  })
  const ended = once(child, 'close')
  if (until !== undefined) {
    await expect.poll(until, { timeout: 30_000 }).toBe(true)
    child.kill('SIGTERM')
  }
  const [code] = (await ended) as [number | null]
  return code
}

async function submitted(): Promise<string> {
  const { body } = await api.admin.post('/v1/exports').send({ resource: 'studios' }).expect(202)
  return body.id as string
}

const stateOf = async (id: string) => (await api.admin.get(`/v1/jobs/${id}`).expect(200)).body.state as string

describe('rocketgames work', () => {
  it('does what waits without answering requests, with the database alone, and ends when there is nothing left', async () => {
    const id = await submitted()
    expect(await stateOf(id)).toBe('queued')
    expect(await work(['--until-idle', '1', '--export-part-mib', '1'])).toBe(0)
    expect(await stateOf(id)).toBe('succeeded')
    const { text } = await api.admin.get(`/v1/jobs/${id}/result`).expect(200)
    expect(JSON.parse(text)).toMatchObject({ rows: 1, parts: [{ number: 1 }] })
  })

  it('ends when it is told to', async () => {
    const id = await submitted()
    expect(await work([], async () => (await stateOf(id)) === 'succeeded')).toBe(0)
  })

  it('says what a number may be', async () => {
    expect(await work(['--export-part-mib', '0'])).toBe(2)
  })
})
