import { type ExportColumn, quoteIdentifier, type TableContract } from '../src/lake/contract.ts'
import type { Column, Dataset } from '../src/lake/datasets.ts'
import { athenaTypeOf } from '../src/lake/snapshot/database-columns.ts'
import type { SchemaColumn } from './prisma-columns.ts'

/** What `datasets.ts` must be like, whatever the database holds, and against the schema of the database. One sentence a breach. */

const NAME = /^[a-z][a-z0-9_]{0,62}$/
/** Reserved in Athena's DDL or SELECT statements (Athena User Guide, "Reserved keywords"). */
const RESERVED: ReadonlySet<string> = new Set(
  `all alter and array as authorization between bigint binary boolean both by case cashe cast char column commit conf constraint
  create cross cube current current_date current_path current_role current_time current_timestamp current_user cursor database date
  dayofweek deallocate decimal delete describe distinct double drop else end escape except execute exists extended external extract
  false fetch first float following for foreign from full function grant group grouping having if import in inner insert int integer
  intersect interval into is join json_array json_exists json_object json_query json_table json_value last lateral left less like
  listagg local localtime localtimestamp macro map more natural none normalize not null numeric of on only or order out outer over
  partialscan partition percent preceding precision prepare preserve primary procedure range reads recursive reduce references regexp
  revoke right rlike rollback rollup row rows select set skip smallint start sync table tablesample then time timestamp to transform
  trigger trim true truncate unbounded unescape union uniquejoin unnest update user using utc_timestamp values varchar views when where
  window with`.split(/\s+/),
)
const PARTITION_KEYS: ReadonlySet<string> = new Set(['snapshot_date', 'snapshot_id'])
const CLASSES: ReadonlySet<string> = new Set(['public', 'internal', 'personal', 'secret'])

function nameBreaches(what: string, name: string): string[] {
  if (!NAME.test(name)) return [`${what}: ${name} must match ${NAME.source}`]
  if (RESERVED.has(name)) return [`${what}: ${name} is a reserved word of Athena; give it another name with \`as\``]
  return PARTITION_KEYS.has(name) ? [`${what}: ${name} is a partition key`] : []
}

function columnBreaches(where: string, { class: dataClass, lake, api, reason }: Column): string[] {
  const breaches: string[] = []
  if (!CLASSES.has(dataClass)) breaches.push(`${where} has no class: one of ${[...CLASSES].join(', ')}`)
  if (dataClass === 'secret' && lake !== 'drop') breaches.push(`${where} is secret, so its lake action must be 'drop'`)
  if (dataClass === 'secret' && api !== false) breaches.push(`${where} is secret, so it must say api: false`)
  const asItIs = lake === 'include' || (Array.isArray(lake) && lake.some((each) => each.action === 'include'))
  if (dataClass === 'personal' && asItIs && !reason?.trim()) {
    breaches.push(`${where} is personal and included as it is, so it needs a reason`)
  }
  return breaches
}

function exportBreaches(contract: TableContract, column: ExportColumn): string[] {
  const where = `${contract.table}.${column.source}`
  const { about = {}, athenaType, name, pgType } = column
  const breaches = nameBreaches(where, name)
  if (athenaType !== athenaTypeOf(pgType)) {
    breaches.push(`${where}: pgType ${pgType} is ${athenaTypeOf(pgType)} in Athena, not ${athenaType}`)
  }
  if (contract.earlier) return breaches
  if (about.description === undefined) breaches.push(`${where}: ${name} needs a description for analysts`)
  if (about.renamedFrom !== undefined && !contract.columns.some((each) => each.name === about.renamedFrom)) {
    breaches.push(`${where}: renamedFrom names ${about.renamedFrom}, which is no column of ${contract.name}`)
  }
  if (about.deprecatedIn !== undefined && about.deprecatedIn > contract.version) {
    breaches.push(`${where}: deprecatedIn ${about.deprecatedIn} is a version that does not exist yet`)
  }
  return breaches
}

function twice(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))]
}

