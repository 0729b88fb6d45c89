import { ageLimitSeconds } from '../lake/schedule.ts'
import { type Logger, openOutput } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { MetricReporter } from '../telemetry/metric-reporter.ts'
import type { Program } from './composition.ts'
import { watchedMetrics } from './watched-metrics.ts'

/** Lines that wait for somebody to read standard output; beyond, they are lost and the service goes on. */
const MAX_WAITING_CHARACTERS = 1024 * 1024

/**
 * With METRICS=emf: metrics as lines on standard output, each minute.
 *
 * @param frozen the process may be frozen between two requests: each line is written before the program goes on, and how late events
 *   are, which would be the length of the pause, is not told
 */
export function reportMetrics(
  program: Program,
  metrics: Metrics,
  logger: Logger,
  { frozen = false } = {},
): MetricReporter | undefined {
  const { config, database } = program
  if (config.metrics !== 'emf') return undefined
  const output = openOutput({ fd: 1, inBackground: !frozen, maxWaitingCharacters: MAX_WAITING_CHARACTERS })
  // Once: to go through the ticks of weeks holds up everything else for a tenth of a second.
  const ageLimit = config.lake && ageLimitSeconds(config.lake)
  const reporter = new MetricReporter({
    metrics,
    stage: config.stage,
    write: (line) => void output.write(`${line}\n`),
    shared: () => watchedMetrics(database, ageLimit),
    poolWaiting: () => database.poolState().waiting,
    eventLoopDelay: !frozen,
    logger,
  })
  reporter.start()
  return reporter
}
