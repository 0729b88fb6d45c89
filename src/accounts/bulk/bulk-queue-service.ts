import { WriteConflict } from '../../database/constraint-errors.ts'
import { copyTogether, type TableRows } from '../../database/copy-rows.ts'
import type { Database } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import type { BulkFacts, BulkItem, Outcome } from './bulk-item.ts'
import { type ApplyBatch, applyBatch, type BatchRules } from './bulk-service.ts'

/** What a batch comes to if none of its lines is about a row that is there. */
export interface NewRows {
  /** Parents first. */
  readonly parts: readonly TableRows[]
  readonly outcomes: readonly Outcome[]
  /** All unique values that the rows take, as `name:text`. */
  readonly keys: readonly string[]
}

/** The facts of a batch before its transaction. */
export interface NewFacts extends BulkFacts {
  /** `now` is a time that the clock has passed, not the present one: what is to hold the present one is left to the database. */
  readonly isPast: boolean
}

/**
 * The rows of lines that are all new, made without a look at what is there; undefined: that cannot be told without one. Only
 * what the database then refuses by itself may be left to it: unique values, above all.
 */
export type PrepareNew<Line> = (items: readonly BulkItem<Line>[], facts: NewFacts) => NewRows | undefined

export interface BatchWriter<Line> {
  readonly apply: ApplyBatch<Line>
  readonly prepareNew?: PrepareNew<Line> | undefined
}

/** Columns whose default is the present time. */
const DATED_BY_DEFAULT = new Set(['createdAt', 'linkedAt'])

/**
 * The fields to write of new rows in which `facts.now` stands for the present time: without those that the database dates by
 * itself. Undefined: it cannot, because a column has no default, or only some of the rows need it.
 */
export function datedFields(
  rows: readonly object[],
  fields: readonly string[],
  { now, isPast }: NewFacts,
): string[] | undefined {
  if (!isPast) return [...fields]
  const written: string[] = []
  for (const field of fields) {
    let present = 0
    for (const row of rows) if ((row as Record<string, unknown>)[field] === now) present++
    if (present === 0) written.push(field)
    else if (present < rows.length || !DATED_BY_DEFAULT.has(field)) return undefined
  }
  return written
}

type Facts = Omit<BulkFacts, 'now'> & { readonly now?: Date | undefined }

/** A batch on its way. */
interface Running {
  /** The unique values that its rows take; undefined: they are not known before it is through. */
  readonly keys: ReadonlySet<string> | undefined
  readonly done: Promise<Outcome[]>
}

/**
 * The batches of one import on their way into the database, with the outcomes that they would have one after the other.
 *
 * A load brings mostly new rows, and looking first whether they are there is a good part of the work. So after a batch that was
 * all new the next one is taken to be, too: its rows are written at once, in one exchange with the server, and the unique values
 * are left to the database to judge. Where it refuses, nothing of the batch is in, and the batch goes the careful way, which looks
 * first and says of each line what is wrong.
 *
 * Such batches may be in the database side by side, if they have no unique value in common. Any other batch is alone.
 */
export class BulkQueue<Line> {
  readonly #database: Database
  readonly #writer: BatchWriter<Line>
  readonly #running = new Set<Running>()
  #turn: Promise<unknown> = Promise.resolve()
  /** Was the last batch all new? And a time that the database's clock has passed since. */
  #hope: { readonly since: Date } | undefined

  constructor(database: Database, writer: BatchWriter<Line>) {
    this.#database = database
    this.#writer = writer
  }

  /** Is the next batch taken to be all new? Only then is there any use in giving it before the last one is through. */
  get isHopeful(): boolean {
    return this.#hope !== undefined && this.#writer.prepareNew !== undefined
  }

  /**
   * Like `applyBatch`, after the batches that were given before. A batch may be given before the one before it is through.
   *
   * @throws AppError `unavailable`; nothing of the batch is in then
   */
  async apply(items: readonly BulkItem<Line>[], facts: Facts, rules: BatchRules = {}): Promise<Outcome[]> {
    if (items.length === 0) return []
    const before = this.#turn
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#turn = promise
    await before
    try {
      const running = await this.#start(items, facts, rules)
      this.#running.add(running)
      const ended = running.done.finally(() => this.#running.delete(running))
      // Behind a batch whose keys are not known nothing can be told to be independent of it.
      if (running.keys === undefined) await ended
      else resolve()
      return await ended
    } finally {
      resolve()
    }
  }

  async #start(items: readonly BulkItem<Line>[], facts: Facts, rules: BatchRules): Promise<Running> {
    const ready = this.#prepare(items, facts, rules)
    const keys = ready && new Set(ready.keys)
    if (ready !== undefined && keys !== undefined && this.#isApart(keys)) {
      const others = [...this.#running]
      return { keys, done: this.#write(ready, items, facts, others) }
    }
    await through(this.#running)
    return { keys: undefined, done: this.#applyCarefully(items, facts, rules) }
  }

  #prepare(items: readonly BulkItem<Line>[], facts: Facts, rules: BatchRules): NewRows | undefined {
    const { stopAtError = false, keep = 'good' } = rules
    if (this.#hope === undefined || stopAtError || keep !== 'good' || facts.mode === 'update') return undefined
    return this.#writer.prepareNew?.(items, {
      ...facts,
      now: facts.now ?? this.#hope.since,
      isPast: facts.now === undefined,
    })
  }

  #isApart(keys: ReadonlySet<string>): boolean {
    for (const running of this.#running) {
      if (running.keys === undefined || haveCommon(running.keys, keys)) return false
    }
    return true
  }

  async #write(
    { parts, outcomes }: NewRows,
    items: readonly BulkItem<Line>[],
    facts: Facts,
    others: readonly Running[],
  ): Promise<Outcome[]> {
    try {
      await this.#database.withClient((client) => copyTogether(client, parts))
      return [...outcomes]
    } catch (error) {
      if (error instanceof AppError && !(error instanceof WriteConflict)) throw error
      this.#hope = undefined
      // Only what came before may be in a line's way.
      await through(others)
      return this.#applyCarefully(items, facts, {})
    }
  }

  async #applyCarefully(items: readonly BulkItem<Line>[], facts: Facts, rules: BatchRules): Promise<Outcome[]> {
    let since: Date | undefined
    const apply: ApplyBatch<Line> = (client, part, dated) => {
      since = dated.now
      return this.#writer.apply(client, part, dated)
    }
    const outcomes = await applyBatch(this.#database, apply, items, facts, rules)
    const isNew = outcomes.every(({ status }) => status === 'created')
    this.#hope = isNew && since !== undefined ? { since } : undefined
    return outcomes
  }
}

function haveCommon(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  for (const key of some) if (others.has(key)) return true
  return false
}

async function through(running: Iterable<Running>): Promise<void> {
  await Promise.allSettled([...running].map(({ done }) => done))
}
