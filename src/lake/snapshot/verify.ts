import { AppError } from '../../errors.ts'
import {
  type Manifest,
  type ManifestFile,
  type ManifestTable,
  parseCurrent,
  parseManifest,
  sha256Hex,
} from '../manifest.ts'
import {
  CURRENT_KEY,
  LAKE_PREFIX,
  MANIFESTS_PREFIX,
  manifestKey,
  parseManifestKey,
  parsePartKey,
} from '../object-keys.ts'
import { checkTail } from '../parquet/read.ts'
import type { Finding } from '../publication.ts'
import { objectProblem } from './commit.ts'
import { deepFindings } from './deep-check.ts'
import { inParallel } from './in-parallel.ts'
import type { Lake } from './lake.ts'
import { columnsOf } from './manifest-columns.ts'
import { RUNNING_STATES } from './states.ts'

export interface VerifyOptions {
  /** Default: the snapshot that `CURRENT.json` names. */
  readonly id?: string
  /** Every live snapshot. */
  readonly all?: boolean
  /** Reads every value of every file back. */
  readonly deep?: boolean
}

export interface VerifyReport {
  /** Snapshots that were looked at. */
  readonly snapshots: readonly string[]
  readonly files: number
  readonly rows: number
  /** Empty: healthy. */
  readonly findings: readonly Finding[]
}

const FILES_AT_ONCE = 8

/**
 * Compares the lake with what the control tables promise; reads only and repairs nothing.
 *
 * @throws AppError `not-found` when there is no such live snapshot.
 */
export async function verifySnapshots(lake: Lake, options: VerifyOptions = {}): Promise<VerifyReport> {
  const live = await liveSnapshots(lake)
  const pointer = await pointerFindings(lake, live)
  const wanted = chosen(live, options, pointer.current)
  const findings: Finding[] = [...pointer.findings]
  let files = 0
  for (const snapshot of wanted) {
    findings.push(...(await manifestFindings(lake, snapshot)))
    for (const table of snapshot.manifest.tables) {
      findings.push(...(await tableFindings(lake, snapshot, table, options.deep === true)))
      files += table.files.length
    }
  }
  const unsettled = await unsettledIds(lake)
  findings.push(...(await strayFindings(lake, live, unsettled)))
  const catalogue = await lake.publisher.findings(live.filter((s) => s.published).map((s) => s.manifest))
  // Between its commit and its views, or its views and its objects' end, a snapshot may be in the catalogue or not.
  findings.push(...catalogue.filter((f) => f.snapshotId === undefined || !unsettled.has(f.snapshotId)))
  return {
    snapshots: wanted.map((snapshot) => snapshot.id),
    files,
    rows: wanted.reduce((sum, snapshot) => sum + snapshot.manifest.totals.rows, 0),
    findings,
  }
}

interface LiveSnapshot {
  readonly id: string
  readonly body: string
  readonly sha256: string
  readonly manifest: Manifest
  readonly published: boolean
}

async function liveSnapshots(lake: Lake): Promise<LiveSnapshot[]> {
  const rows = await lake.database.prisma.lakeSnapshot.findMany({
    where: { state: { in: ['committed', 'published'] }, manifest: { not: null } },
    orderBy: { sequence: 'asc' },
  })
  return rows.map((row) => ({
    id: row.id,
    body: row.manifest ?? '',
    sha256: row.manifestSha256 ?? '',
    manifest: parseManifest(row.manifest ?? ''),
    published: row.state === 'published',
  }))
}

function chosen(live: readonly LiveSnapshot[], options: VerifyOptions, current: string | undefined): LiveSnapshot[] {
  if (options.all) return [...live]
  const id = options.id ?? current
  if (id === undefined) return []
  const snapshot = live.find((each) => each.id === id)
  if (snapshot) return [snapshot]
  if (options.id === undefined) return []
  throw new AppError('not-found', `Snapshot ${JSON.stringify(id.slice(0, 64))} is not committed or published`)
}

async function pointerFindings(
  lake: Lake,
  live: readonly LiveSnapshot[],
): Promise<{ current: string | undefined; findings: Finding[] }> {
  const stored = await lake.bucket.getText(CURRENT_KEY)
  const newest = live.filter((snapshot) => snapshot.published).at(-1)
  const finding = (message: string): Finding => ({ code: 'pointer_mismatch', message, key: CURRENT_KEY })
  if (!stored) {
    return { current: newest?.id, findings: newest ? [finding(`${CURRENT_KEY} is not there`)] : [] }
  }
  const pointer = parseCurrent(stored.text)
  const current = pointer.snapshot_id
  if (current !== newest?.id) {
    return {
      current,
      findings: [finding(`${CURRENT_KEY} names ${current}, published last was ${newest?.id ?? 'none'}`)],
    }
  }
  const wrong = pointer.manifest_sha256 !== newest.sha256
  return {
    current,
    findings: wrong ? [finding(`${CURRENT_KEY} has another checksum than the manifest of ${current}`)] : [],
  }
}

