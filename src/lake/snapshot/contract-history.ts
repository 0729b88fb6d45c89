import { type ExportColumn, type TableContract, versionName } from '../contract.ts'
import type { Column, Dataset, PgType } from '../datasets.ts'
import type { Manifest, ManifestColumn, ManifestTable } from '../manifest.ts'
import { type Amendment, forgottenVersion, newMeaning } from './contract-amendment.ts'
import { formerType } from './former-type.ts'

/** What the next snapshot changes of a lake table, against the last published one. */
export interface TableDifference {
  readonly table: string
  /** Fingerprint in the last snapshot; null where it had no such table. */
  readonly from: string | null
  /** Fingerprint of the contract; null where the table is not written any more. */
  readonly to: string | null
  readonly added: readonly { readonly name: string; readonly type: string }[]
  readonly removed: readonly { readonly name: string; readonly type: string }[]
  readonly retyped: readonly { readonly name: string; readonly from: string; readonly to: string }[]
}

const typed = ({ name, athena_type: type }: ManifestColumn) => ({ name, type })

function difference(table: string, before?: ManifestTable, after?: TableContract): TableDifference {
  const old = new Map(before?.columns.map((column) => [column.name, column]))
  const now = new Map(after?.columns.map((column) => [column.name, column]))
  return {
    table,
    from: before?.fingerprint ?? null,
    to: after?.fingerprint ?? null,
    added: [...now.values()].filter((c) => !old.has(c.name)).map((c) => ({ name: c.name, type: c.athenaType })),
    removed: [...old.values()].filter((c) => !now.has(c.name)).map(typed),
    retyped: [...now.values()].flatMap(({ name, athenaType: to }) => {
      const from = old.get(name)?.athena_type ?? to
      return from === to ? [] : [{ name, from, to }]
    }),
  }
}

/** Tables whose contract is not the one of the last snapshot. */
export function tableDifferences(
  contracts: readonly TableContract[],
  previous: Manifest | undefined,
): TableDifference[] {
  const written = contracts.filter((contract) => !contract.retired)
  const before = new Map(previous?.tables.map((table) => [table.name, table]))
  const names = new Set([...written.map((contract) => contract.name), ...before.keys()])
  return [...names]
    .map((name) => {
      const contract = written.find((each) => each.name === name)
      return difference(name, before.get(name), contract)
    })
    .filter((each) => each.from !== each.to)
}

export interface HistoryFinding {
  readonly text: string
  readonly amend: Amendment
}

/** Within a version the columns of the last snapshot stay, in their order and with their types; new ones come after them. */
function orderFinding(contract: TableContract, previous: Manifest | undefined): HistoryFinding | undefined {
  const before = previous?.tables.find((table) => table.name === contract.name)
  const at = before?.columns.findIndex((old, i) => {
    const now = contract.columns[i]
    return now?.name !== old.name || now.athenaType !== old.athena_type
  })
  if (before === undefined || at === undefined || at < 0) return undefined
  const old = before.columns[at]
  const now = contract.columns[at]
  const is = now ? `${now.name} ${now.athenaType}` : 'gone'
  return {
    text:
      `${contract.table}: column ${at + 1} of ${contract.name} was ${old?.name} ${old?.athena_type} in snapshot ` +
      `${previous?.snapshot_id} and is ${is}; append columns at the end, or set version: ${contract.version + 1}`,
    amend: forgottenVersion(contract.version, columnsOf(contract, before)),
  }
}

/** Columns of a version that was published, as far as the contract still makes them; of the others only the type is left. */
function columnsOf(contract: TableContract, published: ManifestTable): Record<string, Column> {
  const columns: Record<string, Column> = {}
  for (const old of published.columns) {
    const known = contract.columns.find(({ name }) => name === old.name)
    const source = known === undefined ? undefined : contract.entry.columns[known.source]
    const sameMeaning = known?.action === old.action ? known : undefined
    const same = sameMeaning?.athenaType === old.athena_type
    if (known && source && same && !Array.isArray(source.lake)) columns[known.source] = source
    else columns[old.name] = fromManifest(old, sameMeaning, contract.version)
  }
  return columns
}

