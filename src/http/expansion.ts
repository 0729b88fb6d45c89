import { z } from 'zod'
import type { Context, Scope } from '../caller.ts'
import type { TableName } from '../lake/datasets.ts'
import { keyFields, present } from './visibility.ts'

/** What can be embedded in a row, by `expand`. */
export interface Expansion<Row> {
  /** The scope to read what is embedded; its personal columns need its own `.personal` scope besides. */
  readonly scope: Scope
  readonly description: string
  readonly schema: z.ZodType
  /**
   * What belongs to each of these rows, presented for this caller. One query for all of them, whatever the length of the page.
   */
  readonly load: (rows: readonly Row[], context: Context) => Promise<(row: Row) => unknown>
}

export type Expansions<Row> = Readonly<Record<string, Expansion<Row>>>

/** Rows to embed one at a time: each row of the list belongs to one of them. */
export interface ToOne<Row, Part extends object> extends Pick<Expansion<Row>, 'scope' | 'description' | 'schema'> {
  readonly table: TableName
  /** Which of them a row belongs to. */
  readonly idOf: (row: Row) => string
  readonly find: (ids: readonly string[], context: Context) => Promise<readonly (Part & { readonly id: string })[]>
}

/** An expansion that embeds the one row that another belongs to. */
export function toOne<Row, Part extends object>({ table, idOf, find, ...about }: ToOne<Row, Part>): Expansion<Row> {
  return {
    ...about,
    async load(rows, context) {
      const parts = await find([...new Set(rows.map(idOf))], context)
      // Presented once, however many rows share it.
      const shown = new Map(parts.map((part) => [part.id, present(table, part, context.principal)]))
      return (row) => shown.get(idOf(row)) ?? null
    },
  }
}

/** Presents rows and puts the expansions asked for beside their own fields. */
export async function withExpansions<Row>(
  rows: readonly Row[],
  names: readonly string[],
  expansions: Expansions<Row>,
  presentRow: (row: Row) => Record<string, unknown>,
  context: Context,
): Promise<Record<string, unknown>[]> {
  const shown = rows.map(presentRow)
  if (names.length === 0 || rows.length === 0) return shown
  const loaded = await Promise.all(
    names.map(async (name) => {
      const expansion = expansions[name]
      if (expansion === undefined) throw new Error(`${name} cannot be embedded`)
      return [name, await expansion.load(rows, context)] as const
    }),
  )
  rows.forEach((row, index) => {
    for (const [name, of] of loaded) Object.assign(shown[index] ?? {}, { [name]: of(row) })
  })
  return shown
}

/** The scope that each expansion needs. */
export function scopesOf<Row>(expansions: Expansions<Row>): Readonly<Record<string, Scope>> {
  return Object.fromEntries(Object.entries(expansions).map(([name, { scope }]) => [name, scope]))
}

const VIEWS = new WeakMap<z.ZodObject, z.ZodType>()

/**
 * A row as reading operations answer it: whole, or with `fields` only the chosen ones; embedded rows where `expand` asked for
 * them. One schema for each row schema, so that the API document names it once.
 */
export function viewSchema<Row>(table: TableName, row: z.ZodObject, expansions: Expansions<Row> = {}): z.ZodType {
  const known = VIEWS.get(row)
  if (known !== undefined) return known
  const id = row.meta()?.id
  if (id === undefined) throw new Error(`the rows of ${table} need a schema with an id`)
  const embedded = Object.fromEntries(
    Object.entries(expansions).map(([name, { schema, description }]) => [
      name,
      schema.optional().meta({ description: `${description}; only with expand=${name}` }),
    ]),
  )
  const whole = Object.keys(embedded).length === 0 ? row : row.extend(embedded).meta({ id: `${id}WithParts` })
  const keys = Object.fromEntries(keyFields(table).map((field) => [field, true as const]))
  const selection = row
    .extend(embedded)
    .partial()
    .required(keys)
    .meta({ id: `${id}Selection`, description: 'Only the fields that `fields` names, and the key' })
  const view = z.union([whole, selection])
  VIEWS.set(row, view)
  return view
}
