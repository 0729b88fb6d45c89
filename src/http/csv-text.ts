import type { RawKind } from '../list.ts'
import { booleanText, instantText, integerText, textArray } from './raw-text.ts'

/** NULL; an empty cell is an empty text, which an import takes for "not given". */
export const NULL_CELL = '\\N'

const QUOTED = /[",\r\n]/
/** A spreadsheet would compute it, or an import take it for NULL or for shielded: it gets a `'` in front. */
const SHIELDED = /^(?:[=+\-@\t\r']|\\N$)/

/** A value of PostgreSQL as a cell (RFC 4180). */
export function csvCell(value: string, kind: RawKind): string {
  switch (kind) {
    case 'text': {
      const text = SHIELDED.test(value) ? `'${value}` : value
      return QUOTED.test(text) ? quoted(text) : text
    }
    case 'json':
      return quoted(value)
    case 'array':
      return quoted(JSON.stringify(textArray(value)))
    case 'timestamp':
      return instantText(value)
    case 'boolean':
      return booleanText(value)
    case 'number':
      return integerText(value)
    case 'decimal':
      return String(Number(value))
    case 'word':
      return value
  }
}

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
