import type pg from 'pg'
import type { AthenaType, PgType } from '../datasets.ts'

/** A column as the catalogue of Postgres has it. */
export interface DatabaseColumn {
  readonly table: string
  readonly column: string
  /** As Postgres writes it, `timestamp(3) with time zone`; `enum` for every enum. */
  readonly type: string
  readonly notNull: boolean
  /** The labels of an enum in their order, else empty. */
  readonly labels: readonly string[]
}

/** Columns of the given tables in their order; a table that does not exist has none. Reads the catalogue only. */
export async function databaseColumns(client: pg.Client, tables: readonly string[]): Promise<DatabaseColumn[]> {
  const { rows } = await client.query<DatabaseColumn>(
    `SELECT c.relname AS "table", a.attname AS "column",
            CASE WHEN t.typtype = 'e' THEN 'enum' ELSE format_type(a.atttypid, a.atttypmod) END AS type,
            a.attnotnull AS "notNull",
            ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
      WHERE c.oid = ANY (SELECT to_regclass(quote_ident(t))::oid FROM unnest($1::text[]) AS n (t))
        AND a.attnum > 0 AND NOT a.attisdropped
      ORDER BY c.relname, a.attnum`,
    [tables],
  )
  return rows
}

const PG_TYPES: Readonly<Record<string, PgType>> = {
  uuid: 'uuid',
  text: 'text',
  'character varying': 'text',
  enum: 'enum',
  jsonb: 'jsonb',
  'timestamp(3) with time zone': 'timestamptz(3)',
  date: 'date',
  smallint: 'smallint',
  integer: 'integer',
  bigint: 'bigint',
  boolean: 'boolean',
}

/** Decimals of more digits have no Parquet type that every reader knows. */
const DECIMAL_DIGITS = 38

/** The type of a contract that holds values of this type of Postgres; undefined where none holds them exactly. */
export function pgTypeOf(type: string): PgType | undefined {
  const numeric = /^numeric\((\d+),(\d+)\)$/.exec(type)
  if (numeric) return Number(numeric[1]) <= DECIMAL_DIGITS ? (type as PgType) : undefined
  return PG_TYPES[type.replace(/^character varying\(\d+\)$/, 'character varying')]
}

const ATHENA_TYPES: Readonly<Record<string, AthenaType>> = {
  uuid: 'string',
  text: 'string',
  enum: 'string',
  jsonb: 'string',
  'timestamptz(3)': 'timestamp',
  date: 'date',
  smallint: 'int',
  integer: 'int',
  bigint: 'bigint',
  boolean: 'boolean',
}

/** How Athena shows a type of a contract; equal types here are equal types in the files. */
export function athenaTypeOf(pgType: PgType): AthenaType {
  return ATHENA_TYPES[pgType] ?? (pgType.replace('numeric', 'decimal') as AthenaType)
}

/** What an expression of a contract turned out to be. */
export type ExpressionType = { readonly type: string } | { readonly sqlState: string }

/**
 * The types of expressions over a table, as Postgres writes them. Expressions are tried together, and one by one where one of
 * them cannot run, so that the others keep their answer. Reads no row.
 */
export async function expressionTypes(
  client: pg.Client,
  table: string,
  expressions: readonly string[],
): Promise<ExpressionType[]> {
  try {
    return await typesOf(client, table, expressions)
  } catch (error) {
    const { code } = error as { code?: string }
    if (!isStatementError(code)) throw error
    if (expressions.length === 1) return [{ sqlState: code }]
    const types: ExpressionType[] = []
    for (const expression of expressions) types.push(...(await expressionTypes(client, table, [expression])))
    return types
  }
}

/** SQLSTATE class 42: the statement names what is not there or does not fit (PostgreSQL documentation, appendix A). */
function isStatementError(code: string | undefined): code is string {
  return code?.startsWith('42') === true
}

async function typesOf(client: pg.Client, table: string, expressions: readonly string[]): Promise<ExpressionType[]> {
  const list = expressions.map((sql, i) => `${sql} AS c${i}`).join(', ')
  const { fields } = await client.query(`SELECT ${list} FROM ${table} LIMIT 0`)
  const { rows } = await client.query<{ type: string }>(
    `SELECT CASE WHEN t.typtype = 'e' THEN 'enum' ELSE format_type(t.oid, f.modifier) END AS type
       FROM unnest($1::oid[], $2::int[]) WITH ORDINALITY AS f (oid, modifier, place) JOIN pg_type t ON t.oid = f.oid
      ORDER BY f.place`,
    [fields.map((field) => field.dataTypeID), fields.map((field) => field.dataTypeModifier)],
  )
  return rows
}
