import { gzipSync } from 'node:zlib'
import type { ImportTotals, LineAnswer } from '../../src/imports/import-answer.ts'
import type { TestApi } from '../support/api.ts'
import { verdictOf } from './imported.ts'

export const NDJSON = 'application/x-ndjson'

export interface Posted {
  readonly status: number
  /** Of a plain problem. */
  readonly problem: Readonly<Record<string, unknown>>
  readonly answers: readonly LineAnswer[]
  readonly verdicts: readonly string[]
  readonly totals: ImportTotals
  readonly text: string
}

export interface PostOptions {
  readonly type?: string
  readonly gzip?: boolean
  readonly agent?: TestApi['admin']
  readonly headers?: Readonly<Record<string, string>>
}

export const ndjson = (...lines: readonly object[]) => `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`

/** A body, or lines of NDJSON, through `POST /v1/imports/<path>`. */
export async function posted(
  api: TestApi,
  path: string,
  body: string | Buffer | readonly object[],
  { type = NDJSON, gzip = false, agent = api.admin, headers = {} }: PostOptions = {},
): Promise<Posted> {
  const bytes = Array.isArray(body) ? ndjson(...(body as object[])) : (body as string | Buffer)
  const request = agent.post(`/v1/imports/${path}`).set('Content-Type', type).set(headers).buffer(true)
  if (gzip) request.set('Content-Encoding', 'gzip')
  // The bytes as they are, whatever their type.
  request.serialize((given: unknown) => given as string)
  const { status, body: answer } = await request.parse(readText as never).send(gzip ? gzipSync(bytes) : bytes)
  const text = String(answer)
  const lines = text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const answers = (status === 200 ? lines.filter((line) => 'line' in line) : []) as unknown as LineAnswer[]
  const end = lines.find((line) => '_end' in line) as { _end: ImportTotals } | undefined
  const [problem = {}] = lines
  return { status, problem, answers, verdicts: answers.map(verdictOf), totals: end?._end as ImportTotals, text }
}

function readText(response: NodeJS.ReadableStream, done: (error: Error | null, text: string) => void): void {
  let text = ''
  response.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  response.on('end', () => done(null, text))
}
