import { failed, type Outcome } from '../accounts/bulk/bulk-item.ts'
import { BulkQueue } from '../accounts/bulk/bulk-queue-service.ts'
import type { BatchRules } from '../accounts/bulk/bulk-service.ts'
import type { Context } from '../caller.ts'
import { AppError, describe } from '../errors.ts'
import { requireScope } from '../http/visibility.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import {
  type ImportAnswer,
  type ImportTotals,
  type LineAnswer,
  type LineProblem,
  lineProblem,
} from './import-answer.ts'
import type { ImportInput, ImportOptions, ImportResource, ImportRunner } from './import-run.ts'
import { type AnyTarget, importTargets } from './import-target.ts'
import { type CheckedLine, checkLine } from './line-check.ts'
import { lineBatches, wholeBatch } from './line-reader.ts'
import { Rehearsal } from './rehearsal.ts'
import { SeenKeys } from './seen-keys.ts'
import { sideBySide } from './side-by-side.ts'

type Database = ConstructorParameters<typeof BulkQueue>[0]

/** So many keep two cores busy, also while one of them sorts trigrams in; each holds a connection. */
const BATCHES_AT_ONCE = 3

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
  readonly queue: BulkQueue<unknown>
  /** Of a dry run. */
  readonly rehearsal: Rehearsal | undefined
  /** Of a JSON array: the physical line of each element, counted from 1. Else empty. */
  readonly places: Map<number, number>
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

  requireAllowed(resource: ImportResource, options: ImportOptions, context: Context): void {
    requireAllowed(importTargets[resource], options, context)
  }

  async *run(
    resource: ImportResource,
    input: ImportInput,
    options: ImportOptions,
    context: Context,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly ImportAnswer[], void, undefined> {
    const run = startRun(this.#database, resource, options, context)
    const started = performance.now()
    // Behind a batch that may end the import, or that is undone again, nothing can be begun.
    const isAlone = options.onError === 'abort' || options.atomic || options.dryRun
    // Nor is a further connection taken while somebody waits for a first one.
    const isCrowded = () => this.#database.poolState().waiting > 0
    try {
      yield* sideBySide(checkedBatches(input, run), {
        work: (batch) => this.#apply(run, batch),
        atMost: () => (isAlone || !run.queue.isHopeful || isCrowded() ? 1 : BATCHES_AT_ONCE),
        isOver: () => signal?.aborted || run.totals.aborted === true,
      })
      if (!signal?.aborted) yield [{ _end: { ...run.totals } }]
    } catch (error) {
      if (!(error instanceof AppError))
        this.#traces.logger?.error({ resource, reason: describe(error) }, 'import failed')
      throw error
    } finally {
      const ms = Math.round(performance.now() - started)
      this.#traces.logger?.info({ resource, ...run.totals, ms, requestId: context.requestId }, 'import ended')
    }
  }

  async #apply(run: Run, batch: readonly CheckedLine[]): Promise<LineAnswer[]> {
    const abort = run.options.onError === 'abort' && !run.options.atomic
    const firstBad = abort ? batch.findIndex((line) => 'error' in line) : -1
    const lines = firstBad < 0 ? batch : batch.slice(0, firstBad + 1)
    const judged = run.options.atomic
      ? allOrNothing(run, lines, await this.#outcomes(run, lines, { keep: 'whole' }))
      : await this.#outcomes(run, lines, { stopAtError: abort })
    // Nothing was made of what stands behind the error that ended the import.
    const answers = judged.map((outcome, index) => this.#answer(run, lines[index] as CheckedLine, outcome))
    if (abort && answers.at(-1)?.status === 'error') run.totals.aborted = true
    return answers
  }

  /** What became of the lines; fewer than lines, if one of them ended the import. */
  async #outcomes(run: Run, lines: readonly CheckedLine[], rules: BatchRules): Promise<Outcome[]> {
    const { context, options, seen, queue, rehearsal } = run
    const items = lines.flatMap((line) => ('item' in line ? [line.item] : []))
    const facts = {
      context,
      mode: options.mode ?? 'upsert',
      now: options.now,
      firstLineOf: (id: string) => seen.lineOf(`row:${id}`),
      rehearsed: rehearsal,
    } as const
    const isHopeless = rules.keep === 'whole' && items.length < lines.length
    const keep = options.dryRun || isHopeless ? 'none' : (rules.keep ?? 'good')
    const applied = await queue.apply(items, facts, { ...rules, keep })
    const outcomes: Outcome[] = []
    const good = new Set<number>()
    let next = 0
    for (const line of lines) {
      const outcome = 'item' in line ? applied[next++] : failed(line.error)
      if (outcome === undefined) break
      outcomes.push(outcome)
      if (outcome.status === 'error') continue
      good.add(line.number)
      seen.add(`row:${outcome.id}`, line.number)
    }
    rehearsal?.endBatch((number) => good.has(number))
    return outcomes
  }

  #answer({ resource, totals, options, places }: Run, { line, number }: CheckedLine, outcome: Outcome): LineAnswer {
    totals.lines++
    totals[outcome.status === 'error' ? 'errors' : outcome.status]++
    if (!options.dryRun) this.#traces.metrics?.importLines.inc({ resource, status: outcome.status })
    const place = places.size === 0 ? { line } : { line, index: number - 1 }
    if (outcome.status === 'error') {
      if (outcome.error.code === 'internal') {
        this.#traces.logger?.error({ resource, line, reason: describe(outcome.error) }, 'an import line failed')
      }
      return { ...place, status: 'error', problem: placed(lineProblem(outcome.error), places) }
    }
    if (options.dryRun && outcome.status === 'created') return { ...place, status: 'created' }
    return { ...place, ...outcome }
  }
}

