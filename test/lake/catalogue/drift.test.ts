import type { Table } from '@aws-sdk/client-glue'
import { describe, expect, it } from 'vitest'
import { extraTables, partitionDrift, tableDrift } from '../../../src/lake/catalogue/drift.ts'
import {
  columnComment,
  partitionInput,
  tableDescription,
  tableInput,
} from '../../../src/lake/catalogue/table-definition.ts'
import { plannedTableChange } from '../../../src/lake/catalogue/tables.ts'
import { contracts, type ExportColumn, type TableContract } from '../../../src/lake/contract.ts'
import type { AthenaType } from '../../../src/lake/datasets.ts'

const BUCKET = 'lake-bucket'
const players = contracts.find((contract) => contract.name === 'players') as TableContract
const healthy = tableInput(players, BUCKET) as Table
const codes = (table: Table | undefined) =>
  tableDrift(players, table, BUCKET).map(({ code, subject }) => `${code} ${subject}`)

function retyped(name: string, type: string | undefined): Table {
  const columns = (healthy.StorageDescriptor?.Columns ?? []).flatMap((column) =>
    column.Name !== name ? [column] : type === undefined ? [] : [{ ...column, Type: type }],
  )
  return { ...healthy, StorageDescriptor: { ...healthy.StorageDescriptor, Columns: columns } }
}

describe('a table in the catalogue', () => {
  it('as we make it does not drift', () => {
    expect(codes(healthy)).toEqual([])
    expect(plannedTableChange(players, healthy, BUCKET)).toEqual({ kind: 'none' })
  })

  it('says what a column is: class, action and where it comes from', () => {
    const comments = new Map(healthy.StorageDescriptor?.Columns?.map((column) => [column.Name, column.Comment]))
    expect(comments.get('player_ref')).toMatch(/^The player: .* \[internal, pseudonym of id\]$/)
    expect(comments.get('birth_year')).toBe(
      'Year of birth; under_18 for minors. [personal, generalised from birth_date]',
    )
    expect(comments.get('country')).toMatch(/ \[personal, as it is: coarse; analysts compare markets\]$/)
    expect(comments.get('status')).toMatch(/One of active, closed, erasure_pending, erased\. \[internal, as it is\]$/)
    expect(comments.get('created_at')).toBe('When the row was made. In UTC. [internal, as it is]')
  })

  it('drifts when a column has another type than the files', () => {
    expect(codes(retyped('created_at', 'bigint'))).toEqual(['type_drift players.created_at'])
    expect(codes(retyped('version', 'INT'))).toEqual([])
  })

  it('lacks a column after the contract grew, which is an addition and no drift that stops', () => {
    const table = retyped('language', undefined)
    expect(codes(table)).toEqual(['column_missing players.language'])
    expect(plannedTableChange(players, table, BUCKET)).toEqual({
      kind: 'update',
      added: ['language'],
      described: [],
      description: false,
    })
  })

  it('drifts by a column that no contract names, other keys, another place, another format, or a mark of the crawler', () => {
    const descriptor = healthy.StorageDescriptor
    const columns = [...(descriptor?.Columns ?? []), { Name: 'email', Type: 'string' }]
    expect(codes({ ...healthy, StorageDescriptor: { ...descriptor, Columns: columns } })).toEqual([
      'extra_column players.email',
    ])
    expect(codes({ ...healthy, PartitionKeys: [{ Name: 'snapshot_date', Type: 'date' }] })).toEqual([
      'partition_key_drift players',
    ])
    expect(codes({ ...healthy, StorageDescriptor: { ...descriptor, Location: 's3://lake-bucket/lake/v1/' } })).toEqual([
      'table_location players',
    ])
    const csv = { SerializationLibrary: 'org.apache.hadoop.hive.serde2.OpenCSVSerde' }
    expect(codes({ ...healthy, StorageDescriptor: { ...descriptor, SerdeInfo: csv } })).toEqual([
      'format_drift players',
    ])
    expect(codes({ ...healthy, Parameters: { DEPRECATED_BY_CRAWLER: '1' } })).toEqual(['table_deprecated players'])
  })

  it('that is missing is told, and created', () => {
    expect(codes(undefined)).toEqual(['table_missing players'])
    expect(plannedTableChange(players, undefined, BUCKET)).toEqual({ kind: 'create' })
  })
})

describe('a partition', () => {
  const expected = {
    table: 'players',
    snapshotDate: '2026-11-22',
    snapshotId: '20261122t020000z-01kaq3c9',
    location: 's3://lake-bucket/lake/v1/players/snapshot_date=2026-11-22/snapshot_id=20261122t020000z-01kaq3c9/',
    columns: players.columns.map(({ name, athenaType }) => ({ name, athenaType })),
  }
  const found = partitionInput(expected)
  const subject = 'players/20261122t020000z-01kaq3c9'

  it('as we make it does not drift, with or without the last slash', () => {
    expect(partitionDrift(expected, found)).toEqual([])
    const Location = expected.location.slice(0, -1)
    expect(partitionDrift(expected, { StorageDescriptor: { ...found.StorageDescriptor, Location } })).toEqual([])
  })

  it('may have columns that its files lack', () => {
    const Columns = [...(found.StorageDescriptor?.Columns ?? []), { Name: 'later', Type: 'string' }]
    expect(partitionDrift(expected, { StorageDescriptor: { ...found.StorageDescriptor, Columns } })).toEqual([])
  })

  it('drifts when it is missing, elsewhere, retyped or lacks a column of its files', () => {
    const [first, ...rest] = found.StorageDescriptor?.Columns ?? []
    const drift = (StorageDescriptor: object) =>
      partitionDrift(expected, { StorageDescriptor: { ...found.StorageDescriptor, ...StorageDescriptor } }).map(
        ({ code, subject: where }) => `${code} ${where}`,
      )
    expect(partitionDrift(expected, undefined)[0]?.code).toBe('partition_missing')
    expect(drift({ Location: 's3://lake-bucket/lake/v1/players/elsewhere/' })).toEqual([
      `partition_location ${subject}`,
    ])
    expect(drift({ Columns: [{ ...first, Type: 'binary' }, ...rest] })).toEqual([`type_drift ${subject}.player_ref`])
    expect(drift({ Columns: rest })).toEqual([`column_missing ${subject}.player_ref`])
  })
})

