import { QueryFailure } from '../failure.ts'
import type { Expression, Name, Query, WindowSpec } from './syntax.ts'
import { type TrinoType, typeText } from './trino-type.ts'

/** A DuckDB expression with the type Trino would give it. */
export interface Typed {
  readonly sql: string
  readonly type: TrinoType
  /** The value, where it is written in the query. */
  readonly constant?: string | bigint
  /** An instant whose zone is the same in every row. */
  readonly zoned?: boolean
  /** Floating point and certainly not NaN. */
  readonly finite?: boolean
}

/** The key of a table's partitions, in one of the places where a query reads the table. */
export interface PartitionKey {
  /** No row of a partition whose value fails the test can matter. */
  restrict(test: (value: string) => boolean): void
}

export interface Field {
  readonly relation?: string
  /** Lower case. */
  readonly name?: string
  /** As the column is called in a result. */
  readonly label?: string
  readonly type: TrinoType
  readonly sql: string
  /** `"$path"`: found by name, not part of `*`. */
  readonly hidden?: boolean
  /** Set where the value is that of a partition, and rows without it come of that partition alone. */
  readonly keys?: readonly PartitionKey[]
}

export interface OutputColumn {
  readonly name?: string
  readonly type: TrinoType
  /** As of a field. */
  readonly keys?: readonly PartitionKey[]
}

/** What a name in FROM stands for: DuckDB text with columns c0, c1, … */
export interface NamedQuery {
  readonly sql: string
  readonly columns: readonly OutputColumn[]
}

export interface Scope {
  readonly fields: readonly Field[]
  readonly parent?: Scope
  readonly ctes: ReadonlyMap<string, NamedQuery>
}

export interface Context {
  readonly session: Session
  readonly scope: Scope
  /** Parameters of the lambdas around, by name. */
  readonly lambdas: ReadonlyMap<string, Typed>
  readonly clause: string
  /** Aggregates: may stand here, must not, or we are inside of one. */
  readonly aggregates: 'allowed' | 'forbidden' | 'inside'
  readonly windowing: 'allowed' | 'forbidden' | 'inside'
  readonly windows: ReadonlyMap<string, WindowSpec>
}

export interface TableInfo {
  /** How DuckDB finds it. */
  readonly sql: string
  readonly columns: readonly {
    readonly name: string
    readonly type: TrinoType
    readonly hidden?: boolean
    readonly sql?: string
    readonly key?: PartitionKey
  }[]
}

export interface ViewInfo {
  readonly sql: string
  readonly catalog: string
  readonly schema: string
  readonly columns: readonly { readonly name: string; readonly type: TrinoType }[]
}

/** Where the names of tables come from. Throws QueryFailure where a name is wrong. */
export interface TableSource {
  readonly database: string
  resolve(
    name: readonly string[],
    database: string,
  ): { key: string; table: TableInfo } | { key: string; view: ViewInfo }
}

export interface UdfUse {
  readonly sqlName: string
  readonly implementation: string
  readonly parameters: readonly TrinoType[]
  readonly returns: TrinoType
  readonly nullCall: boolean
  /** Inside of TRY: NULL in place of a failure. */
  readonly safe: boolean
}

/** The parts of the analysis that call each other; a session carries them, so that no module needs its own callers. */
export interface Analyzers {
  expression(e: Expression, c: Context): Typed
  query(q: Query, session: Session, outer?: Scope): { readonly sql: string; readonly columns: readonly OutputColumn[] }
}

/** Everything one translation gathers. */
export class Session {
  readonly analyzers: Analyzers
  readonly tables: TableSource
  readonly now: Date
  readonly parameters: readonly Expression[]
  readonly udfs = new Map<string, UdfUse>()
  /** Names of views that are being expanded, outermost first. */
  readonly viewStack: string[] = []
  database: string
  /** Above zero inside of TRY. */
  tryDepth = 0
  /** How many expressions are being analyzed inside of each other. */
  expressionDepth = 0
  /** What was found in a context, so that asking twice costs nothing: else nested forms that do would take 2ⁿ steps. */
  readonly analyzed = new WeakMap<Context, WeakMap<Expression, Typed>>()
  #ids = 0

  constructor(analyzers: Analyzers, tables: TableSource, now: Date, parameters: readonly Expression[] = []) {
    this.analyzers = analyzers
    this.tables = tables
    this.now = now
    this.parameters = parameters
    this.database = tables.database
  }

  id(prefix: string): string {
    return `${prefix}${this.#ids++}`
  }

  /** Asks for a function that is written in TypeScript and answers its name in SQL. */
  udf(implementation: string, parameters: readonly TrinoType[], returns: TrinoType, nullCall = false): string {
    const safe = this.tryDepth > 0
    const key = `${implementation}|${parameters.map(typeText).join()}|${typeText(returns)}|${nullCall}|${safe}`
    const known = this.udfs.get(key)
    if (known !== undefined) return known.sqlName
    const sqlName = `trino_${this.udfs.size}_${implementation}`
    this.udfs.set(key, { sqlName, implementation, parameters, returns, nullCall, safe })
    return sqlName
  }
}

export const nameKey = (name: Name) => name.text.toLowerCase()
export const quoteName = (name: string) => `"${name.replaceAll('"', '""')}"`
export const quoteText = (text: string) => `'${text.replaceAll("'", "''")}'`

export const columnNotFound = (name: string) =>
  new QueryFailure('COLUMN_NOT_FOUND', `Column '${name}' cannot be resolved`)

/** Looks outwards through the scopes; undefined when no field has the name. */
export function findField(scope: Scope, relation: string | undefined, name: string): Field | undefined {
  for (let s: Scope | undefined = scope; s !== undefined; s = s.parent) {
    const found = s.fields.filter((f) => f.name === name && (relation === undefined || f.relation === relation))
    if (found.length > 1)
      throw new QueryFailure(
        'AMBIGUOUS_NAME',
        `Column '${relation === undefined ? name : `${relation}.${name}`}' is ambiguous`,
      )
    if (found.length === 1) return found[0]
  }
  return undefined
}

export function renamed(
  columns: readonly OutputColumn[],
  names: readonly string[] | undefined,
  relation: string,
): OutputColumn[] {
  if (names === undefined) return [...columns]
  if (names.length !== columns.length)
    throw new QueryFailure(
      'MISMATCHED_COLUMN_ALIASES',
      `Column alias list has ${names.length} entries but '${relation}' has ${columns.length} columns available`,
    )
  return columns.map((c, i) => ({ ...c, name: names[i]! }))
}
