import type { Command } from 'commander'
import { UsageError } from '../errors.ts'
import type { LakeConfig } from '../lake-config.ts'
import type { GlueJobName, LocalJobCommand } from '../local/spark/glue-job.ts'
import { abortOnSignal, lakeToWrite, type Program, withProgram } from './composition.ts'
import { withCurateHolds } from './curate-holds.ts'
import { whenStarted } from './environment.ts'
import { showJob } from './glue-progress.ts'
import { hasEmbeddedPostgres, localWarehouse } from './local-warehouse.ts'
import { takeSnapshot } from './snapshot.ts'
import { say } from './terminal.ts'

interface JobOptions {
  readonly json?: boolean
  readonly verbose?: boolean
}

interface Prepared {
  readonly args: readonly string[]
  /** Secrets, under the names that the arguments say. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** What to say when all is done. */
  readonly done?: string
}

const has = (args: readonly string[], option: string) =>
  args.some((each) => each === option || each.startsWith(`${option}=`))

/** The options that were not given, with their values of the settings. */
function filledIn(args: readonly string[], settings: Readonly<Record<string, string | undefined>>): string[] {
  const lacking = Object.entries(settings).filter(([option, value]) => value !== undefined && !has(args, option))
  return lacking.flatMap(([option, value]) => [option, value ?? ''])
}

const placeOf = ({ bucket, endpoint, region }: LakeConfig) => ({
  '--bucket': bucket,
  '--region': region,
  '--endpoint-url': endpoint,
})

/** The variables that options such as `--password-env NAME` name: they go on to the job, which sees no other setting. */
function named(args: readonly string[]): Record<string, string | undefined> {
  const names = args.flatMap((each, i) => {
    const [, option, given] = /^(--[a-z-]+-env)(?:=(.*))?$/s.exec(each) ?? []
    return option === undefined ? [] : [given ?? args[i + 1] ?? '']
  })
  return Object.fromEntries(names.filter((name) => name !== '').map((name) => [name, process.env[name]]))
}

function prepareCurate(program: Program, args: readonly string[]): Prepared {
  const { config } = program.lake()
  const settings = {
    ...placeOf(config),
    '--database': config.curatedDatabase,
    '--workgroup': config.workgroup,
    '--results': config.resultsUri,
  }
  return { args: [...args, ...filledIn(args, settings)], env: named(args) }
}

async function prepareLoad(program: Program, args: readonly string[]): Promise<Prepared> {
  const given = [...args, ...filledIn(args, placeOf(program.lake().config))]
  const target = has(args, '--target')
  const postgres =
    !target ||
    args.some((each, i) => each === '--target=postgres' || (each === 'postgres' && args[i - 1] === '--target'))
  if (!postgres || has(args, '--jdbc-url') || has(args, '--secret-id') || !hasEmbeddedPostgres(program)) {
    return { args: given, env: named(args) }
  }
  const { args: warehouse, database, env } = await localWarehouse(program)
  return {
    args: [...given, ...(target ? [] : ['--target', 'postgres']), ...warehouse],
    env: { ...named(args), ...env },
    done: `The tables are in the database ${database} of the embedded Postgres; DATABASE_URL of "rocketgames env" is the one beside it.`,
  }
}

/** A profile's credentials in the form that Java's S3A takes; it knows no profiles. Others it finds by itself. */
async function credentials(program: Program): Promise<Record<string, string | undefined>> {
  if (!process.env.AWS_PROFILE) return {}
  const found = await program.lake().clients.s3.config.credentials()
  return {
    AWS_PROFILE: undefined,
    AWS_ACCESS_KEY_ID: found.accessKeyId,
    AWS_SECRET_ACCESS_KEY: found.secretAccessKey,
    AWS_SESSION_TOKEN: found.sessionToken,
  }
}

