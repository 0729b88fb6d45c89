import { parseTable } from './function-table.ts'
import { AGGREGATE_LINES, WINDOW_LINES } from './functions/aggregate.ts'
import { BINARY_LINES } from './functions/binary.ts'
import { COLLECTION_LINES } from './functions/collection.ts'
import { DATETIME_LINES } from './functions/datetime.ts'
import { JSON_LINES } from './functions/json.ts'
import { MATH_LINES } from './functions/math.ts'
import { TEXT_LINES } from './functions/text.ts'
import { UNSUPPORTED_NAMES } from './functions/unsupported.ts'

export const SCALARS = parseTable(
  [MATH_LINES, TEXT_LINES, DATETIME_LINES, COLLECTION_LINES, JSON_LINES, BINARY_LINES].join('\n'),
)
export const AGGREGATES = parseTable(AGGREGATE_LINES)
export const WINDOWS = parseTable(WINDOW_LINES)
/** Functions Trino has and the local engine has not: NOT_SUPPORTED, where an unknown name is FUNCTION_NOT_FOUND. */
export const UNSUPPORTED = new Set(UNSUPPORTED_NAMES.split(/\s+/))
