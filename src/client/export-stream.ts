import { createHash } from 'node:crypto'
import type { Connection } from './connection.ts'
import { linesOf } from './lines.ts'
import type { ListPath, RowOf } from './pages.ts'
import { IncompleteStreamError, problemErrorOf } from './problem-error.ts'
import type { InitArgument, InitOf } from './typed-call.ts'

/** Lists can be exported. */
export type ExportPath = ListPath
export type ExportOf<P extends ExportPath> = AsyncGenerator<RowOf<P>, ExportTotals>

export interface ExportTotals {
  readonly rows: number
  /** Over every byte before the last line, in hexadecimal. */
  readonly sha256: string
}

/**
 * Rows as they arrive. The last line tells how many there were and their SHA-256; both are compared.
 *
 * @throws ProblemError when it is refused; IncompleteStreamError when the answer is cut off or differs from what it says
 */
export async function* exportRows<P extends ExportPath>(
  { baseUrl, apiKey, send }: Connection,
  path: P,
  ...[init]: InitArgument<InitOf<P, 'get'>>
): ExportOf<P> {
  const { params = {}, signal } = (init ?? {}) as AnyInit
  const response = await send(
    new Request(addressOf(baseUrl, path, params), {
      headers: { Authorization: `Bearer ${apiKey}`, Accept: 'application/x-ndjson' },
      ...(signal === undefined ? {} : { signal }),
    }),
  )
  if (!response.ok || response.body === null) throw await problemErrorOf(response)
  const hash = createHash('sha256')
  let rows = 0
  let end: ExportTotals | undefined
  for await (const text of linesOf(response.body)) {
    const line = JSON.parse(text) as { _end?: ExportTotals }
    if (line._end !== undefined) {
      end = line._end
      break
    }
    hash.update(`${text}\n`)
    rows += 1
    yield line as RowOf<P>
  }
  if (end === undefined) throw new IncompleteStreamError(`The export ended after ${rows} rows, before its _end line`)
  if (end.rows !== rows || end.sha256 !== hash.digest('hex')) {
    throw new IncompleteStreamError('The export is not what its _end line says')
  }
  return end
}

interface AnyInit {
  readonly params?: {
    readonly path?: Readonly<Record<string, string>>
    readonly query?: Readonly<Record<string, unknown>>
  }
  readonly signal?: AbortSignal
}

function addressOf(
  baseUrl: string,
  path: string,
  { path: values = {}, query = {} }: NonNullable<AnyInit['params']>,
): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''))
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]))
  return `${baseUrl}${filled}${given.length > 0 ? `?${search}` : ''}`
}
