import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import type { SnapshotReader } from '../list.ts'
import type { Answer, ExportAnswer, LinesAnswer, PageAnswer, PiecesAnswer } from './answer.ts'
import { codingFor, compressorOf } from './compression.ts'
import { hasVersion } from './conditional.ts'
import type { CursorCodec } from './cursor.ts'
import { EXPORT_TYPES, exportBytes } from './export-stream.ts'
import { splitTarget } from './query-string.ts'

/** How long a client may take for one piece of a stream. */
const STALLED_READER_MS = 60_000

export interface SendServices {
  readonly cursors: CursorCodec
  /** Reads whole lists; needed by applications that have lists. */
  readonly snapshots?: SnapshotReader | undefined
}

/** Writes an answer. Resolves when the last byte is handed to the socket; rejects when a stream fails in its middle. */
export async function send(
  answer: Answer,
  request: Request,
  response: Response,
  { cursors, snapshots }: SendServices,
): Promise<void> {
  switch (answer.kind) {
    case 'page':
      return sendPage(answer, request, response, cursors)
    case 'export':
      return sendExport(answer, request, response, snapshots)
    case 'lines':
      return sendLines(answer, response)
    case 'pieces':
      return sendPieces(answer, request, response)
    case 'empty':
      response.status(answer.status).set(answer.headers).end()
      return
    case 'text':
      response.status(answer.status).set(answer.headers).end(answer.text)
      return
    case 'json':
      response.status(answer.status).set(answer.headers)
      if (!answer.alwaysWhole && isUnchanged(answer.headers.ETag, request)) response.status(304).end()
      else sendJson(response, answer.body)
  }
}

/** Express would add its own charset and ETag logic; JSON is UTF-8 by definition (RFC 8259). */
export function sendJson(response: Response, body: unknown, type = 'application/json'): void {
  const text = JSON.stringify(body)
  response.setHeader('Content-Type', type)
  response.setHeader('Content-Length', Buffer.byteLength(text))
  // As a text it goes out in one piece with the headers.
  response.end(response.req.method === 'HEAD' ? undefined : text)
}

function isUnchanged(etag: string | undefined, request: Request): boolean {
  if (etag === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) return false
  return hasVersion(request.get('If-None-Match'), Number(etag.slice(1, -1)))
}

function sendPage({ list, page, data }: PageAnswer, request: Request, response: Response, cursors: CursorCodec): void {
  const next = page.next === undefined ? null : cursors.encode(page.next, list.fingerprint)
  const prev = page.previous === undefined ? null : cursors.encode(page.previous, list.fingerprint)
  const links = [next && linkOf(request, next, 'next'), prev && linkOf(request, prev, 'prev')].filter(Boolean)
  if (links.length > 0) response.set('Link', links.join(', '))
  const total = page.total === undefined ? {} : { total: page.total.rows, totalKind: page.total.kind }
  sendJson(response, { data, page: { limit: list.request.limit, hasMore: next !== null, next, prev, ...total } })
}

/** RFC 8288: the same address with another cursor. */
function linkOf(request: Request, cursor: string, relation: string): string {
  const { path, query } = splitTarget(request.originalUrl)
  // Whatever of the name is percent-encoded: the query has been read, so it can be decoded.
  const kept = query.split('&').filter((part) => part !== '' && !/^cursor(=|$)/.test(decodeURIComponent(part)))
  // < and > end the reference; every other character stands as the caller sent it
  const target = `${path}?${[...kept, `cursor=${cursor}`].join('&')}`.replaceAll('<', '%3C').replaceAll('>', '%3E')
  return `<${target}>; rel="${relation}"`
}

async function sendLines(answer: LinesAnswer, response: Response): Promise<void> {
  response.status(answer.status).set({ 'Content-Type': 'application/x-ndjson', ...answer.headers })
  await stream(ndjson(answer.batches), response)
}

async function sendExport(
  { statement, shape, signal }: ExportAnswer,
  request: Request,
  response: Response,
  snapshots: SnapshotReader | undefined,
): Promise<void> {
  if (snapshots === undefined) throw new Error('this application cannot read whole lists')
  const headers = { 'Content-Type': EXPORT_TYPES[shape.format] }
  const about = { kind: 'pieces', status: 200, headers, compressible: true } as const
  if (request.method === 'HEAD') return sendPieces({ ...about, pieces: nothing() }, request, response)
  const bytes = exportBytes(snapshots, statement, shape, signal)
  // What goes wrong before the first piece is still a plain problem with a status of its own.
  let first: IteratorResult<Uint8Array, void>
  try {
    first = await bytes.next()
  } catch (error) {
    // The reading was stopped because nobody waits for it.
    if (signal.aborted) return
    throw error
  }
  await sendPieces({ ...about, pieces: continued(first, bytes) }, request, response)
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function* continued(
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncGenerator<Uint8Array, void>,
): AsyncGenerator<Uint8Array> {
  try {
    if (first.done) return
    yield first.value
    yield* rest
  } finally {
    await rest.return()
  }
}

async function sendPieces(answer: PiecesAnswer, request: Request, response: Response): Promise<void> {
  response.status(answer.status).set(answer.headers)
  const coding = answer.compressible ? codingFor(request) : undefined
  if (answer.compressible) response.vary('Accept-Encoding')
  if (coding !== undefined) response.set('Content-Encoding', coding)
  if (request.method === 'HEAD') response.end()
  else await stream(answer.pieces, response, STALLED_READER_MS, coding && compressorOf(coding))
}

/**
 * A client that leaves is no failure: the iteration ends, and the access log tells. One that takes longer than `patienceMs` for a
 * piece has its connection cut: the cursor or the place behind its stream is for others.
 */
export async function stream(
  pieces: AsyncIterable<string | Uint8Array>,
  response: Response,
  patienceMs = STALLED_READER_MS,
  through?: Transform,
): Promise<void> {
  let failure: unknown
  async function* watched() {
    let handing = false
    const stalled = setTimeout(() => {
      if (handing) response.destroy()
    }, patienceMs)
    try {
      for await (const piece of pieces) {
        handing = true
        stalled.refresh()
        yield piece
        handing = false
      }
    } catch (error) {
      // A stream that is destroyed throws its error into the iteration, where the last piece was handed over.
      if (!handing) failure = error
      throw error
    } finally {
      clearTimeout(stalled)
    }
  }
  try {
    const source = Readable.from(watched(), { highWaterMark: 1 })
    await (through === undefined ? pipeline(source, response) : pipeline(source, through, response))
  } catch (error) {
    // The pieces may fail because the client leaves: then it is the leaving that the pipeline tells of.
    if (error === failure || (error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  }
}

async function* ndjson(batches: AsyncIterable<readonly unknown[]>): AsyncGenerator<string> {
  for await (const batch of batches) {
    if (batch.length > 0) yield batch.map((line) => `${JSON.stringify(line)}\n`).join('')
  }
}
