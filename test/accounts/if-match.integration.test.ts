import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, type TestApi } from '../support/api.ts'
import { type Change, changes } from '../support/changes.ts'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
})

afterAll(() => api.close())

function send({ method, path, body }: Change, ifMatch?: string) {
  const request = api.admin[method](path)
  if (ifMatch !== undefined) request.set('If-Match', ifMatch)
  return body === undefined ? request : request.send(body)
}

const operations = Object.keys(changes)
/** They replace the whole record under its caller's own key, and are idempotent by nature: If-Match is theirs to send or not. */
const REPLACING = ['putStudioByRef', 'putGameByRef', 'putGamePlatform', 'grantEntitlement']
const changeOf = (operation: string) => (changes[operation] as (typeof changes)[string])(api)

describe('If-Match', () => {
  it('is tried here for every operation that takes it', () => {
    const paths = api.app.document.paths as Record<
      string,
      Record<string, { operationId: string; parameters?: unknown[] }>
    >
    const taking = Object.values(paths)
      .flatMap((item) => Object.values(item))
      .filter(({ parameters }) => JSON.stringify(parameters ?? []).includes('IfMatch'))
    expect(taking.map(({ operationId }) => operationId).sort()).toEqual([...operations].sort())
  })

  it.each(REPLACING)('missing: the whole record is replaced by %s', async (operation) => {
    expect((await send(await changeOf(operation))).status).toBe(200)
  })

  it.each(operations.filter((operation) => !REPLACING.includes(operation)))(
    'missing: 428 from %s, and nothing changes',
    async (operation) => {
      const change = await changeOf(operation)
      const refused = await send(change)
      expect(refused.body).toMatchObject({ status: 428, code: 'precondition-required' })
      expect((await send(change, `"${change.version}"`)).status).toBeLessThan(300)
    },
  )

  it.each(operations)('of another version: 412 from %s, with the present ETag', async (operation) => {
    const change = await changeOf(operation)
    for (const stale of [`"${change.version + 1}"`, `W/"${change.version + 1}"`, '"0"', '"not-ours"']) {
      const refused = await send(change, stale)
      expect(refused.body).toMatchObject({ status: 412, code: 'version-mismatch' })
      expect(refused.headers.etag).toBe(`"${change.version}"`)
    }
  })

  it.each(operations)('that cannot be read: 400 from %s', async (operation) => {
    const change = await changeOf(operation)
    for (const header of [String(change.version), `w/"${change.version}"`, `"${change.version}`, '']) {
      expect((await send(change, header)).body).toMatchObject({ status: 400, code: 'malformed-header' })
    }
  })

  it.each(operations)('weakened by a proxy, or one of a list, is as good for %s', async (operation) => {
    const weak = await changeOf(operation)
    expect((await send(weak, `W/"${weak.version}"`)).status).toBeLessThan(300)
    const listed = await changeOf(operation)
    expect((await send(listed, `"77777", "${listed.version}"`)).status).toBeLessThan(300)
  })

  it.each(operations)('of * overwrites by %s, and the trail says so', async (operation) => {
    expect((await send(await changeOf(operation), '*')).status).toBeLessThan(300)
    const [event] = await api.database.prisma.auditEvent.findMany({ orderBy: { seq: 'desc' }, take: 1 })
    expect(event?.changes).toMatchObject({ $ifMatch: '*' })
  })
})
