import type pg from 'pg'
import { copySelect, type ExportColumn, type TableContract } from '../contract.ts'
import { type Dataset, datasets, type PgType } from '../datasets.ts'
import { LakeProblem } from '../lake-problem.ts'
import type { Manifest } from '../manifest.ts'

/** What the gate found. `breaking` stops the run; the others are logged and shown by a dry run. */
export interface GateReport {
  readonly breaking: readonly string[]
  readonly additive: readonly string[]
  readonly notes: readonly string[]
  /** The contracts, with columns that the database allows to be NULL marked so. */
  readonly contracts: readonly TableContract[]
}

interface DatabaseColumn {
  readonly table: string
  readonly column: string
  readonly type: string
  readonly notNull: boolean
}

/** Oids that are fixed in every Postgres (pg_type.dat); enums have their own each. */
const OIDS: Readonly<Record<Exclude<PgType, `numeric(${number},${number})`>, readonly number[] | 'enum'>> = {
  uuid: [2950],
  text: [25, 1043],
  enum: 'enum',
  jsonb: [3802],
  'timestamptz(3)': [1184],
  date: [1082],
  smallint: [21],
  integer: [23],
  bigint: [20],
  boolean: [16],
}
const NUMERIC_OID = 1700
const ATHENA_OF: Readonly<Record<string, string>> = {
  uuid: 'string',
  text: 'string',
  'character varying': 'string',
  jsonb: 'string',
  'timestamp(3) with time zone': 'timestamp',
  date: 'date',
  smallint: 'int',
  integer: 'int',
  bigint: 'bigint',
  boolean: 'boolean',
}

async function databaseColumns(client: pg.Client, tables: readonly string[]): Promise<DatabaseColumn[]> {
  const { rows } = await client.query<DatabaseColumn>(
    `SELECT c.relname AS "table", a.attname AS "column",
            CASE WHEN t.typtype = 'e' THEN 'enum' ELSE format_type(a.atttypid, a.atttypmod) END AS type,
            a.attnotnull AS "notNull"
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
      WHERE c.oid = ANY (SELECT to_regclass(quote_ident(t))::oid FROM unnest($1::text[]) AS n (t))
        AND a.attnum > 0 AND NOT a.attisdropped
      ORDER BY c.relname, a.attnum`,
    [tables],
  )
  return rows
}

/** The line that `datasets.ts` needs for a column that it does not know. */
function patch(column: DatabaseColumn): string {
  const athena = ATHENA_OF[column.type] ?? 'string'
  const nullable = column.notNull ? '' : ', nullable: true'
  return (
    `in datasets.ts, ${column.table}.columns, at the end: ${column.column}: { class: 'personal', lake: 'drop'${nullable} } ` +
    `or, exported: { class: 'internal', lake: 'include', pgType: '${pgTypeOf(column.type)}', athenaType: '${athena}'${nullable} }`
  )
}

function pgTypeOf(type: string): string {
  return type === 'timestamp(3) with time zone' ? 'timestamptz(3)' : type === 'character varying' ? 'text' : type
}

function isWanted(wanted: PgType, oid: number, modifier: number, enums: ReadonlySet<number>): boolean {
  const numeric = /^numeric\((\d+),(\d+)\)$/.exec(wanted)
  if (numeric) {
    return oid === NUMERIC_OID && modifier === ((Number(numeric[1]) << 16) | Number(numeric[2])) + 4
  }
  const allowed = OIDS[wanted as keyof typeof OIDS]
  if (allowed === 'enum') return enums.has(oid)
  // Without its (3) a time could hold microseconds, which Athena rounds.
  return allowed.includes(oid) && (wanted !== 'timestamptz(3)' || modifier === 3)
}

async function typeFindings(client: pg.Client, contract: TableContract, enums: ReadonlySet<number>): Promise<string[]> {
  const { fields } = await client.query(`${copySelect(contract)} LIMIT 0`)
  const types = await client.query<{ text: string }>(
    'SELECT format_type(o, m) AS text FROM unnest($1::oid[], $2::int[]) WITH ORDINALITY AS t (o, m, n) ORDER BY n',
    [fields.map((f) => f.dataTypeID), fields.map((f) => f.dataTypeModifier)],
  )
  return contract.columns.flatMap((column, i) => {
    const field = fields[i]
    if (field && isWanted(column.pgType, field.dataTypeID, field.dataTypeModifier, enums)) return []
    return [
      `${contract.table}.${column.source}: ${column.name} is ${types.rows[i]?.text} in the database and ${column.pgType} in ` +
        `datasets.ts; a changed type needs a new contract version (version: ${contract.version + 1})`,
    ]
  })
}

