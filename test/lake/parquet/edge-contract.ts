import { createHash } from 'node:crypto'
import type { TableContract } from '../../../src/lake/contract.ts'
import type { Column, Dataset } from '../../../src/lake/datasets.ts'
import { EDGE_COLUMNS } from './edge-table.ts'

const KEPT: Column = { class: 'public', description: 'A column of the edge table.', lake: 'drop' }

const entry: Dataset & { readonly lakeTable: string } = {
  resource: 'edge',
  lakeTable: 'edge',
  version: 1,
  description: 'A column of each type, with the values where encoders go wrong.',
  primaryKey: ['k'],
  columns: Object.fromEntries(EDGE_COLUMNS.map(({ source }) => [source, KEPT])),
}

const CANONICAL = EDGE_COLUMNS.map(({ action, athenaType, class: dataClass, name }) => ({
  action,
  athenaType,
  class: dataClass,
  name,
}))

/** The edge table as a table of the lake. */
export const EDGE_CONTRACT: TableContract = {
  table: 'edge',
  lakeTable: 'edge',
  name: 'edge',
  description: entry.description,
  version: 1,
  primaryKey: entry.primaryKey,
  columns: EDGE_COLUMNS,
  fingerprint: createHash('sha256').update(JSON.stringify(CANONICAL)).digest('hex'),
  earlier: false,
  retired: false,
  entry,
}
