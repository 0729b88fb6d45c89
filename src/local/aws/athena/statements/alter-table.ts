import type { Cursor } from '../dialect/cursor.ts'
import { parseColumns, parseProperties } from './create-table.ts'
import type { PartitionSpec, Statement } from './statement.ts'
import { readTableName } from './table-names.ts'

export function parseAlter(c: Cursor): Statement {
  c.next()
  if (!c.takeWord('TABLE')) return unsupported(c, `ALTER ${c.peek().text.slice(0, 20)}`)
  const name = readTableName(c)
  if (c.takeWord('ADD')) {
    if (c.takeWord('COLUMNS')) return { kind: 'addColumns', name, columns: parseColumns(c) }
    const ifNotExists = c.takeWord('IF', 'NOT', 'EXISTS')
    const partitions: PartitionSpec[] = []
    while (c.isWord('PARTITION')) partitions.push(parsePartition(c, true))
    if (partitions.length === 0) throw c.fail("'PARTITION', 'COLUMNS'")
    return { kind: 'addPartitions', name, ifNotExists, partitions }
  }
  if (c.takeWord('DROP')) {
    const ifExists = c.takeWord('IF', 'EXISTS')
    const partitions = c.list(() => parsePartition(c, false))
    return { kind: 'dropPartitions', name, ifExists, partitions }
  }
  if (c.takeWord('SET', 'TBLPROPERTIES')) return { kind: 'setProperties', name, properties: parseProperties(c) }
  return unsupported(c, `ALTER TABLE ${c.peek().text.slice(0, 20)}`)
}

function unsupported(c: Cursor, what: string): Statement {
  c.at = c.tokens.length - 1
  return { kind: 'unsupported', what, type: 'DDL' }
}

function parsePartition(c: Cursor, located: boolean): PartitionSpec {
  c.word('PARTITION')
  const values = c.parenthesized(() =>
    c.list(() => {
      const key = c.name().text.toLowerCase()
      c.symbol('=')
      const t = c.next()
      if (t.kind === 'word' && t.text === 'DATE' && c.peek().kind === 'string') return [key, c.string()] as const
      if (t.kind !== 'string' && t.kind !== 'integer' && t.kind !== 'decimal') throw c.fail('<a text or number>')
      return [key, t.text] as const
    }),
  )
  return located && c.takeWord('LOCATION') ? { values, location: c.string() } : { values }
}
