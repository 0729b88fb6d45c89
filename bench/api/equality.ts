import pg from 'pg'
import { type LoadOrder, type Operation, requestOf } from './load.ts'

interface Told {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/** Of every request or every row its own, or of the connection. */
const OWN_HEADERS = new Set(['date', 'x-request-id', 'keep-alive', 'ratelimit', 'content-length', 'location'])
const OWN_FIELDS = new Set([
  ...['id', 'createdAt', 'updatedAt', 'requestId', 'instance', 'username', 'email', 'displayName'],
  ...['emailVerifiedAt', 'birthDate', 'locale', 'to'],
])

const READS = ['get', 'list', 'lookup'] as const

async function ask(order: LoadOrder, n: number, without: string | undefined): Promise<Told> {
  const { method, path, headers = {}, body } = requestOf(order, n)
  const sent: Record<string, string> = { authorization: `Bearer ${order.token}`, ...headers }
  if (without !== undefined) delete sent[without]
  const answer = await fetch(`${order.url}${path}`, { method, headers: sent, ...(body === undefined ? {} : { body }) })
  const text = await answer.text()
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: JSON.parse(text) }
}

function comparable(told: Told, isRead: boolean): string {
  const headers = Object.entries(told.headers).filter(([name]) => !OWN_HEADERS.has(name))
  const known = (key: string, value: unknown) => (OWN_FIELDS.has(key) ? typeof value : value)
  const body = isRead ? JSON.stringify(told.body) : JSON.stringify(told.body, known)
  return JSON.stringify([told.status, headers.sort(), body])
}

/**
 * Asks both servers the same and compares status, headers and body: of reads byte by byte, of writes - which change different
 * rows - all but what is a row's own. Then what is asked without a key, of somebody unknown, and without `If-Match`; and what
 * the writes left in the audit trail.
 */
export async function requireSameAnswers(ours: LoadOrder, baseline: LoadOrder, databaseUrl: string): Promise<void> {
  const cases: { operation: Operation; n: number; without?: string; players?: number }[] = [
    ...[0, 1, 2].map((n) => ({ operation: 'get' as const, n })),
    ...[0, 1, 2].map((n) => ({ operation: 'list' as const, n })),
    { operation: 'lookup', n: 0 },
    { operation: 'post', n: 0 },
    { operation: 'patch', n: 0 },
    { operation: 'get', n: 0, without: 'authorization' },
    { operation: 'get', n: 1, players: ours.players * 1000 },
    { operation: 'patch', n: 1, without: 'if-match' },
  ]
  for (const { operation, n, without, players = ours.players } of cases) {
    const isRead =
      (READS as readonly Operation[]).includes(operation) && without === undefined && players === ours.players
    const mine = await ask({ ...ours, operation, players }, n, without)
    const theirs = await ask({ ...baseline, operation, players }, n, without)
    requireEqual(
      `to ${operation} ${n} without ${without ?? 'nothing'}`,
      comparable(mine, isRead),
      comparable(theirs, isRead),
    )
  }
  const [first, second, third, fourth] = await lastEvents(databaseUrl, 4)
  requireEqual('to a POST, in the audit trail,', fourth, third)
  requireEqual('to a PATCH, in the audit trail,', second, first)
}

function requireEqual(what: string, mine: string | undefined, theirs: string | undefined): void {
  if (mine === undefined || mine !== theirs) throw new Error(`The answers ${what} differ:\n${mine}\n${theirs}`)
}

async function lastEvents(databaseUrl: string, count: number): Promise<string[]> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    const { rows } = await client.query(
      `SELECT actor_type, actor_id, action, entity_type, studio_id, reason, changes
         FROM audit_event WHERE entity_type = 'player' ORDER BY seq DESC LIMIT $1`,
      [count],
    )
    return rows.map((row) => JSON.stringify(row, (key, value) => (OWN_FIELDS.has(key) ? typeof value : value)))
  } finally {
    await client.end()
  }
}
