import type { Cursor } from '../dialect/cursor.ts'
import { openCursor, parseQueryText } from '../dialect/grammar.ts'
import { parseExpression } from '../dialect/parse-expression.ts'
import { parseAlter } from './alter-table.ts'
import { parseCreateTable, parseProperties } from './create-table.ts'
import type { Statement } from './statement.ts'
import { readTableName } from './table-names.ts'

/** The kind of a statement comes from its words as a parser reads them. Throws QueryFailure SYNTAX_ERROR or NOT_SUPPORTED. */
export function parseStatement(text: string): Statement {
  const sql = text.replace(/;\s*$/, '')
  const c = openCursor(sql, true)
  const statement = readStatement(c)
  c.end()
  return statement
}

/** The rest of the text is a query; it is parsed here once, so that a wrong one fails at once. */
function restAsQuery(c: Cursor): string {
  const sql = c.sql.slice(c.peek().start)
  parseQueryText(sql)
  c.at = c.tokens.length - 1
  return sql
}

function readStatement(c: Cursor): Statement {
  const word = c.peek().kind === 'word' ? c.peek().text : c.peek().text === '(' ? 'SELECT' : ''
  switch (word) {
    case 'SELECT':
    case 'WITH':
    case 'VALUES':
    case 'TABLE':
      return { kind: 'query', sql: restAsQuery(c) }
    case 'EXPLAIN':
      c.next()
      if (c.isWord('ANALYZE')) return unsupported(c, 'EXPLAIN ANALYZE', 'DML')
      if (c.isSymbol('(') && ['TYPE', 'FORMAT'].includes(c.peek(1).text))
        return unsupported(c, 'EXPLAIN with options', 'DML')
      return { kind: 'explain', sql: restAsQuery(c) }
    case 'SHOW':
      return readShow(c)
    case 'DESCRIBE':
    case 'DESC':
      return readDescribe(c)
    case 'CREATE':
      return readCreate(c)
    case 'DROP':
      return readDrop(c)
    case 'ALTER':
      return parseAlter(c)
    case 'MSCK':
      c.word('MSCK', 'REPAIR', 'TABLE')
      return { kind: 'repair', name: readTableName(c) }
    case 'PREPARE': {
      c.next()
      const name = c.name().text.toLowerCase()
      c.word('FROM')
      const sql = c.sql.slice(c.peek().start)
      c.at = c.tokens.length - 1
      return { kind: 'prepare', name, sql }
    }
    case 'EXECUTE': {
      c.next()
      const name = c.name().text.toLowerCase()
      const parameters = c.takeWord('USING') ? c.list(() => parseExpression(c)) : []
      return { kind: 'execute', name, parameters }
    }
    case 'DEALLOCATE':
      c.word('DEALLOCATE', 'PREPARE')
      return { kind: 'deallocate', name: c.name().text.toLowerCase() }
    case 'INSERT':
      return unsupported(c, 'INSERT', 'DML')
    case 'UNLOAD':
    case 'DELETE':
    case 'UPDATE':
    case 'MERGE':
    case 'OPTIMIZE':
    case 'VACUUM':
      return unsupported(c, word, 'DML')
    case 'SET':
    case 'RESET':
    case 'USE':
    case 'CALL':
    case 'GRANT':
    case 'REVOKE':
    case 'ANALYZE':
    case 'COMMENT':
    case 'START':
    case 'COMMIT':
    case 'ROLLBACK':
    case 'REFRESH':
    case 'TRUNCATE':
      return unsupported(c, word, 'DDL')
    default:
      throw c.fail(
        "'SELECT', 'WITH', 'VALUES', 'SHOW', 'DESCRIBE', 'CREATE', 'DROP', 'ALTER', 'MSCK', 'EXPLAIN', 'PREPARE', 'EXECUTE'",
      )
  }
}

/** Kept as a statement, so that it ends FAILED with NOT_SUPPORTED and its name, and not as a syntax error. */
function unsupported(c: Cursor, what: string, type: 'DDL' | 'DML'): Statement {
  c.at = c.tokens.length - 1
  return { kind: 'unsupported', what, type }
}

const optionalDatabase = (c: Cursor) => (c.takeWord('IN') || c.takeWord('FROM') ? { database: lastName(c) } : {})

/** `awsdatacatalog.db` or `db`. */
const lastName = (c: Cursor) => c.qualifiedName().at(-1)!.text.toLowerCase()

