/** Statements that the catalogue answers. Each gives lines; their columns are told beside them. */

import { AwsError, type JsonObject, type WireTable } from '../../ports.ts'
import { columnInfo } from '../catalogue/hive-trino.ts'
import { decodeView, isView, viewTableInput } from '../catalogue/presto-view.ts'
import { VARCHAR } from '../dialect/trino-type.ts'
import { QueryFailure } from '../failure.ts'
import { type DdlContext, getDatabase, getTable } from './ddl-context.ts'
import { addPartitions, dropPartitions, repair } from './partitions.ts'
import { createTableText } from './show-create.ts'
import type { Statement, TableName } from './statement.ts'
import { tableInputOf } from './table-input.ts'

export interface Lines {
  readonly columns: readonly JsonObject[]
  readonly lines: readonly string[]
}

export const one = (name: string): JsonObject[] => [columnInfo(name, VARCHAR)].map((c) => ({ ...c, Type: 'string' }))
const NOTHING: Lines = { columns: [], lines: [] }

/** Hive's patterns: `*` any text, `|` or; without regard to case. */
function matching(names: readonly string[], pattern: string | undefined): string[] {
  if (pattern === undefined) return [...names]
  const re = new RegExp(`^(?:${pattern.replace(/[.+?^${}()[\]\\]/g, '\\$&').replaceAll('*', '.*')})$`, 'i')
  return names.filter((n) => re.test(n))
}

export async function runDdl(s: Statement, c: DdlContext): Promise<Lines> {
  switch (s.kind) {
    case 'showDatabases':
      return {
        columns: one('database_name'),
        lines: matching(
          c.catalogue.databases().map((d) => d.Name!),
          s.pattern,
        ),
      }
    case 'showTables':
      return {
        columns: one('tab_name'),
        lines: matching(
          c.catalogue.tables(getDatabase(c, s.database)).map((t) => t.Name!),
          s.pattern,
        ),
      }
    case 'showViews':
      return {
        columns: one('views'),
        lines: matching(
          c.catalogue
            .tables(getDatabase(c, s.database))
            .filter(isView)
            .map((t) => t.Name!),
          s.pattern,
        ),
      }
    case 'showColumns': {
      const t = getTable(c, s.name)
      return {
        columns: one('field'),
        lines: [...(t.StorageDescriptor?.Columns ?? []), ...(t.PartitionKeys ?? [])].map((x) => x.Name!),
      }
    }
    case 'showPartitions':
      return { columns: one('partition'), lines: showPartitions(c, s.name) }
    case 'showCreateTable':
      return { columns: one('createtab_stmt'), lines: createTableText(getTable(c, s.name)).split('\n') }
    case 'showCreateView': {
      const t = getTable(c, s.name)
      if (!isView(t)) throw new QueryFailure('NOT_SUPPORTED', `Relation '${t.Name}' is a table, not a view`)
      return {
        columns: one('Create View'),
        lines: [`CREATE VIEW ${t.DatabaseName}.${t.Name} AS`, ...decodeView(t, t.Name!).sql.split('\n')],
      }
    }
    case 'showProperties':
      return { columns: one('prpt_name'), lines: showProperties(getTable(c, s.name), s.key) }
    case 'describe':
      return describe(getTable(c, s.name))
    default:
      await change(s, c)
      return s.kind === 'repair' ? { columns: one('result'), lines: await repair(c, getTable(c, s.name)) } : NOTHING
  }
}

function showPartitions(c: DdlContext, name: TableName): string[] {
  const t = getTable(c, name)
  const keys = t.PartitionKeys ?? []
  if (keys.length === 0) throw new QueryFailure('GENERIC_USER_ERROR', `Table ${t.Name} is not a partitioned table`)
  return c.catalogue
    .partitions(t.DatabaseName!, t.Name!)
    .map((p) => (p.Values ?? []).map((v, i) => `${keys[i]!.Name}=${v}`).join('/'))
    .sort()
}

function showProperties(t: WireTable, key: string | undefined): string[] {
  const all = t.Parameters ?? {}
  if (key !== undefined)
    return [key in all ? `${key}\t${all[key]}` : `Table ${t.DatabaseName}.${t.Name} does not have property: ${key}`]
  return Object.entries(all)
    .sort()
    .map(([k, v]) => `${k}\t${v}`)
}

/** Three columns, each row one text of three padded parts; the partition keys stand a second time below a heading. */
function describe(t: WireTable): Lines {
  const line = (x: { Name?: string | undefined; Type?: string | undefined; Comment?: string | undefined }) =>
    [x.Name, x.Type, x.Comment ?? ''].map((v) => (v ?? '').padEnd(20)).join('\t')
  const keys = t.PartitionKeys ?? []
  const lines = [...(t.StorageDescriptor?.Columns ?? []), ...keys].map(line)
  if (keys.length > 0)
    lines.push(
      '\t \t ',
      '# Partition Information\t \t ',
      `${['# col_name', 'data_type', 'comment'].map((v) => v.padEnd(20)).join('\t')}`,
      '\t \t ',
      ...keys.map(line),
    )
  return { columns: ['col_name', 'data_type', 'comment'].map((n) => one(n)[0]!), lines }
}