async function manifestFindings(lake: Lake, snapshot: LiveSnapshot): Promise<Finding[]> {
  const key = manifestKey(snapshot.id)
  const stored = await lake.bucket.getText(key)
  const base = { snapshotId: snapshot.id, key }
  if (!stored) return [{ ...base, code: 'manifest_missing', message: `${key} is not there` }]
  const agree = sha256Hex(stored.text) === snapshot.sha256 && sha256Hex(snapshot.body) === snapshot.sha256
  return agree ? [] : [{ ...base, code: 'manifest_mismatch', message: `${key} and the control table differ` }]
}

async function tableFindings(
  lake: Lake,
  snapshot: LiveSnapshot,
  table: ManifestTable,
  deep: boolean,
): Promise<Finding[]> {
  const findings: Finding[] = []
  const base = { snapshotId: snapshot.id, table: table.name }
  const sum = table.files.reduce((rows, file) => rows + file.rows, 0)
  if (sum !== table.rows) {
    findings.push({
      ...base,
      code: 'manifest_mismatch',
      message: `${table.name}: files hold ${sum} of ${table.rows} rows`,
    })
  }
  await inParallel(table.files, deep ? 1 : FILES_AT_ONCE, async (file) => {
    const here = { ...base, key: file.key }
    const problem = await objectProblem(lake, file)
    if (problem) findings.push({ ...here, ...problem })
    if (problem?.code === 'object_missing') return
    const messages = await footerMessages(lake, table, file)
    findings.push(
      ...messages.map((message) => ({ ...here, code: 'footer_mismatch', message: `${file.key}: ${message}` })),
    )
    if (deep && messages.length === 0) {
      const found = await deepFindings(lake, table, file)
      findings.push(
        ...found.map((message) => ({ ...here, code: 'column_mismatch', message: `${file.key}: ${message}` })),
      )
    }
  })
  return findings
}

async function footerMessages(lake: Lake, table: ManifestTable, file: ManifestFile): Promise<string[]> {
  try {
    const tail = await lake.bucket.tail(file.key, file.tail_bytes)
    const footer = checkTail(tail, file.bytes, columnsOf(lake, table))
    return [
      ...(footer.rows === file.rows ? [] : [`the footer counts ${footer.rows} rows, the manifest ${file.rows}`]),
      ...(footer.rowGroups === file.row_groups
        ? []
        : [`${footer.rowGroups} row groups, the manifest says ${file.row_groups}`]),
    ]
  } catch (error) {
    return [(error as Error).message]
  }
}

/** Snapshots that a process works on, or has to. */
async function unsettledIds(lake: Lake): Promise<ReadonlySet<string>> {
  const rows = await lake.database.prisma.lakeSnapshot.findMany({
    where: { state: { in: [...RUNNING_STATES, 'retiring'] } },
    select: { id: true },
  })
  return new Set(rows.map((row) => row.id))
}

/** Objects and uploads that no snapshot names, and manifests without a row. */
async function strayFindings(
  lake: Lake,
  live: readonly LiveSnapshot[],
  unsettled: ReadonlySet<string>,
): Promise<Finding[]> {
  const known = new Set(live.flatMap((s) => s.manifest.tables.flatMap((table) => table.files.map((file) => file.key))))
  const findings: Finding[] = []
  for await (const { key } of lake.bucket.objects(LAKE_PREFIX)) {
    const snapshotId = parsePartKey(key)?.snapshotId
    if (known.has(key) || (snapshotId !== undefined && unsettled.has(snapshotId))) continue
    findings.push({ code: 'stray_object', message: `${key} belongs to no live snapshot`, key })
  }
  for await (const { key } of lake.bucket.uploads(LAKE_PREFIX)) {
    const snapshotId = parsePartKey(key)?.snapshotId
    if (snapshotId !== undefined && unsettled.has(snapshotId)) continue
    findings.push({ code: 'orphan_upload', message: `An upload of ${key} belongs to no running snapshot`, key })
  }
  const ids = new Set(live.map((snapshot) => snapshot.id))
  for await (const { key } of lake.bucket.objects(MANIFESTS_PREFIX)) {
    const id = parseManifestKey(key)
    if (id !== undefined && (ids.has(id) || unsettled.has(id))) continue
    findings.push({ code: 'stray_manifest', message: `${key} belongs to no live snapshot`, key })
  }
  return findings
}
