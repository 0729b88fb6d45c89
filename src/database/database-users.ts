import { createHash } from 'node:crypto'
import pg from 'pg'
import { UsageError } from '../errors.ts'
import { QUEUE_SCHEMA } from './queue-schema.ts'
import { scramVerifier } from './scram-verifier.ts'

/**
 * The two users of the program, besides the owner who migrates: the service, and the exporter that takes snapshots and cares for the
 * lake. What each may do belongs to a group without login, and users are members of it: where a rotation of secrets lets two users take
 * turns (`accounts_service` and `accounts_service_clone`, which it makes a member of the first), both may do the same at any time.
 */

export interface DatabaseLogin {
  readonly user: string
  readonly password: string
}

export interface DatabaseUsersOptions {
  /** Of the owner of the tables. */
  readonly url: string
  readonly service?: DatabaseLogin | undefined
  readonly exporter?: DatabaseLogin | undefined
  /** Tables that a snapshot reads. */
  readonly exportedTables: readonly string[]
}

type Group = 'service' | 'exporter'

/** Roles belong to the whole server, grants to one database: two installations on one server must not share a group. */
export function groupName(database: string, group: Group): string {
  const name = `${database}_${group}_group`
  if (name.length <= 63) return name
  return `${createHash('sha256').update(database).digest('hex').slice(0, 32)}_${group}_group`
}

/** `GRA`, `NTS`: whoever gives rights does so one after the other, or one of two would fail by "tuple concurrently updated". */
const GRANTS_LOCK = 0x4752414e5453
const BOOKS = '_prisma_migrations'
const quoted = pg.escapeIdentifier
const list = (names: readonly string[]) => names.map(quoted).join(', ')

/**
 * Makes the users that are given, or gives them the password, and makes both groups' rights what this version needs: what is missing is
 * granted, what is too much is taken away. All or nothing, safe to repeat and to run by many at once. Call it after the migrations.
 *
 * No password leaves this process: the server gets its SCRAM verifier.
 *
 * @returns the names of the users, in the order of the options.
 * @throws UsageError when a user must not be one of ours, or the owner may not make users.
 */
export async function ensureDatabaseUsers(options: DatabaseUsersOptions): Promise<string[]> {
  const wanted = (['service', 'exporter'] as const).flatMap((group) => {
    const login = options[group]
    return login === undefined ? [] : [{ group, ...login }]
  })
  const names = wanted.map(({ user }) => user)
  if (new Set(names).size < names.length)
    throw new UsageError('The service and the exporter must be two different users')
  if (wanted.length === 0) return []
  const client = new pg.Client({ connectionString: options.url, application_name: 'rocketgames migrate' })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query('BEGIN')
    // Tables of the lake, and what else a search path might hide, are named with their schema.
    await client.query("SET LOCAL search_path = ''")
    await client.query('SELECT pg_advisory_xact_lock($1)', [GRANTS_LOCK])
    const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name')
    const database = rows[0]?.name ?? ''
    await closeSchema(client)
    for (const { group, password, user } of wanted) {
      const role = groupName(database, group)
      await ensureGroup(client, role)
      for (const statement of GRANTS[group](quoted(role), await tables(client), options.exportedTables)) {
        await client.query(statement)
      }
      await client.query(`GRANT CONNECT ON DATABASE ${quoted(database)} TO ${quoted(role)}`)
      await ensureLogin(client, user, await scramVerifier(password))
      // Not by what the user was granted itself, by hand or by an older version.
      for (const statement of nothing(quoted(user))) await client.query(statement)
      await client.query(`GRANT ${quoted(role)} TO ${quoted(user)} WITH INHERIT TRUE, SET FALSE`)
      await leaveOther(client, user, group, database)
    }
    await client.query('COMMIT')
    return names
  } catch (error) {
    throw explained(error)
  } finally {
    await client.end()
  }
}

function explained(error: unknown): unknown {
  if ((error as { code?: string }).code !== '42501') return error
  return new UsageError(
    'The user that migrates may not make or change the database users: it must own the tables and have CREATEROLE, and users that ' +
      'somebody else has made must have been granted to it WITH ADMIN OPTION',
    { cause: error },
  )
}

/**
 * Up to PostgreSQL 14 everybody could create in the schema public, and an upgrade leaves it so: a function of somebody else's would then be
 * found, and run with the owner's rights, by the next migration.
 */
async function closeSchema(client: pg.Client): Promise<void> {
  const isOpen = async () => {
    const { rows } = await client.query<{ open: boolean }>(
      `SELECT has_schema_privilege('public', 'public', 'CREATE') AS open`,
    )
    return rows[0]?.open === true
  }
  if (!(await isOpen())) return
  await client.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC')
  if (!(await isOpen())) return
  throw new UsageError(
    'Every user of the database may create objects in the schema public, which belongs to somebody else than the user that migrates. As its ' +
      'owner: GRANT ALL ON SCHEMA public TO <the user that migrates>; REVOKE CREATE ON SCHEMA public FROM PUBLIC',
  )
}

