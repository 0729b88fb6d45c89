import pg from 'pg'
import { Prisma } from '../generated/prisma/client.ts'

/** One statement of raw SQL; its parameters are values of the database's types or arrays of them. */
export interface RawStatement {
  readonly text: string
  readonly values?: readonly unknown[]
  /**
   * Prepares it once a connection under this name: for texts that are asked all the time and that one plan fits, whatever the
   * values. Without it each call is planned for its values, as lists need it.
   */
  readonly name?: string
}

const { builtins: OID, getTypeParser } = pg.types

/** `2026-01-31 12:00:00.123+00`, the form of every session of ours; other forms are left to the driver. */
const UTC_TEXT = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?\+00$/
const parseTimestamp = getTypeParser(OID.TIMESTAMPTZ) as (text: string) => Date

function instant(text: string): Date {
  if (!UTC_TEXT.test(text)) return parseTimestamp(text)
  return new Date(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`)
}

/** The types that Prisma's raw queries read in another way than the driver does. */
const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  [OID.TIMESTAMPTZ]: instant,
  [OID.INT8]: BigInt,
  [OID.NUMERIC]: (text) => new Prisma.Decimal(text),
  [OID.DATE]: (text) => new Date(text),
}

const types = {
  getTypeParser: ((oid: number, format?: 'text') =>
    PARSERS[oid] ?? getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
}

/**
 * The rows of a statement, with the types that Prisma's raw queries give: `bigint`, `Decimal`, a date as midnight in UTC.
 *
 * @param patienceMs how long to wait for a server that says nothing; default: until the connection ends. The connection is of no
 *   use afterwards
 */
export async function rawRows<Row>(
  client: pg.ClientBase,
  { text, values, name }: RawStatement,
  patienceMs?: number,
): Promise<Row[]> {
  const prepared = name === undefined ? {} : { name }
  const patience = patienceMs === undefined ? {} : { query_timeout: patienceMs }
  const { rows } = await client.query({ ...prepared, ...patience, text, values: values as unknown[], types })
  return rows as Row[]
}
