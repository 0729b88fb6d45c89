/**
 * Whether two statements say the same. Athena stores a view as its parser prints it, not as it was sent: other white space, more
 * parentheses, `ROW (…)` for the rows of VALUES, `x y` for `x AS y`. So words are compared, not characters, and what another version
 * of the printer may do without changing the meaning is allowed for: the catalogue before a table, `int` for `integer`, `!=`.
 */

const TOKEN =
  /--[^\n]*|\/\*[\s\S]*?\*\/|\s+|'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_][A-Za-z0-9_]*|\d+(?:\.\d+)?|<>|<=|>=|!=|[^\s]/g
/** What the printer adds or leaves out. Our views have no expression in which a parenthesis changes the meaning. */
const PRINTED = new Set(['(', ')', ',', 'as', 'row', ';'])
/** One meaning, two words. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['!=', '<>'],
  ['int', 'integer'],
])
/** What a name of a table may begin with, followed by a point. */
const CATALOGUE = 'awsdatacatalog'

function words(sql: string): string[] {
  const all = plainWords(sql)
  const ofCatalogue = (i: number) => all[i] === CATALOGUE && all[i + 1] === '.'
  return all.filter((_, i) => !ofCatalogue(i) && !ofCatalogue(i - 1))
}

function plainWords(sql: string): string[] {
  return (sql.match(TOKEN) ?? []).flatMap((token) => {
    if (/^(\s|--|\/\*)/.test(token)) return []
    if (token.startsWith("'")) return [token]
    const word = token.startsWith('"') ? token.slice(1, -1).replaceAll('""', '"') : token.toLowerCase()
    return PRINTED.has(word) ? [] : [SYNONYMS.get(word) ?? word]
  })
}

/** True when the SELECT of a view and a stored one are the same to an engine. */
export function sameSelect(a: string, b: string): boolean {
  const [left, right] = [words(a), words(b)]
  return left.length === right.length && left.every((word, i) => word === right[i])
}
