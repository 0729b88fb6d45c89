import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { Transform } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

export { faultRate, operationOf, serviceOf } from './fault-rate.ts'

/**
 * What a test decides about one request:
 * - `pass`: goes on untouched.
 * - `slow-down`: 503 `SlowDown`; `internal-error`: 500; `refuse`: 403. S3 does not see the request.
 * - `reset`: the connection breaks before S3 sees the request.
 * - `lost-answer`: S3 does what it is asked, and the connection breaks before the first byte of its answer.
 * - `cut-answer`: the connection breaks in the middle of the answer's body; of one without a body, before it.
 * - `time-out`: nothing is ever answered; S3 does not see the request.
 * - `slow`: bytes go both ways at `slowBytesPerSecond`, and the answer begins late.
 * - `flip`: one bit in the middle of the request's body is changed; of a request without a body, one of the answer's body.
 */
export type Verdict =
  | 'pass'
  | 'slow-down'
  | 'internal-error'
  | 'refuse'
  | 'reset'
  | 'lost-answer'
  | 'cut-answer'
  | 'time-out'
  | 'slow'
  | 'flip'

export interface S3Proxy {
  readonly endpoint: string
  /** Asked for each request. */
  decide: (request: IncomingMessage) => Verdict | Promise<Verdict>
  /** Requests that were not passed on, or not untouched. */
  readonly failed: number
  /** All requests, by what was decided about them. */
  readonly verdicts: Readonly<Record<Verdict, number>>
  /** Connections that clients hold open. */
  connections(): Promise<number>
  close(): Promise<void>
}

export interface S3ProxyOptions {
  readonly decide?: S3Proxy['decide']
  /** Pace of `slow`. */
  readonly slowBytesPerSecond?: number
  /** How late the answer of `slow` begins. */
  readonly slowStartMs?: number
}

const ANSWERS = {
  'slow-down': [503, 'SlowDown'],
  'internal-error': [500, 'InternalError'],
  refuse: [403, 'AccessDenied'],
} as const

/** Stands before the local endpoint and makes it fail as S3 does. */
export async function startS3Proxy(target: string, options: S3ProxyOptions = {}): Promise<S3Proxy> {
  const { slowBytesPerSecond = 1024 * 1024, slowStartMs = 100 } = options
  const { hostname, port } = new URL(target)
  const agent = new Agent({ keepAlive: true })
  const verdicts: Record<Verdict, number> = {
    ...{ pass: 0, 'slow-down': 0, 'internal-error': 0, refuse: 0, reset: 0 },
    ...{ 'lost-answer': 0, 'cut-answer': 0, 'time-out': 0, slow: 0, flip: 0 },
  }

  const forward = (incoming: IncomingMessage, outgoing: ServerResponse, verdict: Verdict) => {
    const { headers, method, url } = incoming
    const onward = request({ hostname, port, method, path: url, headers, agent }, (answer) => {
      answer.on('error', () => incoming.socket.destroy())
      void answerWith(verdict, answer, incoming, outgoing)
    })
    onward.on('error', () => incoming.socket.destroy())
    // a client that leaves takes its request along, as without a proxy
    outgoing.on('close', () => {
      if (!outgoing.writableFinished && verdict !== 'lost-answer') onward.destroy()
    })
    // a request that was cut off must not reach S3 as one that ended
    incoming.on('error', () => onward.destroy())
    const length = bodyLength(headers)
    if (verdict === 'slow') incoming.pipe(paced(slowBytesPerSecond)).pipe(onward)
    else if (verdict === 'flip' && length > 0) incoming.pipe(flipped(length)).pipe(onward)
    else incoming.pipe(onward)
  }

  const answerWith = async (
    verdict: Verdict,
    answer: IncomingMessage,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ) => {
    const cut = () => incoming.socket.destroy()
    const length = bodyLength(answer.headers)
    if (verdict === 'lost-answer' || (verdict === 'cut-answer' && length < 2)) {
      // S3 is done when its whole answer is here
      answer.resume().on('end', cut)
      return
    }
    if (verdict === 'slow') await sleep(slowStartMs)
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
    if (verdict === 'cut-answer') answer.pipe(onlyFirst(Math.floor(length / 2), cut)).pipe(outgoing)
    else if (verdict === 'slow') answer.pipe(paced(slowBytesPerSecond)).pipe(outgoing)
    else if (verdict === 'flip' && bodyLength(incoming.headers) === 0) answer.pipe(flipped(length)).pipe(outgoing)
    else answer.pipe(outgoing)
  }

  const refuse = (verdict: keyof typeof ANSWERS, incoming: IncomingMessage, outgoing: ServerResponse) => {
    const [status, code] = ANSWERS[verdict]
    incoming.resume()
    outgoing.writeHead(status, { 'content-type': 'application/xml' })
    const xml = `<Error><Code>${code}</Code><Message>for a test</Message></Error>`
    outgoing.end(incoming.method === 'HEAD' ? undefined : xml)
  }

  const server = createServer(async (incoming, outgoing) => {
    // a test that fails while it decides fails by itself; here nobody may wait for it
    const verdict = await Promise.resolve(incoming)
      .then(proxy.decide)
      .catch((): Verdict => 'reset')
    verdicts[verdict]++
    if (verdict === 'reset') incoming.socket.destroy()
    else if (verdict === 'time-out') incoming.resume()
    else if (verdict === 'slow-down' || verdict === 'internal-error' || verdict === 'refuse') {
      refuse(verdict, incoming, outgoing)
    } else forward(incoming, outgoing, verdict)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const proxy: S3Proxy = {
    endpoint: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    decide: options.decide ?? (() => 'pass'),
    get failed() {
      return Object.entries(verdicts).reduce((sum, [verdict, count]) => sum + (verdict === 'pass' ? 0 : count), 0)
    },
    verdicts,
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
        agent.destroy()
      }),
  }
  return proxy
}

/** Bytes of a body as its head says; those of a part sent in signed chunks include the chunks' heads. */
const bodyLength = (headers: IncomingMessage['headers']) => Number(headers['content-length'] ?? 0)

function paced(bytesPerSecond: number): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      setTimeout(() => done(null, chunk), (chunk.length / bytesPerSecond) * 1000)
    },
  })
}

/** Changes one bit in the middle of a body of `length` bytes. */
function flipped(length: number): Transform {
  const at = Math.floor(length / 2)
  let passed = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const changed = Buffer.from(chunk)
      const index = at - passed
      if (index >= 0 && index < changed.length) changed.writeUInt8(changed.readUInt8(index) ^ 0b1000, index)
      passed += chunk.length
      done(null, changed)
    },
  })
}

/** Passes `bytes` bytes on, then calls `cut` and swallows the rest. */
function onlyFirst(bytes: number, cut: () => void): Transform {
  let left = bytes
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (left <= 0) return done()
      const part = chunk.subarray(0, left)
      left -= part.length
      this.push(part)
      // after the bytes have been sent, or the client sees a break before them
      if (left === 0) setImmediate(cut)
      done()
    },
  })
}
