import type { Outcome } from '../accounts/bulk/bulk-item.ts'
import { applyBatch } from '../accounts/bulk/bulk-service.ts'
import type { Context } from '../caller.ts'
import { AppError, describe } from '../errors.ts'
import { requireScope } from '../http/visibility.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { type ImportAnswer, type ImportTotals, type LineAnswer, lineProblem } from './import-answer.ts'
import type { ImportInput, ImportOptions, ImportResource, ImportRunner } from './import-run.ts'
import { type AnyTarget, importTargets } from './import-target.ts'
import { type CheckedLine, checkLine } from './line-check.ts'
import { lineBatches } from './line-reader.ts'
import { SeenKeys } from './seen-keys.ts'

type Database = Parameters<typeof applyBatch>[0]

/** Where an import leaves its traces besides the answers; counts only. */
export interface ImportTraces {
  readonly metrics?: Metrics | undefined
  readonly logger?: Logger | undefined
}

/** One import in progress. */
interface Run {
  readonly resource: ImportResource
  readonly target: AnyTarget
  readonly options: ImportOptions
  readonly context: Context
  readonly seen: SeenKeys
  readonly totals: { -readonly [name in keyof ImportTotals]: ImportTotals[name] }
}

/** Imports of all resources. */
export class ImportService implements ImportRunner {
  readonly #database: Database
  readonly #traces: ImportTraces

  constructor(database: Database, traces: ImportTraces = {}) {
    this.#database = database
    this.#traces = traces
  }

  async *run(
    resource: ImportResource,
    input: ImportInput,
    options: ImportOptions,
    context: Context,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly ImportAnswer[], void, undefined> {
    const run = startRun(resource, options, context)
    const started = performance.now()
    const batches = checkedBatches(input, run)
    try {
      // While one batch is in the database, the next one is read and checked.
      let next = batches.next()
      for (;;) {
        const batch = await next
        if (batch.done || signal?.aborted) break
        const answers = this.#apply(run, batch.value)
        next = batches.next()
        next.catch(() => undefined)
        yield await answers
        if (run.totals.aborted) break
      }
      if (!signal?.aborted) yield [{ _end: { ...run.totals } }]
    } catch (error) {
      if (!(error instanceof AppError))
        this.#traces.logger?.error({ resource, reason: describe(error) }, 'import failed')
      throw error
    } finally {
      void batches.return(undefined).catch(() => undefined)
      const ms = Math.round(performance.now() - started)
      this.#traces.logger?.info({ resource, ...run.totals, ms, requestId: context.requestId }, 'import ended')
    }
  }

  async #apply(run: Run, batch: readonly CheckedLine[]): Promise<LineAnswer[]> {
    const abort = run.options.onError === 'abort'
    const firstBad = abort ? batch.findIndex((line) => 'error' in line) : -1
    const lines = firstBad < 0 ? batch : batch.slice(0, firstBad + 1)
    const items = lines.flatMap((line) => ('item' in line ? [line.item] : []))
    const { context, options, seen, target } = run
    const facts = {
      context,
      mode: options.mode ?? 'upsert',
      now: options.now,
      firstLineOf: (id: string) => seen.lineOf(`row:${id}`),
    } as const
    const outcomes = await applyBatch(this.#database, target.apply, items, facts, abort)
    const answers: LineAnswer[] = []
    let applied = 0
    for (const line of lines) {
      const outcome: Outcome | undefined = 'item' in line ? outcomes[applied++] : { status: 'error', error: line.error }
      // Nothing was made of what stands behind the error that ended the import.
      if (outcome === undefined) break
      if (outcome.status !== 'error') seen.add(`row:${outcome.id}`, line.number)
      answers.push(this.#answer(run, line.number, outcome))
    }
    if (abort && answers.at(-1)?.status === 'error') run.totals.aborted = true
    return answers
  }

  #answer({ resource, totals }: Run, line: number, outcome: Outcome): LineAnswer {
    totals.lines++
    totals[outcome.status === 'error' ? 'errors' : outcome.status]++
    this.#traces.metrics?.importLines.inc({ resource, status: outcome.status })
    if (outcome.status !== 'error') return { line, ...outcome }
    if (outcome.error.code === 'internal') {
      this.#traces.logger?.error({ resource, line, reason: describe(outcome.error) }, 'an import line failed')
    }
    return { line, status: 'error', problem: lineProblem(outcome.error) }
  }
}

function startRun(resource: ImportResource, options: ImportOptions, context: Context): Run {
  const target = importTargets[resource]
  requireScope(context.principal, 'imports:write')
  requireScope(context.principal, target.scope)
  const { matchBy } = options
  if (matchBy !== undefined && !target.keys.includes(matchBy)) {
    const detail =
      target.keys.length === 0 ? 'lines have one key only; leave it out' : `must be one of ${target.keys.join(', ')}`
    throw new AppError('invalid-parameter', `matchBy: ${detail}`, {
      errors: [{ parameter: 'matchBy', code: 'not-allowed', detail }],
    })
  }
  const totals = { lines: 0, created: 0, updated: 0, unchanged: 0, errors: 0, dryRun: false } as const
  return { resource, target, options, context, seen: new SeenKeys(), totals: { ...totals } }
}

async function* checkedBatches(input: ImportInput, run: Run): AsyncGenerator<CheckedLine[], void, undefined> {
  for await (const lines of lineBatches(input, run.target.columns)) {
    yield lines.map((line) => checkLine(line, run.target, run.options.matchBy, run.seen))
  }
}