async function runJob(
  program: Program,
  command: LocalJobCommand,
  prepared: Prepared,
  options: JobOptions,
  signal: AbortSignal,
) {
  const { runGlueJob } = await import('../local/spark/glue-job.ts')
  const shown = showJob(options, say)
  const env = { ...(await credentials(program)), ...prepared.env }
  const { code, killedBy } = await runGlueJob({ command, args: prepared.args, env, signal, onLine: shown.onLine })
  if (signal.aborted) process.exitCode = 130
  else if (code === 0) {
    if (prepared.done) say(prepared.done)
  } else {
    // A failure that the job tells in its own words ends it with one of these; of any other, Python and Java say why.
    if (!options.verbose && (code === null || code === 1)) say(shown.rest())
    if (killedBy !== null) say(`The job was ended by ${killedBy}: SIGKILL mostly means that memory ran out.`)
    process.exitCode = code ?? 1
  }
}

async function glueJob(
  job: Exclude<GlueJobName, 'unload'>,
  options: JobOptions,
  given: readonly string[],
): Promise<void> {
  const { glueJobCommand } = await import('../local/spark/glue-job.ts')
  const commandOf = async () => {
    const command = await glueJobCommand(job, process.env, say)
    if ('missing' in command) throw new UsageError(`The job cannot run on this machine: ${command.missing}`)
    return command
  }
  // Before anything is brought up: its first use takes minutes, and until then a signal just ends this process.
  await commandOf()
  const work = async (program: Program) => {
    await whenStarted(program.workplace)
    const leave = abortOnSignal(() => say('\nStopping: what the job has begun to write is removed.'))
    await lakeToWrite(program)
    const command = await commandOf()
    const prepared = job === 'curate' ? prepareCurate(program, given) : await prepareLoad(program, given)
    const run = () => runJob(program, command, prepared, options, leave.signal)
    if (job === 'curate' && !has(given, '--api-url')) await withCurateHolds(program, has(given, '--full-rebuild'), run)
    else await run()
  }
  await withProgram(work, { ownSignals: true })
}

const OPTIONS: Readonly<Record<'curate' | 'load', string>> = {
  curate: `
Options of the job (settings give those that are not named here):
  --full-rebuild             make the tables anew from all snapshots that exist
  --lose-history             with it: even if snapshots that the tables know exist no more
  --small-cell <n>           a number made of fewer players is not shown (default: 10)
  --keep-runs <n>            the current run and those before it (default: 3)
  --api-url <url>            take holds by the API of another service; with --api-key-env <name> or --api-key-secret <id>`,
  load: `
Options of the job:
  --target <warehouse>       postgres, redshift or snowflake (default with the embedded Postgres: a database of its own there)
  --schema <name>            (default: accounts)
  --jdbc-url <url> --user <name> --password-env <variable> | --secret-id <id>                             postgres
  --redshift-workgroup <name> | --redshift-cluster <name>, --redshift-database <name>, --iam-role <arn>  redshift
  --stage <name>             snowflake
  --run-id <id>, --allow-older, --reload     a run that is not the newest, or one that is loaded`,
}
const CODES = `
Exit codes: 0 done, or nothing to do; 1 the job failed or refused, and says why; 2 it could not run; 130 it was told to stop.
The first run installs Spark (needs Python 3.11 and Java 17). ROCKETGAMES_SPARK_CORES and ROCKETGAMES_SPARK_MEMORY (4g) size it.`

export function addGlueCommand(program: Command): void {
  const glue = program.command('glue').description('the Spark jobs of AWS Glue, on this machine: curate, load, unload')
  const jobs = {
    curate: 'make the curated tables out of the snapshots that are not in them yet',
    load: 'load the curated tables into Postgres, Redshift or Snowflake',
  } as const
  for (const job of ['curate', 'load'] as const) {
    glue
      .command(job)
      .description(jobs[job])
      .argument('[options...]', 'options of the job, see below')
      .allowUnknownOption()
      .option('--json', 'the log of the job on standard error as it is, one JSON object a line')
      .option('--verbose', 'what Spark and Java say, too')
      .addHelpText('after', `${OPTIONS[job]}\n${CODES}`)
      .action((given: readonly string[], options: JobOptions) => glueJob(job, options, given))
  }
  glue
    .command('unload')
    .description('take one snapshot as "rocketgames snapshot" does, its rows read by Spark')
    .option('--json', 'the snapshot as JSON on standard output, one JSON line for each step on standard error')
    .addHelpText('after', CODES)
    .action((options: { readonly json?: boolean }) => takeSnapshot(options, 'spark'))
}
