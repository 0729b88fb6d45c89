import type { Request, RequestHandler, Response } from 'express'
import type pg from 'pg'
import { v7 } from 'uuid'
import { z } from 'zod'
import type { PlayerIdentifier } from '../../src/accounts/players/player-lookup.ts'
import { playerLookupSchema } from '../../src/accounts/players/player-lookup-schema.ts'
import { createPlayerSchema, playerPatchSchema } from '../../src/accounts/players/player-schema.ts'
import { AppError, invalid } from '../../src/errors.ts'
import { CursorCodec, listFingerprint } from '../../src/http/cursor.ts'
import { check } from '../../src/http/validation.ts'

export interface Caller {
  readonly id: string
  readonly scopes: ReadonlySet<string>
}

/** A row under the names of the API, and the keys, which never leave. */
interface Row {
  readonly id: string
  readonly version: number
  readonly usernameKey?: string
  readonly emailKey?: string | null
  readonly [field: string]: unknown
}

const PERSONAL = ['username', 'displayName', 'email', 'emailVerifiedAt', 'birthDate', 'country', 'locale']
const COLUMNS = `id, username, username_key AS "usernameKey", display_name AS "displayName", email, email_key AS "emailKey",
  email_verified_at AS "emailVerifiedAt", birth_date::text AS "birthDate", country, locale, status, closed_at AS "closedAt",
  erased_at AS "erasedAt", version, created_at AS "createdAt", updated_at AS "updatedAt"`
const COLUMN_OF: Readonly<Record<string, string>> = {
  username: 'username',
  usernameKey: 'username_key',
  displayName: 'display_name',
  email: 'email',
  emailKey: 'email_key',
  emailVerifiedAt: 'email_verified_at',
  birthDate: 'birth_date',
  country: 'country',
  locale: 'locale',
}

const idSchema = z.uuid()
const listSchema = z.strictObject({
  status: z.enum(['active', 'closed', 'erasure_pending', 'erased']).optional(),
  country: z.string().max(512).optional(),
  sort: z.enum(['createdAt', '-createdAt']).default('-createdAt'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().optional(),
})

const callerOf = (response: Response) => response.locals.caller as Caller

function shown(row: Row, { scopes }: Caller): Record<string, unknown> {
  const { usernameKey: _u, emailKey: _e, ...fields } = row as Record<string, unknown>
  if (!scopes.has('players:read.personal')) for (const field of PERSONAL) delete fields[field]
  return fields
}

function send(response: Response, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.status(status).setHeader('Content-Type', 'application/json')
  response.setHeader('Content-Length', bytes.length)
  response.end(bytes)
}

function notFound(): AppError {
  return new AppError('not-found', 'There is no such player')
}

function idOf(request: Request): string {
  const { id } = request.params
  if (idSchema.safeParse(id).success) return id as string
  throw new AppError('not-found', 'The address names nothing that can exist: an id or a name in it has another form')
}

function bodyOf<S extends z.ZodType>(schema: S, request: Request): z.output<S> {
  const checked = check(schema, request.body)
  if (checked.ok) return checked.value
  throw invalid(checked.errors)
}

async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}

/** What changed: both values, or of a personal field only that it did. */
function changesOf(before: Row | undefined, after: Row): Record<string, unknown> {
  const changes: Record<string, unknown> = {}
  for (const field of ['id', ...PERSONAL, 'status', 'closedAt', 'erasedAt']) {
    const [from, to] = [before?.[field] ?? null, after[field] ?? null]
    const [fromText, toText] = [JSON.stringify(from), JSON.stringify(to)]
    if (fromText !== toText) changes[field] = PERSONAL.includes(field) ? 'changed' : { from, to }
  }
  return changes
}

async function audit(client: pg.PoolClient, response: Response, action: string, before: Row | undefined, after: Row) {
  await client.query({
    name: 'audit',
    text: `INSERT INTO audit_event (actor_type, actor_id, request_id, action, entity_type, entity_id, changes)
           VALUES ('api_key', $1, $2, $3, 'player', $4, $5)`,
    values: [callerOf(response).id, response.locals.requestId, action, after.id, changesOf(before, after)],
  })
}

