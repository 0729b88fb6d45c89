import type { RawClient } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import type { TableName } from '../../lake/datasets.ts'
import { appendAuditRows } from '../audit/audit-bulk-store.ts'
import { type BulkFacts, failed, type Outcome } from './bulk-item.ts'
import type { Plan } from './bulk-plan.ts'
import { insertRows, updateRows } from './bulk-row-store.ts'

interface Versioned {
  readonly id: string
  readonly version: number
}

/** A table with an id, and the fields that lines can fill. `inserted` has `id` and `createdAt` besides those of `updated`. */
export interface BulkTable {
  readonly table: TableName
  readonly inserted: readonly string[]
  readonly updated: readonly string[]
  /** Order of insertion: equal for everybody, so that two imports of the same keys do not wait for each other. */
  readonly order: string
}

/** Writes the rows of the plans, in two statements. Rows that belong to them come after, then `auditPlans`. */
export async function writePlans<Row extends Versioned>(
  client: RawClient,
  { table, inserted, updated, order }: BulkTable,
  plans: readonly (Plan<Row> | AppError)[],
): Promise<Outcome[]> {
  const made = plans.filter((plan): plan is Plan<Row> => !(plan instanceof AppError))
  const rowsOf = (kind: Plan<Row>['kind']) => made.filter((plan) => plan.kind === kind).map(({ row }) => row)
  // A new row may have a value that an old one gives up, never the other way round.
  const versions = await updateRows(client, table, ['id'], updated, rowsOf('update'))
  await insertRows(client, table, inserted, inOrder(rowsOf('create'), order))
  return plans.map((plan) => (plan instanceof AppError ? failed(plan) : outcomeOf(plan, versions)))
}

const STATUS = { create: 'created', update: 'updated', touch: 'updated', unchanged: 'unchanged' } as const

function outcomeOf({ kind, row }: Plan<Versioned>, versions: ReadonlyMap<string, number>): Outcome {
  return { status: STATUS[kind], id: row.id, version: versions.get(row.id) ?? row.version }
}

/** The trail of a batch, in the order of its lines. */
export function auditPlans(
  client: RawClient,
  facts: BulkFacts,
  plans: readonly (Plan<unknown> | AppError)[],
): Promise<void> {
  return appendAuditRows(
    client,
    facts.context,
    plans.flatMap((plan) => (plan instanceof AppError ? [] : plan.events)),
  )
}

function inOrder<Row extends object>(rows: readonly Row[], field: string): Row[] {
  const value = (row: Row) => String((row as Record<string, unknown>)[field])
  return rows.toSorted((a, b) => (value(a) < value(b) ? -1 : 1))
}
