import type pg from 'pg'
import { type ExportColumn, quoteIdentifier, type TableContract } from '../contract.ts'
import type { Dataset } from '../datasets.ts'
import { LakeProblem } from '../lake-problem.ts'
import type { Manifest } from '../manifest.ts'
import {
  type Amendment,
  asExported,
  goneColumn,
  keptType,
  newType,
  retiredTable,
  sameFileType,
  unknownColumn,
} from './contract-amendment.ts'
import {
  additions,
  classNotes,
  forgottenTables,
  leavingNotes,
  publishedFindings,
  type TableDifference,
  tableDifferences,
  versionFindings,
} from './contract-history.ts'
import { literal, type Patch, patchesOf, patchText } from './contract-patch.ts'
import {
  athenaTypeOf,
  type DatabaseColumn,
  databaseColumns,
  type ExpressionType,
  expressionTypes,
  pgTypeOf,
} from './database-columns.ts'

/** What the gate found. `breaking` stops the run; the others are logged and shown by a dry run. */
export interface GateReport {
  /** `equal`: readers see what they saw. `additive`: more than that. `breaking`: no snapshot is taken. */
  readonly outcome: 'equal' | 'additive' | 'breaking'
  readonly breaking: readonly string[]
  readonly additive: readonly string[]
  readonly notes: readonly string[]
  /** What `datasets.ts` needs so that nothing is breaking any more. */
  readonly patches: readonly Patch[]
  /** Tables that the next snapshot writes differently than the last one. */
  readonly differences: readonly TableDifference[]
  /** The contracts that are written, with columns that the database allows to be NULL marked so. */
  readonly contracts: readonly TableContract[]
}

/** Something that stops the run, and the change of `datasets.ts` that lets it pass. */
interface Finding {
  readonly text: string
  readonly amend: Amendment
}

/** Columns of the database that no version of the entry knows, and columns of the contract that the database lacks. */
function columnFindings(contract: TableContract, actual: readonly DatabaseColumn[]): Finding[] {
  const { table } = contract
  const present = new Set(actual.map((column) => column.column))
  const unknown = contract.earlier ? [] : actual.filter(({ column }) => !(column in contract.entry.columns))
  const sources = contract.earlier
    ? contract.columns.filter((column) => column.sql === quoteIdentifier(column.source)).map((column) => column.source)
    : Object.keys(contract.entry.columns)
  const exported = (name: string) => contract.columns.filter((column) => column.source === name)
  const kept = (name: string) =>
    exported(name).length > 0 && exported(name).every((column) => column.about?.deprecatedIn !== undefined)
  return [
    ...unknown.map((column) => ({
      text: `${table}.${column.column} (${column.type}) has no entry, so nobody has said whether it may leave; ${choice(column)}`,
      amend: unknownColumn(column),
    })),
    ...sources
      .filter((name) => !present.has(name) && !kept(name))
      .map((name) => {
        const way = exported(name).length > 0 ? 'it stays as a typed NULL' : 'nothing of it is exported, its entry goes'
        const text = `${table}.${name} is in datasets.ts and not in the database; ${way}. Was it renamed? The new column says renamedFrom: '${name}'`
        return { text, amend: goneColumn(name) }
      }),
  ]
}

function choice(column: DatabaseColumn): string {
  const exported = asExported(column)
  if (exported === undefined) return `no lake type holds ${column.type}: drop it, or give sql that makes another type`
  return `withheld as below, or exported: ${column.column}: ${literal(exported)}`
}

/** What the expressions of a contract are in the database, against what the contract says they are. */
async function typeFindings(
  client: pg.Client,
  contract: TableContract,
  present: ReadonlySet<string>,
): Promise<Finding[]> {
  const expressions = contract.columns.map((column) => column.sql)
  const types = await expressionTypes(client, quoteIdentifier(contract.table), expressions)
  return contract.columns.flatMap((column, i): Finding[] => {
    const found = types[i]
    if (found === undefined) return []
    const plain = column.sql === quoteIdentifier(column.source)
    // A column that is gone has been told already.
    const gone = !present.has(column.source) && column.about?.deprecatedIn === undefined
    if (gone && (plain || !contract.earlier)) return []
    const finding = typeFinding(contract, column, found, plain)
    return finding === undefined ? [] : [finding]
  })
}

function typeFinding(
  contract: TableContract,
  column: ExportColumn,
  found: ExpressionType,
  plain: boolean,
): Finding | undefined {
  const where = `${contract.table}.${column.source}: ${column.name}`
  if ('sqlState' in found) {
    const text = `${where} cannot be read (SQLSTATE ${found.sqlState}); its expression in datasets.ts does not fit the database`
    return { text, amend: keptType(contract.version, column, undefined) }
  }
  const { type } = found
  const pgType = pgTypeOf(type)
  if (pgType === column.pgType) return undefined
  const is = `${where} is ${type} in the database and ${column.pgType} in datasets.ts`
  if (pgType === undefined) {
    const text = `${is}; the lake has no such type, so the database or sql must say ${column.pgType}`
    return { text, amend: keptType(contract.version, column, type) }
  }
  if (!plain || contract.earlier || column.action !== 'include') {
    return { text: `${is}; its expression must make the type`, amend: keptType(contract.version, column, type) }
  }
  if (athenaTypeOf(pgType) === column.athenaType) {
    return { text: `${is}; the files hold ${column.athenaType} as before`, amend: sameFileType(column, pgType) }
  }
  const text = `${is}; a changed type needs a new contract version (version: ${contract.version + 1})`
  return { text, amend: newType(column, type, pgType) }
}

