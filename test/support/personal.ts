import pg from 'pg'
import { type Column, type DataClass, datasets, type TableName } from '../../src/lake/datasets.ts'
import { toCamelCase } from '../../src/naming.ts'

/** A personal column and a value that occurs nowhere else. */
export interface Marker {
  readonly table: TableName
  readonly field: string
  /** As JSON shows it. */
  readonly value: string
  /** Never in an answer, whoever asks. */
  readonly hidden: boolean
}

const tables = Object.keys(datasets) as TableName[]

function columnsOf(table: TableName, isWanted: (dataClass: DataClass) => boolean): [string, Column][] {
  return Object.entries<Column>(datasets[table].columns).filter(([, column]) => isWanted(column.class))
}

export const personalFields = (table: TableName): string[] =>
  columnsOf(table, (dataClass) => dataClass === 'personal').map(([name]) => toCamelCase(name))

/** Names that are personal wherever they occur: in no table are they anything else. */
export const alwaysPersonal: ReadonlySet<string> = new Set(
  tables
    .flatMap(personalFields)
    .filter(
      (field) =>
        !tables.some((table) =>
          columnsOf(table, (c) => c !== 'personal').some(([name]) => toCamelCase(name) === field),
        ),
    ),
)

/** A value for a column of this type; a type that is not here needs one. */
function valueFor(type: string, number: number): { readonly sql: string; readonly json: string } | undefined {
  switch (type) {
    case 'text':
      return { sql: `zqmark${number}x`, json: `zqmark${number}x` }
    case 'character':
      return { sql: 'QX', json: '"QX"' }
    case 'date':
      return { sql: '1977-07-07', json: '1977-07-07' }
    case 'timestamp with time zone':
      return { sql: '2011-11-11T11:11:11.111Z', json: '2011-11-11T11:11:11.111Z' }
    case 'jsonb':
      return { sql: `{"text": "zqmark${number}x"}`, json: `zqmark${number}x` }
    case 'bytea':
      return undefined
    default:
      throw new Error(`a personal column of the type ${type}: say here what its marker is`)
  }
}

/** Writes a marker into every personal column of the rows that are named by table; all rows of a table where it says `true`. */
export async function markRows(
  databaseUrl: string,
  rows: Partial<Record<TableName, string | true>>,
): Promise<Marker[]> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    await client.query('SET session_replication_role = replica')
    const markers: Marker[] = []
    for (const table of tables.filter((name) => personalFields(name).length > 0)) {
      const { rows: types } = await client.query<{ name: string; type: string }>(
        'SELECT column_name AS name, data_type AS type FROM information_schema.columns WHERE table_name = $1',
        [table],
      )
      const typeOf = new Map(types.map(({ name, type }) => [name, type]))
      const assignments: string[] = []
      for (const [name, column] of columnsOf(table, (dataClass) => dataClass === 'personal')) {
        const value = valueFor(typeOf.get(name) ?? 'missing', markers.length)
        if (value === undefined) continue
        assignments.push(`${name} = '${value.sql}'`)
        markers.push({ table, field: toCamelCase(name), value: value.json, hidden: column.api === false })
      }
      const which = rows[table]
      if (which === undefined || assignments.length === 0) continue
      const where = which === true ? 'true' : `id = '${which}'`
      const { rowCount } = await client.query(`UPDATE ${table} SET ${assignments.join(', ')} WHERE ${where}`)
      if (rowCount === 0) throw new Error(`no row of ${table} was marked`)
    }
    return markers
  } finally {
    await client.end()
  }
}
