import { AppError, describe } from '../../errors.ts'
import { LakeProblem } from '../lake-problem.ts'
import { type ManifestFile, type ManifestTable, sha256Hex } from '../manifest.ts'
import { manifestKey } from '../object-keys.ts'
import { checkTail } from '../parquet/read.ts'
import type { Finding } from '../publication.ts'
import { objectProblem } from './commit.ts'
import { deepFindings } from './deep-check.ts'
import { inParallel } from './in-parallel.ts'
import type { Lake } from './lake.ts'
import { lakeFindings, readPointer } from './lake-findings.ts'
import { type LiveSnapshot, snapshotStates } from './live-snapshots.ts'
import { columnsOf } from './manifest-columns.ts'

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
 * @throws AppError `not-found` when there is no such live snapshot; LakeProblem when S3, Glue or Athena cannot be read.
 */
export async function verifySnapshots(lake: Lake, options: VerifyOptions = {}): Promise<VerifyReport> {
  const { live } = await snapshotStates(lake)
  const wanted = await chosen(lake, live, options)
  const findings: Finding[] = []
  let files = 0
  for (const snapshot of wanted) {
    findings.push(...(await manifestFindings(lake, snapshot)))
    for (const table of snapshot.manifest.tables) {
      findings.push(...(await tableFindings(lake, snapshot, table, options.deep === true)))
      files += table.files.length
    }
  }
  findings.push(...(await lakeFindings(lake)))
  return {
    snapshots: wanted.map((snapshot) => snapshot.id),
    files,
    rows: wanted.reduce((sum, snapshot) => sum + snapshot.manifest.totals.rows, 0),
    findings,
  }
}

async function chosen(
  lake: Lake,
  live: readonly LiveSnapshot[],
  { all, id }: VerifyOptions,
): Promise<readonly LiveSnapshot[]> {
  if (all) return live
  if (id !== undefined) {
    const snapshot = live.find((each) => each.id === id)
    if (snapshot) return [snapshot]
    throw new AppError('not-found', `Snapshot ${JSON.stringify(id.slice(0, 64))} is not committed or published`)
  }
  const pointer = await readPointer(lake)
  const newest = live.filter((snapshot) => snapshot.published).at(-1)
  // A pointer elsewhere is a finding; then the newest one is looked at.
  const current = live.find((each) => each.id === pointer?.snapshot_id) ?? newest
  return current ? [current] : []
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
    // Storage that does not answer says nothing about the file.
    if (error instanceof LakeProblem) throw error
    return [describe(error)]
  }
}
