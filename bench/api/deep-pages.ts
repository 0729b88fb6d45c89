import Table from 'cli-table3'
import pg from 'pg'
import { SCOPES } from '../../src/caller.ts'
import { CursorCodec, listFingerprint } from '../../src/http/cursor.ts'
import type { LoadOrder } from './load.ts'
import { playerId } from './players.ts'
import type { Setting } from './setting.ts'

const REPEATS = 50
const LIMIT = 50
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

async function medianMs(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < REPEATS; i++) {
    const began = performance.now()
    await work()
    times.push(performance.now() - began)
  }
  return median(times)
}

/** What the service asks the database, as its statistics show it. */
const STATEMENT = (where: string) =>
  `SELECT * FROM player t ${where} ORDER BY t.created_at DESC, t.id DESC LIMIT ${LIMIT + 1}`

/** The first page beside one that lies almost all players deep: seconds of the statement, of the request, and pages read. */
export async function compareDepths({ cluster, players, cursorKey }: Setting, order: LoadOrder): Promise<void> {
  const address = `${order.url}/v1/players?sort=-createdAt&limit=${LIMIT}`
  const headers = { authorization: `Bearer ${order.token}` }
  // What no caller can make: the fingerprint of this list, so that a cursor for any place can be made.
  const sort = [{ field: 'createdAt', descending: true }]
  const f = listFingerprint(['/v1/players', [], null, sort, [...SCOPES].sort()])
  const client = new pg.Client(cluster.url)
  await client.connect()
  try {
    // Newest first, so the oldest players are the deepest.
    const id = playerId(LIMIT * 2)
    const { rows } = await client.query<{ at: Date }>('SELECT created_at AS at FROM player WHERE id = $1', [id])
    const at = rows[0]?.at.toISOString() ?? ''
    const cursor = new CursorCodec(cursorKey).encode({ values: [at], id, backward: false }, f)
    const table = new Table({ head: ['page', 'request ms', 'statement ms', 'buffers'] })
    const page = async (name: string, url: string, where: string) => {
      const request = await medianMs(async () => {
        const answer = await fetch(url, { headers })
        if (answer.status !== 200) throw new Error(`${name}: ${answer.status} ${await answer.text()}`)
        await answer.arrayBuffer()
      })
      const statement = await medianMs(() => client.query(STATEMENT(where)))
      const plan = await client.query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${STATEMENT(where)}`)
      const { 'Shared Hit Blocks': hit, 'Shared Read Blocks': read } = plan.rows[0]['QUERY PLAN'][0].Plan
      table.push([name, request.toFixed(2), statement.toFixed(2), hit + read])
    }
    await page('first', address, '')
    const deep = `WHERE (t.created_at, t.id) < ('${at}'::timestamptz, '${id}'::uuid)`
    await page(`${players - LIMIT * 2} players deep`, `${address}&cursor=${cursor}`, deep)
    console.log(table.toString())
  } finally {
    await client.end()
  }
}
