import { notSupported, typeMismatch } from '../failure.ts'
import { analyze } from './analyze.ts'
import { type Context, quoteText, type Typed } from './scope.ts'
import type { JsonCall } from './syntax.ts'
import { BOOLEAN, typeText, VARCHAR } from './trino-type.ts'

/**
 * JSON_VALUE and JSON_EXISTS of the SQL standard, with a plain lax path and the default behaviours; the rest of that family is
 * refused.
 */
export function analyzeJsonCall(e: JsonCall, c: Context): Typed {
  const input = analyze(e.input, c)
  if (input.type.name === 'json') throw typeMismatch(`Cannot read input of type json as JSON using formatting JSON`)
  if (input.type.name !== 'varchar' && input.type.name !== 'unknown')
    throw notSupported(`${e.name} of ${typeText(input.type)}`)
  const plain =
    e.returning === undefined &&
    e.wrapper === undefined &&
    e.quotes === undefined &&
    e.onEmpty === undefined &&
    e.onError === undefined
  if (e.name === 'json_query' || !plain || !/^lax \$(?:\.[A-Za-z_]\w*)*$/.test(e.path))
    throw notSupported(`this form of ${e.name}`)
  const type = e.name === 'json_exists' ? BOOLEAN : VARCHAR
  const name = c.session.udf(e.name, [VARCHAR, VARCHAR], type)
  return { sql: `${name}(CAST(${input.sql} AS VARCHAR), ${quoteText(e.path.slice(4))})`, type }
}
