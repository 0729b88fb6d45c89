/** Pages of a result, read from its file: a large result costs disk, not memory. */
import { open } from 'node:fs/promises'
import { AwsError, type JsonObject } from '../../ports.ts'
import type { Execution } from './execution.ts'

const BUFFER_BYTES = 64 * 1024

interface Datum {
  readonly VarCharValue?: string
}

/** Rows of a csv or txt file from a byte offset on. */
async function* readRows(
  file: string,
  format: 'csv' | 'txt',
  offset: number,
): AsyncGenerator<{ row: Datum[]; end: number }> {
  const handle = await open(file, 'r')
  try {
    let pending = Buffer.alloc(0)
    let base = offset
    for (;;) {
      const chunk = Buffer.alloc(BUFFER_BYTES)
      const { bytesRead } = await handle.read(chunk, 0, BUFFER_BYTES, base + pending.length)
      if (bytesRead === 0) return
      pending = Buffer.concat([pending, chunk.subarray(0, bytesRead)])
      let start = 0
      for (let end = lineEnd(pending, start, format); end >= 0; end = lineEnd(pending, start, format)) {
        const line = pending.subarray(start, end).toString('utf8')
        start = end + 1
        yield { row: format === 'csv' ? cells(line) : [line === '' ? {} : { VarCharValue: line }], end: base + start }
      }
      base += start
      pending = pending.subarray(start)
    }
  } finally {
    await handle.close()
  }
}

const QUOTE = 34
const NEWLINE = 10

function lineEnd(buffer: Buffer, from: number, format: 'csv' | 'txt'): number {
  if (format === 'txt') return buffer.indexOf(NEWLINE, from)
  let quoted = false
  for (let i = from; i < buffer.length; i++) {
    if (buffer[i] === QUOTE) quoted = !quoted
    else if (buffer[i] === NEWLINE && !quoted) return i
  }
  return -1
}

/** A value is quoted, NULL is an empty field without quotes. */
function cells(line: string): Datum[] {
  const out: Datum[] = []
  let at = 0
  for (;;) {
    if (line[at] === '"') {
      let end = at + 1
      while (!(line[end] === '"' && line[end + 1] !== '"')) end += line[end] === '"' ? 2 : 1
      out.push({ VarCharValue: line.slice(at + 1, end).replaceAll('""', '"') })
      at = end + 1
    } else out.push({})
    if (line[at] !== ',') return out
    at++
  }
}

export async function resultPage(
  file: string,
  e: Execution,
  maxResults: number,
  token: string | undefined,
): Promise<JsonObject> {
  let offset = 0
  if (token !== undefined) {
    const m = /^v1-(\d+)$/.exec(Buffer.from(token, 'base64url').toString())
    if (m === null)
      throw new AwsError('InvalidRequestException', 'The NextToken is not valid.', 400, {
        AthenaErrorCode: 'INVALID_INPUT',
      })
    offset = Number(m[1])
  }
  const rows: { Data: Datum[] }[] = []
  let next: number | undefined
  let end = offset
  for await (const r of readRows(file, e.format, offset)) {
    if (rows.length === maxResults) {
      next = end
      break
    }
    rows.push({ Data: r.row })
    end = r.end
  }
  return {
    UpdateCount: 0,
    ResultSet: { Rows: rows, ResultSetMetadata: { ColumnInfo: e.columns ?? [] } },
    ...(next === undefined ? {} : { NextToken: Buffer.from(`v1-${next}`).toString('base64url') }),
  }
}