async function change(s: Statement, c: DdlContext): Promise<void> {
  const { catalogue } = c
  const unless = async (tolerated: string | undefined, work: () => Promise<unknown>) => {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof AwsError && error.code === tolerated)) throw error
    }
  }
  switch (s.kind) {
    case 'createDatabase':
      await unless(s.ifNotExists ? 'AlreadyExistsException' : undefined, () =>
        catalogue.call('CreateDatabase', {
          DatabaseInput: {
            Name: s.name,
            Parameters: { ...s.properties },
            ...(s.comment === undefined ? {} : { Description: s.comment }),
            ...(s.location === undefined ? {} : { LocationUri: s.location }),
          },
        }),
      )
      return
    case 'dropDatabase': {
      if (catalogue.database(s.name) === undefined) {
        if (s.ifExists) return
        throw new QueryFailure('SCHEMA_NOT_FOUND', `Schema '${s.name}' does not exist`)
      }
      const tables = catalogue.tables(s.name)
      if (tables.length > 0 && !s.cascade)
        throw new QueryFailure('SCHEMA_NOT_EMPTY', `Cannot drop non-empty schema '${s.name}'; use CASCADE`)
      await catalogue.call('DeleteDatabase', { Name: s.name })
      return
    }
    case 'createTable': {
      const database = getDatabase(c, s.name.database)
      await unless(s.ifNotExists ? 'AlreadyExistsException' : undefined, () =>
        catalogue.call('CreateTable', { DatabaseName: database, TableInput: tableInputOf(s) }),
      )
      return
    }
    case 'createView':
      return await createView(s, c)
    case 'dropTable':
    case 'dropView': {
      const database = getDatabase(c, s.name.database)
      const t = catalogue.table(database, s.name.table)
      if (t === undefined) {
        if (s.ifExists) return
        throw new QueryFailure(
          'TABLE_NOT_FOUND',
          `${s.kind === 'dropView' ? 'View' : 'Table'} 'awsdatacatalog.${database}.${s.name.table}' does not exist`,
        )
      }
      if (isView(t) !== (s.kind === 'dropView'))
        throw new QueryFailure(
          isView(t) ? 'TABLE_NOT_FOUND' : 'TABLE_NOT_FOUND',
          `'${database}.${s.name.table}' is ${isView(t) ? 'a view, not a table' : 'a table, not a view'}`,
        )
      await catalogue.call('DeleteTable', { DatabaseName: database, Name: s.name.table })
      return
    }
    case 'addPartitions':
      return await addPartitions(c, getTable(c, s.name), s.partitions, s.ifNotExists)
    case 'dropPartitions':
      return await dropPartitions(c, getTable(c, s.name), s.partitions, s.ifExists)
    case 'addColumns':
    case 'setProperties': {
      const t = getTable(c, s.name)
      await catalogue.call('UpdateTable', {
        DatabaseName: t.DatabaseName,
        TableInput:
          s.kind === 'addColumns'
            ? withColumns(t, s.columns)
            : { ...inputOf(t), Parameters: { ...t.Parameters, ...s.properties } },
      })
      return
    }
    case 'repair':
      return
    default:
      throw new QueryFailure(
        'NOT_SUPPORTED',
        `${s.kind === 'unsupported' ? s.what : s.kind} is not supported by the local engine`,
      )
  }
}

const INPUT_FIELDS = [
  'Name',
  'Description',
  'Owner',
  'LastAccessTime',
  'Retention',
  'StorageDescriptor',
  'PartitionKeys',
  'ViewOriginalText',
  'ViewExpandedText',
  'TableType',
  'Parameters',
  'TargetTable',
] as const

/** A Table as the TableInput that would write it again. */
const inputOf = (t: WireTable): JsonObject =>
  Object.fromEntries(INPUT_FIELDS.flatMap((f) => (t[f] === undefined ? [] : [[f, t[f]]])))

function withColumns(t: WireTable, columns: readonly { Name: string }[]): JsonObject {
  const known = new Set([...(t.StorageDescriptor?.Columns ?? []), ...(t.PartitionKeys ?? [])].map((x) => x.Name))
  const twice = columns.find((x) => known.has(x.Name))
  if (twice !== undefined) throw new QueryFailure('COLUMN_ALREADY_EXISTS', `Column '${twice.Name}' already exists`)
  return {
    ...inputOf(t),
    StorageDescriptor: { ...t.StorageDescriptor, Columns: [...(t.StorageDescriptor?.Columns ?? []), ...columns] },
  }
}

async function createView(s: Statement & { kind: 'createView' }, c: DdlContext): Promise<void> {
  const database = getDatabase(c, s.name.database)
  const existing = c.catalogue.table(database, s.name.table)
  if (existing !== undefined && !isView(existing))
    throw new QueryFailure('ALREADY_EXISTS', `Table already exists: ${database}.${s.name.table}`)
  if (existing !== undefined && !s.replace)
    throw new QueryFailure('ALREADY_EXISTS', `View already exists: ${database}.${s.name.table}`)
  const columns = await c.typesOf(s.sql)
  const anonymous = columns.findIndex((x) => /^_col\d+$/.test(x.name))
  if (anonymous >= 0)
    throw new QueryFailure('MISSING_COLUMN_NAME', `Column name not specified at position ${anonymous + 1}`)
  const twice = columns.find((x, i) => columns.findIndex((y) => y.name.toLowerCase() === x.name.toLowerCase()) < i)
  if (twice !== undefined)
    throw new QueryFailure('DUPLICATE_COLUMN_NAME', `Column name '${twice.name}' specified more than once`)
  const input = viewTableInput(s.name.table, c.database, s.sql.trim(), columns)
  await c.catalogue.call(existing === undefined ? 'CreateTable' : 'UpdateTable', {
    DatabaseName: database,
    TableInput: input,
  })
}
