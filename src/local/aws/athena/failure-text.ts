import { AwsError } from '../ports.ts'
import { QueryFailure } from './failure.ts'

const GLUE: Readonly<Record<string, string>> = {
  EntityNotFoundException: 'TABLE_NOT_FOUND',
  AlreadyExistsException: 'ALREADY_EXISTS',
  InvalidInputException: 'INVALID_TABLE_PROPERTY',
}
/** DuckDB's own words, for what it finds while it runs. */
const ENGINE: readonly (readonly [RegExp, string, string])[] = [
  [/^Out of Memory Error|EXHAUSTED_RESOURCES/, 'EXHAUSTED_RESOURCES', 'Query exhausted resources at this scale factor'],
  [/More than one row returned by a subquery/, 'SUBQUERY_MULTIPLE_ROWS', 'Scalar sub-query has returned multiple rows'],
  [
    /must appear in the GROUP BY clause|must appear in GROUP BY/,
    'EXPRESSION_NOT_AGGREGATE',
    'an expression must be an aggregate expression or appear in GROUP BY clause',
  ],
  [/Out of Range Error|out of range|overflow/i, 'NUMERIC_VALUE_OUT_OF_RANGE', 'a number is out of its range'],
  [/Conversion Error/, 'INVALID_CAST_ARGUMENT', 'a value cannot be converted'],
  [
    /Invalid Input Error: No magic bytes|No magic bytes|Parquet|parquet/,
    'HIVE_BAD_DATA',
    'a file of the table cannot be read as Parquet',
  ],
]

/** `<CODE>: <text>` and whether it is the system's fault (category 1) or the user's (2). No local path is in it. */
export function failureText(error: unknown): { reason: string; category: number } {
  if (error instanceof QueryFailure) return { reason: `${error.code}: ${error.message}`, category: 2 }
  if (error instanceof AwsError)
    return { reason: `${GLUE[error.code] ?? 'GENERIC_USER_ERROR'}: ${error.message}`, category: 2 }
  // the stack's or a string's end
  if (error instanceof RangeError)
    return { reason: 'NOT_SUPPORTED: the statement is too large or too deep', category: 2 }
  const message = error instanceof Error ? error.message : String(error)
  const own = /\b([A-Z][A-Z]+(?:_[A-Z0-9]+)+): ([^\n]*)/.exec(message)
  for (const [pattern, code, text] of ENGINE)
    if (pattern.test(message) && own === null)
      return { reason: `${code}: ${text}`, category: code === 'EXHAUSTED_RESOURCES' ? 1 : 2 }
  if (own !== null)
    return { reason: `${own[1]}: ${withoutPaths(own[2]!)}`, category: own[1] === 'EXHAUSTED_RESOURCES' ? 1 : 2 }
  return { reason: `GENERIC_INTERNAL_ERROR: ${withoutPaths(message.split('\n')[0]!).slice(0, 300)}`, category: 1 }
}

export const withoutPaths = (text: string) =>
  text.replace(/(?:file:\/\/)?(?<![\w:/.])\/(?:[\w.@$%=+-]+\/)+[\w.@$%=+*-]*/g, '<path>')