function optionalPattern(c: Cursor): { pattern?: string } {
  const like = c.takeWord('LIKE')
  if (c.peek().kind !== 'string') {
    if (like) throw c.fail('<string>')
    return {}
  }
  const text = c.string()
  // Hive's patterns: * any text, | or. LIKE's patterns of Trino have % and _.
  return { pattern: like && /[%]/.test(text) ? text.replace(/[%]/g, '*') : text }
}

function readShow(c: Cursor): Statement {
  c.next()
  if (c.takeWord('DATABASES') || c.takeWord('SCHEMAS')) {
    if (c.takeWord('IN') || c.takeWord('FROM')) c.qualifiedName()
    return { kind: 'showDatabases', ...optionalPattern(c) }
  }
  if (c.takeWord('TABLES')) return { kind: 'showTables', ...optionalDatabase(c), ...optionalPattern(c) }
  if (c.takeWord('VIEWS')) return { kind: 'showViews', ...optionalDatabase(c), ...optionalPattern(c) }
  if (c.takeWord('COLUMNS')) {
    if (!c.takeWord('IN')) c.word('FROM')
    const name = readTableName(c)
    if (name.database !== undefined) return { kind: 'showColumns', name }
    return { kind: 'showColumns', name: { ...name, ...optionalDatabase(c) } }
  }
  if (c.takeWord('PARTITIONS')) return { kind: 'showPartitions', name: readTableName(c) }
  if (c.takeWord('CREATE')) {
    if (c.takeWord('VIEW')) return { kind: 'showCreateView', name: readTableName(c) }
    c.word('TABLE')
    return { kind: 'showCreateTable', name: readTableName(c) }
  }
  if (c.takeWord('TBLPROPERTIES')) {
    const name = readTableName(c)
    const key = c.isSymbol('(') ? c.parenthesized(() => c.string()) : undefined
    return { kind: 'showProperties', name, ...(key === undefined ? {} : { key }) }
  }
  return unsupported(c, `SHOW ${c.peek().text}`, 'DDL')
}

function readDescribe(c: Cursor): Statement {
  c.next()
  if (c.isWord('INPUT') || c.isWord('OUTPUT')) return unsupported(c, `DESCRIBE ${c.peek().text}`, 'DDL')
  if (!c.takeWord('EXTENDED')) c.takeWord('FORMATTED')
  return { kind: 'describe', name: readTableName(c) }
}

function readCreate(c: Cursor): Statement {
  c.next()
  if (c.takeWord('DATABASE') || c.takeWord('SCHEMA')) {
    const ifNotExists = c.takeWord('IF', 'NOT', 'EXISTS')
    const name = lastName(c)
    const comment = c.takeWord('COMMENT') ? c.string() : undefined
    const location = c.takeWord('LOCATION') ? c.string() : undefined
    const properties = c.takeWord('WITH', 'DBPROPERTIES') ? parseProperties(c) : {}
    return {
      kind: 'createDatabase',
      name,
      ifNotExists,
      properties,
      ...(comment === undefined ? {} : { comment }),
      ...(location === undefined ? {} : { location }),
    }
  }
  if (c.isWord('EXTERNAL', 'TABLE')) {
    c.at += 2
    return parseCreateTable(c)
  }
  if (c.isWord('TABLE')) return unsupported(c, 'CREATE TABLE AS SELECT', 'DDL')
  const replace = c.takeWord('OR', 'REPLACE')
  if (!c.takeWord('VIEW')) return unsupported(c, `CREATE ${c.peek().text}`, 'DDL')
  const name = readTableName(c)
  if (c.takeWord('COMMENT')) c.string()
  c.word('AS')
  return { kind: 'createView', name, replace, sql: restAsQuery(c) }
}

function readDrop(c: Cursor): Statement {
  c.next()
  const what = c.next().text
  const ifExists = () => c.takeWord('IF', 'EXISTS')
  switch (what) {
    case 'DATABASE':
    case 'SCHEMA': {
      const exists = ifExists()
      const name = lastName(c)
      const cascade = c.takeWord('CASCADE')
      if (!cascade) c.takeWord('RESTRICT')
      return { kind: 'dropDatabase', name, ifExists: exists, cascade }
    }
    case 'TABLE':
    case 'VIEW': {
      const exists = ifExists()
      return { kind: what === 'TABLE' ? 'dropTable' : 'dropView', name: readTableName(c), ifExists: exists }
    }
    default:
      return unsupported(c, `DROP ${what.slice(0, 20)}`, 'DDL')
  }
}
