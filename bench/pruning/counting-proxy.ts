import { createServer, request } from 'node:http'

export interface CountingProxy {
  readonly endpoint: string
  /** Requests and bytes of objects that were read since the last call. */
  take(): { readonly requests: number; readonly bytes: number }
  close(): Promise<void>
}

/** Stands before an S3 and counts what an engine reads of Parquet files. */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target)
  let requests = 0
  let bytes = 0
  const server = createServer((incoming, outgoing) => {
    const { headers, method, url } = incoming
    const counted = method === 'GET' && url?.split('?')[0]?.endsWith('.parquet')
    const onward = request({ hostname, port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      if (counted) {
        requests++
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length
        })
      }
      answer.pipe(outgoing)
      // An engine that has enough closes its end: nothing more is read for it then.
      outgoing.once('close', () => answer.destroy())
    })
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    endpoint: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    take() {
      const taken = { requests, bytes }
      requests = 0
      bytes = 0
      return taken
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
