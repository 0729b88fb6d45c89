import type pg from 'pg'
import { type Column, datasets, type TableName } from '../../src/lake/datasets.ts'

/** What occurs nowhere but in the columns that were marked. */
export const MARKER = 'zqmark'
const MARKED_TIME = '2011-11-11T11:11:11.111Z'
const MARKED_DATE = '1977-07-07'

interface DatabaseColumn {
  readonly name: string
  readonly type: string
  readonly enumLabel: string | null
  readonly required: boolean
}

const tables = Object.keys(datasets) as TableName[]

/** May a value of this column never leave as it is? Personal and secret ones, and whatever an exported table drops. */
function isWithheld(table: TableName, { class: dataClass, lake }: Column): boolean {
  if (lake === 'include') return false
  const inLake = datasets[table].lakeTable !== null
  return dataClass === 'personal' || dataClass === 'secret' || (inLake && lake === 'drop')
}

export function withheldColumns(table: TableName): string[] {
  return Object.entries<Column>(datasets[table].columns)
    .filter(([, column]) => isWithheld(table, column))
    .map(([name]) => name)
}

async function databaseColumns(client: pg.Client, table: string): Promise<DatabaseColumn[]> {
  const { rows } = await client.query<DatabaseColumn>(
    `SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type, a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS required,
            (SELECT e.enumlabel FROM pg_enum e WHERE e.enumtypid = a.atttypid ORDER BY e.enumsortorder LIMIT 1) AS "enumLabel"
       FROM pg_attribute a WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped`,
    [table],
  )
  return rows
}

/** SQL of a value that says its column; undefined for types whose values are no use to anybody alone. */
function marked(type: string, column: string): string | undefined {
  const text = `'${MARKER}.${column}.' || substr(md5(ctid::text), 1, 8) || '@example.net'`
  switch (type) {
    case 'text':
      return text
    case 'jsonb':
      return `jsonb_build_object('text', ${text})`
    case 'bytea':
      return `convert_to(${text}, 'UTF8')`
    case 'date':
      return `DATE '${MARKED_DATE}'`
    case 'timestamp with time zone':
      return `TIMESTAMPTZ '${MARKED_TIME}'`
    case 'uuid':
    case 'numeric':
      return undefined
    default:
      throw new Error(`${column} is withheld and of the type ${type}: say here what its marker is`)
  }
}

/** Anything that a column must have. */
function filler({ type, enumLabel, name }: DatabaseColumn): string {
  if (enumLabel !== null) return `'${enumLabel}'`
  if (type.endsWith('[]')) return `'{}'`
  const fillers: Readonly<Record<string, string>> = {
    text: `'filler'`,
    uuid: 'gen_random_uuid()',
    jsonb: `'{}'`,
    bytea: `'\\x00'`,
    date: `'2020-01-01'`,
    'timestamp with time zone': 'now()',
    boolean: 'false',
  }
  const value = fillers[type] ?? (/int|numeric/.test(type) ? '1' : undefined)
  if (value === undefined) throw new Error(`${name} is of the type ${type}: say here what fills it`)
  return value
}

/** Rules and triggers are no matter here: a marker need not look like an address. */
async function withoutRules(client: pg.Client): Promise<void> {
  await client.query(`SET session_replication_role = replica;
    DO $$ DECLARE c record; BEGIN
      FOR c IN SELECT conrelid::regclass AS relation, conname FROM pg_constraint
                WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.relation, c.conname);
      END LOOP;
    END $$`)
}

/**
 * Writes a marker into every withheld column of every row of the database; a table without rows gets one.
 *
 * @returns the columns that were marked, `table.column`.
 */
export async function markEverything(client: pg.Client): Promise<string[]> {
  await withoutRules(client)
  const done: string[] = []
  for (const table of tables) {
    const withheld = withheldColumns(table)
    if (withheld.length === 0) continue
    const columns = await databaseColumns(client, table)
    const { rowCount } = await client.query(`SELECT FROM ${table} LIMIT 1`)
    if (rowCount === 0) {
      const required = columns.filter((column) => column.required)
      const names = required.map(({ name }) => `"${name}"`).join(', ')
      await client.query(`INSERT INTO ${table} (${names}) VALUES (${required.map(filler).join(', ')})`)
    }
    const assignments = columns.flatMap(({ name, type }) => {
      const value = withheld.includes(name) ? marked(type, `${table}.${name}`) : undefined
      if (value === undefined) return []
      done.push(`${table}.${name}`)
      return [`"${name}" = ${value}`]
    })
    if (assignments.length > 0) await client.query(`UPDATE ${table} SET ${assignments.join(', ')}`)
  }
  return done
}

const micros = (epoch: string) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt(Date.parse(MARKED_TIME) - Date.parse(epoch)) * 1000n)
  return bytes
}

/** Every form in which a marked value could be somewhere: as it is, as hex or base 64, times also as numbers. */
export function markerNeedles(): ReadonlyMap<string, Buffer> {
  const plain = Buffer.from(MARKER)
  const base64 = [0, 1, 2].map((shift) => {
    // The characters that depend on the marker alone, whatever stands before it.
    const text = Buffer.concat([Buffer.alloc(shift), plain])
      .toString('base64')
      .replaceAll('=', '')
    return text.slice(shift === 0 ? 0 : shift + 1, -1)
  })
  const time = String(Date.parse(MARKED_TIME))
  return new Map<string, Buffer>([
    ['the marker', plain],
    ['the marker in hex', Buffer.from(plain.toString('hex'))],
    ...base64.map((text, i): [string, Buffer] => [`the marker in base 64, ${i}`, Buffer.from(text)]),
    ['the date', Buffer.from(MARKED_DATE)],
    ['the time', Buffer.from(MARKED_TIME.slice(0, 10))],
    ['the time in milliseconds', Buffer.from(time)],
    ['the time in microseconds', micros('1970-01-01T00:00:00Z')],
    ['the time as Postgres sends it', micros('2000-01-01T00:00:00Z')],
  ])
}

/** A person's id as text, without dashes, as its bytes, and as base 64 of them. */
export function idNeedles(id: string): Buffer[] {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  return [
    Buffer.from(id),
    Buffer.from(bytes.toString('hex')),
    bytes,
    Buffer.from(bytes.toString('base64').slice(0, 20)),
  ]
}