/** Labels of an enum that one side has and the other lacks: readers see text, so nothing breaks. */
function labelNotes(contract: TableContract, actual: readonly DatabaseColumn[]): string[] {
  return contract.columns.flatMap((column) => {
    const labels = actual.find((each) => each.column === column.source)?.labels ?? []
    if (column.pgType !== 'enum' || labels.length === 0) return []
    const known = column.about?.values ?? []
    const added = labels.filter((label) => !known.includes(label))
    const gone = known.filter((label) => !labels.includes(label))
    const name = `${contract.table}.${column.source}`
    return [
      ...added.map((label) => `${name} may be ${label}; its values in datasets.ts do not say so`),
      ...gone.map((label) => `${name} is never ${label} any more; its values in datasets.ts say it may be`),
    ]
  })
}

/** NOT NULL may come and go in the database: the file's columns are all optional, the encoder only wants to know. */
function withDatabaseNulls(
  contract: TableContract,
  actual: readonly DatabaseColumn[],
): { contract: TableContract; notes: string[] } {
  const notNull = new Map(actual.map((column) => [column.column, column.notNull]))
  const notes: string[] = []
  const columns = contract.columns.map((column): ExportColumn => {
    const name = `${contract.table}.${column.source}`
    const strict = notNull.get(column.source)
    if (strict === true && column.nullable && column.sql === quoteIdentifier(column.source)) {
      notes.push(`${name} is never NULL in the database and may be in datasets.ts`)
    }
    if (column.nullable || column.action === 'generalise' || strict !== false) return column
    notes.push(`${name} may be NULL in the database and not in datasets.ts`)
    return { ...column, nullable: true }
  })
  return { contract: { ...contract, columns }, notes }
}

/** Applies the amendments table by table and tells what has changed, piece by piece. */
function patchesFor(findings: ReadonlyMap<string, readonly Finding[]>, entries: ReadonlyMap<string, Dataset>): Patch[] {
  return [...findings].flatMap(([table, all]) => {
    const entry = entries.get(table)
    if (entry === undefined) return []
    return patchesOf(
      table,
      entry,
      all.reduce((changed, finding) => finding.amend(changed), entry),
    )
  })
}

/**
 * Compares the database and the live snapshots with the contracts; reads the catalogue only. Runs before the snapshot's
 * transaction: until the locks of COPY are held, a change in between is found by the COPY itself.
 *
 * @param live manifests of the published snapshots, oldest first
 */
export async function contractReport(
  client: pg.Client,
  contracts: readonly TableContract[],
  live: readonly Manifest[],
): Promise<GateReport> {
  const previous = live.at(-1)
  const columns = await databaseColumns(client, [...new Set(contracts.map((contract) => contract.table))])
  const findings = new Map<string, Finding[]>()
  const notes: string[] = []
  const written: TableContract[] = []
  for (const contract of contracts) {
    const { table } = contract
    const actual = columns.filter((column) => column.table === table)
    notes.push(...leavingNotes(contract, live))
    if (contract.retired) continue
    const found = findings.get(table) ?? []
    findings.set(table, found)
    if (actual.length === 0) {
      const text = `${table}: the table is not in the database; retire its entry in datasets.ts first`
      if (found.length === 0) found.push({ text, amend: retiredTable })
      continue
    }
    const versions = versionFindings(contract, contracts, live)
    found.push(...columnFindings(contract, actual), ...publishedFindings(contract, previous), ...versions.findings)
    found.push(...(await typeFindings(client, contract, new Set(actual.map((column) => column.column)))))
    const nulls = withDatabaseNulls(contract, actual)
    written.push(nulls.contract)
    notes.push(...versions.notes, ...nulls.notes, ...labelNotes(contract, actual), ...classNotes(contract, previous))
  }
  const breaking = [...findings.values()].flat().map((finding) => finding.text)
  breaking.push(...forgottenTables(contracts, live))
  const differences = tableDifferences(contracts, previous)
  const additive = additions(differences, previous)
  return {
    outcome: breaking.length > 0 ? 'breaking' : additive.length > 0 ? 'additive' : 'equal',
    breaking: [...new Set(breaking)],
    additive,
    notes: [...new Set(notes)],
    patches: patchesFor(findings, new Map(contracts.map((contract) => [contract.table, contract.entry]))),
    differences,
    contracts: written,
  }
}

/** @throws LakeProblem `contract_breaking` naming every table and column, and printing what datasets.ts needs. */
export function assertNotBreaking(report: GateReport): void {
  if (report.breaking.length === 0) return
  const patch = report.patches.map(patchText).join('\n')
  const way = patch === '' ? '' : `\nThis lets it pass:\n${patch}`
  throw new LakeProblem(
    'contract_breaking',
    `The database does not match the contract of the lake:\n  ${report.breaking.join('\n  ')}${way}`,
    { findings: report.breaking.length, patch },
  )
}
