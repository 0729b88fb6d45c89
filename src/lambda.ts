import type { Context } from 'aws-lambda'
import { makeApplication } from './commands/application.ts'
import { openProgram, type Program } from './commands/composition.ts'
import { reportMetrics } from './commands/report-metrics.ts'
import { UsageError } from './errors.ts'
import { serverOf } from './http/server.ts'
import { FunctionHandler, type FunctionService } from './lambda/function-handler.ts'
import { fetchSecrets } from './lambda/function-secrets.ts'
import type { Result } from './lambda/result.ts'
import { createLogger } from './logger.ts'

/**
 * The HTTP application as a function of AWS Lambda; `handler` is its entry. Nothing here works by itself between two requests:
 * tasks of ECS take snapshots, care for the lake and do jobs.
 */

/** Each line is written before the answer: a process that is frozen writes nothing. */
const logger = createLogger({ level: process.env.LOG_LEVEL || 'info' })

/**
 * API Gateway waits for 30 s. Whatever holds a connection ends before that by itself: a frozen process could not end it, and its
 * locks would be everybody's.
 */
const DATABASE = {
  statementTimeoutMs: 20_000,
  lockTimeoutMs: 5_000,
  connectTimeoutMs: 4_000,
  patienceMs: 8_000,
  idleInTransactionTimeoutMs: 10_000,
} as const

/** For a connection that may be gone without a word: whoever called waits as long. A new one takes a tenth of it. */
const WAKE_PATIENCE_MS = 500

async function open(secrets: Readonly<Record<string, string>>): Promise<FunctionService> {
  Object.assign(process.env, secrets)
  const program = await openProgram({ log: logger, database: DATABASE })
  try {
    return serviceOf(program)
  } catch (error) {
    await program.close()
    throw error
  }
}

function serviceOf(program: Program): FunctionService {
  const { config, database, workplace } = program
  if (workplace.localDir !== undefined || config.lake?.runner !== 'ecs') {
    throw new UsageError(
      'A function needs DATABASE_HOST (or DATABASE_URL), LAKE_BUCKET and LAKE_RUNNER=ecs: it cannot bring up or start processes',
    )
  }
  const { app, lake, metrics } = makeApplication(program, logger)
  // Its timer goes off in the first request after its minute is over; what the last ones counted is told at the end.
  const reporter = reportMetrics(program, metrics, logger, { frozen: true })
  return {
    server: serverOf(app),
    async wake() {
      const { idle } = database.poolState()
      await Promise.allSettled(Array.from({ length: idle }, () => database.ping(WAKE_PATIENCE_MS)))
    },
    async close() {
      // First what is written at once: at the end of the process there are 300 ms for all of it.
      await reporter?.stop()
      await app.limits.stop()
      await lake.stop()
      await program.close()
    },
  }
}

const functionHandler = new FunctionHandler({ logger, open, secrets: () => fetchSecrets(process.env) })

export const handler = (event: unknown, context: Context): Promise<Result> => functionHandler.answer(event, context)

// Lambda says so where an extension runs beside the function, as the one of the secrets does.
process.once('SIGTERM', () => {
  void functionHandler.close().finally(() => process.exit(0))
})
