import { analyzeExpression } from './expression.ts'
import { parseQueryText } from './grammar.ts'
import { analyzeWholeQuery } from './query.ts'
import { Session, type TableSource, type UdfUse } from './scope.ts'
import type { Expression } from './syntax.ts'
import type { TrinoType } from './trino-type.ts'

export interface Translation {
  /** One SELECT for DuckDB; its columns are called c0, c1, … */
  readonly sql: string
  readonly columns: readonly { readonly name: string; readonly type: TrinoType }[]
  /** Functions the engine must register before the query runs. */
  readonly udfs: readonly UdfUse[]
}

/**
 * The only entrance to the dialect: a query in Trino's SQL becomes one for DuckDB with the same meaning. What is not known
 * to mean the same is refused by name. Throws QueryFailure with Trino's error name.
 */
export function translate(
  sql: string,
  tables: TableSource,
  now: Date,
  parameters: readonly Expression[] = [],
): Translation {
  const session = new Session({ expression: analyzeExpression, query: analyzeWholeQuery }, tables, now, parameters)
  const query = analyzeWholeQuery(parseQueryText(sql), session)
  return {
    sql: query.sql,
    columns: query.columns.map((c, i) => ({ name: c.name ?? `_col${i}`, type: c.type })),
    udfs: [...session.udfs.values()],
  }
}
