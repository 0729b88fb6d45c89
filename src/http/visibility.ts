import type { Principal, Scope } from '../caller.ts'
import { SCOPES } from '../caller.ts'
import { AppError } from '../errors.ts'
import { type Column, type DataClass, datasets, type TableName } from '../lake/datasets.ts'
import { toCamelCase, toSnakeCase } from '../naming.ts'

/**
 * Who may see which column: derived from the classes in `datasets.ts` and from nowhere else. A field without a column there is
 * never sent, a personal one only to a caller with the resource's `.personal` scope - otherwise it is absent, not null.
 */

interface VisibleField {
  readonly field: string
  readonly class: DataClass
}

const FIELDS = new Map<TableName, readonly VisibleField[]>(
  (Object.keys(datasets) as TableName[]).map((table) => [table, visibleFields(table)]),
)

function visibleFields(table: TableName): VisibleField[] {
  const columns = Object.entries<Column>(datasets[table].columns)
  return columns
    .filter(([, column]) => column.class !== 'secret' && column.api !== false)
    .map(([name, column]) => ({ field: toCamelCase(name), class: column.class }))
}

/** The scope that opens the personal columns of a table; resources without one of their own count as players'. */
export function personalScope(table: TableName): Scope {
  const own = `${datasets[table].resource}:read.personal`
  return (SCOPES as readonly string[]).includes(own) ? (own as Scope) : 'players:read.personal'
}

export function holds(principal: Principal, scope: Scope): boolean {
  return principal.scopes.has(scope)
}

/** @throws AppError `forbidden` that names the scope */
export function requireScope(principal: Principal, scope: Scope): void {
  if (holds(principal, scope)) return
  throw new AppError('forbidden', `This needs the scope ${scope}`, { extra: { scope } })
}

/**
 * May this caller ask about a field, by filter, sort or search? Asking is as good as reading: the answers tell the value.
 *
 * @throws AppError `forbidden`
 */
export function requireReadable(table: TableName, field: string, principal: Principal, parameter: string): void {
  const column = (datasets[table].columns as Readonly<Record<string, Column>>)[toSnakeCase(field)]
  if (column === undefined || column.class === 'secret') throw new Error(`${table}.${field} cannot be asked about`)
  if (column.class !== 'personal') return
  const scope = personalScope(table)
  if (holds(principal, scope)) return
  throw new AppError('forbidden', `${parameter} asks about a personal field; this needs the scope ${scope}`, {
    extra: { scope },
    errors: [{ parameter, code: 'personal' }],
  })
}

/** Field names of a table that this caller may see, in the order of `datasets.ts`. */
export function readableFields(table: TableName, principal: Principal): string[] {
  const personal = holds(principal, personalScope(table))
  const fields = FIELDS.get(table) ?? []
  return fields.filter((field) => personal || field.class !== 'personal').map(({ field }) => field)
}

/** A row as this caller may see it, ready for JSON: instants as ISO 8601 in UTC, big integers as numbers. */
export function present(table: TableName, row: object, principal: Principal): Record<string, unknown> {
  const values = row as Readonly<Record<string, unknown>>
  const answer: Record<string, unknown> = {}
  for (const field of readableFields(table, principal)) {
    if (values[field] !== undefined) answer[field] = jsonValue(values[field])
  }
  return answer
}

function jsonValue(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString()
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new RangeError('an integer is too large for a JSON number')
  return number
}
