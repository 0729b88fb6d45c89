import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isEnd } from '../../src/imports/import-answer.ts'
import { ImportService } from '../../src/imports/import-service.ts'
import { createTestApi, type TestApi } from '../support/api.ts'

let api: TestApi
let server: http.Server
let token: string
beforeAll(async () => {
  api = await createTestApi()
  token = await api.token()
  server = http.createServer(api.app.express).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await api.close()
})

const name = (n: number | string) => `stream_${process.pid}_${n}`

/** A request whose body is written and whose answer is read line by line, both while the other goes on. */
function conversation(headers: Readonly<Record<string, string>> = {}) {
  const { port } = server.address() as AddressInfo
  const request = http.request({
    host: '127.0.0.1',
    port,
    method: 'POST',
    path: '/v1/imports/players',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/x-ndjson', ...headers },
  })
  request.on('error', () => undefined)
  const lines = (async function* () {
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    for await (const line of createInterface({ input: response })) yield JSON.parse(line) as Record<string, unknown>
  })()
  return { request, next: async () => (await lines.next()).value as Record<string, unknown> | undefined }
}

describe('an import whose sender waits for answers', () => {
  it('answers what has come when nothing more comes, line by line', async () => {
    const { request, next } = conversation()
    for (let n = 1; n <= 3; n++) {
      request.write(`{"username":"${name(n)}"}\n`)
      expect(await next()).toMatchObject({ line: n, status: 'created' })
    }
    // A line that is not whole waits for its end.
    request.write(`{"username":"${name(4)}"}\n{"username":`)
    expect(await next()).toMatchObject({ line: 4, status: 'created' })
    request.end(`"${name(5)}"}`)
    expect(await next()).toMatchObject({ line: 5, status: 'created' })
    expect(await next()).toEqual({ _end: { lines: 5, created: 5, updated: 0, unchanged: 0, errors: 0, dryRun: false } })
  })

  it('says at the end that the body broke, and what is in', async () => {
    const { request, next } = conversation({ 'Content-Encoding': 'gzip' })
    request.write(gzipSync(`{"username":"${name('packed')}"}\n{"username":"x"}\n`))
    expect(await next()).toMatchObject({ line: 1, status: 'created' })
    expect(await next()).toMatchObject({ line: 2, status: 'error' })
    request.end('this is no gzip any more')
    expect(await next()).toMatchObject({
      _problem: { code: 'malformed-input', status: 400 },
      totals: { lines: 2, created: 1, updated: 0, unchanged: 0, errors: 1 },
    })
    expect(await next()).toBeUndefined()
  })

  it('keeps what was answered when its sender leaves', async () => {
    const { request, next } = conversation()
    request.write(`{"username":"${name('left')}"}\n`)
    expect(await next()).toMatchObject({ line: 1, status: 'created' })
    request.destroy()
    expect(await api.database.prisma.player.count({ where: { username: name('left') } })).toBe(1)
  })
})

describe('a large import', () => {
  const LINE_BYTES = 400
  const LINES = 40_000

  it.each([
    ['ndjson', '', (n: number) => `[${String(n).padStart(LINE_BYTES - 2)}\n`],
    ['csv', 'username\n', (n: number) => `"a"${String(n).padStart(LINE_BYTES - 4)}\n`],
  ] as const)(
    'of %s is never held: what is read and not answered stays within a few batches',
    async (format, header, line) => {
      let pulled = 0
      async function* chunks() {
        yield Buffer.from(header)
        let text = ''
        for (let n = 1; n <= LINES; n++) {
          text += line(n)
          // A chunk ends in the middle of a line.
          if (text.length < 500_000) continue
          pulled += 499_999
          yield Buffer.from(text.slice(0, 499_999))
          text = text.slice(499_999)
        }
        yield Buffer.from(text)
      }
      let answered = 0
      let furthest = 0
      const run = new ImportService(api.database).run('players', { format, chunks: chunks() }, {}, api.context)
      for await (const answers of run) {
        answered += answers.filter((answer) => !isEnd(answer)).length
        furthest = Math.max(furthest, pulled - answered * LINE_BYTES)
      }
      expect(answered).toBe(LINES)
      expect(furthest).toBeLessThan(2_000_000)
    },
  )
})
