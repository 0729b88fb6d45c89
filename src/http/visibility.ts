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

interface TableFields {
  readonly all: readonly VisibleField[]
  /** Names, for a caller with the `.personal` scope and for one without: worked out once, since every row asks. */
  readonly names: readonly string[]
  readonly openNames: readonly string[]
  readonly personalScope: Scope
}

const TABLES = new Map<TableName, TableFields>(
  (Object.keys(datasets) as TableName[]).map((table) => {
    const all = visibleFields(table)
    const names = all.map(({ field }) => field)
    const openNames = all.filter((field) => field.class !== 'personal').map(({ field }) => field)
    return [table, { all, names, openNames, personalScope: scopeOf(table) }]
  }),
)

function fieldsOf(table: TableName): TableFields {
  const fields = TABLES.get(table)
  if (fields === undefined) throw new Error(`${table} is not in datasets.ts`)
  return fields
}

function visibleFields(table: TableName): VisibleField[] {
  const columns = Object.entries<Column>(datasets[table].columns)
  return columns
    .filter(([, column]) => column.class !== 'secret' && column.api !== false)
    .map(([name, column]) => ({ field: toCamelCase(name), class: column.class }))
}

/** The scope that opens the personal columns of a table; resources without one of their own count as players'. */
export function personalScope(table: TableName): Scope {
  return fieldsOf(table).personalScope
}

function scopeOf(table: TableName): Scope {
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
export function readableFields(table: TableName, principal: Principal): readonly string[] {
  const { names, openNames, personalScope: scope } = fieldsOf(table)
  return holds(principal, scope) ? names : openNames
}

/** Every field of a table that some caller may see. */
export function visibleFieldNames(table: TableName): readonly string[] {
  return fieldsOf(table).names
}

/** The fields that address a row: they are in every answer, whatever `fields` says. */
export function keyFields(table: TableName): readonly string[] {
  return datasets[table].primaryKey.map(toCamelCase)
}

/**
 * A row as this caller may see it, ready for JSON: instants as ISO 8601 in UTC, big integers as numbers.
 *
 * @param fields only these, if given: the selection that the query of the operation has read
 */
export function present(
  table: TableName,
  row: object,
  principal: Principal,
  fields?: ReadonlySet<string>,
): Record<string, unknown> {
  const values = row as Readonly<Record<string, unknown>>
  const answer: Record<string, unknown> = {}
  for (const field of readableFields(table, principal)) {
    const value = values[field]
    if (value !== undefined && (fields === undefined || fields.has(field))) answer[field] = jsonValue(value)
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
