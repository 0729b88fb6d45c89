/**
 * The API in a process of its own, for tests that kill it: DATABASE_URL, SECRET (hex) and LEASE_MS in the environment, and
 * DOES_JOBS where it is to do jobs, too; prints the port that it listens on.
 */
import { flushCompileCache } from 'node:module'
import { ApiKeyService } from '../../src/accounts/api-keys/api-key-service.ts'
import { AnswerSeal } from '../../src/accounts/idempotency/answer-seal.ts'
import { IdempotencyService } from '../../src/accounts/idempotency/idempotency-service.ts'
import { accountsApi } from '../../src/commands/accounts.ts'
import { databaseError } from '../../src/database/constraint-errors.ts'
import { openDatabase } from '../../src/database/database.ts'
import { createApp } from '../../src/http/app.ts'
import { startServer } from '../../src/http/server.ts'
import { createLogger } from '../../src/logger.ts'
import { Metrics } from '../../src/metrics.ts'

const { DATABASE_URL = '', SECRET = '', LEASE_MS = '', DOES_JOBS } = process.env
const secret = Buffer.from(SECRET, 'hex')
const logger = createLogger({ level: 'silent' })
const database = openDatabase({ url: DATABASE_URL, poolSize: DOES_JOBS ? 6 : 3, logger })
const accounts = accountsApi(database)
const app = createApp({
  info: { title: 'test', version: '0', description: 'test' },
  groups: accounts.groups,
  enums: accounts.enums,
  authenticator: new ApiKeyService(database, secret, logger),
  cursorKey: secret,
  idempotency: new IdempotencyService({ database, seal: new AnswerSeal(secret), logger, leaseMs: Number(LEASE_MS) }),
  checks: [],
  logger,
  metrics: new Metrics(),
  translateError: databaseError,
})
const { port } = await startServer(app, { host: '127.0.0.1', port: 0 })
if (DOES_JOBS) await accounts.worker.start()
process.stdout.write(`${port}\n`)
// It will be killed, and what it has compiled is for the next one.
flushCompileCache()
