import { notSupported } from '../failure.ts'
import { analyze } from './expression.ts'
import type { Context, Typed } from './scope.ts'
import type { JsonCall } from './syntax.ts'
import { typeText } from './trino-type.ts'

/** JSON_VALUE, JSON_QUERY and JSON_EXISTS of the SQL standard. */
export function analyzeJsonCall(e: JsonCall, c: Context): Typed {
  const input = analyze(e.input, c)
  throw notSupported(`${e.name}(${typeText(input.type)}, …)`)
}
