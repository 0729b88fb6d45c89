import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'

/** What a test decides about one request: pass it on, answer it with an error, or wait first. */
export type Verdict = 'pass' | 'slow-down' | 'refuse' | 'reset'

export interface S3Proxy {
  readonly endpoint: string
  /** Asked for each request. */
  decide: (request: IncomingMessage) => Verdict | Promise<Verdict>
  /** Requests that were not passed on. */
  readonly failed: number
  close(): Promise<void>
}

const ANSWERS = { 'slow-down': [503, 'SlowDown'], refuse: [403, 'AccessDenied'] } as const

/** Stands before the local S3 and makes it fail as S3 does. */
export async function startS3Proxy(target: string): Promise<S3Proxy> {
  const { hostname, port } = new URL(target)
  let failed = 0
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { headers, method, url } = incoming
    const onward = request({ hostname, port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  }
  const server = createServer(async (incoming, outgoing) => {
    const verdict = await proxy.decide(incoming)
    if (verdict === 'pass') return forward(incoming, outgoing)
    failed++
    if (verdict === 'reset') return incoming.socket.destroy()
    const [status, code] = ANSWERS[verdict]
    incoming.resume()
    outgoing.writeHead(status, { 'content-type': 'application/xml' })
    outgoing.end(
      incoming.method === 'HEAD' ? undefined : `<Error><Code>${code}</Code><Message>for a test</Message></Error>`,
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const proxy: S3Proxy = {
    endpoint: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    decide: () => 'pass',
    get failed() {
      return failed
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return proxy
}
