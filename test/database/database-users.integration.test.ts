import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { ensureDatabaseUsers, groupName } from '../../src/database/database-users.ts'
import { scramVerifier } from '../../src/database/scram-verifier.ts'
import { asAdmin, createOwnedDatabase, exportedTables, urlOf } from '../support/database-users.ts'

let database: Awaited<ReturnType<typeof createOwnedDatabase>>

beforeAll(async () => {
  database = await createOwnedDatabase()
  await database.ensure()
})
afterAll(() => database?.drop())

async function run(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'allowed',
    (error: { code?: string }) => error.code,
  )

const REFUSED = '42501'

describe('the users of the database', () => {
  it('are made by the owner, who needs to be no superuser, as often as one likes and by several at once', async () => {
    const done = await Promise.all([database.ensure(), database.ensure(), database.ensure()])
    expect(done).toEqual(Array(3).fill([database.service.user, database.exporter.user]))
    await run(database.serviceUrl, 'SELECT 1')
    await run(database.exporterUrl, 'SELECT 1')
  })

  it('get their passwords as verifiers: no statement carries one', async () => {
    const query = vi.spyOn(pg.Client.prototype, 'query')
    try {
      await database.ensure()
      const said = JSON.stringify(query.mock.calls.map(([statement, values]) => [statement, values]))
      expect(said).toContain('SCRAM-SHA-256$4096:')
      expect(said).toContain(database.service.user)
      for (const { password } of [database.service, database.exporter, database.owner])
        expect(said).not.toContain(password)
    } finally {
      query.mockRestore()
    }
  })

  it.each([
    'SELECT FROM api_key',
    'SELECT FROM idempotency_key',
    'SELECT FROM job',
    'SELECT FROM job_file',
    'SELECT FROM job_chunk',
    'SELECT FROM job_error',
    'SELECT FROM pgboss.job',
    'SELECT FROM _prisma_migrations',
    'DELETE FROM player',
    'UPDATE audit_event SET reason = NULL',
    'CREATE TABLE mine (id int)',
  ])('keep the exporter from %s', async (statement) => {
    expect(await codeOf(run(database.exporterUrl, statement))).toBe(REFUSED)
  })

  it('let the exporter read every exported table and write those of the lake, and nothing else', async () => {
    const client = new pg.Client(database.exporterUrl)
    await client.connect()
    const { rows } = await client.query<{ name: string; can_read: boolean; can_write: boolean }>(
      `SELECT relname AS name, has_table_privilege(oid, 'SELECT') AS can_read,
              has_table_privilege(oid, 'INSERT') AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE') AS can_write
         FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace IN ('public'::regnamespace, 'pgboss'::regnamespace)`,
    )
    await client.end()
    const named = (which: 'can_read' | 'can_write') => rows.filter((row) => row[which]).map(({ name }) => name)
    const lake = rows.map(({ name }) => name).filter((name) => name.startsWith('lake_'))
    expect(lake.length).toBeGreaterThan(4)
    expect(named('can_read').sort()).toEqual([...exportedTables, ...lake].sort())
    expect(named('can_write').sort()).toEqual(lake.sort())
  })

  it.each(['CREATE TABLE mine (id int)', 'DELETE FROM _prisma_migrations', 'ALTER TABLE player ADD COLUMN x int'])(
    'keep the service from %s',
    async (statement) => {
      expect(await codeOf(run(database.serviceUrl, statement))).toBe(REFUSED)
    },
  )

  it('have their rights put right: what is missing is given, what is too much is taken, however it was granted', async () => {
    const { exporter, service, url } = database
    const group = groupName(database.name, 'exporter')
    await run(
      url,
      `GRANT SELECT ON api_key TO ${exporter.user}`,
      `GRANT SELECT ON job TO ${group}`,
      `REVOKE SELECT ON player FROM ${group}`,
      `REVOKE ${groupName(database.name, 'service')} FROM ${service.user}`,
    )
    expect(await codeOf(run(database.exporterUrl, 'SELECT FROM api_key', 'SELECT FROM job'))).toBe('allowed')
    expect(await codeOf(run(database.serviceUrl, 'SELECT FROM player'))).toBe(REFUSED)
    await database.ensure()
    const codes = ['api_key', 'job', 'player'].map((name) => codeOf(run(database.exporterUrl, `SELECT FROM ${name}`)))
    expect(await Promise.all(codes)).toEqual([REFUSED, REFUSED, 'allowed'])
    await run(database.serviceUrl, 'SELECT FROM player')
  })

  it('lose the rights of the other user, where the two have changed places', async () => {
    const { exporter, name, service, url } = database
    await run(url, `GRANT ${groupName(name, 'service')} TO ${exporter.user}`)
    expect(await codeOf(run(database.exporterUrl, 'SELECT FROM api_key'))).toBe('allowed')
    await database.ensure()
    expect(await codeOf(run(database.exporterUrl, 'SELECT FROM api_key'))).toBe(REFUSED)
    // By a third hand: nobody but who granted it knows what else hangs on it.
    await run(url, `GRANT ${service.user} TO ${exporter.user}`)
    await expect(database.ensure()).rejects.toThrow(`${exporter.user} has the rights of the service as well`)
    await run(url, `REVOKE ${service.user} FROM ${exporter.user}`)
  })

  it('cannot plant anything where the owner would run it, in a database that comes from PostgreSQL 14 or older', async () => {
    await run(database.url, 'GRANT CREATE ON SCHEMA public TO PUBLIC')
    await database.ensure()
    expect(await codeOf(run(database.serviceUrl, 'CREATE TABLE mine (id int)'))).toBe(REFUSED)
    await asAdmin('ALTER SCHEMA public OWNER TO postgres', database.url)
    await asAdmin('GRANT CREATE ON SCHEMA public TO PUBLIC', database.url)
    await expect(database.ensure()).rejects.toThrow('REVOKE CREATE ON SCHEMA public FROM PUBLIC')
    await asAdmin('ALTER SCHEMA public OWNER TO pg_database_owner', database.url)
    await database.ensure()
  })

  it('have rights on tables of later migrations: the service on all, the exporter on none until migrate knows', async () => {
    await run(database.url, 'CREATE TABLE later (id int)')
    expect(await codeOf(run(database.serviceUrl, 'INSERT INTO later VALUES (1)'))).toBe('allowed')
    expect(await codeOf(run(database.exporterUrl, 'SELECT FROM later'))).toBe(REFUSED)
    await run(database.url, 'DROP TABLE later')
  })

  it('may take turns: the second user that a rotation makes has the rights of the first, also after the next migrate', async () => {
    const { exporter, mark, service, url } = database
    const clones = [service, exporter].map(({ user }) => ({
      user: `${user.replace(`_${mark}`, '')}_clone_${mark}`,
      password: 'x'.repeat(32),
    }))
    const [serviceClone = service, exporterClone = exporter] = clones
    for (const [original, clone] of [
      [service, serviceClone],
      [exporter, exporterClone],
    ] as const) {
      await run(
        url,
        `CREATE ROLE ${clone.user} WITH LOGIN PASSWORD '${clone.password}'`,
        `GRANT ${original.user} TO ${clone.user}`,
      )
    }
    const check = async () => {
      await run(urlOf(url, serviceClone), 'SELECT FROM api_key', 'SELECT FROM pgboss.job')
      await run(urlOf(url, exporterClone), 'SELECT FROM player', 'UPDATE lake_lease SET host = host')
      expect(await codeOf(run(urlOf(url, exporterClone), 'SELECT FROM api_key'))).toBe(REFUSED)
    }
    await check()
    // The secret names the second one now.
    await ensureDatabaseUsers({ url, service: serviceClone, exporter: exporterClone, exportedTables })
    await check()
    await run(database.serviceUrl, 'SELECT FROM api_key')
    await run(database.exporterUrl, 'SELECT FROM player')
  })

  it('are none of those that may do more', async () => {
    const { owner, service, url } = database
    const asService = (user: string) => ensureDatabaseUsers({ url, service: { ...service, user }, exportedTables })
    await expect(asService(owner.user)).rejects.toThrow('is the user that migrates')
    await expect(asService('postgres')).rejects.toThrow('may do more')
    for (const power of [owner.user, 'pg_read_all_data']) {
      const user = `mighty_${power.slice(0, 5)}_${database.mark}`
      await asAdmin(`CREATE ROLE ${user} LOGIN`)
      await asAdmin(`GRANT ${power} TO ${user}`)
      await expect(asService(user)).rejects.toThrow(
        `${user} may do more than a user of the program, as a member of ${power}`,
      )
    }
    const group = groupName(database.name, 'service')
    await asAdmin(`GRANT pg_monitor TO ${group}`)
    await expect(database.ensure()).rejects.toThrow(group)
    await asAdmin(`REVOKE pg_monitor FROM ${group}`)
    await expect(ensureDatabaseUsers({ url, service, exporter: service, exportedTables })).rejects.toThrow('different')
  })

  it('cannot be made by one of themselves, and the refusal says what is missing, without SQL', async () => {
    const failed = ensureDatabaseUsers({ url: database.serviceUrl, exporter: database.exporter, exportedTables })
    await expect(failed).rejects.toThrow('CREATEROLE')
    await expect(failed).rejects.not.toThrow(/SCRAM|GRANT [A-Z]+ ON/)
  })
})

it('a verifier is what PostgreSQL itself makes of the password and the salt', async () => {
  const client = new pg.Client(database.url)
  await client.connect()
  const user = `checked_${database.mark}`
  await client.query(`SET password_encryption = 'scram-sha-256'`)
  await client.query(`CREATE ROLE ${user} LOGIN PASSWORD 'pa55 "word" \\ %41'`)
  await client.end()
  // Only a superuser sees it.
  const [row] = await asAdmin<{ secret: string }>(
    `SELECT rolpassword AS secret FROM pg_authid WHERE rolname = '${user}'`,
  )
  const salt = /:([^$]+)\$/.exec(row?.secret ?? '')?.[1] ?? ''
  expect(await scramVerifier('pa55 "word" \\ %41', Buffer.from(salt, 'base64'))).toBe(row?.secret)
})
