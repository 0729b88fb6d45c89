import { createHash } from 'node:crypto'
import type { TestApi } from '../support/api.ts'

export const NDJSON = 'application/x-ndjson'
export const CSV = 'text/csv'

/** For supertest: the body as text, whatever its type. */
export function asText(answer: object, done: (error: Error | null, body: string) => void): void {
  const response = answer as NodeJS.ReadableStream
  const pieces: Buffer[] = []
  response.on('data', (piece: Buffer) => pieces.push(piece))
  response.on('end', () => done(null, Buffer.concat(pieces).toString()))
  response.on('error', (error) => done(error, ''))
}

/** The body of a 200. */
export async function download(api: TestApi, path: string, type: string, token?: string): Promise<string> {
  const client = token === undefined ? api.admin : api.as(token)
  const answer = await client.get(path).set('Accept', type).buffer(true).parse(asText)
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.body}`)
  return answer.body
}

interface End {
  readonly rows: number
  readonly sha256: string
}

/** What the end line of an NDJSON export says, and what is true. */
export function proofOf(text: string): { readonly said: End; readonly lines: readonly string[]; readonly found: End } {
  const lines = text.trimEnd().split('\n')
  const { _end } = JSON.parse(lines.pop() as string) as { _end: End }
  const before = text.slice(0, text.lastIndexOf('{"_end"'))
  return { said: _end, lines, found: { rows: lines.length, sha256: createHash('sha256').update(before).digest('hex') } }
}
