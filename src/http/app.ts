import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response } from 'express'
import { AppError } from '../errors.ts'
import type { SnapshotReader } from '../list.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { aboutRoutes } from './about.ts'
import { accessLog } from './access-log.ts'
import type { Authenticator } from './authentication.ts'
import { CursorCodec } from './cursor.ts'
import { errorAnswer } from './error-answer.ts'
import { healthRoutes, Readiness, type ReadinessCheck } from './health.ts'
import type { Idempotency } from './idempotency.ts'
import { DEFAULT_LIMITS, type LimitSettings, Limits } from './limits.ts'
import { type ApiInfo, openApiOf } from './openapi.ts'
import type { SharedCounts } from './request-counts.ts'
import type { RouteGroup } from './route.ts'
import { routerOf } from './router.ts'

const MAX_URL_BYTES = 8 * 1024

export interface AppOptions {
  readonly info: ApiInfo
  /** What the parts of the API contribute. */
  readonly groups: readonly RouteGroup[]
  readonly enums: Readonly<Record<string, readonly string[]>>
  readonly authenticator: Authenticator
  /**
   * 32 bytes; signs cursors. The same in every process of a deployment, or pages break when another one answers. Several: the first
   * signs, cursors of all are taken.
   */
  readonly cursorKey: Buffer | readonly Buffer[]
  readonly idempotency: Idempotency
  /** Reads whole lists, for exports; needed where there are lists. */
  readonly snapshots?: SnapshotReader
  readonly checks: readonly ReadinessCheck[]
  /** What callers may take; default `DEFAULT_LIMITS`. */
  readonly limits?: LimitSettings
  /** Quotas are then those of all processes that have it; default: this one counts for itself. */
  readonly sharedCounts?: SharedCounts
  readonly logger: Logger
  readonly metrics: Metrics
  /** Errors of lower layers as expected ones: a lost database as `unavailable`. Returns what it does not know unchanged. */
  readonly translateError?: (error: unknown) => unknown
  /** Further handlers after the API, for pages that are not part of it. */
  readonly pages?: readonly RequestHandler[]
}

export interface App {
  readonly express: Express
  readonly readiness: Readiness
  readonly limits: Limits
  /** The API document. */
  readonly document: Readonly<Record<string, unknown>>
}

/** Composes the application out of its parts; opens nothing. */
export function createApp(options: AppOptions): App {
  const { logger, metrics } = options
  const readiness = new Readiness(options.checks)
  let document: Readonly<Record<string, unknown>> = {}
  const about = aboutRoutes({ enums: options.enums, document: () => document })
  const groups = [healthRoutes(readiness, metrics), about, ...options.groups]
  document = openApiOf(groups, options.info)

  const app = express()
  app.disable('x-powered-by')
  app.set('etag', false)
  app.set('query parser', false)
  app.use(accessLog(logger, metrics))
  app.use(standardHeaders(readiness))
  app.use(boundedUrl)
  const { authenticator, idempotency, snapshots } = options
  const limits = new Limits(options.limits ?? DEFAULT_LIMITS, options.sharedCounts, logger)
  app.use(
    routerOf(groups, { authenticator, cursors: new CursorCodec(options.cursorKey), limits, idempotency, snapshots }),
  )
  for (const page of options.pages ?? []) app.use(page)
  app.use((_request, _response, next) => next(new AppError('not-found', 'There is nothing at this address')))
  app.use(errorAnswer(logger, options.translateError ?? ((error) => error), metrics))
  return { express: app, readiness, limits, document }
}

const STANDARD_HEADERS = new Map([
  ['Cache-Control', 'private, no-cache'],
  ['Vary', 'Accept, Authorization'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Referrer-Policy', 'no-referrer'],
  ['Strict-Transport-Security', 'max-age=31536000'],
])

function standardHeaders(readiness: Readiness): RequestHandler {
  return (_request, response, next) => {
    response.setHeaders(STANDARD_HEADERS)
    // A client that keeps its connection would otherwise keep sending to a process that is leaving.
    if (readiness.draining) response.set('Connection', 'close')
    next()
  }
}

function boundedUrl(request: Request, _response: Response, next: NextFunction): void {
  if (Buffer.byteLength(request.originalUrl) <= MAX_URL_BYTES) next()
  else next(new AppError('uri-too-long', `The address has more than ${MAX_URL_BYTES} bytes`))
}
