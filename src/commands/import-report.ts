import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { UsageError } from '../errors.ts'
import { type ImportAnswer, type ImportTotals, isEnd, type LineAnswer } from '../imports/import-answer.ts'
import { count, say, table } from './terminal.ts'

/** Where answers are written: a file, or standard output. */
export interface AnswerWriter {
  write(answers: readonly ImportAnswer[]): Promise<void>
  end(): Promise<void>
}

/**
 * @param file undefined: standard output
 * @throws UsageError
 */
export async function answerWriter(file: string | undefined): Promise<AnswerWriter> {
  const stream = file === undefined ? process.stdout : createWriteStream(file)
  let broken: Error | undefined
  stream.on('error', (error) => {
    broken = new Error(`The answers cannot be written any more (${error.message}); the lines so far are in`)
  })
  if (file !== undefined) {
    await once(stream, 'open').catch((error: Error) => {
      throw new UsageError(`${file} cannot be written: ${error.message}`)
    })
  }
  return {
    async write(answers) {
      if (broken) throw broken
      if (answers.length === 0) return
      if (stream.write(answers.map((answer) => `${JSON.stringify(answer)}\n`).join(''))) return
      await once(stream, 'drain').catch((error: unknown) => {
        throw broken ?? error
      })
    },
    async end() {
      if (stream === process.stdout || broken) return
      stream.end()
      await finished(stream)
    },
  }
}

export const isRefused = (answer: ImportAnswer): boolean => !isEnd(answer) && answer.status === 'error'

/** So many kinds of refusals are told apart. */
const MAX_KINDS = 20

interface Kind {
  lines: number
  readonly first: number
}

/** Counts as the answers come; says what it came to. */
export class ImportReport {
  readonly #kinds = new Map<string, Kind>()
  readonly #began = performance.now()
  #lines = 0
  #errors = 0
  #totals: ImportTotals | undefined

  get lines(): number {
    return this.#lines
  }

  get errors(): number {
    return this.#errors
  }

  /** Undefined until the import has come to its end. */
  get totals(): ImportTotals | undefined {
    return this.#totals
  }

  take(answers: readonly ImportAnswer[]): void {
    for (const answer of answers) {
      if (isEnd(answer)) this.#totals = answer._end
      else this.#count(answer)
    }
  }

  #count(answer: LineAnswer): void {
    this.#lines++
    if (answer.status !== 'error') return
    this.#errors++
    const { code, errors = [] } = answer.problem
    const places = errors.map((error) =>
      [error.pointer, error.code === code ? '' : error.code].filter(Boolean).join(' '),
    )
    const name = [code, ...new Set(places)].filter(Boolean).join(', ')
    const kind = this.#kinds.get(name)
    if (kind !== undefined) kind.lines++
    else if (this.#kinds.size < MAX_KINDS) this.#kinds.set(name, { lines: 1, first: answer.line })
    else this.#kinds.set(OTHERS, { lines: (this.#kinds.get(OTHERS)?.lines ?? 0) + 1, first: answer.line })
  }

  /** On standard error: the counts, and of the refused lines what was wrong and where it was first. */
  say(resource: string): void {
    const totals = this.#totals
    if (totals !== undefined) say(`${resource}: ${sentence(totals)}`)
    else if (this.#lines > 0) say(`${resource}: not finished after ${count(this.#lines)} lines, which are answered`)
    if (totals !== undefined && totals.lines > 0) say(countsTable(totals, performance.now() - this.#began))
    if (this.#kinds.size === 0) return
    const rows = [...this.#kinds].sort(([, a], [, b]) => b.lines - a.lines)
    say(
      table(
        ['refused', 'lines', 'first line'],
        rows.map(([name, kind]) => [name, count(kind.lines), count(kind.first)]),
      ),
    )
  }
}

const OTHERS = 'others'

function sentence({ lines, created, updated, unchanged, errors, ...more }: ImportTotals): string {
  const verbs = more.dryRun ? ['to create', 'to update'] : ['created', 'updated']
  const parts = [
    `${count(created)} ${verbs[0]}`,
    `${count(updated)} ${verbs[1]}`,
    `${count(unchanged)} unchanged`,
    `${count(errors)} refused`,
  ]
  const ends = [
    more.aborted && 'stopped at the first error',
    more.rolledBack && 'all or nothing: nothing was written',
    more.dryRun && 'dry run: nothing was written',
  ].filter(Boolean)
  return `${count(lines)} lines: ${parts.join(', ')}${ends.length > 0 ? ` (${ends.join('; ')})` : ''}`
}

function countsTable({ lines, created, updated, unchanged, errors }: ImportTotals, ms: number): string {
  const numbers = [lines, created, updated, unchanged, errors].map(count)
  const rate = count(Math.round((lines / Math.max(ms, 1)) * 1000))
  return table(
    ['lines', 'created', 'updated', 'unchanged', 'refused', 'seconds', 'lines/s'],
    [[...numbers, (ms / 1000).toFixed(1), rate]],
  )
}
