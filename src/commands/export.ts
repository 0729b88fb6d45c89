import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { PassThrough, Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import cliProgress from 'cli-progress'
import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import { snapshotReader } from '../database/snapshot-reader.ts'
import { UsageError } from '../errors.ts'
import { EXPORT_RESOURCES, type ExportResource } from '../exports/export-list.ts'
import { type ExportRequest, prepareExport } from '../exports/export-request.ts'
import { ExportFile, exportPieces } from '../http/export-stream.ts'
import { EXPORT_FORMATS, type ExportFormat } from '../http/export-writer.ts'
import { accountsApi } from './accounts.ts'
import { operator, type Program, withDatabase } from './composition.ts'
import { count, say, size } from './terminal.ts'

interface ExportFlags {
  readonly format?: ExportFormat
  readonly filter: Readonly<Record<string, string>>
  readonly q?: string
  readonly sort?: string
  readonly fields?: string
  readonly expand?: string
  readonly output?: string
  readonly gzip?: boolean
}

const BAR = {
  format: '{bar} {percentage}% | {value} of about {total} rows | {eta_formatted} left',
  hideCursor: true,
} as const

/** `a.csv.gz` says both. */
function formatOf({ format, output }: ExportFlags): ExportFormat {
  return format ?? (/\.csv(\.gz)?$/.test(output ?? '') ? 'csv' : 'ndjson')
}

function requestOf(resource: ExportResource, flags: ExportFlags): ExportRequest {
  const { filter, q, sort, fields, expand } = flags
  const lists = { fields: fields?.split(','), expand: expand?.split(',') }
  return { resource, format: formatOf(flags), compress: 'none', filter, q, sort, ...lists }
}

async function exportList(resource: ExportResource, flags: ExportFlags): Promise<void> {
  const request = requestOf(resource, flags)
  const zip = flags.gzip === true || flags.output?.endsWith('.gz') === true
  const leave = new AbortController()
  let stopped = false
  const unfinished = flags.output === undefined ? 'what was written has no end line' : 'nothing was written'
  const work = async (program: Program) => {
    stopOnSignal(leave)
    try {
      const { rows, bytes } = await write(program, request, { output: flags.output, zip, signal: leave.signal })
      say(`${resource}: ${count(rows)} rows, ${size(bytes)}${zip ? ' before compression' : ''}`)
    } catch (error) {
      stopped = leave.signal.aborted
      if (stopped) say(`${resource}: stopped; ${unfinished}`)
      else if (isBrokenPipe(error)) {
        say(`${resource}: nobody reads any more; ${unfinished}`)
        process.exitCode = 1
      } else throw error
    }
  }
  await withDatabase(work, { ownSignals: true })
  // What standard output has not taken by now would keep the process until somebody reads it.
  if (stopped) process.exit(130)
}

/** Of standard output: a broken connection to the database comes in our own words. */
const isBrokenPipe = (error: unknown) => (error as NodeJS.ErrnoException).code === 'EPIPE'

interface Target {
  readonly output: string | undefined
  readonly zip: boolean
  readonly signal: AbortSignal
}

/** To a file beside the target first, which takes its place only when it is whole. */
async function write(program: Program, request: ExportRequest, { output, zip, signal }: Target): Promise<ExportFile> {
  const { database } = program
  const { statement, shape } = await prepareExport(accountsApi(database).exports, request, operator())
  const bar = process.stderr.isTTY ? new cliProgress.SingleBar(BAR, cliProgress.Presets.shades_classic) : undefined
  bar?.start(await estimated(program, statement), 0)
  let file: ExportFile | undefined
  async function* bytes() {
    for await (const piece of exportPieces(snapshotReader(database), statement, shape, signal)) {
      file ??= new ExportFile(piece.writer)
      yield file.add(piece)
      bar?.increment(piece.rows)
    }
    if (file !== undefined) yield file.end()
  }
  const partial = output === undefined ? undefined : `${output}.${randomBytes(4).toString('hex')}.part`
  try {
    const through = zip ? createGzip() : new PassThrough()
    await pipeline(Readable.from(bytes(), { highWaterMark: 1 }), through, writable(partial), { signal })
    if (partial !== undefined && output !== undefined) await rename(partial, output)
    if (file === undefined) throw new Error('the list could not be read')
    return file
  } catch (error) {
    if (partial !== undefined) await rm(partial, { force: true })
    if ((error as NodeJS.ErrnoException).syscall === 'open') {
      throw new UsageError(`${output} cannot be written: ${(error as Error).message}`)
    }
    throw error
  } finally {
    bar?.stop()
  }
}

function writable(file: string | undefined): Writable {
  return file === undefined ? process.stdout : createWriteStream(file, { flags: 'wx', flush: true })
}

/** As the planner sees it: enough for a bar. */
async function estimated({ database }: Program, { text, values }: { text: string; values: readonly unknown[] }) {
  type Plan = { readonly 'QUERY PLAN': readonly [{ readonly Plan: { readonly 'Plan Rows': number } }] }
  const { rows } = await database.withClient((client) =>
    client.query<Plan>(`EXPLAIN (FORMAT JSON) ${text}`, [...values]),
  )
  return rows[0]?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0
}

/** A second signal ends the process at once. */
function stopOnSignal(leave: AbortController): void {
  const onSignal = () => {
    if (leave.signal.aborted) process.exit(130)
    leave.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
}

function collected(text: string, filters: Readonly<Record<string, string>>): Record<string, string> {
  const equals = text.indexOf('=')
  if (equals < 1) throw new InvalidArgumentError('A filter is written name=value or name[operator]=value.')
  const name = text.slice(0, equals)
  if (Object.hasOwn(filters, name)) throw new InvalidArgumentError(`${name} is given twice.`)
  return { ...filters, [name]: text.slice(equals + 1) }
}

export function addExportCommand(program: Command): void {
  program
    .command('export')
    .description(
      'write a list as it stands at one instant; the last line proves that it is whole, and import takes all of it',
    )
    .addArgument(new Argument('<resource>', 'what to write').choices(EXPORT_RESOURCES))
    .addOption(new Option('--format <format>', 'default: by the name of the file, else ndjson').choices(EXPORT_FORMATS))
    .option('--filter <name=value>', 'as in the list’s address; may be repeated', collected, {})
    .option('--q <text>', 'as in the list’s address')
    .option('--sort <fields>', 'as in the list’s address')
    .option('--fields <names>', 'only these, separated by commas')
    .option('--expand <names>', 'identities of players, members of studios, platforms of games')
    .option('--output <file>', 'default: standard output; the file appears when it is whole')
    .option('--gzip', 'compress; also when the file ends with .gz')
    .action(exportList)
}
