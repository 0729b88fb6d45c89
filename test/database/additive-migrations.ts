/** What in a migration a running older release would not survive, or would have to wait for. */
export interface Breach {
  /** As the header of the migration names it where it is meant: `DROP COLUMN`. */
  readonly kind: string
  /** The statement, without its texts. */
  readonly statement: string
}

/** Heading in the header of a migration under which it names its breaches, each by its kind, with the reason. */
export const HEADING = 'Not additive:'

interface Rule {
  readonly kind: string
  readonly found: RegExp
  /** About a table that the same file makes, which no older release knows. */
  readonly ownTableIsFine?: boolean
}

const NAME = String.raw`(?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?`
/** Of `ALTER TABLE`: a constraint may be NOT VALID, a column may have a default, whatever comes in between. */
const UNTIL_COMMA = String.raw`(?:[^,(]|\([^()]*(?:\([^()]*\)[^()]*)*\))*`

const ADD_COLUMN = String.raw`^ALTER TABLE\b.*\bADD (?:COLUMN )?(?:IF NOT EXISTS )?(?!COLUMN\b|IF\b|CONSTRAINT\b|CHECK\b|UNIQUE\b|PRIMARY\b|FOREIGN\b|EXCLUDE\b)`

const RULES: readonly Rule[] = [
  { kind: 'DROP TABLE', found: /^DROP TABLE\b/i },
  {
    kind: 'DROP OBJECT',
    found: /^DROP (?:MATERIALIZED )?(?:VIEW|TYPE|DOMAIN|FUNCTION|PROCEDURE|SEQUENCE|SCHEMA|ROLE|INDEX|EXTENSION)\b/i,
  },
  {
    kind: 'DROP COLUMN',
    found: /^ALTER TABLE\b.*?\bDROP (?!CONSTRAINT\b|DEFAULT\b|NOT NULL\b|EXPRESSION\b|IDENTITY\b)/i,
    ownTableIsFine: true,
  },
  { kind: 'DROP DEFAULT', found: /^ALTER TABLE\b.*\bDROP (?:DEFAULT|EXPRESSION|IDENTITY)\b/i, ownTableIsFine: true },
  { kind: 'RENAME', found: /^ALTER\b.*\b(?:RENAME|SET SCHEMA)\b/i, ownTableIsFine: true },
  { kind: 'SET NOT NULL', found: /^ALTER TABLE\b.*\bSET NOT NULL\b/i, ownTableIsFine: true },
  {
    kind: 'ADD COLUMN NOT NULL',
    found: new RegExp(
      String.raw`${ADD_COLUMN}(?!${UNTIL_COMMA}\b(?:DEFAULT|GENERATED)\b)${UNTIL_COMMA}\b(?:NOT NULL|PRIMARY KEY)\b`,
      'i',
    ),
    ownTableIsFine: true,
  },
  {
    // Every row is written, while nobody reads or writes: a value of its own for each.
    kind: 'ADD COLUMN REWRITE',
    found: new RegExp(
      String.raw`${ADD_COLUMN}${NAME} ${UNTIL_COMMA}(?:\bSTORED\b|\bAS IDENTITY\b|\b(?:small|big)?serial[248]?\b|\bDEFAULT (?!now\b)\w+(?:\.\w+)? ?\()`,
      'i',
    ),
    ownTableIsFine: true,
  },
  {
    kind: 'ALTER COLUMN TYPE',
    found: /^ALTER TABLE\b.*\bALTER (?:COLUMN )?\S+ (?:SET DATA )?TYPE\b/i,
    ownTableIsFine: true,
  },
  { kind: 'ALTER TYPE', found: /^ALTER (?:TYPE|DOMAIN)\b/i },
  {
    kind: 'ADD CONSTRAINT',
    found: new RegExp(
      String.raw`^ALTER TABLE\b.*\bADD (?:CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE)\b(?!${UNTIL_COMMA}\bNOT VALID\b)`,
      'i',
    ),
    ownTableIsFine: true,
  },
  { kind: 'CREATE INDEX', found: /^CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY\b)/i, ownTableIsFine: true },
  { kind: 'TRUNCATE', found: /^TRUNCATE\b/i, ownTableIsFine: true },
  { kind: 'REVOKE', found: /^REVOKE\b/i, ownTableIsFine: true },
]