export function playerHandlers(
  pool: pg.Pool,
  cursorKey: Buffer,
): Record<'get' | 'list' | 'lookup' | 'create' | 'update', RequestHandler> {
  return {
    get: getHandler(pool),
    list: listHandler(pool, cursorKey),
    lookup: lookupHandler(pool),
    create: createHandler(pool),
    update: updateHandler(pool),
  }
}

function getHandler(pool: pg.Pool): RequestHandler {
  return async (request, response) => {
    const query = { name: 'get player', text: `SELECT ${COLUMNS} FROM player WHERE id = $1` }
    const { rows } = await pool.query<Row>({ ...query, values: [idOf(request)] })
    const [row] = rows
    if (row === undefined) throw notFound()
    response.setHeader('ETag', `"${row.version}"`)
    if (request.get('If-None-Match') === `"${row.version}"`) response.status(304).end()
    else send(response, 200, shown(row, callerOf(response)))
  }
}

const LOOKUP = {
  name: 'look players up',
  text: `SELECT ${COLUMNS} FROM player
    WHERE id = ANY($1::uuid[]) OR username_key = ANY($2::text[]) OR email_key = ANY($3::text[])`,
}

/** Without accounts elsewhere, which the bench does not ask for. */
function lookupHandler(pool: pg.Pool): RequestHandler {
  return async (request, response) => {
    const { identifiers } = bodyOf(playerLookupSchema, request)
    const caller = callerOf(response)
    if (!caller.scopes.has('players:read.personal') && identifiers.some(({ by }) => by !== 'id')) {
      throw new AppError('forbidden', 'Everything but ids needs the scope players:read.personal')
    }
    const keys = (way: PlayerIdentifier['by']) => identifiers.filter(({ by }) => by === way).map(keyOf)
    const values = [keys('id'), keys('username'), keys('email')]
    const { rows } = await pool.query<Row>({ ...LOOKUP, values })
    const found = new Map<unknown, Row>()
    for (const row of rows) for (const key of [row.id, row.usernameKey, row.emailKey]) if (key) found.set(key, row)
    response.setHeader('Cache-Control', 'private, no-store')
    const data = identifiers.map((identifier) => {
      const row = found.get(keyOf(identifier))
      return { found: row !== undefined, player: row === undefined ? null : shown(row, caller) }
    })
    send(response, 200, { data })
  }
}

function keyOf(identifier: PlayerIdentifier): string | undefined {
  return identifier.by === 'identity' ? identifier.subject : identifier.by === 'id' ? identifier.id : identifier.key
}

function listHandler(pool: pg.Pool, cursorKey: Buffer): RequestHandler {
  const cursors = new CursorCodec(cursorKey)
  return async (request, response) => {
    const parsed = listSchema.safeParse(request.query)
    if (!parsed.success) throw new AppError('invalid-parameter', 'A parameter cannot be used')
    const caller = callerOf(response)
    const { status, country, sort, limit, cursor } = parsed.data
    if (country !== undefined && !caller.scopes.has('players:read.personal')) {
      throw new AppError('forbidden', 'country asks about a personal field; this needs the scope players:read.personal')
    }
    const descending = sort === '-createdAt'
    const [direction, beyond] = descending ? ['DESC', '<'] : ['ASC', '>']
    const values: unknown[] = []
    const conditions: string[] = []
    if (status !== undefined) conditions.push(`status = $${values.push(status)}`)
    if (country !== undefined) conditions.push(`country = $${values.push(country)}`)
    const fingerprint = fingerprintOf(request, caller, { status, country, descending })
    if (cursor !== undefined) {
      const position = cursors.decode(cursor, fingerprint)
      conditions.push(`(created_at, id) ${beyond} ($${values.push(position.values[0])}, $${values.push(position.id)})`)
    }
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
    const order = `ORDER BY created_at ${direction}, id ${direction} LIMIT ${limit + 1}`
    const text = `SELECT ${COLUMNS} FROM player ${where} ${order}`
    const name = `list players ${sort} ${limit} ${status === undefined} ${country === undefined} ${cursor === undefined}`
    const { rows } = await pool.query<Row>({ name, text, values })
    const data = rows.slice(0, limit)
    const last = data.at(-1)
    let next: string | null = null
    if (rows.length > limit && last !== undefined) {
      const createdAt = (last.createdAt as Date).toISOString()
      next = cursors.encode({ values: [createdAt], id: last.id, backward: false }, fingerprint)
      response.setHeader('Link', `<${linkOf(request, next)}>; rel="next"`)
    }
    const page = { limit, hasMore: next !== null, next, prev: null }
    send(response, 200, { data: data.map((row) => shown(row, caller)), page })
  }
}

