import { BYTES } from './functions-bytes.ts'
import { CASTS } from './functions-casts.ts'
import { COLLECTIONS } from './functions-collections.ts'
import { DATES } from './functions-dates.ts'
import { JSONS } from './functions-json.ts'
import { NUMBERS } from './functions-numbers.ts'
import { REGEXPS } from './functions-regexps.ts'
import { TEXTS } from './functions-texts.ts'
import { FunctionFailure, type Implementation, type Value } from './values.ts'

const FAIL: Readonly<Record<string, Implementation>> = {
  fail: ([message]: Value[]) => {
    const [code, ...text] = (message as string).split(': ')
    throw new FunctionFailure(code!, text.join(': '))
  },
}

/** Everything a translated query may call that DuckDB does not have. */
export const IMPLEMENTATIONS: Readonly<Record<string, Implementation>> = {
  ...FAIL,
  ...CASTS,
  ...NUMBERS,
  ...TEXTS,
  ...REGEXPS,
  ...DATES,
  ...JSONS,
  ...COLLECTIONS,
  ...BYTES,
}