/** Of the schema public. */
async function tables(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_catalog.pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1`,
  )
  return rows.map(({ name }) => name)
}

interface Role {
  readonly login: boolean
  /** What may do more than a user of the program: the role itself, or one that it is a member of. */
  readonly power: string | null
  readonly self: boolean
}

async function readRole(client: pg.Client, name: string): Promise<Role | undefined> {
  const { rows } = await client.query<Role>(
    `SELECT r.rolcanlogin AS login, r.rolname = current_user AS self,
            (SELECT m.rolname FROM pg_catalog.pg_roles m
              WHERE pg_has_role(r.oid, m.oid, 'MEMBER')
                AND (m.rolsuper OR m.rolcreaterole OR m.rolcreatedb OR m.rolreplication OR m.rolbypassrls
                     OR m.rolname IN (current_user, 'rds_superuser', 'rds_replication') OR starts_with(m.rolname, 'pg_'))
              ORDER BY m.oid <> r.oid, m.rolname LIMIT 1) AS power
       FROM pg_catalog.pg_roles r WHERE r.rolname = $1`,
    [name],
  )
  return rows[0]
}

/** Of two users that have changed places, each would have the rights of both. */
async function leaveOther(client: pg.Client, user: string, group: Group, database: string): Promise<void> {
  const other: Group = group === 'service' ? 'exporter' : 'service'
  const role = groupName(database, other)
  if ((await readRole(client, role)) === undefined) return
  await client.query(`REVOKE ${quoted(role)} FROM ${quoted(user)}`)
  const { rows } = await client.query<{ member: boolean }>(
    `SELECT pg_has_role($1::name, $2::name, 'MEMBER') AS member`,
    [user, role],
  )
  if (rows[0]?.member)
    throw new UsageError(
      `${user} has the rights of the ${other} as well, as a member of a member of ${role}: end that first`,
    )
}

async function ensureGroup(client: pg.Client, name: string): Promise<void> {
  const role = await readRole(client, name)
  if (role === undefined) await client.query(`CREATE ROLE ${quoted(name)} NOLOGIN`)
  else if (role.login) throw new UsageError(`The database has a user ${name}, and that is the name of a group of ours`)
  else refusePower(name, role)
}

function refusePower(name: string, { power }: Role): void {
  if (power === null) return
  const how = power === name ? 'give another name' : `as a member of ${power}: end that, or give another name`
  throw new UsageError(`${name} may do more than a user of the program${power === name ? ': ' : ', '}${how}`)
}

async function ensureLogin(client: pg.Client, name: string, verifier: string): Promise<void> {
  const role = await readRole(client, name)
  if (role?.self)
    throw new UsageError(`${name} is the user that migrates: the program runs as another one, who may do less`)
  if (role !== undefined) refusePower(name, role)
  const verb = role === undefined ? 'CREATE' : 'ALTER'
  await client.query(`${verb} ROLE ${quoted(name)} LOGIN INHERIT PASSWORD ${pg.escapeLiteral(verifier)}`)
}

const SCHEMAS = list(['public', QUEUE_SCHEMA])

/** Takes away what a role was granted itself. */
const nothing = (role: string): string[] => [
  `REVOKE ALL ON ALL TABLES IN SCHEMA ${SCHEMAS} FROM ${role}`,
  `REVOKE ALL ON ALL SEQUENCES IN SCHEMA ${SCHEMAS} FROM ${role}`,
  `REVOKE ALL ON SCHEMA ${SCHEMAS} FROM ${role}`,
  `ALTER DEFAULT PRIVILEGES IN SCHEMA ${SCHEMAS} REVOKE ALL ON TABLES FROM ${role}`,
  `ALTER DEFAULT PRIVILEGES IN SCHEMA ${SCHEMAS} REVOKE ALL ON SEQUENCES FROM ${role}`,
]

type Grants = (role: string, tables: readonly string[], exported: readonly string[]) => string[]

const inPublic = (names: readonly string[]) => names.map((name) => `public.${quoted(name)}`).join(', ')
const DATA = 'SELECT, INSERT, UPDATE, DELETE'

const GRANTS: Readonly<Record<Group, Grants>> = {
  service: (role) => [
    ...nothing(role),
    `GRANT USAGE ON SCHEMA ${SCHEMAS} TO ${role}`,
    `GRANT ${DATA} ON ALL TABLES IN SCHEMA ${SCHEMAS} TO ${role}`,
    `GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${SCHEMAS} TO ${role}`,
    // Which migrations there are is for the owner to write.
    `REVOKE INSERT, UPDATE, DELETE ON public.${BOOKS} FROM ${role}`,
    // Whoever migrates without the settings of these users grants as much.
    `ALTER DEFAULT PRIVILEGES IN SCHEMA ${SCHEMAS} GRANT ${DATA} ON TABLES TO ${role}`,
    `ALTER DEFAULT PRIVILEGES IN SCHEMA ${SCHEMAS} GRANT USAGE ON SEQUENCES TO ${role}`,
  ],
  exporter: (role, tables, exported) => [
    ...nothing(role),
    `GRANT USAGE ON SCHEMA public TO ${role}`,
    `GRANT SELECT ON ${inPublic(exported)} TO ${role}`,
    `GRANT ${DATA} ON ${inPublic(tables.filter((name) => name.startsWith('lake_')))} TO ${role}`,
    // Who asked for a snapshot stands in the trail.
    `GRANT INSERT ON public.audit_event TO ${role}`,
  ],
}
