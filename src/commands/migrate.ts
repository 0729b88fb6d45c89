import type { Command } from 'commander'
import { ensureDatabaseUsers } from '../database/database-users.ts'
import { migrate } from '../database/migrate.ts'
import { contracts } from '../lake/contract.ts'
import { endOnSignal, openProgram } from './composition.ts'
import { print } from './terminal.ts'

async function bringUpToDate(): Promise<void> {
  const opening = openProgram({ uses: 'database' })
  const giveBack = endOnSignal(opening)
  const opened = await opening
  try {
    const url = opened.databaseUrl
    const { applied } = await migrate({ url, patienceMs: opened.config.databaseWaitMs })
    print(applied.length === 0 ? 'The database is up to date.' : applied.map((name) => `applied ${name}`).join('\n'))
    const exportedTables = contracts.map(({ table }) => table)
    const users = await ensureDatabaseUsers({ url, ...opened.config.databaseUsers, exportedTables })
    for (const user of users) print(`user ${user}: password and rights are set`)
  } finally {
    giveBack()
    await opened.close()
  }
}

export function addMigrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('bring the database up to date; safe to run from several machines at once')
    .addHelpText(
      'after',
      `
It runs as the owner of the database. With DATABASE_SERVICE_USER and DATABASE_EXPORTER_USER, and their passwords, it also makes the users
that the service and the snapshots log in with, and gives them the rights that this version needs and no others.`,
    )
    .action(bringUpToDate)
}