function linkOf({ path, url }: Request, cursor: string): string {
  const query = url.slice(path.length + 1).split('&')
  return `${path}?${[...query.filter((part) => part !== '' && !part.startsWith('cursor=')), `cursor=${cursor}`].join('&')}`
}

function fingerprintOf(
  { path }: Request,
  { scopes }: Caller,
  { status, country, descending }: { status: string | undefined; country: string | undefined; descending: boolean },
): string {
  const filters = [
    ...(country === undefined ? [] : [{ field: 'country', operator: 'eq', value: country }]),
    ...(status === undefined ? [] : [{ field: 'status', operator: 'eq', value: status }]),
  ]
  return listFingerprint([path, filters, null, [{ field: 'createdAt', descending }], [...scopes].sort()])
}

function createHandler(pool: pg.Pool): RequestHandler {
  const columns = Object.values(COLUMN_OF)
  const text = `INSERT INTO player (id, ${columns.join(', ')})
    VALUES ($1, ${columns.map((_, i) => `$${i + 2}`).join(', ')}) RETURNING ${COLUMNS}`
  return async (request, response) => {
    const { draft } = bodyOf(createPlayerSchema, request)
    const fields = draft as unknown as Record<string, unknown>
    const values = [v7(), ...Object.keys(COLUMN_OF).map((field) => fields[field])]
    const row = await inTransaction(pool, async (client) => {
      const { rows } = await client.query<Row>({ name: 'create player', text, values })
      const [made] = rows as [Row]
      await audit(client, response, 'player.create', undefined, made)
      return made
    }).catch((error: unknown) => {
      throw taken(error)
    })
    response.setHeader('Location', `/v1/players/${row.id}`)
    response.setHeader('ETag', `"${row.version}"`)
    send(response, 201, shown(row, callerOf(response)))
  }
}

function taken(error: unknown): unknown {
  const { code, constraint } = error as { code?: string; constraint?: string }
  if (code !== '23505') return error
  return constraint === 'player_username_key_key'
    ? new AppError('username-taken', 'Another player has this username')
    : new AppError('email-taken', 'Another player has this address')
}

const IF_MATCH = /^(?:W\/)?"(\d{1,10})"$/

function updateHandler(pool: pg.Pool): RequestHandler {
  return async (request, response) => {
    const id = idOf(request)
    const header = request.get('If-Match')
    if (header === undefined) {
      throw new AppError(
        'precondition-required',
        'Send If-Match with the ETag of the state that the change is based on',
      )
    }
    const version = Number(IF_MATCH.exec(header)?.[1])
    const patch = bodyOf(playerPatchSchema, request) as Record<string, unknown>
    const row = await inTransaction(pool, async (client) => {
      const locked = { name: 'lock player', text: `SELECT ${COLUMNS} FROM player WHERE id = $1 FOR NO KEY UPDATE` }
      const { rows } = await client.query<Row>({ ...locked, values: [id] })
      const [before] = rows
      if (before === undefined) throw notFound()
      if (before.version !== version) {
        throw new AppError('version-mismatch', 'The record has changed since the version that If-Match names', {
          headers: { ETag: `"${before.version}"` },
        })
      }
      const changed = Object.keys(patch).filter(
        (field) => JSON.stringify(patch[field]) !== JSON.stringify(before[field]),
      )
      if (changed.length === 0) return before
      const assignments = changed.map((field, i) => `${COLUMN_OF[field]} = $${i + 2}`).join(', ')
      const text = `UPDATE player SET ${assignments} WHERE id = $1 RETURNING ${COLUMNS}`
      const values = [id, ...changed.map((field) => patch[field])]
      const updated = await client.query<Row>({ name: `update player ${changed.join()}`, text, values })
      const [after] = updated.rows as [Row]
      await audit(client, response, 'player.update', before, after)
      return after
    }).catch((error: unknown) => {
      throw taken(error)
    })
    response.setHeader('ETag', `"${row.version}"`)
    send(response, 200, shown(row, callerOf(response)))
  }
}