/** Of an array, lines in a problem are counts of elements until here. */
function placed(problem: LineProblem, places: ReadonlyMap<number, number>): LineProblem {
  const { firstLine, causedByLine } = problem
  const named = { firstLine, causedByLine }
  const found = Object.entries(named).flatMap(([name, number]) => {
    const line = places.get(number as number)
    return line === undefined
      ? []
      : [
          [name, line],
          [name.replace('Line', 'Index'), (number as number) - 1],
        ]
  })
  return found.length === 0 ? problem : { ...problem, ...Object.fromEntries(found) }
}

/** If one line is refused, all others are told so, too. */
function allOrNothing(run: Run, lines: readonly CheckedLine[], outcomes: readonly Outcome[]): readonly Outcome[] {
  const first = outcomes.findIndex(({ status }) => status === 'error')
  if (first < 0) return outcomes
  run.totals.rolledBack = true
  const { line, number } = lines[first] as CheckedLine
  const detail = `Nothing was written, because line ${line} was refused and the import is all or nothing`
  const error = new AppError('not-applied', detail, { extra: { causedByLine: number } })
  return outcomes.map((outcome) => (outcome.status === 'error' ? outcome : failed(error)))
}

function startRun(database: Database, resource: ImportResource, options: ImportOptions, context: Context): Run {
  const target = importTargets[resource]
  requireAllowed(target, options, context)
  const { dryRun = false } = options
  const rehearsal = dryRun ? new Rehearsal() : undefined
  const totals = { lines: 0, created: 0, updated: 0, unchanged: 0, errors: 0, dryRun }
  const queue = new BulkQueue(database, target)
  return { resource, target, options, context, seen: new SeenKeys(), queue, rehearsal, places: new Map(), totals }
}

function requireAllowed(target: AnyTarget, options: ImportOptions, { principal }: Context): void {
  requireScope(principal, 'imports:write')
  requireScope(principal, target.scope)
  const { matchBy } = options
  if (matchBy !== undefined && !target.keys.includes(matchBy)) {
    throw notAllowed(
      'matchBy',
      target.keys.length === 0 ? 'lines have one key only; leave it out' : `must be one of ${target.keys.join(', ')}`,
    )
  }
  if (options.atomic && options.onError === 'continue') {
    throw notAllowed('onError', 'an atomic import does not continue after an error')
  }
  // Whoever may write without reading could guess at values here as often as they like: unchanged says that a guess is right.
  if (options.dryRun && target.personal !== undefined) requireScope(principal, target.personal)
}

function notAllowed(parameter: string, detail: string): AppError {
  const errors = [{ parameter, code: 'not-allowed', detail }]
  return new AppError('invalid-parameter', `${parameter}: ${detail}`, { errors })
}

async function* checkedBatches(input: ImportInput, run: Run): AsyncGenerator<CheckedLine[], void, undefined> {
  const batches = lineBatches(input, run.target.columns)
  for await (const lines of run.options.atomic ? wholeBatch(batches) : batches) {
    for (const { index, line } of lines) if (index !== undefined) run.places.set(index + 1, line)
    yield lines.map((line) => checkLine(line, run.target, run.options.matchBy, run.seen))
  }
}
