/**
 * The local AWS endpoint's process: `node server.ts --dir <folder> --port <n>` (0: any free port). S3, Glue, Athena and STS on
 * one port, of loopback where no `--host` says otherwise.
 *
 * Standard output carries one JSON line: `{"endpoint","pid"}` when it is ready, or `{"refusal"}` - a sentence - when it
 * cannot be started (exit code 2). The process ends when its parent's pipe (standard input) closes, and on SIGTERM or SIGINT.
 */
import { fstatSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { describe, UsageError } from '../../errors.ts'
import { createLogger, type Logger } from '../../logger.ts'
import { openAthena } from './athena/service.ts'
import { openCredentials } from './credentials.ts'
import { openGlue } from './glue/service.ts'
import type { JsonService } from './ports.ts'
import { createRouter } from './router.ts'
import { openS3 } from './s3/service.ts'
import { lockState } from './state-lock.ts'

/** A connection on which nothing moves for so long is closed. */
const IDLE_SOCKET_MS = 10 * 60_000
/** Longer than clients keep idle connections, so that no request meets a connection we are closing. */
const KEEP_ALIVE_MS = 120_000
const SHUTDOWN_GRACE_MS = 3_000
const MAX_HEADER_BYTES = 64 * 1024

interface Place {
  readonly dir: string
  readonly host: string
  readonly port: number
}

interface Running {
  readonly endpoint: string
  close(): Promise<void>
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  try {
    await new Promise<void>((done, fail) => {
      server.once('error', fail)
      server.listen({ host, port }, () => {
        server.off('error', fail)
        done()
      })
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new UsageError(
      `Port ${port} on ${host} is taken, so the local AWS endpoint cannot listen there: set LOCAL_AWS_PORT to a free port, or to 0 for any.`,
    )
  }
  return (server.address() as AddressInfo).port
}

function createHttpServer(router: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Server {
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // a large object may take any time; a connection on which nothing moves is closed below
    requestTimeout: 0,
    headersTimeout: 60_000,
  })
  const onRequest = (request: IncomingMessage, response: ServerResponse) => void router(request, response)
  server.on('request', onRequest)
  // the router says "continue" itself, once the signature is proved
  server.on('checkContinue', onRequest)
  server.setTimeout(IDLE_SOCKET_MS)
  return server
}

/** Opens everything in order of dependence. Whatever fails, what was opened before is closed again. */
async function start({ dir, host, port }: Place, log: Logger): Promise<Running> {
  const closers: (() => Promise<void> | void)[] = []
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one()
  }
  try {
    const lock = lockState(dir)
    closers.push(() => lock.release())
    const credentials = openCredentials(dir)
    const s3 = openS3({ dir, log })
    closers.push(() => s3.close())
    const { store } = s3
    const glue = await openGlue({ dir, store, log })
    closers.push(() => glue.close())
    const athena = await openAthena({ dir, store, catalogue: glue, log })
    closers.push(() => athena.close())
    const json = new Map<string, JsonService>([
      ['glue', glue],
      ['athena', athena],
    ])
    const server = createHttpServer(createRouter({ services: { s3, json }, credentials, log }))
    const taken = await listen(server, host, port)
    closers.push(() => closeServer(server))
    return { endpoint: `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${taken}`, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Lets requests under way end, for a while. */
async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((done) => server.close(() => done()))
  server.closeIdleConnections()
  const grace = setTimeout(() => server.closeAllConnections(), SHUTDOWN_GRACE_MS)
  await closed
  clearTimeout(grace)
}

function readArguments(): Place & { readonly logLevel: string } {
  const { values } = parseArgs({
    options: {
      dir: { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string' },
      'log-level': { type: 'string', default: 'info' },
    },
  })
  const port = Number(values.port ?? 'NaN')
  if (!values.dir || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError('Usage: server --dir <folder> --port <0-65535> [--host <address>] [--log-level <level>]')
  }
  return { dir: resolve(values.dir), host: values.host, port, logLevel: values['log-level'] }
}

/** Ends with the parent: its pipe closes however it dies. A terminal or /dev/null says nothing about a parent. */
function watchParent(stop: () => void): void {
  const stdin = fstatSync(0)
  if (!stdin.isFIFO() && !stdin.isSocket()) return
  process.stdin.on('end', stop).on('close', stop).on('error', stop).resume()
}

async function main(): Promise<void> {
  const { logLevel, ...place } = readArguments()
  const log = createLogger({ level: logLevel })
  const running = await start(place, log)
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    running.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'the local AWS endpoint did not stop cleanly')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
  watchParent(stop)
  process.stdout.write(`${JSON.stringify({ endpoint: running.endpoint, pid: process.pid })}\n`)
}

try {
  await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  // whatever a service left open must not keep a refused process alive
  process.stdout.write(`${JSON.stringify({ refusal: describe(error) })}\n`, () => process.exit(2))
}
