import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { IdempotencyPurge } from '../accounts/idempotency/idempotency-purge-service.ts'
import { countQueued } from '../jobs/job-store.ts'
import type { JobWorker } from '../jobs/job-worker.ts'
import { Metrics } from '../metrics.ts'
import { accountsApi } from './accounts.ts'
import { type Program, withDatabase } from './composition.ts'
import { reportMetrics } from './report-metrics.ts'
import { say } from './terminal.ts'

/** Longer than a dead worker is waited for (its heartbeat and who looks for it): its jobs are taken up before this one ends. */
const IDLE_SECONDS = 45
const LOOK_EVERY_MS = 1_000
const MIB = 1024 * 1024

interface WorkOptions {
  readonly untilIdle?: number
  readonly exportPartMib?: number
}

/** `rocketgames work`: what a service does beside answering, for where something answers that cannot: jobs, and expired keys. */
export function addWorkCommand(program: Command): void {
  program
    .command('work')
    .description('do the jobs that wait (imports and exports) without answering requests; every service does them, too')
    .option(
      '--until-idle [seconds]',
      `end when there was nothing to do for so long (${IDLE_SECONDS}); default: on SIGTERM`,
      wholeNumber(86_400),
    )
    .option('--export-part-mib <number>', 'size of the parts of an export before compression', wholeNumber(1024))
    .addHelpText(
      'after',
      '\nExit codes: 0 done or told to stop, 2 it could not run. A job that was stopped is begun anew by the next worker.',
    )
    .action((options: Parsed) => {
      const { untilIdle, ...others } = options
      const given =
        untilIdle === undefined ? others : { ...others, untilIdle: untilIdle === true ? IDLE_SECONDS : untilIdle }
      return withDatabase((opened) => work(opened, given), { ownSignals: true })
    })
}

/** As commander gives them: `--until-idle` without a number is true. */
interface Parsed extends Omit<WorkOptions, 'untilIdle'> {
  readonly untilIdle?: number | true
}

const wholeNumber = (max: number) => (text: string) => {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 1 && number <= max) return number
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`)
}

async function work(opened: Program, { untilIdle, exportPartMib }: WorkOptions): Promise<void> {
  const { database, logger } = opened
  const metrics = new Metrics()
  const { worker } = accountsApi(
    database,
    { logger, metrics },
    exportPartMib === undefined ? {} : { partBytes: exportPartMib * MIB },
  )
  const purge = new IdempotencyPurge(database, logger)
  const told = new AbortController()
  const onSignal = () => {
    if (told.signal.aborted) process.exit(130)
    told.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  const reporter = reportMetrics(opened, metrics, logger)
  try {
    await worker.start(untilIdle === undefined ? told.signal : undefined)
    purge.start()
    // Where it is started every few minutes only, those of the database come as often.
    await reporter?.report()
    if (process.stderr.isTTY) say('Doing jobs; Ctrl-C ends it.')
    if (untilIdle === undefined) await whenTold(told.signal)
    else await idle(told.signal, untilIdle * 1000, worker, () => countQueued(database))
  } finally {
    await purge.stop()
    await worker.close()
    await reporter?.stop()
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

function whenTold(signal: AbortSignal): Promise<void> {
  // A listener keeps no process alive; the worker's timers do.
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Resolves when nothing has waited, and nothing has run here, for a while. */
async function idle(
  signal: AbortSignal,
  idleMs: number,
  worker: JobWorker,
  waiting: () => Promise<number>,
): Promise<void> {
  for (let since = performance.now(); !signal.aborted && performance.now() - since < idleMs; ) {
    // A database that is away for a moment says nothing about jobs.
    const count = await waiting().catch(() => 1)
    if (count > 0 || worker.running > 0) since = performance.now()
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
}
