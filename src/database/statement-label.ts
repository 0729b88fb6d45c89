/** What a statement does, in words that are no part of its values: an operation and a table. */
export interface StatementLabel {
  /** `SELECT player`; of a statement without a table only `COMMIT`. */
  readonly summary: string
  readonly operation: string
  readonly table: string | undefined
}

/** Comments and white space before the first word. */
const BEFORE = /^(?:\s+|--[^\n]*\n|\/\*[\s\S]*?\*\/|\()*/
const OPERATIONS = new Set(
  (
    'SELECT INSERT UPDATE DELETE MERGE COPY VALUES BEGIN START COMMIT ROLLBACK SAVEPOINT RELEASE SET SHOW LOCK DECLARE FETCH ' +
    'CLOSE CALL DO EXPLAIN LISTEN NOTIFY CREATE ALTER DROP TRUNCATE ANALYZE'
  ).split(' '),
)
const NAME = String.raw`\s+(?:ONLY\s+)?(?:"?[A-Za-z_]\w*"?\s*\.\s*)?"?([A-Za-z_]\w*)"?`
/** Where the name of the table stands; the last part of a qualified one. */
const TABLE_OF: Readonly<Record<string, RegExp>> = {
  INSERT: new RegExp(`\\bINSERT\\s+INTO${NAME}`, 'i'),
  MERGE: new RegExp(`\\bMERGE\\s+INTO${NAME}`, 'i'),
  UPDATE: new RegExp(`\\bUPDATE${NAME}`, 'i'),
  DELETE: new RegExp(`\\bDELETE\\s+FROM${NAME}`, 'i'),
}
const ANY_TABLE = new RegExp(`\\b(?:FROM|COPY|TABLE|JOIN)${NAME}(?![\\w"]*\\s*\\()`, 'i')
/** What may stand there and is no table. */
const NO_TABLE = /^(select|lateral|values|only|rows)$/i
const CHANGES = /\b(INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO)\b(?!\s+(?:OF|SKIP|NOWAIT)\b)/i
/** Of a statement so much is looked at. */
const LOOKED_AT = 4_096

/** No literal and no parameter leaves this function: only the first word, where it is an operation, and the name of a table. */
export function statementLabel(text: string): StatementLabel {
  const start = text
    .slice(0, LOOKED_AT)
    .replace(BEFORE, '')
    .replaceAll(/'(?:[^']|'')*(?:'|$)/g, "''")
  const word = /^[A-Za-z]+/.exec(start)?.[0].toUpperCase() ?? ''
  const operation = word === 'WITH' ? changeOf(start) : OPERATIONS.has(word) ? word : 'OTHER'
  const name = (TABLE_OF[operation] ?? ANY_TABLE).exec(start)?.[1]?.toLowerCase()
  const table = name === undefined || NO_TABLE.test(name) ? undefined : name
  return { summary: table === undefined ? operation : `${operation} ${table}`, operation, table }
}

/** A statement with common table expressions that changes something is that change. */
function changeOf(start: string): string {
  return CHANGES.exec(start)?.[1]?.split(/\s/)[0]?.toUpperCase() ?? 'SELECT'
}
