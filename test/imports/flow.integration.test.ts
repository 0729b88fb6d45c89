import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../src/database/database.ts'
import { AppError } from '../../src/errors.ts'
import { type ImportAnswer, isEnd } from '../../src/imports/import-answer.ts'
import { ImportService } from '../../src/imports/import-service.ts'
import { createTestApi, type TestApi } from '../support/api.ts'

describe('the flow of an import', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await createTestApi()
  })
  afterAll(() => api.close())

  const rowsLike = (prefix: string) =>
    api.database.prisma.player.count({ where: { usernameKey: { startsWith: prefix } } })

  /** Lines that tell how many of them were taken. */
  function counted(prefix: string, count: number) {
    const state = { taken: 0 }
    function* lines() {
      for (let i = 0; i < count; i++) {
        state.taken = i + 1
        yield { username: `${prefix}${i}` }
      }
    }
    return { state, objects: lines() }
  }

  it('takes no more input than three batches beyond what is answered', async () => {
    const { state, objects } = counted('flow_', 6000)
    let answered = 0
    let furthest = 0
    for await (const answers of new ImportService(api.database).run('players', { objects }, {}, api.context)) {
      answered += answers.filter((answer: ImportAnswer) => !isEnd(answer)).length
      furthest = Math.max(furthest, state.taken - answered)
    }
    expect(answered).toBe(6000)
    expect(furthest).toBeLessThanOrEqual(1500)
  })

  it('ends with whoever takes the answers: what was answered is in, and nothing comes after', async () => {
    const { objects } = counted('left_', 5000)
    for await (const answers of new ImportService(api.database).run('players', { objects }, {}, api.context)) {
      expect(answers).toHaveLength(500)
      break
    }
    expect(await rowsLike('left_')).toBe(500)
  })

  it('ends when the signal says that the client has left', async () => {
    const { objects } = counted('gone_', 5000)
    const controller = new AbortController()
    const all: ImportAnswer[] = []
    const service = new ImportService(api.database)
    for await (const answers of service.run('players', { objects }, {}, api.context, controller.signal)) {
      all.push(...answers)
      controller.abort()
    }
    expect(all).toHaveLength(500)
    expect(await rowsLike('gone_')).toBe(500)
  })

  it('takes further connections only while nobody waits for a first one', async () => {
    const most = async (waiting: number, prefix: string) => {
      let [now, peak] = [0, 0]
      const counting = async <T>(work: () => Promise<T>) => {
        peak = Math.max(peak, ++now)
        return work().finally(() => now--)
      }
      const database: Database = Object.create(api.database, {
        poolState: { value: () => ({ total: 2, idle: 0, waiting }) },
        withClient: { value: (work: never) => counting(() => api.database.withClient(work)) },
        rawTransaction: { value: (work: never) => counting(() => api.database.rawTransaction(work)) },
      })
      const run = new ImportService(database).run('players', counted(prefix, 6000), {}, api.context)
      for await (const answers of run) expect(answers.length).toBeGreaterThan(0)
      expect(await rowsLike(prefix)).toBe(6000)
      return peak
    }
    expect(await most(0, 'free_')).toBe(3)
    expect(await most(1, 'crowd_')).toBe(1)
  })

  it('answers what was read before the input broke, and then fails', async () => {
    async function* chunks() {
      yield Buffer.from(Array.from({ length: 500 }, (_, i) => `{"username":"broke_${i}"}\n`).join(''))
      throw new AppError('payload-too-large', 'too much')
    }
    const input = { format: 'ndjson', chunks: chunks() } as const
    const all: ImportAnswer[] = []
    const read = async () => {
      const run = new ImportService(api.database).run('players', input, {}, api.context)
      for await (const answers of run) all.push(...answers)
    }
    await expect(read()).rejects.toMatchObject({ code: 'payload-too-large' })
    expect(all).toHaveLength(500)
    expect(await rowsLike('broke_')).toBe(500)
  })
})
