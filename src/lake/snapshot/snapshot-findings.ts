import { describe } from '../../errors.ts'
import type { FindingCode } from '../finding-guide.ts'
import { LakeProblem } from '../lake-problem.ts'
import { type Manifest, type ManifestColumn, type ManifestFile, type ManifestTable, sha256Hex } from '../manifest.ts'
import { contractKey, manifestKey, parsePartKey } from '../object-keys.ts'
import { checkTail, fileMetadata } from '../parquet/read.ts'
import type { Finding } from '../publication.ts'
import { objectProblem } from './commit.ts'
import { deepFindings } from './deep-check.ts'
import { inParallel } from './in-parallel.ts'
import type { Lake } from './lake.ts'
import type { LiveSnapshot } from './live-snapshots.ts'
import { columnsOf, fingerprintOf } from './manifest-columns.ts'

const FILES_AT_ONCE = 8

/** How far the check of one table has come. */
export interface TableProgress {
  readonly table: string
  readonly files: number
  /** Values read so far and in all; both 0 unless every value is read. */
  readonly values: number
  readonly ofValues: number
  readonly done: boolean
}

export interface SnapshotCheck {
  /** Reads every value. */
  readonly deep: boolean
  readonly progress?: ((event: TableProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** What is wrong with one snapshot: its manifest, its contracts, its counts, and every one of its files. */
export async function snapshotFindings(lake: Lake, snapshot: LiveSnapshot, check: SnapshotCheck): Promise<Finding[]> {
  const findings = [
    ...(await manifestFindings(lake, snapshot)),
    ...(await countFindings(lake, snapshot)),
    ...(await contractFindings(lake, snapshot)),
  ]
  for (const table of snapshot.manifest.tables) findings.push(...(await tableFindings(lake, snapshot, table, check)))
  return findings
}

async function manifestFindings(lake: Lake, snapshot: LiveSnapshot): Promise<Finding[]> {
  const key = manifestKey(snapshot.id)
  const stored = await lake.bucket.getText(key)
  const base = { snapshotId: snapshot.id, key }
  if (!stored) return [{ ...base, code: 'manifest_missing', message: `${key} is not there` }]
  const agree = sha256Hex(stored.text) === snapshot.sha256 && sha256Hex(snapshot.body) === snapshot.sha256
  return agree ? [] : [{ ...base, code: 'manifest_mismatch', message: `${key} and the control table differ` }]
}

/** Rows as COPY counted them, as the encoder did, as the manifest says of table and files, and in all. */
async function countFindings(lake: Lake, { id, manifest }: LiveSnapshot): Promise<Finding[]> {
  const rows = await lake.database.prisma.lakeSnapshotTable.findMany({ where: { snapshotId: id } })
  const counted = new Map(rows.map((row) => [row.tableName, row]))
  const finding = (message: string, table?: string): Finding => ({
    ...{ code: 'count_mismatch', snapshotId: id, message },
    ...(table === undefined ? {} : { table }),
  })
  const findings = manifest.tables.flatMap((table): Finding[] => {
    const inFiles = sum(table.files, (file) => file.rows)
    const row = counted.get(table.name)
    const counts = [Number(row?.rowsCopied ?? -1), Number(row?.rowsEncoded ?? -1), inFiles]
    const agree = counts.every((count) => count === table.rows) && sum(table.files, (f) => f.bytes) === table.bytes
    if (agree) return []
    const [copied, encoded] = counts
    const text = `COPY counted ${copied}, the encoder ${encoded}, the files ${inFiles}, the manifest ${table.rows} rows`
    return [finding(`${table.name}: ${text}; or their bytes differ`, table.name)]
  })
  return totalsAgree(manifest)
    ? findings
    : [...findings, finding('the totals of the manifest are not those of its tables')]
}

function totalsAgree({ tables, totals }: Manifest): boolean {
  return (
    sum(tables, (table) => table.rows) === totals.rows &&
    sum(tables, (table) => table.bytes) === totals.bytes &&
    sum(tables, (table) => table.files.length) === totals.files
  )
}

const sum = <T>(items: readonly T[], of: (item: T) => number) => items.reduce((total, item) => total + of(item), 0)

/** The contract object of each table, and whether columns and fingerprint belong together. */
async function contractFindings(lake: Lake, { id, manifest }: LiveSnapshot): Promise<Finding[]> {
  const findings: Finding[] = []
  await inParallel(manifest.tables, FILES_AT_ONCE, async ({ columns, fingerprint, name }) => {
    const key = contractKey(name, fingerprint)
    const base = { snapshotId: id, table: name, key }
    if (fingerprintOf(columns) !== fingerprint) {
      const message = `${name}: the columns of the manifest have another fingerprint than it says`
      findings.push({ ...base, code: 'manifest_mismatch', message })
    }
    const stored = await lake.bucket.getText(key)
    if (stored === undefined) findings.push({ ...base, code: 'contract_missing', message: `${key} is not there` })
    else if (contractFingerprint(stored.text) !== fingerprint) {
      findings.push({ ...base, code: 'contract_mismatch', message: `${key} holds other columns than its name says` })
    }
  })
  return findings
}

function contractFingerprint(body: string): string | undefined {
  try {
    const { columns } = JSON.parse(body) as { readonly columns: readonly ManifestColumn[] }
    return fingerprintOf(columns)
  } catch {
    return undefined
  }
}

async function tableFindings(
  lake: Lake,
  snapshot: LiveSnapshot,
  table: ManifestTable,
  { deep, progress, signal }: SnapshotCheck,
): Promise<Finding[]> {
  const findings: Finding[] = []
  const ofValues = deep ? table.rows * table.columns.length : 0
  let values = 0
  const tell = (done: boolean) => progress?.({ table: table.name, files: table.files.length, values, ofValues, done })
  const onValues = (more: number) => {
    values += more
    signal?.throwIfAborted()
    tell(false)
  }
  // Values are read one file at a time, so that memory stays that of one column of one row group.
  await inParallel(table.files, deep ? 1 : FILES_AT_ONCE, async (file) => {
    signal?.throwIfAborted()
    const found = await fileFindings(lake, snapshot.manifest, table, file)
    const readable = !found.some(({ code }) => code === 'object_missing' || code === 'footer_mismatch')
    if (deep && readable) found.push(...(await deepFindings(lake, table, file, onValues)))
    const base = { snapshotId: snapshot.id, table: table.name, key: file.key }
    findings.push(
      ...found.map(({ code, message }) => {
        return { ...base, code, message: message.includes(file.key) ? message : `${file.key}: ${message}` }
      }),
    )
  })
  tell(true)
  return findings
}

interface FileFinding {
  readonly code: FindingCode
  readonly message: string
}

async function fileFindings(
  lake: Lake,
  manifest: Manifest,
  table: ManifestTable,
  file: ManifestFile,
): Promise<FileFinding[]> {
  const findings: FileFinding[] = []
  const problem = await objectProblem(lake, file)
  if (problem) findings.push(problem)
  if (problem?.code === 'object_missing') return findings
  try {
    const tail = await lake.bucket.tail(file.key, file.tail_bytes)
    const { rowGroups, rows } = checkTail(tail, file.bytes, columnsOf(table))
    if (rows !== file.rows) mismatch(findings, `the footer counts ${rows} rows, the manifest ${file.rows}`)
    if (rowGroups !== file.row_groups)
      mismatch(findings, `${rowGroups} row groups, the manifest says ${file.row_groups}`)
    findings.push(...metadataFindings(manifest, table, file, fileMetadata(tail)))
  } catch (error) {
    // Storage that does not answer says nothing about the file.
    if (error instanceof LakeProblem) throw error
    mismatch(findings, describe(error))
  }
  return findings
}

function mismatch(findings: FileFinding[], message: string): void {
  findings.push({ code: 'footer_mismatch', message })
}

/** What the file says of itself, for whoever has nothing but the file. */
function metadataFindings(
  { pseudonym_key_version: keyVersion, snapshot_id: id, source }: Manifest,
  { contract_version: version, fingerprint, name }: ManifestTable,
  { key }: ManifestFile,
  found: ReadonlyMap<string, string>,
): FileFinding[] {
  const expected = {
    snapshot_id: id,
    table: name,
    contract_version: String(version),
    fingerprint,
    taken_at: source.taken_at,
    wal_lsn: source.wal_lsn,
    part: String(parsePartKey(key)?.number ?? ''),
    pseudonym_key_version: String(keyVersion),
  }
  return Object.entries(expected).flatMap(([member, value]): FileFinding[] => {
    const written = found.get(`rocketgames.${member}`)
    if (written === value) return []
    const message = `it calls its ${member} ${JSON.stringify(written ?? null)}, the manifest ${JSON.stringify(value)}`
    return [{ code: 'metadata_mismatch', message }]
  })
}
