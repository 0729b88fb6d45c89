/** Which partitions a query needs at most, from predicates on the keys of partitions. In doubt a partition is needed. */
import { analyze } from './analyze.ts'
import type { Context, Field, PartitionKey } from './scope.ts'
import type { Expression, Select } from './syntax.ts'

type Test = (value: string) => boolean

/** Texts are ordered by their characters' code points, as in Trino: not by UTF-16 units. */
const order = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

const COMPARISONS: Readonly<Record<string, (value: string, literal: string) => boolean>> = {
  '=': (value, literal) => value === literal,
  '<': (value, literal) => order(value, literal) < 0,
  '<=': (value, literal) => order(value, literal) <= 0,
  '>': (value, literal) => order(value, literal) > 0,
  '>=': (value, literal) => order(value, literal) >= 0,
}
const MIRRORED: Readonly<Record<string, string>> = { '=': '=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' }

/**
 * Tells the keys of partitions what a condition that every row must meet demands of them: `=`, `<`, `<=`, `>`, `>=`, IN and BETWEEN
 * with literals, joined by AND. Anything else demands nothing.
 *
 * @param fields whose rows the condition drops; a column of a query around it is none of them.
 */
export function restrictPartitions(condition: Expression, c: Context, fields: readonly Field[]): void {
  if (!fields.some((f) => f.keys !== undefined)) return
  if (condition.kind === 'and') {
    for (const term of condition.terms) restrictPartitions(term, c, fields)
    return
  }
  const restrict = (value: Expression, test: Test | undefined) => {
    if (test !== undefined) for (const key of keysOf(value, c, fields)) key.restrict(test)
  }
  if (condition.kind === 'compare') {
    const { op, left, right } = condition
    restrict(left, comparison(op, right, c))
    restrict(right, comparison(MIRRORED[op] ?? '', left, c))
  } else if (condition.kind === 'in') {
    const literals = condition.list.map((e) => textOf(e, c))
    restrict(condition.value, literals.includes(undefined) ? undefined : (value) => literals.includes(value))
  } else if (condition.kind === 'between') {
    restrict(condition.value, comparison('>=', condition.low, c))
    restrict(condition.value, comparison('<=', condition.high, c))
  }
}

function comparison(op: string, literal: Expression, c: Context): Test | undefined {
  const compare = COMPARISONS[op]
  const text = textOf(literal, c)
  return compare === undefined || text === undefined ? undefined : (value) => compare(value, text)
}

function textOf(e: Expression, c: Context): string | undefined {
  if (e.kind !== 'string' && e.kind !== 'parameter') return undefined
  const { constant, type } = analyze(e, c)
  return type.name === 'varchar' && typeof constant === 'string' ? constant : undefined
}

/** Keys whose value the expression is in every row, found by its SQL, which names the relation whatever the query calls it. */
export function keysOf(e: Expression, c: Context, fields: readonly Field[]): readonly PartitionKey[] {
  if (e.kind !== 'column' && e.kind !== 'field') return []
  const { sql, type } = analyze(e, c)
  // A char is compared without the spaces at its end, which the partition has.
  if (type.name !== 'varchar') return []
  return fields.find((f) => f.sql === sql)?.keys ?? []
}

/** May a condition on this query's rows be met before the query? Not if one row's values depend on others, or on how many there are. */
export function isRowByRow(s: Select): boolean {
  return !s.distinct && s.groupBy === undefined && s.having === undefined && !hasWindow(s.items)
}

function hasWindow(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false
  if ('over' in part && part.over !== undefined) return true
  return Object.values(part).some(hasWindow)
}
