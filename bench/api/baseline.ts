/**
 * What the API is measured against: the same operations written by hand on Express 5 and pg, as somebody would who needs only
 * these. Taken from the service are the rules that decide what the answers say - the schemas of bodies, the form of a key, of a
 * cursor and of a problem; everything that moves requests, rows and bytes is written out here.
 *
 * `node bench/api/baseline.ts '<json of BaselineOptions>'` prints its port and runs until it is ended.
 */
import type { AddressInfo } from 'node:net'
import express, { type NextFunction, type Request, type Response } from 'express'
import pg from 'pg'
import { pino } from 'pino'
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { v7 } from 'uuid'
import { hashSecret, isSameHash, parseToken } from '../../src/accounts/api-keys/api-key.ts'
import { AppError } from '../../src/errors.ts'
import { expected, problemOf } from '../../src/http/problems.ts'
import { type Caller, playerHandlers } from './baseline-players.ts'

export interface BaselineOptions {
  readonly databaseUrl: string
  readonly poolSize: number
  /** 64 hex digits each. */
  readonly pepper: string
  readonly cursorKey: string
  /** Requests of one key in 60 seconds. */
  readonly quota: number
}

const { databaseUrl, poolSize, pepper, cursorKey, quota } = JSON.parse(process.argv[2] ?? '{}') as BaselineOptions

const pool = new pg.Pool({
  connectionString: databaseUrl,
  max: poolSize,
  statement_timeout: 60_000,
  lock_timeout: 10_000,
  options: '-c TimeZone=UTC -c DateStyle=ISO',
})
const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2))
const registry = new Registry()
collectDefaultMetrics({ register: registry })
const durations = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'Time to the end of the answer',
  labelNames: ['method', 'route', 'status'] as const,
  buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  registers: [registry],
})
const pepperBytes = Buffer.from(pepper, 'hex')
const limiter = new RateLimiterMemory({ points: quota, duration: 60 })
const REQUEST_ID = /^[A-Za-z0-9._-]{8,128}$/

const app = express()
app.disable('x-powered-by')
app.set('etag', false)
app.set('query parser', 'simple')

app.use((request: Request, response: Response, next: NextFunction) => {
  const began = performance.now()
  const given = request.get('X-Request-Id')
  const requestId = given !== undefined && REQUEST_ID.test(given) ? given : v7()
  response.locals.requestId = requestId
  response.set({
    'X-Request-Id': requestId,
    'Cache-Control': 'private, no-cache',
    Vary: 'Accept, Authorization',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'Strict-Transport-Security': 'max-age=31536000',
  })
  response.once('close', () => {
    const ms = performance.now() - began
    const route = request.route?.path ?? 'unmatched'
    durations.observe({ method: request.method, route, status: String(response.statusCode) }, ms / 1000)
    const keyId = (response.locals.caller as Caller | undefined)?.id
    const line = { method: request.method, route, status: response.statusCode, ms, requestId, keyId }
    logger.info(line, 'request')
  })
  next()
})

const BEARER = /^Bearer +([!-~]{1,512})$/i
const CHECK_KEY = {
  name: 'check key',
  text: `SELECT id, scopes, secret_hash, revoked_at IS NULL AND expires_at > now() AS is_live,
                last_used_at IS NULL OR last_used_at < now() - interval '1 minute' AS is_stale
           FROM api_key WHERE id = $1`,
}

function unauthenticated(): AppError {
  return new AppError('unauthenticated', 'The request carries no API key that is valid now', {
    headers: { 'WWW-Authenticate': 'Bearer realm="rocketgames-accounts"' },
  })
}

/** Every request asks the database, so that a revocation holds for the next one. */
function authenticated(scope: string) {
  return async (request: Request, response: Response, next: NextFunction) => {
    const token = parseToken(BEARER.exec(request.get('Authorization') ?? '')?.[1] ?? '')
    if (token === undefined) throw unauthenticated()
    const { rows } = await pool.query({ ...CHECK_KEY, values: [token.id] })
    const [key] = rows
    if (key === undefined || !isSameHash(hashSecret(token.secret, pepperBytes), key.secret_hash) || !key.is_live) {
      throw unauthenticated()
    }
    if (key.is_stale) await pool.query('UPDATE api_key SET last_used_at = now() WHERE id = $1', [key.id])
    const { remainingPoints, msBeforeNext } = await limiter.consume(key.id)
    response.set({
      'RateLimit-Policy': `"default";q=${quota};w=60`,
      RateLimit: `"default";r=${remainingPoints};t=${Math.max(1, Math.ceil(msBeforeNext / 1000))}`,
    })
    if (!key.scopes.includes(scope))
      throw new AppError('forbidden', `This needs the scope ${scope}`, { extra: { scope } })
    response.locals.caller = { id: key.id, scopes: new Set(key.scopes) } satisfies Caller
    next()
  }
}

const players = playerHandlers(pool, Buffer.from(cursorKey, 'hex'))
const body = express.json({ limit: 256 * 1024, type: ['application/json', 'application/merge-patch+json'] })
app.get('/v1/players/:id', authenticated('players:read'), players.get)
app.get('/v1/players', authenticated('players:read'), players.list)
app.post('/v1/players/lookup', authenticated('players:read'), body, players.lookup)
app.post('/v1/players', authenticated('players:write'), body, players.create)
app.patch('/v1/players/:id', authenticated('players:write'), body, players.update)

app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
  const problem = expected(error)
  if (problem.code === 'internal') logger.error(error)
  const { requestId } = response.locals
  const text = JSON.stringify(problemOf(problem, { instance: request.path, requestId }))
  response.set({ ...problem.headers, 'Cache-Control': 'no-store', 'Content-Type': 'application/problem+json' })
  response.status(problemOf(problem).status).end(text)
})

const server = app.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
// An exit of its own, so that a CPU profile is written.
process.once('SIGTERM', () => process.exit())