describe('tables that nobody explains', () => {
  it('are told; older versions of a table are explained, later ones are not', () => {
    const versioned = [{ ...players, name: 'players_v3', version: 3 }]
    const names = ['players', 'players_v2', 'players_v3', 'players_v4', 'players_v1', 'players_very', 'part_00_0']
    expect(
      extraTables(
        versioned,
        names.map((Name) => ({ Name })),
      ).map((drift) => drift.subject),
    ).toEqual(['part_00_0', 'players_v1', 'players_v4', 'players_very'])
  })

  it('and those that we made ourselves, under a contract that has gone since, are explained', () => {
    const left = { Name: 'guilds', Parameters: { contract_version: '1', contract_fingerprint: 'f'.repeat(64) } }
    expect(extraTables([players], [left, { Name: 'guilds_2' }]).map((drift) => drift.subject)).toEqual(['guilds_2'])
  })
})

describe('lake 31: a type that differs from the file', () => {
  const TYPES: readonly AthenaType[] = [
    ...(['string', 'timestamp', 'date', 'int', 'bigint', 'boolean', 'decimal(10,2)', 'decimal(12,2)'] as const),
  ]
  /** What somebody may write into Glue beside those: all of them read wrongly or not at all. */
  const OTHERS = [
    ...['tinyint', 'smallint', 'float', 'double', 'binary', 'varchar(10)', 'char(2)', 'decimal(12,4)', 'decimal(38,0)'],
    ...['array<string>', 'map<string,int>', 'struct<a:int>', 'timestamp with time zone', ''],
  ]
  const [column] = players.columns
  const contractOf = (athenaType: AthenaType): TableContract => ({
    ...players,
    columns: column ? [{ ...column, name: 'value', athenaType }] : [],
  })
  const valueIn = (type: string) => [{ Name: 'value', Type: type }]

  it.each(TYPES)('lake 31: %s is told in table and partition, whatever else the catalogue says', (athenaType) => {
    const contract = contractOf(athenaType)
    const table = tableInput(contract, BUCKET)
    const partition = {
      ...{ table: 'players', snapshotDate: '2026-11-22', snapshotId: '20261122t020000z-01kaq3c9' },
      ...{ location: 's3://lake-bucket/x/', columns: [{ name: 'value', athenaType }] },
    }
    for (const type of [...TYPES, ...OTHERS]) {
      const Columns = valueIn(type)
      const drifts = [
        ...tableDrift(
          contract,
          { ...table, StorageDescriptor: { ...table.StorageDescriptor, Columns } } as Table,
          BUCKET,
        ),
        ...partitionDrift(partition, { StorageDescriptor: { Location: partition.location, Columns } }),
      ]
      const expected = ['type_drift players.value', 'type_drift players/20261122t020000z-01kaq3c9.value']
      expect(
        drifts.map(({ code, subject }) => `${code} ${subject}`),
        `${athenaType} as ${type}`,
      ).toEqual(type === athenaType ? [] : expected)
      for (const { detail } of drifts) expect(detail).toContain(`the files hold ${athenaType}`)
    }
    // The same type written otherwise is the same.
    const spaced = athenaType.toUpperCase().replace(',', ', ')
    expect(
      partitionDrift(partition, { StorageDescriptor: { Location: partition.location, Columns: valueIn(spaced) } }),
    ).toEqual([])
  })
})

describe('the words of a table', () => {
  const status = players.columns.find((each) => each.name === 'status') as ExportColumn

  it('never exceed what Glue takes, are one line, and lose labels before they lose the policy', () => {
    for (const contract of contracts) {
      expect(tableDescription(contract).length).toBeLessThanOrEqual(2_048)
      for (const each of contract.columns) {
        expect(columnComment(each)?.length).toBeLessThanOrEqual(255)
        expect(columnComment(each)).toMatch(/^[A-Z][^\n]*\. \[(public|internal|personal), [^\]]+\]$/)
      }
    }
    const values = Array.from({ length: 100 }, (_, i) => `label_${i}`)
    const long = columnComment({ ...status, about: { ...status.about, values, description: 'One\n  of many' } })
    expect(long?.length).toBeLessThanOrEqual(255)
    expect(long).toMatch(/^One of many\. One of label_0, .*label_\d+ … \[internal, as it is\]$/)
  })

  it('say the unit, what a column replaces and that it is deprecated', () => {
    const about = { description: 'Time played', unit: 'seconds', renamedFrom: 'played', deprecatedIn: 1 }
    expect(columnComment({ ...status, about })).toBe(
      'Time played. In seconds. Replaces played. Deprecated since version 1. [internal, as it is]',
    )
  })

  it('are brought up to date, and nothing else is: old words are no drift', () => {
    const descriptor = healthy.StorageDescriptor
    const columns =
      descriptor?.Columns?.map((each) => (each.Name === 'status' ? { ...each, Comment: 'old' } : each)) ?? []
    const table = { ...healthy, Description: 'old', StorageDescriptor: { ...descriptor, Columns: columns } }
    expect(codes(table)).toEqual([])
    expect(plannedTableChange(players, table, BUCKET)).toEqual({
      kind: 'update',
      added: [],
      described: ['status'],
      description: true,
    })
  })
})
