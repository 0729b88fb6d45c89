import { randomBytes, randomUUID } from 'node:crypto'
import supertest from 'supertest'
import { apiKeyRoutes } from '../../src/accounts/api-keys/api-key-routes.ts'
import { ApiKeyService } from '../../src/accounts/api-keys/api-key-service.ts'
import { RequestCountStore } from '../../src/accounts/api-keys/request-count-store.ts'
import { AnswerSeal } from '../../src/accounts/idempotency/answer-seal.ts'
import { IdempotencyService } from '../../src/accounts/idempotency/idempotency-service.ts'
import { type Context, SCOPES, type Scope, systemContext } from '../../src/caller.ts'
import { accountsApi } from '../../src/commands/accounts.ts'
import { apiInfo } from '../../src/commands/api-info.ts'
import { databaseError } from '../../src/database/constraint-errors.ts'
import { type Database, type DatabaseOptions, openDatabase } from '../../src/database/database.ts'
import { snapshotReader } from '../../src/database/snapshot-reader.ts'
import { type App, createApp } from '../../src/http/app.ts'
import type { LimitSettings } from '../../src/http/limits.ts'
import type { RouteGroup } from '../../src/http/route.ts'
import type { JobWorker } from '../../src/jobs/job-worker.ts'
import { createLogger } from '../../src/logger.ts'
import { Metrics } from '../../src/metrics.ts'
import { createTestDatabase } from './database.ts'

export interface TestApi {
  readonly app: App
  readonly database: Database
  readonly databaseUrl: string
  /** From the secret store. */
  readonly secret: Buffer
  readonly adminToken: string
  readonly keys: ApiKeyService
  /** Everything that was logged so far, as text. */
  log(): string
  /** A token with exactly these scopes; none: all of them. */
  token(...scopes: Scope[]): Promise<string>
  /** Requests with the header of a key: `as(token).get('/v1/studios')`. */
  as(token: string): ReturnType<typeof supertest.agent>
  /** Requests of a key with all scopes. */
  readonly admin: ReturnType<typeof supertest.agent>
  /** Requests without a key. */
  readonly anonymous: ReturnType<typeof supertest.agent>
  /** For calling services without a request. */
  readonly context: Context
  /** Does jobs once it is started. */
  readonly worker: JobWorker
  close(): Promise<void>
}

export interface TestApiOptions {
  /** Another process of the same service: its database and its secrets. `close()` it first. */
  readonly replicaOf?: TestApi
  /** Of an Idempotency-Key; default as in the program. */
  readonly leaseMs?: number
  /** The way to the database, given its URL; default: straight. */
  readonly connect?: (databaseUrl: string) => Promise<string>
  readonly pool?: Pick<DatabaseOptions, 'poolSize' | 'connectTimeoutMs' | 'statementTimeoutMs'>
  /** What callers may take; default: more than any test does. */
  readonly limits?: LimitSettings
  /** Quotas are those of all replicas, as in the program. `app.limits.stop()` it first. */
  readonly sharesCounts?: boolean
  /** More routes than those of the records. */
  readonly groups?: (database: Database) => readonly RouteGroup[]
}

const PLENTY = { count: 1_000_000, windowSeconds: 60 }
export const NO_LIMITS: LimitSettings = {
  requests: PLENTY,
  bulk: PLENTY,
  streamsPerKey: 100,
  streams: 100,
  inFlight: 10_000,
}

