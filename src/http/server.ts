import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../logger.ts'
import type { App } from './app.ts'

/** Above the limit of an address, so that a long one gets a problem and not Node's bare 431. */
const MAX_HEADER_BYTES = 32 * 1024
const HEADERS_TIMEOUT_MS = 20_000
/** Longer than the idle timeout of the load balancer (60 s): it must be the one that closes. */
export const KEEP_ALIVE_MS = 65_000

/** Longer than any statement may take, so that only a connection on which nothing happens at all is closed by it. */
const SILENT_CONNECTION_MS = 150_000

/** How long the rest of a body may still come after its answer: refused before it was read, it is read and thrown away. */
const LINGER_MS = 30_000

const TOLD_EVERY_MS = 60_000

export interface ServerOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Connections at once; more are closed as they come. */
  readonly maxConnections?: number
  /** Told of connections that are closed as they come. */
  readonly logger?: Logger
  /** Default 30 s; then the connection is cut. */
  readonly lingerMs?: number
}

export interface RunningServer {
  readonly host: string
  readonly port: number
  /**
   * Stops in order: not ready; after `delayMs`, in which whoever sends requests notices, no new connections; answers that run are
   * finished; what still runs after `graceMs` is cut. From the first moment on every answer is the last one of its connection, so
   * that at the end hardly any is left to which a request could be on its way. May be called again; all calls wait for the same end.
   */
  drain(graceMs: number, delayMs?: number): Promise<void>
}

/** Listens; resolves once requests are answered. Port 0 takes a free one. */
export async function startServer(app: App, options: ServerOptions): Promise<RunningServer> {
  const { host, port, maxConnections, logger, lingerMs = LINGER_MS } = options
  const server = serverOf(app)
  if (maxConnections !== undefined) server.maxConnections = maxConnections
  if (logger !== undefined) tellRefused(server, logger)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  let ended: Promise<void> | undefined
  let isClosing = false
  const answering = new Set<ServerResponse>()
  // A connection that falls idle only after the drain began would keep the server open until its own timeout.
  server.on('request', (request, response) => {
    answering.add(response)
    response.once('finish', () => endLate(request, lingerMs))
    response.once('close', () => {
      answering.delete(response)
      if (isClosing) setImmediate(() => server.closeIdleConnections())
    })
  })
  return {
    host,
    port: (server.address() as AddressInfo).port,
    drain(graceMs, delayMs = 0) {
      app.readiness.drain()
      // Requests that begin now are told by the application; those that run are told here.
      for (const response of answering) if (!response.headersSent) response.setHeader('Connection', 'close')
      const end = () => {
        isClosing = true
        return close(server, graceMs)
      }
      ended ??= delayMs > 0 ? delay(delayMs).then(end) : end()
      return ended
    },
  }
}

/** Whoever is refused a connection gets no answer, and no line of the access log: one here, and one a minute while it goes on. */
function tellRefused(server: Server, logger: Logger): void {
  let refused = 0
  let toldAt = Number.NEGATIVE_INFINITY
  server.on('drop', () => {
    refused += 1
    if (performance.now() - toldAt < TOLD_EVERY_MS) return
    logger.warn(
      { refused, maxConnections: server.maxConnections },
      'connections are refused: as many as MAX_CONNECTIONS allows are open; find who holds them, or allow more',
    )
    toldAt = performance.now()
    refused = 0
  })
}

/** The application behind HTTP/1.1, not listening: for connections from wherever they come. */
export function serverOf(app: Pick<App, 'express'>): Server {
  const server = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS },
    (request, response) => {
      request.url = originForm(request.url)
      app.express(request, response)
    },
  )
  // A streamed import of 1 GB may take long; slow headers are bounded above, small bodies by their size.
  server.requestTimeout = 0
  server.keepAliveTimeout = KEEP_ALIVE_MS
  server.setTimeout(SILENT_CONNECTION_MS)
  return server
}

const AUTHORITY = /^https?:\/\/[^/?#]*/i

/** A target with scheme and host, as proxies may send it (RFC 9112, section 3.2.2), without them. */
function originForm(target = '/'): string {
  const path = target.replace(AUTHORITY, '')
  return path === target || path.startsWith('/') ? path : `/${path}`
}

/** A sender who has the answer and goes on byte by byte would hold the connection as long as he likes. */
function endLate(request: IncomingMessage, lingerMs: number): void {
  if (request.complete) return
  const timer = setTimeout(() => {
    if (!request.complete) request.socket.destroy()
  }, lingerMs)
  request.once('close', () => clearTimeout(timer))
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => server.closeAllConnections(), graceMs)
    server.close(() => {
      clearTimeout(deadline)
      resolve()
    })
    server.closeIdleConnections()
  })
}
