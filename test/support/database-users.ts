import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { ensureDatabaseUsers, groupName } from '../../src/database/database-users.ts'
import { migrate } from '../../src/database/migrate.ts'
import { contracts } from '../../src/lake/contract.ts'
import { createEmptyDatabase } from './database.ts'

export const exportedTables = contracts.map(({ table }) => table)

/** The same server and database by another user. */
export function urlOf(databaseUrl: string, { user, password }: { user: string; password: string }): string {
  const url = new URL(databaseUrl)
  url.username = user
  url.password = encodeURIComponent(password)
  return url.href
}

export async function asAdmin<Row extends pg.QueryResultRow>(sql: string, databaseUrl?: string): Promise<Row[]> {
  const url = new URL(inject('postgresAdminUrl'))
  if (databaseUrl !== undefined) url.pathname = new URL(databaseUrl).pathname
  const client = new pg.Client(url.href)
  await client.connect()
  try {
    return (await client.query<Row>(sql)).rows
  } finally {
    await client.end()
  }
}

/** A database as in production: an owner who is no superuser, and the users of the program. Roles are the server's: names of their own. */
export async function createOwnedDatabase() {
  const database = await createEmptyDatabase()
  const mark = randomBytes(4).toString('hex')
  const login = (name: string) => ({ user: `${name}_${mark}`, password: randomBytes(24).toString('base64url') })
  const [owner, service, exporter] = [login('owner'), login('service'), login('exporter')]
  const name = new URL(database.url).pathname.slice(1)
  await asAdmin(`CREATE ROLE ${owner.user} LOGIN CREATEROLE PASSWORD '${owner.password}'`)
  await asAdmin(`ALTER DATABASE ${name} OWNER TO ${owner.user}`)
  const url = urlOf(database.url, owner)
  await migrate({ url })
  const ensure = () => ensureDatabaseUsers({ url, service, exporter, exportedTables })
  return {
    ...{ name, url, owner, service, exporter, mark, ensure },
    /** Of a superuser. */
    adminUrl: database.url,
    serviceUrl: urlOf(url, service),
    exporterUrl: urlOf(url, exporter),
    async drop() {
      await database.drop()
      const groups = [groupName(name, 'service'), groupName(name, 'exporter')]
      const roles = await asAdmin<{ rolname: string }>(
        `SELECT rolname FROM pg_roles WHERE rolname LIKE '%\\_${mark}%' OR rolname IN ('${groups.join("','")}')
         -- Whoever granted the others goes last.
         ORDER BY rolname = '${owner.user}', rolname`,
      )
      for (const { rolname } of roles) await asAdmin(`DROP ROLE ${rolname}`)
    },
  }
}