/** Texts, bodies and comments; a body of DO is run, the others are kept as they are. */
const LEXEMES =
  /--[^\n]*|\/\*[\s\S]*?\*\/|\$(\w*)\$([\s\S]*?)\$\1\$|\bE'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"/gi

/** Statements of a file with one space between words, without comments and texts. */
function statementsOf(sql: string): string[] {
  const bodies: string[] = []
  const bare = sql.replace(LEXEMES, (found, _tag: string | undefined, body: string | undefined, at: number) => {
    if (body !== undefined) {
      if (/\bDO\s+(?:LANGUAGE\s+\w+\s+)?$/i.test(sql.slice(0, at))) bodies.push(body)
      return "''"
    }
    if (found.startsWith('"')) return found
    return /^(?:--|\/\*)/.test(found) ? ' ' : "''"
  })
  const own = bare.split(';').map((each) => each.trim().replaceAll(/\s+/g, ' '))
  // What a body executes stands in a text, so there is no way to leave texts out; a word too many is named in the header.
  const run = bodies.flatMap((body) =>
    body
      .replaceAll(/--[^\n]*/g, ' ')
      .split(/;|\bBEGIN\b|\bTHEN\b|\bELSE\b|\bLOOP\b|\bEXECUTE\b|'|\$\w*\$/i)
      .map((each) => each.trim().replaceAll(/\s+/g, ' ')),
  )
  return [...own, ...run].filter((each) => each !== '')
}

const plain = (name: string | undefined) =>
  (name ?? '')
    .replaceAll('"', '')
    .replace(/^public\./, '')
    .toLowerCase()

/** The table that a statement is about. */
function tableOf(statement: string): string {
  const of = new RegExp(
    String.raw`^(?:ALTER TABLE (?:IF EXISTS )?(?:ONLY )?|TRUNCATE (?:TABLE )?|REVOKE .* ON (?:TABLE )?|CREATE (?:UNIQUE )?INDEX .*?\bON (?:ONLY )?)(${NAME})`,
    'i',
  ).exec(statement)
  return plain(of?.[1])
}

/** What stands under the heading, to the next one. */
function accepted(sql: string): string {
  const header = /^(?:--[^\n]*\n?)+/.exec(sql)?.[0] ?? ''
  const lines = header.split('\n').map((line) => line.replace(/^-- ?/, ''))
  const first = lines.findIndex((line) => line.startsWith(HEADING))
  if (first < 0) return ''
  const more = lines.slice(first + 1)
  const end = more.findIndex((line) => !line.startsWith(' '))
  return [lines[first]?.slice(HEADING.length), ...more.slice(0, end < 0 ? undefined : end)].join(' ')
}

/** Every breach of a migration, also those that it names. */
export function breachesOf(sql: string): Breach[] {
  const statements = statementsOf(sql)
  const creates = new RegExp(`^CREATE (?:UNLOGGED |TEMP(?:ORARY)? )?TABLE (?:IF NOT EXISTS )?(${NAME})`, 'i')
  const own = new Set(statements.flatMap((each) => creates.exec(each)?.[1] ?? []).map(plain))
  return statements.flatMap((statement) =>
    RULES.filter(
      ({ found, ownTableIsFine = false }) => found.test(statement) && !(ownTableIsFine && own.has(tableOf(statement))),
    ).map(({ kind }) => ({ kind, statement })),
  )
}

/** Those that its header does not name, by kind and with a reason of some words. */
export function openBreaches(sql: string): Breach[] {
  const reasons = accepted(sql)
  return breachesOf(sql).filter(({ kind }) => !new RegExp(String.raw`\b${kind}\b[^:]*: .{30,}`, 's').test(reasons))
}
