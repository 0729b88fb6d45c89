import { randomBytes, randomUUID } from 'node:crypto'
import supertest from 'supertest'
import { ApiKeyService } from '../../src/accounts/api-keys/api-key-service.ts'
import { studioRoutes } from '../../src/accounts/studios/studio-routes.ts'
import { StudioService } from '../../src/accounts/studios/studio-service.ts'
import { type Context, SCOPES, type Scope, systemContext } from '../../src/caller.ts'
import { databaseError } from '../../src/database/constraint-errors.ts'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { type App, createApp } from '../../src/http/app.ts'
import type { RouteGroup } from '../../src/http/route.ts'
import { createLogger } from '../../src/logger.ts'
import { Metrics } from '../../src/metrics.ts'
import { createTestDatabase } from './database.ts'

export interface TestApi {
  readonly app: App
  readonly database: Database
  readonly databaseUrl: string
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
  close(): Promise<void>
}

export interface TestApiOptions {
  /** More routes, given the database; the part under test. */
  readonly groups?: (database: Database) => readonly RouteGroup[]
  readonly enums?: Readonly<Record<string, readonly string[]>>
}

/** The application of this file's tests on a database of its own; `close()` it in `afterAll`. */
export async function createTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const testDatabase = await createTestDatabase()
  const written: string[] = []
  const logger = createLogger({ level: 'info', destination: { write: (text) => void written.push(text) } })
  const database = openDatabase({ url: testDatabase.url, poolSize: 5, logger })
  const keys = new ApiKeyService(database, randomBytes(32), logger)
  const app = createApp({
    info: { title: 'test', version: '0', description: 'test' },
    groups: [studioRoutes(new StudioService(database)), ...(options.groups?.(database) ?? [])],
    enums: options.enums ?? {},
    authenticator: keys,
    cursorKey: randomBytes(32),
    checks: [{ name: 'database', check: () => database.ping() }],
    logger,
    metrics: new Metrics(),
    translateError: databaseError,
  })
  const context = systemContext('test', randomUUID())
  const token = async (...scopes: Scope[]) =>
    (await keys.create({ name: 'test', scopes: scopes.length > 0 ? scopes : SCOPES }, context)).token
  const as = (bearer: string) => supertest.agent(app.express).set('Authorization', `Bearer ${bearer}`)
  return {
    app,
    database,
    databaseUrl: testDatabase.url,
    keys,
    log: () => written.join(''),
    token,
    as,
    admin: as(await token()),
    anonymous: supertest.agent(app.express),
    context,
    async close() {
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
