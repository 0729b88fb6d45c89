import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { addEnvCommand } from './env.ts'
import { addExportCommand } from './export.ts'
import { addHoldCommands } from './holds.ts'
import { addImportCommand } from './import.ts'
import { addKeysCommand } from './keys.ts'
import { addLakeCareCommands } from './lake-care.ts'
import { addLocalCommand } from './local.ts'
import { addMigrateCommand } from './migrate.ts'
import { addQueryCommand } from './query.ts'
import { addSampleCommand } from './sample-data.ts'
import { addServeCommand } from './serve.ts'
import { addSnapshotCommands } from './snapshot.ts'

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

for (const add of [
  addServeCommand,
  addMigrateCommand,
  addKeysCommand,
  addImportCommand,
  addExportCommand,
  addSampleCommand,
  addSnapshotCommands,
  addLakeCareCommands,
  addHoldCommands,
  addQueryCommand,
  addEnvCommand,
  addLocalCommand,
]) {
  add(program)
}

/** A word that begins with `-- ` is SQL with a comment on top, never an option. */
export function run(argv: readonly string[]): Promise<unknown> {
  return program.parseAsync(argv.map((word) => (/^--\s/.test(word) ? `\n${word}` : word)))
}
