import { once } from 'node:events'
import { createReadStream, createWriteStream, statSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import cliProgress from 'cli-progress'
import { Argument, type Command, Option } from 'commander'
import { UsageError } from '../errors.ts'
import { type ImportAnswer, type ImportTotals, isEnd } from '../imports/import-answer.ts'
import {
  IMPORT_MODES,
  IMPORT_RESOURCES,
  type ImportOptions,
  type ImportResource,
  ON_ERROR,
} from '../imports/import-run.ts'
import { accountsApi } from './accounts.ts'
import { operator, type Program, withProgram } from './composition.ts'
import { count, say } from './terminal.ts'

interface ImportFlags extends ImportOptions {
  readonly format?: 'ndjson' | 'csv'
  readonly output?: string
}

function formatOf(file: string, given: ImportFlags['format']): 'ndjson' | 'csv' {
  if (given) return given
  if (/\.csv$/i.test(file)) return 'csv'
  if (/\.(ndjson|jsonl)$/i.test(file)) return 'ndjson'
  throw new UsageError(`${file} is named neither .ndjson, .jsonl nor .csv: say --format ndjson or --format csv`)
}

/** The file as a stream; every chunk is told to the bar. `-` is standard input, whose size nobody knows. */
function open(
  file: string,
  onBytes: (bytes: number) => void,
  leave: AbortSignal,
): { chunks: AsyncIterable<Uint8Array>; size: number | undefined } {
  let size: number | undefined
  if (file !== '-') {
    try {
      size = statSync(file).size
    } catch {
      throw new UsageError(`${file} cannot be read`)
    }
  }
  const stream = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 256 * 1024 })
  // Standard input may be silent for long.
  leave.addEventListener('abort', () => stream.destroy(), { once: true })
  async function* told(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of stream) {
        onBytes((chunk as Uint8Array).length)
        yield chunk as Uint8Array
      }
    } catch (error) {
      if (!leave.aborted) throw error
    }
  }
  return { chunks: told(), size }
}

const BAR = {
  format: '{bar} {percentage}% | {lines} lines, {errors} refused | {eta_formatted} left',
  hideCursor: true,
} as const

/** Where answer lines go: all of them into the file, else the refused ones to standard output. */
async function answerWriter(file: string | undefined) {
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
    async write(answers: readonly ImportAnswer[]): Promise<void> {
      if (broken) throw broken
      const kept = file === undefined ? answers.filter((a) => !isEnd(a) && a.status === 'error') : answers
      if (kept.length === 0) return
      const text = kept.map((a) => `${JSON.stringify(a)}\n`).join('')
      if (!stream.write(text)) {
        await once(stream, 'drain').catch((error: unknown) => {
          throw broken ?? error
        })
      }
    },
    async end(): Promise<void> {
      if (stream === process.stdout || broken) return
      stream.end()
      await finished(stream)
    },
  }
}

async function importFile(resource: ImportResource, file: string, flags: ImportFlags): Promise<void> {
  const format = formatOf(file, flags.format)
  const bar = process.stderr.isTTY ? new cliProgress.SingleBar(BAR, cliProgress.Presets.shades_classic) : undefined
  let lines = 0
  let errors = 0
  const leave = new AbortController()
  const onBytes = (bytes: number) => bar?.increment(bytes, { lines: count(lines), errors: count(errors) })
  const { chunks, size } = open(file, onBytes, leave.signal)
  const { mode, matchBy, onError } = flags
  const options = { mode, matchBy, onError }
  const work = async ({ database, logger }: Program) => {
    stopOnSignal(leave)
    const { imports } = accountsApi(database, { logger })
    const writer = await answerWriter(flags.output)
    let totals: ImportTotals | undefined
    if (size !== undefined) bar?.start(size, 0, { lines: '0', errors: '0' })
    try {
      for await (const answers of imports.run(resource, { format, chunks }, options, operator(), leave.signal)) {
        for (const answer of answers) {
          if (isEnd(answer)) totals = answer._end
          else if (answer.status === 'error') errors++
        }
        lines += answers.length
        await writer.write(answers)
      }
    } finally {
      bar?.stop()
      await writer.end()
    }
    if (totals) sayTotals(resource, totals)
    if (leave.signal.aborted) {
      say(`${resource}: stopped after ${count(lines)} lines; they are in. The same file again goes on from there.`)
      process.exitCode = 130
    } else if (totals === undefined || totals.errors > 0) process.exitCode = 1
  }
  await withProgram(work, { ownSignals: true })
}

/** The import ends after the batch that is being written. A second signal ends the process at once. */
function stopOnSignal(leave: AbortController): void {
  const onSignal = () => {
    if (leave.signal.aborted) process.exit(130)
    leave.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
}

function sayTotals(resource: string, totals: ImportTotals): void {
  const { lines, created, updated, unchanged, errors, aborted } = totals
  const parts = [
    `${count(created)} created`,
    `${count(updated)} updated`,
    `${count(unchanged)} unchanged`,
    `${count(errors)} refused`,
  ]
  say(`${resource}: ${count(lines)} lines: ${parts.join(', ')}${aborted ? ' (stopped at the first error)' : ''}`)
}

export function addImportCommand(program: Command): void {
  program
    .command('import')
    .description('bring records in from a file; refused lines go to standard output. Exit code 1: some were refused')
    .addArgument(new Argument('<resource>', 'what the lines are').choices(IMPORT_RESOURCES))
    .argument('<file>', 'NDJSON or CSV; - reads standard input')
    .addOption(new Option('--format <format>', 'default: by the name of the file').choices(['ndjson', 'csv']))
    .addOption(new Option('--mode <mode>', 'what a line may do').choices(IMPORT_MODES).default('upsert'))
    .option('--match-by <key>', 'the key by which a line finds its row; default: the first that it carries')
    .addOption(new Option('--on-error <what>', 'after a refused line').choices(ON_ERROR).default('continue'))
    .option('--output <file>', 'write the answer to every line there')
    .action(importFile)
}
