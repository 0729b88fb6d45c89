import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '../../src/client/index.ts'
import { causeOf, type Failure, type RoundRobin } from './round-robin.ts'

export interface Call {
  readonly kind: string
  readonly method: 'GET' | 'POST' | 'PATCH'
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Of the caller's choice, and of the audit trail. */
  readonly requestId: string
}

export interface Answered {
  readonly status: number
  readonly body: unknown
}

/** A program that uses the API: its calls, one after the other or side by side, and those that failed. */
export interface Caller {
  readonly failures: Failure[]
  /** How many calls were answered as they should. */
  answered(): number
  /** Undefined when the call failed, be it that it was refused. */
  call(call: Call): Promise<Answered | undefined>
}

/** Says everything once, and takes note of whatever is not answered by a success. */
export function plainCaller({ fetch: send }: RoundRobin, token: string): Caller {
  const failures: Failure[] = []
  let answered = 0
  return {
    failures,
    answered: () => answered,
    async call({ kind, method, path, body, headers = {}, requestId }) {
      const began = performance.now()
      let replica = ''
      const failed = (cause: string) => {
        failures.push({ kind, replica, began, ended: performance.now(), cause })
        return undefined
      }
      const text = body === undefined || typeof body === 'string' ? (body as string | undefined) : JSON.stringify(body)
      const request = new Request(`http://service${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}`, ...typeOf(method, body), 'X-Request-Id': requestId, ...headers },
        ...(text === undefined ? {} : { body: text }),
      })
      try {
        const answer = await send(request, ({ name }) => {
          replica = name
        })
        const said = await answer.text()
        // An import whose status is long sent tells its failure in its last line.
        if (!answer.ok || said.includes('{"_problem":')) return failed(`${answer.status} ${said.slice(-300)}`)
        answered++
        const isJson = answer.headers.get('Content-Type')?.startsWith('application/json') === true
        return { status: answer.status, body: isJson ? JSON.parse(said) : said }
      } catch (error) {
        return failed(causeOf(error))
      }
    },
  }
}

/**
 * The project's own client library in its default settings, which repeats by Idempotency-Key. What refuses such a key because it is
 * safe to repeat as it is (an import, a report of play time) its caller repeats, as often as the library does.
 */
export function retryingCaller(front: RoundRobin, token: string): Caller {
  const { fetch: send } = front
  const client = createClient({
    baseUrl: 'http://service',
    apiKey: token,
    fetch: (request) => send(request as Request),
  })
  const ways = { GET: client.get, POST: client.post, PATCH: client.patch } as unknown as Record<Call['method'], AnyCall>
  const plain = plainCaller(front, token)
  const failures: Failure[] = []
  let answered = 0
  const byLibrary = async ({ method, path, body, headers, requestId }: Call): Promise<Answered> => {
    const given = { body, headers: { 'X-Request-Id': requestId, ...headers }, ...keyFor(method, requestId) }
    const { data, response } = await ways[method](path, given)
    return { status: response.status, body: data }
  }
  const byHand = async (call: Call): Promise<Answered> => {
    for (let attempt = 0; ; attempt++) {
      const answer = await plain.call(call)
      if (answer !== undefined) return answer
      if (attempt === REPEATS) throw new Error(plain.failures.at(-1)?.cause)
      await sleep(200 * 2 ** attempt)
    }
  }
  return {
    failures,
    answered: () => answered,
    async call(call) {
      const began = performance.now()
      try {
        const answer = await (SAFE_AS_THEY_ARE.has(call.kind) ? byHand(call) : byLibrary(call))
        answered++
        return answer
      } catch (error) {
        failures.push({ kind: call.kind, replica: 'any', began, ended: performance.now(), cause: causeOf(error) })
        return undefined
      }
    },
  }
}

const SAFE_AS_THEY_ARE = new Set(['import', 'playtime'])
/** As the library in its default settings. */
const REPEATS = 4

type AnyCall = (path: string, init: object) => Promise<{ readonly data: unknown; readonly response: Response }>

/** The library makes a key itself where it knows the path's pattern; these paths are whole. */
const keyFor = (method: Call['method'], requestId: string) => (method === 'GET' ? {} : { idempotencyKey: requestId })

function typeOf(method: Call['method'], body: unknown): Record<string, string> {
  if (body === undefined) return {}
  return { 'Content-Type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' }
}
