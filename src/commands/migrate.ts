import type { Command } from 'commander'
import { migrate } from '../database/migrate.ts'
import { endOnSignal, openProgram } from './composition.ts'
import { print } from './terminal.ts'

export function addMigrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('bring the database up to date; safe to run from several machines at once')
    .action(async () => {
      const opening = openProgram()
      const giveBack = endOnSignal(opening)
      const opened = await opening
      try {
        const { applied } = await migrate({ url: opened.databaseUrl })
        print(
          applied.length === 0 ? 'The database is up to date.' : applied.map((name) => `applied ${name}`).join('\n'),
        )
      } finally {
        giveBack()
        await opened.close()
      }
    })
}
