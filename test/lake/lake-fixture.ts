import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { DuckDBInstance } from '@duckdb/node-api'
import { contractSetFingerprint, contracts, type TableContract } from '../../src/lake/contract.ts'
import type { LakePlace } from '../../src/lake/lake-setup.ts'
import type { Manifest } from '../../src/lake/manifest.ts'
import { partKey, snapshotDate } from '../../src/lake/object-keys.ts'

/** A lake's place with names of its own, so that tests may share an endpoint. */
export function testPlace(name: string): LakePlace {
  return {
    region: 'us-east-1',
    bucket: `lake-${name}`,
    resultsUri: `s3://results-${name}/athena/`,
    rawDatabase: `raw_${name}`,
    database: `lake_${name}`,
    curatedDatabase: `curated_${name}`,
    crawler: `crawler-${name}`,
    crawlerRole: 'rocketgames-crawler',
    workgroup: `group-${name}`,
    crawlerWaitMs: 30_000,
    pace: { firstMs: 20, longestMs: 200 },
  }
}

const DUCKDB_TYPES: Readonly<Record<string, string>> = {
  string: 'VARCHAR',
  timestamp: 'TIMESTAMP',
  date: 'DATE',
  int: 'INTEGER',
  bigint: 'BIGINT',
  boolean: 'BOOLEAN',
}

/** A value of a column in row `i`, as SQL of DuckDB; columns that are not named are NULL. */
export type RowValues = Readonly<Record<string, string>>

/** Parquet with the columns of a contract, written by DuckDB: independent of the project's own encoder. */
export async function parquetOf(contract: TableContract, rows: readonly RowValues[]): Promise<Buffer> {
  const file = path.join(tmpdir(), `lake-fixture-${process.pid}-${Math.random().toString(36).slice(2)}.parquet`)
  const list = (row: RowValues | undefined) =>
    contract.columns
      .map(
        ({ name, athenaType }) =>
          `CAST(${row?.[name] ?? 'NULL'} AS ${DUCKDB_TYPES[athenaType] ?? 'VARCHAR'}) AS "${name}"`,
      )
      .join(', ')
  const selects = rows.map((row) => `SELECT ${list(row)}`)
  const source = selects.length > 0 ? selects.join(' UNION ALL ') : `SELECT ${list(undefined)} WHERE false`
  const instance = await DuckDBInstance.create(':memory:')
  try {
    const connection = await instance.connect()
    await connection.run(`COPY (${source}) TO '${file}' (FORMAT parquet)`)
    connection.closeSync()
    return await readFile(file)
  } finally {
    instance.closeSync()
    await rm(file, { force: true })
  }
}

export interface FixtureSnapshot {
  readonly id: string
  readonly sequence: number
  /** By Glue table; a table that is not named is empty. */
  readonly rows?: Readonly<Record<string, readonly RowValues[]>>
  readonly contracts?: readonly TableContract[]
}

/** Writes the files of a snapshot, as a finished commit leaves them, and returns its manifest. */
export async function writeSnapshot(s3: S3Client, bucket: string, snapshot: FixtureSnapshot): Promise<Manifest> {
  const tables: Manifest['tables'] = []
  for (const contract of snapshot.contracts ?? contracts) {
    const rows = snapshot.rows?.[contract.name] ?? []
    const body = await parquetOf(contract, rows)
    const key = partKey(contract.name, snapshot.id, 0, 0)
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))
    tables.push(manifestTable(contract, key, rows.length, body.length))
  }
  return manifestOf(snapshot, tables)
}

/** A manifest without files in any bucket: one row a table. */
export function manifestFor(snapshot: FixtureSnapshot): Manifest {
  const tables = contracts.map((c) => manifestTable(c, partKey(c.name, snapshot.id, 0, 0), 1, 100))
  return manifestOf(snapshot, tables)
}

function manifestTable(contract: TableContract, key: string, rows: number, bytes: number): Manifest['tables'][number] {
  const sha = '0'.repeat(64)
  return {
    name: contract.name,
    contract_version: contract.version,
    fingerprint: contract.fingerprint,
    rows,
    bytes,
    columns: contract.columns.map((column) => ({
      name: column.name,
      pg_type: column.pgType,
      parquet_physical: 'BYTE_ARRAY',
      parquet_logical: null,
      athena_type: column.athenaType,
      nullable: column.nullable,
      class: column.class,
      action: column.action,
    })),
    unrepresentable: {},
    files: [
      {
        ...{ key, bytes, rows, row_groups: 1, crc32: 'AAAAAA==', sha256: sha, tail_sha256: sha, tail_bytes: 8 },
        ...{ min_key: null, max_key: null, columns: {} },
      },
    ],
  }
}

function manifestOf({ id, sequence }: FixtureSnapshot, tables: Manifest['tables']): Manifest {
  const at = '2026-11-22T02:00:00.000Z'
  return {
    manifest_version: 1,
    snapshot_id: id,
    snapshot_date: snapshotDate(id),
    sequence,
    fence: 1,
    software: { version: 'test', git_sha: null },
    previous_snapshot_id: null,
    started_at: at,
    prepared_at: at,
    source: {
      ...{ database: 'test', pg_version: '18', system_identifier: null, role: 'primary', snapshot: '1:1:' },
      ...{ xmin: '1', xmax: '1', wal_lsn: '0/1', taken_at: at },
    },
    contract_set_fingerprint: contractSetFingerprint,
    pseudonym_key_version: 1,
    erasure_watermark: null,
    tables,
    totals: {
      rows: tables.reduce((sum, table) => sum + table.rows, 0),
      bytes: tables.reduce((sum, table) => sum + table.bytes, 0),
      files: tables.length,
    },
  }
}