/** Types of contracts as Postgres writes them. */
const written = (pgType: PgType) => (pgType === 'timestamptz(3)' ? 'timestamp(3) with time zone' : pgType)

function fromManifest(old: ManifestColumn, known: ExportColumn | undefined, version: number): Column {
  const pgType = (old.pg_type === 'enum' ? 'text' : old.pg_type) as PgType
  const athenaType = old.athena_type as ExportColumn['athenaType']
  const action = old.action as ExportColumn['action']
  const made = known && (known.athenaType === athenaType ? known : formerType(known.sql, written(known.pgType), pgType))
  const { sql } = made ?? { sql: `NULL::${pgType}` }
  const facts = { class: old.class as Column['class'], api: false as const, nullable: true as const }
  const lost = known === undefined ? { deprecatedIn: version } : {}
  const reason = old.class === 'personal' ? { reason: 'as it was published before' } : {}
  return {
    ...{ ...facts, ...lost, ...reason },
    lake: [{ as: old.name, sql, pgType: made?.pgType ?? pgType, athenaType, action, nullable: true }],
  }
}

/** Versions of a lake table that live snapshots hold without holding the current one. */
function neededVersions(contract: TableContract, live: readonly Manifest[]): Map<number, Manifest> {
  const needed = new Map<number, Manifest>()
  for (const manifest of live) {
    if (manifest.tables.some((table) => table.name === contract.name)) continue
    for (let version = 1; version < contract.version; version++) {
      const name = versionName(contract.lakeTable, version)
      if (manifest.tables.some((table) => table.name === name)) needed.set(version, manifest)
    }
  }
  return needed
}

/** A new version replaces the old one only when no live snapshot is left that holds nothing but the old one. */
export function versionFindings(
  contract: TableContract,
  contracts: readonly TableContract[],
  live: readonly Manifest[],
): { findings: HistoryFinding[]; notes: string[] } {
  if (contract.earlier || contract.retired) return { findings: [], notes: [] }
  const needed = neededVersions(contract, live)
  const written = contracts.filter((each) => each.earlier && each.lakeTable === contract.lakeTable)
  const findings = [...needed].flatMap(([version, { snapshot_id: id, tables }]): HistoryFinding[] => {
    if (written.some((each) => each.version === version)) return []
    const name = versionName(contract.lakeTable, version)
    const table = tables.find((each) => each.name === name)
    if (table === undefined) return []
    const text = `${contract.table}: ${name} is left out, and snapshot ${id} holds nothing newer; both are written until it has expired`
    return [{ text, amend: forgottenVersion(version, columnsOf(contract, table)) }]
  })
  const seen = live.at(-1)?.tables.some((table) => table.name === contract.name) === true
  const notes = written
    .filter((each) => seen && !needed.has(each.version))
    .map((each) => `${each.name} may leave datasets.ts: every live snapshot holds ${contract.name}`)
  return { findings, notes }
}

function holdsValues(table: ManifestTable | undefined, column: string): boolean {
  if (table === undefined || !table.columns.some((each) => each.name === column)) return false
  return table.files.some((file) => (file.columns[column]?.nulls ?? 0) < file.rows)
}

/** Of deprecated columns and retired tables: whether the last snapshot that holds them has expired. */
export function leavingNotes(contract: TableContract, live: readonly Manifest[]): string[] {
  const last = (holds: (table: ManifestTable | undefined) => boolean) =>
    live.findLast((manifest) => holds(manifest.tables.find((table) => table.name === contract.name)))
  const notes = contract.columns.flatMap((column): string[] => {
    if (column.about?.deprecatedIn === undefined || contract.retired || contract.earlier) return []
    const holder = last((table) => holdsValues(table, column.name))
    const name = `${contract.name}.${column.name}`
    if (holder === undefined)
      return [`${name} may leave with version ${contract.version + 1}: no live snapshot holds a value`]
    return [`${name} is deprecated and stays: snapshot ${holder.snapshot_id} holds values`]
  })
  if (!contract.retired) return notes
  const holder = last((table) => table !== undefined)
  const text =
    holder === undefined
      ? `${contract.name} is retired and its entry may leave datasets.ts, and then its table and views may be dropped: no live snapshot holds it`
      : `${contract.name} is retired and not written; snapshot ${holder.snapshot_id} still holds it`
  return [text]
}

