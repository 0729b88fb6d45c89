import { Readable } from 'node:stream'
import type { Connection } from './connection.ts'
import type { components, paths } from './generated-api.ts'
import { linesOf } from './lines.ts'
import { IncompleteStreamError, ProblemError, problemErrorOf } from './problem-error.ts'

export type ImportResource = 'studios' | 'owners' | 'games' | 'players' | 'library'

type Lines = components['schemas']['ImportAnswer']
/** What became of one line. */
export type ImportLine = Exclude<Lines, { _end: unknown } | { _problem: unknown }>
export type ImportTotals = Extract<Lines, { _end: unknown }>['_end']

/** How the import of players is asked; that of other resources differs in the keys of `matchBy`. */
type QueryOf<R extends ImportResource> = NonNullable<paths[`/v1/imports/${R}`]['post']['parameters']['query']>
export type ImportQuery = Omit<QueryOf<'players'>, 'matchBy'> & { readonly matchBy?: string }

/** Records, one a line, or the bytes of an NDJSON file. */
export type ImportedFrom = Iterable<object> | AsyncIterable<object | Uint8Array>

export interface ImportStream extends AsyncIterable<ImportLine> {
  /** Reads what is left; the totals of all lines. @throws IncompleteStreamError, ProblemError */
  totals(): Promise<ImportTotals>
}

/**
 * Sends while it reads: the service takes input only as fast as its answers are read.
 *
 * @throws ProblemError when it is refused, or fails in its middle; IncompleteStreamError when the answer is cut off
 */
export function importRecords(
  connection: Connection,
  resource: ImportResource,
  from: ImportedFrom,
  query: ImportQuery = {},
): ImportStream {
  let totals: ImportTotals | undefined
  const answers = answersOf(connection, resource, from, query, (end) => {
    totals = end
  })
  return {
    [Symbol.asyncIterator]: () => answers,
    async totals() {
      for await (const _ of answers);
      if (totals === undefined) throw new IncompleteStreamError('The import was not read to its end')
      return totals
    },
  }
}

async function* answersOf(
  { baseUrl, apiKey, sendOnce }: Connection,
  resource: ImportResource,
  from: ImportedFrom,
  query: ImportQuery,
  onEnd: (totals: ImportTotals) => void,
): AsyncGenerator<ImportLine> {
  const parameters = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]))
  const request = new Request(`${baseUrl}/v1/imports/${resource}?${parameters}`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${apiKey}`,
      'Content-Type': 'application/x-ndjson',
      Accept: 'application/x-ndjson',
    },
    body: Readable.toWeb(Readable.from(bytesOf(from))),
    duplex: 'half',
  } as unknown as RequestInit)
  const response = await sendOnce(request)
  if (!response.ok || response.body === null) throw await problemErrorOf(response)
  let isWhole = false
  for await (const text of linesOf(response.body)) {
    const line = JSON.parse(text) as Lines
    if ('_end' in line) {
      isWhole = true
      onEnd(line._end)
    } else if ('_problem' in line) {
      const { code, status, detail } = line._problem
      throw new ProblemError({ ...line._problem, type: 'about:blank', title: code, status, detail }, response)
    } else yield line
  }
  if (!isWhole) throw new IncompleteStreamError('The answer of the import ended before its _end line')
}

async function* bytesOf(from: ImportedFrom): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const item of from as AsyncIterable<object | Uint8Array>) {
    yield item instanceof Uint8Array ? item : encoder.encode(`${JSON.stringify(item)}\n`)
  }
}
