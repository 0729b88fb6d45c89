import { readdir } from 'node:fs/promises'
import type { Database } from './database.ts'
import { migrationsDir } from './migrate.ts'

/**
 * Names of the migrations of this program that the database does not have, oldest first. What the database has beyond them is no
 * concern here: an older program runs beside a newer database while a release is rolled out.
 */
export async function pendingMigrations(database: Database, dir: string = migrationsDir): Promise<readonly string[]> {
  const entries = await readdir(dir, { withFileTypes: true })
  const ours = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  const [there] = await database.query<{ found: boolean }>({
    text: "SELECT to_regclass('_prisma_migrations') IS NOT NULL AS found",
  })
  const rows = there?.found
    ? await database.query<{ migration_name: string }>({
        text: 'SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
      })
    : []
  const applied = new Set(rows.map((row) => row.migration_name))
  return ours.filter((name) => !applied.has(name)).sort()
}
