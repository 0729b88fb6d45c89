import cliProgress from 'cli-progress'
import { Argument, type Command, Option } from 'commander'
import { UsageError } from '../errors.ts'
import {
  IMPORT_MODES,
  IMPORT_RESOURCES,
  type ImportOptions,
  type ImportResource,
  ON_ERROR,
} from '../imports/import-run.ts'
import { importTargets } from '../imports/import-target.ts'
import { IMPORT_FORMATS, type ImportFormat } from '../imports/input.ts'
import { accountsApi } from './accounts.ts'
import { operator, type Program, withDatabase } from './composition.ts'
import { formatOf, openFile } from './import-file.ts'
import { type AnswerWriter, answerWriter, ImportReport, isRefused } from './import-report.ts'
import { count, say } from './terminal.ts'

interface ImportFlags extends ImportOptions {
  readonly format?: ImportFormat
  readonly output?: string
  readonly errors?: string
}

const BAR = {
  format: '{bar} {percentage}% | {lines} lines, {errors} refused | {eta_formatted} left',
  hideCursor: true,
} as const

async function importFile(resource: ImportResource, file: string, flags: ImportFlags): Promise<void> {
  const format = formatOf(file, flags.format)
  const { mode, matchBy, onError, atomic, dryRun } = flags
  if (atomic && onError === 'continue') throw new UsageError('--atomic does not continue after an error')
  const { keys } = importTargets[resource]
  if (matchBy !== undefined && !keys.includes(matchBy)) {
    const allowed = keys.length === 0 ? 'is not for lines with one key only' : `must be one of ${keys.join(', ')}`
    throw new UsageError(`--match-by ${allowed}`)
  }
  const options: ImportOptions = { mode, matchBy, onError, atomic, dryRun }
  const bar = process.stderr.isTTY ? new cliProgress.SingleBar(BAR, cliProgress.Presets.shades_classic) : undefined
  const report = new ImportReport()
  const leave = new AbortController()
  const counts = () => ({ lines: count(report.lines), errors: count(report.errors) })
  const { chunks, size } = openFile(file, (bytes) => bar?.increment(bytes, counts()), leave.signal)
  const work = async ({ database, logger }: Program) => {
    stopOnSignal(leave)
    const { imports } = accountsApi(database, { logger })
    const writers = await answerWriters(flags)
    if (size !== undefined) bar?.start(size, 0, counts())
    try {
      for await (const answers of imports.run(resource, { format, chunks }, options, operator(), leave.signal)) {
        report.take(answers)
        await writers.all?.write(answers)
        await writers.refused?.write(answers.filter(isRefused))
      }
      bar?.update(size ?? 0, counts())
    } finally {
      bar?.stop()
      await Promise.all([writers.all?.end(), writers.refused?.end()])
      if (!leave.signal.aborted) report.say(resource)
    }
    if (leave.signal.aborted) {
      say(
        `${resource}: stopped after ${count(report.lines)} lines; they are in. The same file again goes on from there.`,
      )
      process.exitCode = 130
    } else if (report.totals === undefined || report.errors > 0) process.exitCode = 1
  }
  await withDatabase(work, { ownSignals: true })
}

/** Refused lines are said somewhere, whatever else is asked for. */
async function answerWriters({ output, errors }: ImportFlags): Promise<{ all?: AnswerWriter; refused?: AnswerWriter }> {
  const all = output === undefined ? {} : { all: await answerWriter(output) }
  return errors === undefined && output !== undefined ? all : { ...all, refused: await answerWriter(errors) }
}

/** The import ends after the batch that is being written. A second signal ends the process at once. */
function stopOnSignal(leave: AbortController): void {
  const onSignal = () => {
    if (leave.signal.aborted) process.exit(130)
    leave.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
}

export function addImportCommand(program: Command): void {
  program
    .command('import')
    .description('bring records in from a file; refused lines go to standard output. Exit code 1: some were refused')
    .addArgument(new Argument('<resource>', 'what the lines are').choices(IMPORT_RESOURCES))
    .argument('<file>', 'NDJSON, CSV or a JSON array, plain or gzip; - reads standard input')
    .addOption(new Option('--format <format>', 'default: by the name of the file').choices(IMPORT_FORMATS))
    .addOption(new Option('--mode <mode>', 'what a line may do').choices(IMPORT_MODES).default('upsert'))
    .option('--match-by <key>', 'the key by which a line finds its row; default: the first that it carries')
    .addOption(new Option('--on-error <what>', 'after a refused line; default: continue').choices(ON_ERROR))
    .option('--atomic', 'all or nothing, at most 1000 lines')
    .option('--dry-run', 'say what would become of each line, and write nothing')
    .option('--output <file>', 'write the answer to every line there')
    .option('--errors <file>', 'write the refused lines there instead of to standard output')
    .action(importFile)
}
