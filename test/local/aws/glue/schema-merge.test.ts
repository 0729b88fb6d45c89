import { expect, test } from 'vitest'
import { SchemaUnion } from '../../../../src/local/aws/glue/crawler/schema-merge.ts'
import { parseHiveType, printHiveType } from '../../../../src/local/aws/glue/hive-types.ts'

function united(...files: Record<string, string>[]) {
  const union = new SchemaUnion()
  for (const [index, file] of files.entries()) {
    const columns = Object.entries(file).map(([name, type]) => ({ name, type: parseHiveType(type) }))
    union.add(columns, `file ${index}`)
  }
  const columns = Object.fromEntries(union.columns.map(({ name, type }) => [name, printHiveType(type)]))
  return { columns, order: Object.keys(columns), conflicts: union.conflicts }
}

test('columns stand in the order of first sight', () => {
  expect(united({ b: 'int' }, { a: 'int', b: 'int', c: 'date' }).order).toEqual(['b', 'a', 'c'])
})

test('integers and floats widen, in either order', () => {
  const left = { a: 'tinyint', b: 'bigint', c: 'float' }
  const right = { a: 'smallint', b: 'int', c: 'double' }
  expect(united(left, right).columns).toEqual({ a: 'smallint', b: 'bigint', c: 'double' })
  expect(united(right, left).columns).toEqual({ a: 'smallint', b: 'bigint', c: 'double' })
})

test('other conflicts become string and name both files', () => {
  const { columns, conflicts } = united({ a: 'int', d: 'decimal(10,2)' }, { a: 'double', d: 'decimal(12,2)' })
  expect(columns).toEqual({ a: 'string', d: 'string' })
  expect(conflicts).toEqual([
    { field: 'a', types: ['int', 'double'], files: ['file 0', 'file 1'] },
    { field: 'd', types: ['decimal(10,2)', 'decimal(12,2)'], files: ['file 0', 'file 1'] },
  ])
})

test('structs, lists and maps are united inside', () => {
  const { columns, conflicts } = united(
    { s: 'struct<a:int,b:string>', l: 'array<int>', m: 'map<string,int>' },
    { s: 'struct<b:date,c:int>', l: 'array<bigint>', m: 'map<string,bigint>' },
  )
  expect(columns).toEqual({ s: 'struct<a:int,b:string,c:int>', l: 'array<bigint>', m: 'map<string,bigint>' })
  expect(conflicts.map((conflict) => conflict.field)).toEqual(['s.b'])
})
