import type { Expression } from '../dialect/syntax.ts'

/** Database (absent: that of the session) and table, lower case. */
export interface TableName {
  readonly database?: string
  readonly table: string
}

export interface HiveColumn {
  readonly Name: string
  readonly Type: string
  readonly Comment?: string
}

export interface CreateTable {
  readonly kind: 'createTable'
  readonly name: TableName
  readonly ifNotExists: boolean
  readonly columns: readonly HiveColumn[]
  readonly partitionKeys: readonly HiveColumn[]
  readonly comment?: string
  readonly serde?: string
  readonly serdeProperties: Readonly<Record<string, string>>
  /** PARQUET, TEXTFILE, … of STORED AS. */
  readonly storedAs?: string
  readonly inputFormat?: string
  readonly outputFormat?: string
  readonly delimited?: Readonly<Record<string, string>>
  readonly location: string
  readonly properties: Readonly<Record<string, string>>
}

export interface PartitionSpec {
  readonly values: readonly (readonly [key: string, value: string])[]
  readonly location?: string
}

export type Statement =
  | { readonly kind: 'query'; readonly sql: string }
  | { readonly kind: 'explain'; readonly sql: string }
  | { readonly kind: 'showDatabases'; readonly pattern?: string }
  | { readonly kind: 'showTables' | 'showViews'; readonly database?: string; readonly pattern?: string }
  | {
      readonly kind: 'showColumns' | 'showPartitions' | 'showCreateTable' | 'showCreateView' | 'describe'
      readonly name: TableName
    }
  | { readonly kind: 'showProperties'; readonly name: TableName; readonly key?: string }
  | {
      readonly kind: 'createDatabase'
      readonly name: string
      readonly ifNotExists: boolean
      readonly comment?: string
      readonly location?: string
      readonly properties: Readonly<Record<string, string>>
    }
  | { readonly kind: 'dropDatabase'; readonly name: string; readonly ifExists: boolean; readonly cascade: boolean }
  | CreateTable
  | { readonly kind: 'createView'; readonly name: TableName; readonly replace: boolean; readonly sql: string }
  | { readonly kind: 'dropTable' | 'dropView'; readonly name: TableName; readonly ifExists: boolean }
  | {
      readonly kind: 'addPartitions'
      readonly name: TableName
      readonly ifNotExists: boolean
      readonly partitions: readonly PartitionSpec[]
    }
  | {
      readonly kind: 'dropPartitions'
      readonly name: TableName
      readonly ifExists: boolean
      readonly partitions: readonly PartitionSpec[]
    }
  | { readonly kind: 'addColumns'; readonly name: TableName; readonly columns: readonly HiveColumn[] }
  | { readonly kind: 'setProperties'; readonly name: TableName; readonly properties: Readonly<Record<string, string>> }
  | { readonly kind: 'repair'; readonly name: TableName }
  | { readonly kind: 'prepare'; readonly name: string; readonly sql: string }
  | { readonly kind: 'execute'; readonly name: string; readonly parameters: readonly Expression[] }
  | { readonly kind: 'deallocate'; readonly name: string }
  | { readonly kind: 'unsupported'; readonly what: string; readonly type: 'DDL' | 'DML' }

/** StatementType and SubstatementType of a QueryExecution. */
export function statementTypes(s: Statement): { type: 'DDL' | 'DML' | 'UTILITY'; sub: string } {
  switch (s.kind) {
    case 'query':
    case 'execute':
      return { type: 'DML', sub: 'SELECT' }
    case 'unsupported':
      return { type: s.type, sub: s.what.replaceAll(' ', '_') }
    case 'explain':
      return { type: 'UTILITY', sub: 'EXPLAIN' }
    case 'describe':
      return { type: 'UTILITY', sub: 'DESCRIBE_TABLE' }
    case 'showDatabases':
    case 'showTables':
    case 'showViews':
    case 'showColumns':
    case 'showPartitions':
    case 'showCreateTable':
    case 'showCreateView':
    case 'showProperties':
      return { type: 'UTILITY', sub: s.kind.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase() }
    case 'addPartitions':
    case 'dropPartitions':
    case 'addColumns':
    case 'setProperties':
      return { type: 'DDL', sub: `ALTER_TABLE_${s.kind.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()}` }
    default:
      return { type: 'DDL', sub: s.kind.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase() }
  }
}
