import { afterEach, describe, expect, it } from 'vitest'
import { ok, pieces, text } from '../../src/http/answer.ts'
import { createApp } from '../../src/http/app.ts'
import { type Route, route } from '../../src/http/route.ts'
import { serverOf } from '../../src/http/server.ts'
import { FunctionHandler } from '../../src/lambda/function-handler.ts'
import { MAX_BALANCER_RESULT_BYTES, MAX_RESULT_BYTES } from '../../src/lambda/incoming.ts'
import { answerEvent } from '../../src/lambda/invocation.ts'
import type { Result } from '../../src/lambda/result.ts'
import { createLogger } from '../../src/logger.ts'
import { Metrics } from '../../src/metrics.ts'

const open = {
  method: 'get',
  tag: 'test',
  summary: 'test',
  access: 'open',
  answers: { 200: { description: 'ok' } },
} as const

const written: string[] = []
const logger = createLogger({ level: 'info', destination: { write: (line) => void written.push(line) } })
afterEach(() => void written.splice(0))

function serverWith(...routes: Route[]) {
  const app = createApp({
    info: { title: 'test', version: '0', description: '' },
    groups: [{ routes }],
    enums: {},
    authenticator: { authenticate: async () => undefined },
    cursorKey: Buffer.alloc(32),
    checks: [],
    idempotency: { once: () => Promise.reject(new Error('no operation here changes anything')) },
    logger,
    metrics: new Metrics(),
  })
  return serverOf(app)
}

const get = (rawPath: string, headers: Record<string, string> = {}, method = 'GET') => ({
  version: '2.0',
  rawPath,
  rawQueryString: '',
  headers: { host: 'api.example', ...headers },
  requestContext: { domainName: 'api.example', stage: '$default', http: { method, path: rawPath } },
  isBase64Encoded: false,
})
const within = (ms: number) => ({ getRemainingTimeInMillis: () => ms })
const ask = (server: ReturnType<typeof serverWith>, event: unknown, ms = 29_000) =>
  answerEvent(async () => server, event, within(ms), logger)

function problemIn(result: Result): Record<string, unknown> {
  expect(result.headers?.['content-type']).toBe('application/problem+json')
  return JSON.parse(result.body) as Record<string, unknown>
}

const sized = (bytes: number, character = 'x') =>
  route({ ...open, operation: 'sized', path: '/sized', handle: () => text('text/plain', character.repeat(bytes)) })

describe('an answer that is too large for a function', () => {
  it('is a problem that says what to do, not the bare error of the gateway', async () => {
    const result = await ask(serverWith(sized(7_000_000)), get('/sized'))
    expect(result.statusCode).toBe(422)
    const problem = problemIn(result)
    expect(problem).toMatchObject({ code: 'answer-too-large', maxBytes: MAX_RESULT_BYTES })
    expect(problem.requestId).toBe(result.headers?.['x-request-id'])
    expect(written.join('')).toContain('"code":"answer-too-large"')
  })

  it('is measured as it is passed on: quotation marks take two bytes', async () => {
    const fits = await ask(serverWith(sized(4_000_000)), get('/sized'))
    expect([fits.statusCode, fits.body.length]).toEqual([200, 4_000_000])
    const quoted = await ask(serverWith(sized(4_000_000, '"')), get('/sized'))
    expect(quoted.statusCode).toBe(422)
  })

  it('is one of 1 MB where a load balancer asks, which takes no more', async () => {
    const { requestContext: _gateway, version: _form, rawPath: _path, ...common } = get('/sized')
    const event = { ...common, path: '/sized', httpMethod: 'GET', requestContext: { elb: { targetGroupArn: 'x' } } }
    const fits = await ask(serverWith(sized(900_000)), event)
    expect([fits.statusCode, fits.body.length]).toEqual([200, 900_000])
    const result = await ask(serverWith(sized(1_000_000)), event)
    expect(result.statusCode).toBe(422)
    expect(problemIn(result)).toMatchObject({ maxBytes: MAX_BALANCER_RESULT_BYTES })
  })

  it('ends the stream that makes it', async () => {
    let yielded = 0
    let ended = false
    const endless = route({
      ...open,
      operation: 'endless',
      path: '/endless',
      handle: () =>
        pieces(
          'text/plain',
          (async function* () {
            try {
              for (;;) {
                yielded++
                yield 'x'.repeat(100_000)
              }
            } finally {
              ended = true
            }
          })(),
        ),
    })
    const result = await ask(serverWith(endless), get('/endless'))
    expect(result.statusCode).toBe(422)
    await expect.poll(() => ended).toBe(true)
    expect(yielded).toBeLessThan(100)
  })
})

describe('an answer that takes too long', () => {
  it('is a problem before Lambda ends the process, and the operation is told that nobody waits', async () => {
    const left = Promise.withResolvers<void>()
    const slow = route({
      ...open,
      operation: 'slow',
      path: '/slow',
      async handle({ signal }) {
        signal.addEventListener('abort', () => left.resolve())
        await left.promise
        return ok({})
      },
    })
    const result = await ask(serverWith(slow), get('/slow'), 1_050)
    expect([result.statusCode, result.headers?.['retry-after']]).toEqual([503, '2'])
    expect(problemIn(result)).toMatchObject({ code: 'unavailable', detail: expect.stringContaining('Idempotency-Key') })
    await left.promise
  })
})

