import { AppError } from '../errors.ts'
import type { CountKind, ListRequest, ListSpec, Page, Position, SortKey, Total } from '../list.ts'
import { StatementTimeout } from './constraint-errors.ts'
import type { PrismaClient } from './database.ts'
import { camelRow, type ListSource, listSql, rowsSql, wholeListSql } from './list-sql.ts'

const COUNT_TIMEOUT_MS = 5_000

type RawRow = Readonly<Record<string, unknown>>

/**
 * Reads one page, and the total when the request asks for it.
 *
 * @param asRow a raw row as a row of the domain; its fields carry the sort values
 * @throws AppError `invalid-parameter` when an exact count takes too long
 */
export async function readPage<Row extends object>(
  db: PrismaClient,
  source: ListSource,
  request: ListRequest,
  asRow: (row: RawRow) => Row = camelRow<Row>,
): Promise<Page<Row>> {
  if (request.whole) {
    return { rows: [], next: undefined, previous: undefined, statement: wholeListSql(source, request) }
  }
  const { text, values } = listSql(source, request)
  const rows = await db.$queryRawUnsafe<RawRow[]>(text, ...values)
  const page = pageFrom(source.spec, request, rows.map(asRow))
  if (request.count === undefined) return page
  const isWhole = page.next === undefined && request.position === undefined
  if (isWhole) return { ...page, total: { rows: page.rows.length, kind: 'exact' } }
  return { ...page, total: await totalOf(db, source, request, request.count) }
}

/** The rows of `listSql` as a page. `rows` are domain rows: their fields carry the sort values. */
export function pageFrom<Row extends object>(spec: ListSpec, request: ListRequest, rows: readonly Row[]): Page<Row> {
  const backward = request.position?.backward ?? false
  const more = rows.length > request.limit
  const kept = rows.slice(0, request.limit)
  if (backward) kept.reverse()
  const place = (row: Row | undefined, direction: boolean) =>
    row === undefined ? undefined : positionOf(spec, request.sort, row, direction)
  return {
    rows: kept,
    next: more || backward ? place(kept.at(-1), false) : undefined,
    previous: (backward ? more : request.position !== undefined) ? place(kept[0], true) : undefined,
  }
}

function positionOf(spec: ListSpec, sort: readonly SortKey[], row: object, backward: boolean): Position {
  const fields = row as Readonly<Record<string, unknown>>
  return { values: sort.map(({ field }) => cursorValue(fields[field])), id: String(fields[spec.idField]), backward }
}

function cursorValue(value: unknown): string | number | null {
  if (value === null || value === undefined) return null
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'number' ? value : String(value)
}

/** @param timeoutMs how long an exact count may take before it is given up */
export async function totalOf(
  db: PrismaClient,
  source: ListSource,
  request: Pick<ListRequest, 'filters' | 'search'>,
  kind: CountKind,
  timeoutMs = COUNT_TIMEOUT_MS,
): Promise<Total> {
  const { text, values } = rowsSql(source, request)
  if (kind === 'estimated') {
    type Explained = { readonly 'QUERY PLAN': readonly { readonly Plan: { readonly 'Plan Rows': number } }[] }
    const [plan] = await db.$queryRawUnsafe<Explained[]>(`EXPLAIN (FORMAT JSON) ${text}`, ...values)
    return { rows: plan?.['QUERY PLAN'][0]?.Plan['Plan Rows'] ?? 0, kind }
  }
  try {
    const counted = await db.$transaction(
      async (tx) => {
        await tx.$executeRawUnsafe(`SET LOCAL statement_timeout = ${timeoutMs}`)
        const sql = `SELECT count(*) AS n FROM (${text}) AS counted`
        return tx.$queryRawUnsafe<{ n: bigint }[]>(sql, ...values)
      },
      // Well after Postgres has given up, whose answer says why.
      { timeout: timeoutMs + 10_000 },
    )
    return { rows: Number(counted[0]?.n ?? 0), kind }
  } catch (error) {
    if (!(error instanceof StatementTimeout)) throw error
    const detail = `counting takes longer than ${timeoutMs / 1000} s: filter more, or ask for count=estimated`
    throw new AppError('invalid-parameter', `count: ${detail}`, {
      errors: [{ parameter: 'count', code: 'too-slow', detail }],
    })
  }
}
