import { createHash } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { crc32 } from 'node:zlib'
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { contractSetFingerprint, contracts, currentContracts, type TableContract } from '../../src/lake/contract.ts'
import { type Manifest, type ManifestFile, type ManifestTable, manifestBody } from '../../src/lake/manifest.ts'
import { manifestKey, partKey, snapshotDate } from '../../src/lake/object-keys.ts'
import { type LakeSize, type RawTable, rawTables, takenAt } from './lake-rows.ts'

/** About 150 MB of players. */
const ROWS_A_FILE = 2_000_000
const ROWS_A_GROUP = 200_000
const DUCKDB_TYPES: Readonly<Record<string, string>> = {
  string: 'VARCHAR',
  timestamp: 'TIMESTAMPTZ',
  date: 'DATE',
  int: 'INTEGER',
  bigint: 'BIGINT',
  boolean: 'BOOLEAN',
}

/** A snapshot of the bench: its files on disk, and what its manifest says. */
export interface RawSnapshot {
  readonly manifest: Manifest
  /** Paths, by table. */
  readonly files: Readonly<Record<string, readonly string[]>>
}

const idOf = (at: number) =>
  `${takenAt(at).slice(0, 19).replace(/[-:]/g, '').toLowerCase()}z-bench${String(at).padStart(3, '0')}`

/** Makes one snapshot as files below `dir`, by DuckDB: rows that only their number and the snapshot decide. */
export async function makeSnapshot(size: LakeSize, at: number, dir: string): Promise<RawSnapshot> {
  const id = idOf(at)
  const instance = await DuckDBInstance.create(':memory:', { threads: '2', memory_limit: '1GB' })
  const tables: ManifestTable[] = []
  const files: Record<string, string[]> = {}
  try {
    const connection = await instance.connect()
    for (const table of rawTables(size)) {
      const contract = currentContracts(contracts).find(({ name }) => name === table.name)
      if (contract === undefined) throw new Error(`The lake has no table ${table.name}`)
      const made = await makeTable(connection, table, contract, id, at, dir)
      files[table.name] = made.map(({ file }) => file)
      tables.push(
        manifestTable(
          contract,
          made.map((each) => each.entry),
        ),
      )
    }
    connection.closeSync()
  } finally {
    instance.closeSync()
  }
  return { files, manifest: manifestOf(id, at, tables) }
}

interface MadeFile {
  readonly file: string
  readonly entry: ManifestFile
}

async function makeTable(
  connection: DuckDBConnection,
  table: RawTable,
  contract: TableContract,
  id: string,
  at: number,
  dir: string,
): Promise<MadeFile[]> {
  const values = table.values(at)
  const unknown = Object.keys(values).filter((name) => !contract.columns.some((column) => column.name === name))
  if (unknown.length > 0) throw new Error(`${table.name} has no column ${unknown.join(', ')}`)
  const list = contract.columns
    .map(
      ({ athenaType, name }) =>
        `CAST(${values[name] ?? 'NULL'} AS ${DUCKDB_TYPES[athenaType] ?? 'VARCHAR'}) AS "${name}"`,
    )
    .join(', ')
  const made: MadeFile[] = []
  for (let from = 0; from < table.rows(at); from += ROWS_A_FILE) {
    const to = Math.min(from + ROWS_A_FILE, table.rows(at))
    const file = path.join(dir, `${at}-${table.name}-${made.length}.parquet`)
    await connection.run(
      `COPY (SELECT ${list} FROM range(${from}, ${to}) r (i)) TO '${file}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROWS_A_GROUP})`,
    )
    made.push({ file, entry: await manifestFile(file, partKey(table.name, id, 0, made.length), to - from) })
  }
  return made
}

async function manifestFile(file: string, key: string, rows: number): Promise<ManifestFile> {
  const { size: bytes } = await stat(file)
  const handle = await open(file)
  const hash = createHash('sha256')
  let checksum = 0
  let tail = Buffer.alloc(0)
  try {
    const end = await handle.read(Buffer.alloc(8), 0, 8, bytes - 8)
    // Parquet: the length of the footer and PAR1 end a file.
    tail = Buffer.alloc(end.buffer.readUInt32LE(0) + 8)
    await handle.read(tail, 0, tail.length, bytes - tail.length)
    for await (const chunk of handle.createReadStream({ start: 0, autoClose: false })) {
      hash.update(chunk)
      checksum = crc32(chunk, checksum)
    }
  } finally {
    await handle.close()
  }
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(checksum >>> 0)
  return {
    ...{ key, bytes, rows, row_groups: Math.ceil(rows / ROWS_A_GROUP), crc32: crc.toString('base64') },
    ...{ sha256: hash.digest('hex'), tail_sha256: createHash('sha256').update(tail).digest('hex') },
    ...{ tail_bytes: tail.length, min_key: null, max_key: null, columns: {} },
  }
}

function manifestTable(contract: TableContract, files: readonly ManifestFile[]): ManifestTable {
  const sum = (of: (file: ManifestFile) => number) => files.reduce((total, file) => total + of(file), 0)
  return {
    ...{ name: contract.name, contract_version: contract.version, fingerprint: contract.fingerprint },
    ...{ rows: sum((file) => file.rows), bytes: sum((file) => file.bytes), unrepresentable: {}, files: [...files] },
    columns: contract.columns.map((column) => ({
      ...{ name: column.name, pg_type: column.pgType, parquet_physical: 'BYTE_ARRAY', parquet_logical: null },
      ...{ athena_type: column.athenaType, nullable: column.nullable, class: column.class, action: column.action },
    })),
  }
}

function manifestOf(id: string, at: number, tables: readonly ManifestTable[]): Manifest {
  const taken = takenAt(at)
  return {
    ...{ manifest_version: 1, snapshot_id: id, snapshot_date: snapshotDate(id), sequence: at + 1, fence: 1 },
    ...{ software: { version: 'bench', git_sha: null }, previous_snapshot_id: at === 0 ? null : idOf(at - 1) },
    ...{ started_at: taken, prepared_at: taken, erasure_watermark: null },
    source: {
      ...{ database: 'bench', pg_version: '18', system_identifier: null, role: 'primary', snapshot: '1:1:' },
      ...{ xmin: '1', xmax: '1', wal_lsn: '0/1', taken_at: taken },
    },
    ...{ contract_set_fingerprint: contractSetFingerprint, pseudonym_key_version: 1, tables: [...tables] },
    totals: {
      rows: tables.reduce((sum, { rows }) => sum + rows, 0),
      bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
      files: tables.reduce((sum, { files }) => sum + files.length, 0),
    },
  }
}

/** Puts the files into the lake; `commitSnapshot` makes a snapshot of them. */
export async function uploadSnapshot(s3: S3Client, bucket: string, { files, manifest }: RawSnapshot): Promise<void> {
  for (const table of manifest.tables) {
    for (const [number, { key }] of table.files.entries()) {
      const Body = await readFile(files[table.name]?.[number] ?? '')
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body }))
    }
  }
}

/** As the service does it: the manifest is the commit. */
export async function commitSnapshot(s3: S3Client, bucket: string, { manifest }: RawSnapshot): Promise<void> {
  const { body } = manifestBody(manifest)
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: manifestKey(manifest.snapshot_id), Body: body }))
}