describe('a stream that fails in its middle', () => {
  it('is a problem: a function can still say so', async () => {
    const broken = route({
      ...open,
      operation: 'broken',
      path: '/broken',
      handle: () =>
        pieces(
          'text/plain',
          (async function* () {
            yield 'x'.repeat(100_000)
            throw new Error('lost')
          })(),
        ),
    })
    const result = await ask(serverWith(broken), get('/broken'))
    expect(problemIn(result)).toMatchObject({ code: 'unavailable', status: 503 })
  })
})

describe('what is no request', () => {
  const server = serverWith(sized(1))

  it.each([
    ['an event of a queue', { Records: [{ body: '{}' }] }],
    ['nothing', null],
    ['text', 'hello'],
    ['a header that HTTP does not allow', get('/sized', { 'x-word': 'a\nb' })],
    ['a method that HTTP does not allow', get('/sized', {}, 'G T')],
  ])('is refused: %s', async (_name, event) => {
    const result = await ask(server, event)
    expect([result.statusCode, problemIn(result).code]).toEqual([400, 'malformed-input'])
  })

  it('is refused when its headers are larger than any server takes, not told to come again', async () => {
    const result = await ask(server, get('/sized', { 'x-long': 'x'.repeat(40_000) }))
    expect([result.statusCode, problemIn(result).detail]).toEqual([400, expect.stringContaining('headers')])
  })

  it('may look like a header of the connection, which is another one here', async () => {
    const event = get('/sized', {
      connection: 'upgrade',
      upgrade: 'websocket',
      'transfer-encoding': 'chunked',
      te: 'x',
    })
    expect((await ask(server, event)).statusCode).toBe(200)
  })
})

describe('the application of a function', () => {
  function handlerWith(options: {
    secrets?: () => Promise<Record<string, string>>
    now?: () => number
    fails?: number
  }) {
    const happened: string[] = []
    let failures = options.fails ?? 0
    let status = 200
    const handler = new FunctionHandler({
      logger,
      now: options.now ?? Date.now,
      secrets: options.secrets ?? (async () => ({})),
      async open(secrets) {
        if (failures-- > 0) throw new Error('the database is away')
        happened.push(`open ${Object.values(secrets).join()}`.trim())
        const answers = route({
          ...open,
          operation: 'any',
          path: '/any',
          handle: () => ({ kind: 'empty', status, headers: {} }),
        })
        return {
          server: serverWith(answers),
          wake: async () => void happened.push('wake'),
          // As a pool that waits for a statement which nobody answers.
          close() {
            happened.push('close')
            return new Promise(() => undefined)
          },
        }
      },
    })
    const answer = async (ms = 29_000) => (await handler.answer(get('/any'), within(ms))).statusCode
    const unavailable = (is: boolean) => {
      status = is ? 503 : 200
    }
    return { answer, happened, unavailable }
  }

  it('is made once and kept', async () => {
    const { answer, happened } = handlerWith({})
    expect([await answer(), await answer(), await answer()]).toEqual([200, 200, 200])
    expect(happened).toEqual(['open'])
  })

  it('is made once, though an event cannot wait for it: that one is told in time, the next one finds it', async () => {
    const held = Promise.withResolvers<Record<string, string>>()
    let asked = 0
    const { answer, happened } = handlerWith({
      secrets() {
        asked++
        return held.promise
      },
    })
    expect(await answer(1_020)).toBe(503)
    const next = answer()
    held.resolve({})
    expect(await next).toBe(200)
    expect([asked, happened]).toEqual([1, ['open']])
  })

  it('is tried again by the next event when it could not be made, and the first one hears of a defect', async () => {
    const { answer, happened } = handlerWith({ fails: 1 })
    expect([await answer(), await answer()]).toEqual([500, 200])
    expect(happened).toEqual(['open'])
    expect(written.join('')).toContain('the database is away')
  })

  it('looks at its connections after a pause in which the process was frozen', async () => {
    let time = 1_000_000
    const { answer, happened } = handlerWith({ now: () => time })
    await answer()
    time += 5_000
    await answer()
    expect(happened).toEqual(['open'])
    time += 3_600_000
    await answer()
    await answer()
    expect(happened).toEqual(['open', 'wake'])
  })

  it('is made anew when it is unavailable and its secrets have changed', async () => {
    let password = 'first'
    const { answer, happened, unavailable } = handlerWith({ secrets: async () => ({ DATABASE_PASSWORD: password }) })
    await answer()
    unavailable(true)
    expect(await answer()).toBe(503)
    expect(await answer()).toBe(503)
    expect(happened).toEqual(['open first'])
    password = 'second'
    unavailable(false)
    expect([await answer(), await answer()]).toEqual([200, 200])
    expect(happened).toEqual(['open first', 'close', 'open second'])
  })
})