function columnFindings(contract: TableContract, actual: readonly DatabaseColumn[]): string[] {
  if (actual.length === 0) {
    return [`${contract.table}: the table is not in the database; retire its entry in datasets.ts first`]
  }
  const dataset = (datasets as Readonly<Record<string, Dataset>>)[contract.table]
  const known = new Set(Object.keys(dataset?.columns ?? {}))
  const present = new Set(actual.map((column) => column.column))
  const exported = (name: string) => contract.columns.filter((column) => column.source === name)
  // A column that has left the database stays in the files as NULL until the last snapshot that holds it has expired.
  const keptAsNull = (name: string) =>
    exported(name).length > 0 && exported(name).every((column) => /^NULL::/i.test(column.sql) && column.nullable)
  const unknown = actual.filter((column) => !known.has(column.column))
  return [
    ...unknown.map(
      (c) => `${c.table}.${c.column} (${c.type}) has no entry, so nobody has said whether it may leave; ${patch(c)}`,
    ),
    ...[...known]
      .filter((name) => !present.has(name) && !keptAsNull(name))
      .map((name) => `${contract.table}.${name} is in datasets.ts and not in the database; ${leaving(exported(name))}`),
  ]
}

/** What `datasets.ts` needs for a column that has left the database. */
function leaving(exported: readonly ExportColumn[]): string {
  const types = exported.map(({ pgType }) => `sql: 'NULL::${pgType === 'enum' ? 'text' : pgType}', nullable: true`)
  return types.length === 0
    ? 'remove its entry, nothing of it is exported'
    : `keep it as a typed NULL (${types.join('; ')})`
}

/** Compares a contract with what the last snapshot wrote: columns may only be appended within a version. */
function versionFindings(
  contract: TableContract,
  previous: Manifest | undefined,
): { breaking: string[]; additive: string[] } {
  const before = previous?.tables.find((table) => table.name === contract.name)
  if (!before) return { breaking: [], additive: previous ? [`${contract.name}: new table`] : [] }
  const breaking = before.columns.flatMap((old, i) => {
    const now = contract.columns[i]
    if (now && now.name === old.name && now.athenaType === old.athena_type) return []
    const is = now ? `${now.name} ${now.athenaType}` : 'gone'
    return [
      `${contract.table}: column ${i + 1} of ${contract.name} was ${old.name} ${old.athena_type} in snapshot ` +
        `${previous?.snapshot_id} and is ${is}; append columns at the end, or set version: ${contract.version + 1}`,
    ]
  })
  const added = contract.columns.slice(before.columns.length)
  return { breaking, additive: added.map((c) => `${contract.name}: new column ${c.name} ${c.athenaType}`) }
}

/** NOT NULL may come and go in the database: the file's columns are all optional, the encoder only wants to know. */
function withDatabaseNulls(
  contract: TableContract,
  actual: readonly DatabaseColumn[],
): { contract: TableContract; notes: string[] } {
  const mayBeNull = new Set(actual.filter((c) => !c.notNull).map((c) => c.column))
  const notes: string[] = []
  const columns = contract.columns.map((column): ExportColumn => {
    if (column.nullable || column.action === 'generalise' || !mayBeNull.has(column.source)) return column
    notes.push(`${contract.table}.${column.source} may be NULL in the database and not in datasets.ts`)
    return { ...column, nullable: true }
  })
  return { contract: { ...contract, columns }, notes }
}

/**
 * Compares the database and the last snapshot with `datasets.ts`; reads the catalogue only. Runs before the snapshot's transaction,
 * and again inside it would find the same: the locks of COPY keep the tables as they are.
 */
export async function contractReport(
  client: pg.Client,
  contracts: readonly TableContract[],
  previous: Manifest | undefined,
): Promise<GateReport> {
  const columns = await databaseColumns(
    client,
    contracts.map((c) => c.table),
  )
  const enums = await client.query<{ oid: number }>(`SELECT oid::int AS oid FROM pg_type WHERE typtype = 'e'`)
  const enumOids = new Set(enums.rows.map((row) => row.oid))
  const breaking: string[] = []
  const additive: string[] = []
  const notes: string[] = []
  const resolved: TableContract[] = []
  for (const contract of contracts) {
    const actual = columns.filter((column) => column.table === contract.table)
    const missing = columnFindings(contract, actual)
    const version = versionFindings(contract, previous)
    breaking.push(...missing, ...version.breaking)
    additive.push(...version.additive)
    // With a column missing the SELECT itself would fail, and say less.
    if (missing.every((finding) => finding.includes('has no entry'))) {
      breaking.push(...(await typeFindings(client, contract, enumOids)))
    }
    const nulls = withDatabaseNulls(contract, actual)
    notes.push(...nulls.notes)
    resolved.push(nulls.contract)
  }
  return { breaking, additive, notes, contracts: resolved }
}

/** @throws LakeProblem `contract_breaking` naming every table and column, and what datasets.ts needs. */
export function assertNotBreaking(report: GateReport): void {
  if (report.breaking.length === 0) return
  throw new LakeProblem(
    'contract_breaking',
    `The database does not match the contract of the lake:\n  ${report.breaking.join('\n  ')}`,
    { findings: report.breaking.length },
  )
}