/** What changes for readers without being refused: new tables and columns. */
export function additions(differences: readonly TableDifference[], previous: Manifest | undefined): string[] {
  if (previous === undefined) return []
  return differences.flatMap(({ table, from, to, added }) => {
    if (to === null) return []
    if (from === null) return [`${table}: new table`]
    return added.map(({ name, type }) => `${table}: new column ${name} ${type}`)
  })
}

function columnsBefore({ name, columns }: TableContract, previous: Manifest | undefined) {
  const before = previous?.tables.find((table) => table.name === name)
  return columns.flatMap((column) => {
    const old = before?.columns.find((each) => each.name === column.name)
    return old === undefined ? [] : [{ column, old }]
  })
}

/** Columns of another class than in the last snapshot: their values are the same ones. */
export function classNotes(contract: TableContract, previous: Manifest | undefined): string[] {
  return columnsBefore(contract, previous).flatMap(({ column, old }) =>
    old.class === column.class ? [] : [`${contract.name}.${column.name} was ${old.class} and is ${column.class}`],
  )
}

/**
 * Columns of another action than in the last snapshot: under the same name their values mean something else, and nothing that joins or
 * compares two snapshots would tell. So the version ends with them.
 */
function meaningFindings(contract: TableContract, previous: Manifest | undefined): HistoryFinding[] {
  return columnsBefore(contract, previous).flatMap(({ column, old }): HistoryFinding[] => {
    if (old.action === column.action) return []
    const way = contract.earlier
      ? `version ${contract.version} was published with it and keeps it`
      : `its values mean something else: give it another name, or set version: ${contract.version + 1}`
    return [
      {
        text: `${contract.table}.${column.source}: ${column.name} was ${ACTED[old.action] ?? old.action} in snapshot ${previous?.snapshot_id} and is ${ACTED[column.action]}; ${way}`,
        amend: newMeaning(contract, column, {
          class: old.class as Column['class'],
          action: old.action as ExportColumn['action'],
        }),
      },
    ]
  })
}

/** What a version may not change of what was published under it. */
export function publishedFindings(contract: TableContract, previous: Manifest | undefined): HistoryFinding[] {
  const order = orderFinding(contract, previous)
  const meaning = meaningFindings(contract, previous)
  if (order === undefined) return meaning
  // The version that comes back for the order has all columns as they were published.
  return [order, ...meaning.map(({ text }) => ({ text, amend: (entry: Dataset) => entry }))]
}

const ACTED: Readonly<Record<string, string>> = {
  include: 'included as it is',
  pseudonymise: 'pseudonymised',
  generalise: 'generalised',
}

/** Tables that live snapshots hold and that no entry explains any more: nobody would hear that they are not written. */
export function forgottenTables(contracts: readonly TableContract[], live: readonly Manifest[]): string[] {
  const known = new Set(
    contracts.flatMap(({ lakeTable, version }) =>
      Array.from({ length: version }, (_, i) => versionName(lakeTable, i + 1)),
    ),
  )
  const holders = new Map(live.flatMap(({ snapshot_id: id, tables }) => tables.map(({ name }) => [name, id] as const)))
  return [...holders].flatMap(([name, id]) => {
    if (known.has(name)) return []
    const newer = contracts.find(
      ({ lakeTable }) => /^_v\d+$/.test(name.slice(lakeTable.length)) && name.startsWith(lakeTable),
    )
    const way = newer
      ? `datasets.ts knows ${newer.lakeTable} up to version ${newer.version} only; a version is never written again under a number that is below it`
      : 'no entry of datasets.ts makes it; an entry stays, with retired: true, until the last snapshot that holds it has expired'
    return [`${name}: snapshot ${id} holds it, and ${way}`]
  })
}