/** The application with all records, wired as the program wires it, on a database of its own; `close()` it in `afterAll`. */
export async function createTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const { replicaOf } = options
  const testDatabase = replicaOf ? { url: replicaOf.databaseUrl, drop: async () => {} } : await createTestDatabase()
  const written: string[] = []
  const logger = createLogger({ level: 'info', destination: { write: (text) => void written.push(text) } })
  const url = (await options.connect?.(testDatabase.url)) ?? testDatabase.url
  const database = openDatabase({ url, poolSize: 5, ...options.pool, logger })
  const secret = replicaOf?.secret ?? randomBytes(32)
  const keys = new ApiKeyService(database, secret, logger)
  const accounts = accountsApi(database)
  const app = createApp({
    info: apiInfo('0.0.0'),
    groups: [...accounts.groups, apiKeyRoutes(keys), ...(options.groups?.(database) ?? [])],
    enums: accounts.enums,
    authenticator: keys,
    cursorKey: randomBytes(32),
    snapshots: snapshotReader(database),
    idempotency: new IdempotencyService({
      database,
      seal: new AnswerSeal(secret),
      logger,
      leaseMs: options.leaseMs ?? 60_000,
    }),
    checks: [{ name: 'database', check: () => database.ping() }],
    limits: options.limits ?? NO_LIMITS,
    ...(options.sharesCounts ? { sharedCounts: new RequestCountStore(database) } : {}),
    logger,
    metrics: new Metrics(),
    translateError: databaseError,
  })
  const context = systemContext('test', randomUUID())
  const token = async (...scopes: Scope[]) =>
    (await keys.create({ name: 'test', scopes: scopes.length > 0 ? scopes : SCOPES }, context)).token
  const as = (bearer: string) => supertest.agent(app.express).set('Authorization', `Bearer ${bearer}`)
  const adminToken = replicaOf?.adminToken ?? (await token())
  return {
    app,
    database,
    databaseUrl: testDatabase.url,
    secret,
    keys,
    log: () => written.join(''),
    token,
    as,
    adminToken,
    admin: as(adminToken),
    anonymous: supertest.agent(app.express),
    context,
    worker: accounts.worker,
    async close() {
      await accounts.worker.close()
      await database.close()
      await testDatabase.drop()
    },
  }
}

let counter = 0

/** Unique in this process: for slugs and references. */
export function unique(prefix: string): string {
  counter += 1
  return `${prefix}-${process.pid}-${counter}`
}

/** What an answer must be; its body is in the message when it is not. */
export function expectStatus(answer: { status: number; body: unknown; text?: string }, status: number): void {
  if (answer.status === status) return
  throw new Error(`expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body) ?? answer.text}`)
}

type Fields = Readonly<Record<string, unknown>>

/** What builders need: a way to the API, in this process or in another one. */
export type Requests = Pick<TestApi, 'admin'>

/** Builders create what they need first and answer with the body of the created record. */
export async function newStudio(api: Requests, fields: Fields = {}) {
  const answer = await api.admin.post('/v1/studios').send({ slug: unique('studio'), name: 'Acme Games', ...fields })
  expectStatus(answer, 201)
  return answer.body
}

export async function newOwner(api: Requests, fields: Fields = {}) {
  const email = `${unique('olga')}@owners.example`
  const answer = await api.admin.post('/v1/owners').send({ fullName: 'Olga Owner', email, ...fields })
  expectStatus(answer, 201)
  return answer.body
}

export async function newMember(api: Requests, studioId: string, ownerId: string, fields: Fields = {}) {
  const answer = await api.admin
    .put(`/v1/studios/${studioId}/members/${ownerId}`)
    .send({ role: 'owner', status: 'active', ...fields })
  expectStatus(answer, 201)
  return answer.body
}

/** Makes one step after another, each on top of the version that the one before left. */
export async function takeSteps(api: Requests, path: string, ...steps: readonly string[]) {
  let record = (await api.admin.get(path)).body
  for (const to of steps) {
    const answer = await api.admin.post(`${path}/transitions`).set('If-Match', `"${record.version}"`).send({ to })
    expectStatus(answer, 200)
    record = answer.body
  }
  return record
}

/** An active studio with one active owner. */
export async function newActiveStudio(api: Requests, fields: Fields = {}) {
  const studio = await newStudio(api, fields)
  const owner = await newOwner(api)
  await newMember(api, studio.id, owner.id)
  return { studio: await takeSteps(api, `/v1/studios/${studio.id}`, 'in_review', 'active'), owner }
}
