import { AppError } from '../errors.ts'
import type { ListPart, ListStatement, RawBatch, RawColumn, RawKind, RawPart, RawRow, SnapshotReader } from '../list.ts'
import type { Database, RawClient } from './database.ts'

const BATCH_ROWS = 2_000
/** A snapshot keeps the database from tidying up behind everybody's changes: none may stand longer. */
const MAX_READ_MS = 60 * 60_000
/** Not `unavailable`: a job would be tried again and take as long again. */
const TOO_LONG = `A list is read for at most ${MAX_READ_MS / 60_000} minutes: export it in several pieces, by filters`
const SETTINGS = [
  // Of one FETCH: the first may have to sort everything.
  'SET LOCAL statement_timeout = 600000',
  // Above the time that a slow reader is given for a piece.
  'SET LOCAL idle_in_transaction_session_timeout = 150000',
  // Otherwise a statement that nobody waits for would first run to its next row.
  'SET LOCAL client_connection_check_interval = 2000',
  // All rows are wanted, not the first soon.
  'SET LOCAL cursor_tuple_fraction = 1',
]

/** PostgreSQL's catalogue `pg_type`. Enums and what else is not listed are words or texts by their number: own types lie above. */
const KINDS: Readonly<Record<number, RawKind>> = {
  16: 'boolean',
  20: 'number',
  21: 'number',
  23: 'number',
  114: 'json',
  701: 'decimal',
  1009: 'array',
  1082: 'word',
  1184: 'timestamp',
  1700: 'decimal',
  2950: 'word',
  3802: 'json',
}
const FIRST_OWN_TYPE = 16_384

interface Field {
  readonly name: string
  readonly dataTypeID: number
}

function columnOf({ name, dataTypeID }: Field): RawColumn {
  return { name, kind: KINDS[dataTypeID] ?? (dataTypeID >= FIRST_OWN_TYPE ? 'word' : 'text') }
}

/** Values stay the text that the server sends: most of them go on as they are. */
const AS_TEXT = { getTypeParser: () => (text: string) => text }

async function query(client: RawClient, text: string, values: readonly unknown[] = []) {
  const { rows, fields } = await client.query<(string | null)[]>({
    ...{ text, values: [...values], rowMode: 'array' as const },
    types: AS_TEXT as unknown as NonNullable<Parameters<RawClient['query']>[0] extends { types?: infer T } ? T : never>,
  })
  return { rows: rows as readonly RawRow[], columns: fields.map(columnOf) }
}

/** Each list is read by a cursor in a read-only REPEATABLE READ transaction of its own, which holds one connection of the pool. */
export function snapshotReader(database: Database): SnapshotReader {
  return {
    async *read(statement, parts, signal) {
      const handover = new Handover<RawBatch>()
      const leave = () => handover.leave()
      signal?.addEventListener('abort', leave)
      const reading = database
        .rawTransaction((client) => readAll(client, statement, parts, handover), {
          isolation: 'RepeatableRead',
          readOnly: true,
        })
        .then(
          () => handover.end(),
          (error: unknown) => handover.fail(error),
        )
      try {
        signal?.throwIfAborted()
        for (;;) {
          const batch = await handover.take()
          if (batch === undefined) return
          yield batch
        }
      } finally {
        signal?.removeEventListener('abort', leave)
        handover.leave()
        await reading
      }
    },
  }
}

async function readAll(
  client: RawClient,
  { text, values }: ListStatement,
  parts: readonly ListPart[],
  handover: Handover<RawBatch>,
): Promise<void> {
  // A statement that runs is cut off with its connection.
  handover.onLeave(() => void client.end())
  for (const setting of SETTINGS) await client.query(setting)
  await client.query(`DECLARE whole_list NO SCROLL CURSOR FOR ${text}`, [...values])
  const fetch = () => query(client, `FETCH FORWARD ${BATCH_ROWS} FROM whole_list`)
  const deadline = Date.now() + MAX_READ_MS
  let next = fetch()
  for (let isFirst = true; ; isFirst = false) {
    const { rows, columns } = await next
    if (rows.length === 0 && !isFirst) break
    const loaded: RawPart[] = []
    for (const part of parts) loaded.push(await loadPart(client, part, rows))
    // The server works on the next batch while this one is written out.
    next = fetch()
    next.catch(() => undefined)
    await handover.give({ rows, columns, parts: loaded })
    if (rows.length < BATCH_ROWS) break
    if (Date.now() > deadline) throw new AppError('budget-exceeded', TOO_LONG)
  }
  await next
  handover.onLeave(() => undefined)
}

/** The first column of every row is the id that its parts name. */
async function loadPart(client: RawClient, part: ListPart, rows: readonly RawRow[]): Promise<RawPart> {
  const { table, parent, columns, having, order } = part
  const { rows: found, columns: described } = await query(
    client,
    `SELECT t.${parent}, ${columns.map((column) => `t.${column}`).join(', ')} FROM ${table} t
     WHERE t.${parent} = ANY($1::uuid[])${having === undefined ? '' : ` AND t.${having} IS NOT NULL`}
     ORDER BY t.${parent}, ${order.map((column) => `t.${column}`).join(', ')}`,
    [rows.map((row) => row[0])],
  )
  const rowsOf = new Map<string, RawRow[]>()
  for (const [owner, ...rest] of found) {
    const siblings = rowsOf.get(owner as string)
    if (siblings === undefined) rowsOf.set(owner as string, [rest])
    else siblings.push(rest)
  }
  return { columns: described.slice(1), rowsOf }
}

class Left extends Error {
  override readonly name: string = 'Left'
}

/** From one who makes to one who takes, a single thing at a time. */
class Handover<T> {
  #offer: { readonly value: T; readonly taken: () => void } | undefined
  #end: { readonly error?: unknown } | undefined
  #left = false
  #wake: () => void = () => undefined
  #refuse: () => void = () => undefined
  #onLeave: () => void = () => undefined

  onLeave(act: () => void): void {
    this.#onLeave = act
    if (this.#left) act()
  }

  /** Resolves when the value was taken and the next is wanted. */
  give(value: T): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#left) return reject(new Left())
      this.#refuse = () => reject(new Left())
      this.#offer = { value, taken: resolve }
      this.#wake()
    })
  }

  end(): void {
    this.#end = {}
    this.#wake()
  }

  fail(error: unknown): void {
    this.#end = { error }
    this.#wake()
  }

  leave(): void {
    if (this.#left || this.#end !== undefined) return
    this.#left = true
    this.#refuse()
    this.#onLeave()
  }

  /** @returns undefined at the end */
  async take(): Promise<T | undefined> {
    for (;;) {
      if (this.#offer !== undefined) {
        const { value, taken } = this.#offer
        this.#offer = undefined
        taken()
        return value
      }
      if (this.#end !== undefined) {
        if ('error' in this.#end) throw this.#end.error
        return undefined
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
