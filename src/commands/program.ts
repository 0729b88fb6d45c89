import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { tracedCommand } from './command-trace.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

export const program = new Command('rocketgames')
  .description(
    'The account system of a game publisher: players, studios and games over HTTP, and as Parquet snapshots for Athena.',
  )
  .version(version)
  .showHelpAfterError('(rocketgames --help lists the commands)')
  .addHelpText(
    'after',
    `
Exit codes: 0 done, 1 the work failed or found something wrong, 2 it could not run (usage, settings, something it needs is away),
130 interrupted.
Without DATABASE_URL and LAKE_BUCKET every command works on the embedded default under LOCAL_DATA_DIR (.local).`,
  )

// Before the commands: they take it over when they are made.
program.exitOverride((error) => {
  // commander ends with 1 for wrong usage; scripts want to tell that from work that failed.
  process.exit(error.exitCode === 0 ? 0 : 2)
})

type Add = (program: Command) => void

/** Which file has which commands, in the order of the help. */
export const COMMANDS: readonly { readonly names: readonly string[]; load(): Promise<Add> }[] = [
  { names: ['serve'], load: async () => (await import('./serve.ts')).addServeCommand },
  { names: ['work'], load: async () => (await import('./work.ts')).addWorkCommand },
  { names: ['migrate'], load: async () => (await import('./migrate.ts')).addMigrateCommand },
  { names: ['keys'], load: async () => (await import('./keys.ts')).addKeysCommand },
  { names: ['import'], load: async () => (await import('./import.ts')).addImportCommand },
  { names: ['export'], load: async () => (await import('./export.ts')).addExportCommand },
  { names: ['sample'], load: async () => (await import('./sample-data.ts')).addSampleCommand },
  { names: ['snapshot', 'snapshots'], load: async () => (await import('./snapshot.ts')).addSnapshotCommands },
  {
    names: ['verify', 'recover', 'retention'],
    load: async () => (await import('./lake-care.ts')).addLakeCareCommands,
  },
  { names: ['care'], load: async () => (await import('./care.ts')).addCareCommand },
  { names: ['hold', 'holds', 'release'], load: async () => (await import('./holds.ts')).addHoldCommands },
  { names: ['query'], load: async () => (await import('./query.ts')).addQueryCommand },
  { names: ['glue'], load: async () => (await import('./glue.ts')).addGlueCommand },
  { names: ['env'], load: async () => (await import('./env.ts')).addEnvCommand },
  { names: ['local'], load: async () => (await import('./local.ts')).addLocalCommand },
]

/** Adds the command that is asked for and no other: to load all of them costs more than most of them do. Help names them all. */
async function addCommands(asked: string | undefined): Promise<void> {
  const found = COMMANDS.filter(({ names }) => asked !== undefined && names.includes(asked))
  for (const { load } of found.length > 0 ? found : COMMANDS) (await load())(program)
}

/** A word that begins with `-- ` is SQL with a comment on top, never an option. */
export async function run(argv: readonly string[]): Promise<void> {
  const words = argv.map((word) => (/^--\s/.test(word) ? `\n${word}` : word))
  const [, , asked = ''] = argv
  const command = COMMANDS.some(({ names }) => names.includes(asked)) ? asked : 'help'
  await tracedCommand({ command, version }, async () => {
    // Within: what a command loads may ask whether there are traces.
    await addCommands(asked)
    await program.parseAsync(words)
  })
}
