import { expect, test } from 'vitest'
import { answerProblems } from './wire-shape.ts'

test('an answer of the SDK’s shape has no problems', () => {
  const Table = { Name: 't', CreateTime: 1.5, Parameters: { a: 'b' }, PartitionKeys: [{ Name: 'k', Type: 'int' }] }
  expect(answerProblems('GetTable', { Table })).toEqual([])
})

test('foreign members, wrong types and missing members are found, at any depth', () => {
  const Table = { CreateTime: '2026', Colour: 'red', Parameters: { a: 1 }, PartitionKeys: [{ Type: 2 }] }
  expect(answerProblems('GetTable', { Table })).toEqual([
    'GetTable.Table.Name is missing',
    'GetTable.Table.CreateTime: "2026" is no number',
    'GetTable.Table.Colour is no member',
    'GetTable.Table.Parameters.a: 1 is no string',
    'GetTable.Table.PartitionKeys[0].Name is missing',
    'GetTable.Table.PartitionKeys[0].Type: 2 is no string',
  ])
})
