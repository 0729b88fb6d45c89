/** CREATE EXTERNAL TABLE as Hive's grammar has it; the words CREATE EXTERNAL TABLE are already read. */

import { HiveTypeError, parseHiveType, printHiveType } from '../../glue/hive-types.ts'
import type { Cursor } from '../dialect/cursor.ts'
import { QueryFailure, syntaxError } from '../failure.ts'
import type { CreateTable, HiveColumn } from './statement.ts'
import { readTableName } from './table-names.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export function parseCreateTable(c: Cursor): CreateTable {
  const ifNotExists = c.takeWord('IF', 'NOT', 'EXISTS')
  const name = readTableName(c)
  if (c.isWord('LIKE') || c.isWord('AS'))
    throw new QueryFailure('NOT_SUPPORTED', 'CREATE EXTERNAL TABLE … LIKE or AS is not supported by the local engine')
  const columns = parseColumns(c)
  const out: Partial<Mutable<CreateTable>> = {}
  while (c.peek().kind !== 'end') readClause(c, out)
  if (out.location === undefined) throw syntaxError("missing 'LOCATION' of the external table")
  return {
    kind: 'createTable',
    name,
    ifNotExists,
    columns,
    partitionKeys: [],
    serdeProperties: {},
    properties: {},
    ...out,
    location: out.location,
  }
}

function readClause(c: Cursor, out: Partial<Mutable<CreateTable>>): void {
  if (c.takeWord('COMMENT')) out.comment = c.string()
  else if (c.takeWord('PARTITIONED', 'BY')) out.partitionKeys = parseColumns(c)
  else if (c.isWord('CLUSTERED'))
    throw new QueryFailure('NOT_SUPPORTED', 'CLUSTERED BY is not supported by the local engine')
  else if (c.takeWord('ROW', 'FORMAT')) {
    if (c.takeWord('SERDE')) {
      out.serde = c.string()
      if (c.takeWord('WITH', 'SERDEPROPERTIES')) out.serdeProperties = parseProperties(c)
    } else {
      c.word('DELIMITED')
      out.delimited = parseDelimited(c)
    }
  } else if (c.takeWord('WITH', 'SERDEPROPERTIES')) out.serdeProperties = parseProperties(c)
  else if (c.takeWord('STORED', 'AS')) {
    if (c.takeWord('INPUTFORMAT')) {
      out.inputFormat = c.string()
      c.word('OUTPUTFORMAT')
      out.outputFormat = c.string()
    } else out.storedAs = c.next().text
  } else if (c.takeWord('LOCATION')) out.location = c.string()
  else if (c.takeWord('TBLPROPERTIES')) out.properties = parseProperties(c)
  else throw c.fail("'COMMENT', 'PARTITIONED BY', 'ROW FORMAT', 'STORED AS', 'LOCATION', 'TBLPROPERTIES'")
}

function parseDelimited(c: Cursor): Record<string, string> {
  const out: Record<string, string> = { 'serialization.format': ',' }
  for (;;) {
    if (c.takeWord('FIELDS', 'TERMINATED', 'BY')) {
      out['field.delim'] = unescaped(c.string())
      out['serialization.format'] = out['field.delim']
      if (c.takeWord('ESCAPED', 'BY')) out['escape.delim'] = unescaped(c.string())
    } else if (c.takeWord('COLLECTION', 'ITEMS', 'TERMINATED', 'BY')) out['collection.delim'] = unescaped(c.string())
    else if (c.takeWord('MAP', 'KEYS', 'TERMINATED', 'BY')) out['mapkey.delim'] = unescaped(c.string())
    else if (c.takeWord('LINES', 'TERMINATED', 'BY')) out['line.delim'] = unescaped(c.string())
    else if (c.takeWord('NULL', 'DEFINED', 'AS')) out['serialization.null.format'] = c.string()
    else return out
  }
}

const unescaped = (text: string) =>
  text.replace(
    /\\(t|n|r|\\|\d{3})/g,
    (_, e: string) => ({ t: '\t', n: '\n', r: '\r', '\\': '\\' })[e] ?? String.fromCharCode(Number.parseInt(e, 8)),
  )

export function parseProperties(c: Cursor): Record<string, string> {
  return Object.fromEntries(
    c.parenthesized(() =>
      c.list(() => {
        const key = c.string()
        c.symbol('=')
        return [key, c.string()] as const
      }),
    ),
  )
}

/** `(name type [COMMENT 'text'], …)`; the type's text is read to the comma or word that ends it and checked as a Hive type. */
export function parseColumns(c: Cursor): HiveColumn[] {
  const out = c.parenthesized(() =>
    c.list((): HiveColumn => {
      const Name = c.name().text.toLowerCase()
      const Type = readHiveType(c)
      return c.takeWord('COMMENT') ? { Name, Type, Comment: c.string() } : { Name, Type }
    }),
  )
  const names = new Set(out.map((x) => x.Name))
  if (names.size < out.length) throw syntaxError('a column is named twice')
  return out
}

function readHiveType(c: Cursor): string {
  const start = c.peek().start
  let depth = 0
  for (;;) {
    const t = c.peek()
    if (t.kind === 'end') throw c.fail('<type>')
    if (depth === 0 && (c.isSymbol(',') || c.isSymbol(')') || c.isWord('COMMENT'))) break
    if (t.text === '<' || t.text === '(') depth++
    if (t.text === '>' || t.text === ')') depth--
    c.next()
  }
  const text = c.sql.slice(start, c.peek().start).trim()
  try {
    return printHiveType(parseHiveType(text))
  } catch (error) {
    if (error instanceof HiveTypeError) throw syntaxError(error.message)
    throw error
  }
}