/** Breaches within `datasets.ts` itself. */
export function ownBreaches(entries: Readonly<Record<string, Dataset>>, contracts: readonly TableContract[]): string[] {
  const breaches = Object.entries(entries).flatMap(([table, entry]) => [
    ...Object.entries(entry.columns).flatMap(([name, column]) => columnBreaches(`${table}.${name}`, column)),
    ...(entry.earlier ?? []).flatMap(({ version, columns }) => [
      ...(version < entry.version
        ? []
        : [`${table}: earlier version ${version} is not before version ${entry.version}`]),
      ...Object.entries(columns).flatMap(([name, column]) =>
        columnBreaches(`${table}.${name} of version ${version}`, column),
      ),
    ]),
  ])
  for (const contract of contracts) {
    breaches.push(...nameBreaches(contract.table, contract.name))
    breaches.push(...contract.columns.flatMap((column) => exportBreaches(contract, column)))
    const names = twice(contract.columns.map((column) => column.name))
    breaches.push(...names.map((name) => `${contract.table}: ${contract.name} has two columns ${name}`))
  }
  return [...breaches, ...twice(contracts.map((each) => each.name)).map((name) => `two lake tables are called ${name}`)]
}

/** Breaches against the schema: every column has an entry and every entry its column, with the type that it says. */
export function schemaBreaches(
  entries: Readonly<Record<string, Dataset>>,
  contracts: readonly TableContract[],
  schema: readonly SchemaColumn[],
): string[] {
  const of = (table: string) => schema.filter((column) => column.table === table)
  const tables = [...new Set(schema.map((column) => column.table))]
  const unlisted = tables.filter((table) => !(table in entries)).map((table) => `${table} has no entry`)
  const breaches = Object.entries(entries).flatMap(([table, entry]) => {
    const columns = of(table)
    if (columns.length === 0) return entry.retired ? [] : [`${table}: there is no such table; retire its entry first`]
    return entryBreaches(table, entry, columns)
  })
  const current = contracts.filter((contract) => !contract.earlier && !contract.retired)
  const types = current.flatMap((contract) => typeBreaches(contract, of(contract.table)))
  return [...unlisted, ...breaches, ...types]
}

function entryBreaches(table: string, entry: Dataset, columns: readonly SchemaColumn[]): string[] {
  const present = new Map(columns.map((column) => [column.column, column]))
  const unknown = columns.filter(({ column }) => !(column in entry.columns))
  return [
    ...unknown.map(
      ({ column, type }) =>
        `${table}.${column} (${type}) has no entry, so nobody has said what class it is and whether it may leave; ` +
        `add ${column}: { class: …, lake: … } at the end of ${table}.columns`,
    ),
    ...Object.entries(entry.columns).flatMap(([name, column]) => {
      const found = present.get(name)
      if (column.deprecatedIn !== undefined) return []
      if (found === undefined)
        return [`${table}.${name} is in no table any more; keep it as a typed NULL, or remove it`]
      const nullable = column.nullable === true
      if (found.nullable === nullable) return []
      return [`${table}.${name} may ${found.nullable ? '' : 'not '}be NULL in the database, its entry says otherwise`]
    }),
  ]
}

/** Of columns that are sent as they are; what an expression makes is compared by the gate and by the tests. */
function typeBreaches(contract: TableContract, columns: readonly SchemaColumn[]): string[] {
  return contract.columns.flatMap((column) => {
    const found = columns.find((each) => each.column === column.source)
    const where = `${contract.table}.${column.source}`
    if (found === undefined || column.sql !== quoteIdentifier(column.source)) return []
    if (found.type !== column.pgType) {
      const advice = /^timestamp/.test(found.type) ? '; the lake holds milliseconds in UTC: timestamptz(3)' : ''
      return [`${where} is ${found.type} in the database and ${column.pgType} in its entry${advice}`]
    }
    const values = column.about?.values ?? []
    if (column.pgType !== 'enum' || found.labels.join() === values.join()) return []
    return [`${where} may be ${found.labels.join(', ')}; its values say ${values.join(', ') || 'nothing'}`]
  })
}
