import type pg from 'pg'
import { ConnectionLost, databaseError, WriteConflict } from './constraint-errors.ts'
import type { RawClient } from './database.ts'

/** A value of a column; what is undefined is NULL. */
export type CopyValue = string | number | bigint | boolean | Date | readonly string[] | null | undefined

/** Rows for a table, their fields in the order of the columns. */
export interface TableRows {
  /** The names of table and columns are from our own code, never from a caller. */
  readonly table: string
  readonly columns: readonly string[]
  /** In COPY's text format, each row with its line feed. */
  readonly text: string
}

const SPECIAL = /[\\\n\r\t]/
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** A value in COPY's text format (PostgreSQL documentation of COPY, "Text Format"); arrays as array literals. */
export function copyText(value: CopyValue): string {
  if (value === null || value === undefined) return '\\N'
  if (typeof value === 'string') return escaped(value)
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'object') {
    return escaped(`{${value.map((each) => `"${each.replace(/["\\]/g, '\\$&')}"`).join(',')}}`)
  }
  return String(value)
}

function escaped(text: string): string {
  return SPECIAL.test(text) ? text.replace(/[\\\n\r\t]/g, (character) => ESCAPES[character] as string) : text
}

/** Rows as COPY reads them, from objects whose fields have these names. */
export function copyLines(rows: readonly object[], fields: readonly string[]): string {
  let text = ''
  for (const row of rows) {
    let separator = ''
    for (const field of fields) {
      text += separator + copyText((row as Record<string, CopyValue>)[field])
      separator = '\t'
    }
    text += '\n'
  }
  return text
}

/**
 * Adds rows by COPY: half the work for Postgres of an INSERT of the same rows, and it writes whole pages at once where no
 * row trigger stands in the way. Fails as a whole, like a statement.
 *
 * @param table, columns names from our own code, never from a caller
 */
export async function copyRows(
  client: RawClient,
  table: string,
  columns: readonly string[],
  rows: Iterable<readonly CopyValue[]>,
): Promise<void> {
  let text = ''
  for (const row of rows) text += `${row.map(copyText).join('\t')}\n`
  await copyTogether(client, [{ table, columns, text }])
}

/**
 * Adds rows to several tables in one exchange with the server: everything is sent at once, nothing is waited for in between. By
 * itself it is a transaction, all or nothing; inside of one it is a part like any statement.
 */
export function copyTogether(client: RawClient, parts: readonly TableRows[]): Promise<void> {
  const filled = parts.filter(({ text }) => text !== '')
  if (filled.length === 0) return Promise.resolve()
  return new Promise((resolve, reject) => {
    client.query(new CopyExchange(filled, (error) => (error === undefined ? resolve() : reject(error))))
  })
}

/** `CopyData` and `CopyDone` (PostgreSQL documentation, "Message Formats"): a letter, the length of the rest, the rest. */
function copyMessages(text: string): Buffer {
  const size = Buffer.byteLength(text)
  const bytes = Buffer.allocUnsafe(5 + size + 5)
  bytes[0] = 0x64
  bytes.writeUInt32BE(4 + size, 1)
  bytes.write(text, 5)
  bytes[5 + size] = 0x63
  bytes.writeUInt32BE(4, 6 + size)
  return bytes
}

/**
 * A simple query of several statements, each a COPY, with the rows of all right behind it. The server takes them in their order;
 * after an error it drops the rest of them, as the protocol has it ("COPY Operations").
 */
class CopyExchange {
  readonly #parts: readonly TableRows[]
  #done: ((error?: Error) => void) | undefined
  #completed = 0

  constructor(parts: readonly TableRows[], done: (error?: Error) => void) {
    this.#parts = parts
    this.#done = done
  }

  submit(connection: pg.Connection): null {
    const { stream } = connection
    stream.cork()
    connection.query(
      this.#parts.map(({ table, columns }) => `COPY ${table} (${columns.join(', ')}) FROM STDIN`).join('; '),
    )
    for (const { text } of this.#parts) stream.write(copyMessages(text))
    stream.uncork()
    return null
  }

  handleCopyInResponse(): void {}

  handleCommandComplete(): void {
    this.#completed++
  }

  /** All parts last with the end of the last one, and not before. */
  handleError(error: Error): void {
    const told = databaseError(error)
    const isUndone = told instanceof ConnectionLost && told.isOrderly && this.#completed < this.#parts.length
    this.#finish(isUndone ? new WriteConflict('The connection to the database was lost') : error)
  }

  handleReadyForQuery(): void {
    this.#finish()
  }

  #finish(error?: Error): void {
    this.#done?.(error)
    this.#done = undefined
  }
}
