import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { generatedContract } from '../../scripts/generate-contract.ts'
import { contracts } from '../../src/lake/contract.ts'

const FILE = path.resolve(import.meta.dirname, '../../glue-jobs/rocketgames_glue/contract.json')

test('contract.json says what datasets.ts says; "npm run generate:contract" writes it anew', () => {
  expect(readFileSync(FILE, 'utf8')).toBe(generatedContract())
})

test('contract.json has every column of every lake table, with its type and class', () => {
  const { tables } = JSON.parse(generatedContract()) as {
    tables: { name: string; columns: { name: string; athena_type: string; data_class: string }[] }[]
  }
  expect(tables.map(({ name, columns }) => [name, columns.map((c) => [c.name, c.athena_type, c.data_class])])).toEqual(
    contracts.map(({ name, columns }) => [name, columns.map((c) => [c.name, c.athenaType, c.class])]),
  )
})
