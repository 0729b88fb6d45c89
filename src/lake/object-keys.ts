import { randomBytes } from 'node:crypto'

/**
 * The only place that builds or parses S3 keys of the lake.
 *
 * `lake/` holds Parquet files and nothing else: an engine reads every object below a registered partition. Everything that is
 * not Parquet lies under `lake-meta/`, a sibling that is no table's location and no crawler's target. A key is written once:
 * replacing an object under a running query would fail it or, worse, mix two files.
 */

export const LAKE_PREFIX = 'lake/v1/'
export const META_PREFIX = 'lake-meta/v1/'
/** Names the snapshot that the views show; replaced under `If-Match` only. */
export const CURRENT_KEY = `${META_PREFIX}CURRENT.json`
export const MANIFESTS_PREFIX = `${META_PREFIX}manifests/`
/** What passes between a snapshot's run and its Spark job; empty when nothing runs. */
export const UNLOAD_PREFIX = 'unload/v1/'
export const RETIRED_PREFIX = `${META_PREFIX}retired/`
const CONTRACTS_PREFIX = `${META_PREFIX}contracts/`
/** Key of the objects' user metadata that names their snapshot. */
export const SNAPSHOT_METADATA = 'snapshot-id'

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz'
const SNAPSHOT_ID = /^(\d{4})(\d{2})(\d{2})t(\d{2})(\d{2})(\d{2})z-[0-9a-hjkmnp-tv-z]{8}$/
const TABLE = /^[a-z][a-z0-9_]{0,62}$/
const PART =
  /^lake\/v1\/([a-z][a-z0-9_]{0,62})\/snapshot_date=(\d{4}-\d{2}-\d{2})\/snapshot_id=([0-9a-z-]+)\/part-(\d{2})-(\d{5})\.parquet$/

export interface PartKey {
  /** Glue table, with its version suffix. */
  readonly table: string
  readonly snapshotDate: string
  readonly snapshotId: string
  /** Which reader wrote it, 0 to 99. */
  readonly reader: number
  /** 0 to 99,999, ascending per reader. */
  readonly number: number
}

/** UTC second of the start, `-`, 8 random characters (40 bits): two snapshots in one second never share a key. */
export function newSnapshotId(now: Date): string {
  const second = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').toLowerCase()
  const random = [...randomBytes(8)].map((byte) => CROCKFORD[byte & 31]).join('')
  return `${second}z-${random}`
}

export function isSnapshotId(text: string): boolean {
  return SNAPSHOT_ID.test(text)
}

/** `2026-11-22` of `20261122t020000z-01kaq3c9`: the value of the first partition key. */
export function snapshotDate(snapshotId: string): string {
  const match = SNAPSHOT_ID.exec(snapshotId)
  if (!match) {
    throw new RangeError(`${JSON.stringify(snapshotId)} is no snapshot id: 20261122t020000z-01kaq3c9 is the form`)
  }
  return `${match[1]}-${match[2]}-${match[3]}`
}

/** Folder of a table: the Glue table's location and the crawler's target. */
export function tablePrefix(table: string): string {
  if (!TABLE.test(table)) throw new RangeError(`${JSON.stringify(table)} is no name of a lake table`)
  return `${LAKE_PREFIX}${table}/`
}

/** Folder of one table in one snapshot: the Glue partition's location. */
export function partitionPrefix(table: string, snapshotId: string): string {
  return `${tablePrefix(table)}snapshot_date=${snapshotDate(snapshotId)}/snapshot_id=${snapshotId}/`
}

/** Key of one Parquet file. */
export function partKey(table: string, snapshotId: string, reader: number, number: number): string {
  if (!(reader >= 0 && reader <= 99 && number >= 0 && number <= 99_999)) {
    throw new RangeError(`Reader ${reader} (0 to 99) or file ${number} (0 to 99,999) is out of range`)
  }
  const file = `part-${String(reader).padStart(2, '0')}-${String(number).padStart(5, '0')}.parquet`
  return `${partitionPrefix(table, snapshotId)}${file}`
}

/** The parts of a key made by `partKey`; undefined for every other key. */
export function parsePartKey(key: string): PartKey | undefined {
  const match = PART.exec(key)
  if (!match) return undefined
  const [, table = '', date = '', snapshotId = '', reader, number] = match
  if (!isSnapshotId(snapshotId) || snapshotDate(snapshotId) !== date) return undefined
  return { table, snapshotDate: date, snapshotId, reader: Number(reader), number: Number(number) }
}

/** The commit point: when this object exists, the snapshot does. */
export function manifestKey(snapshotId: string): string {
  return `${MANIFESTS_PREFIX}${checked(snapshotId)}.json`
}

/** Where the manifest of a deleted snapshot goes. */
export function retiredKey(snapshotId: string): string {
  return `${RETIRED_PREFIX}${checked(snapshotId)}.json`
}

/** The snapshot of a manifest's key; undefined for every other key. */
export function parseManifestKey(key: string): string | undefined {
  if (!key.startsWith(MANIFESTS_PREFIX) || !key.endsWith('.json')) return undefined
  const id = key.slice(MANIFESTS_PREFIX.length, -'.json'.length)
  return isSnapshotId(id) ? id : undefined
}

/** Folder of a snapshot's plan and report while a Spark job reads its rows. */
export function unloadPrefix(snapshotId: string): string {
  return `${UNLOAD_PREFIX}${checked(snapshotId)}/`
}

/** What the job has to do. */
export function unloadPlanKey(snapshotId: string): string {
  return `${unloadPrefix(snapshotId)}plan.json`
}

/** What it has done. */
export function unloadReportKey(snapshotId: string): string {
  return `${unloadPrefix(snapshotId)}report.json`
}

export function contractKey(table: string, fingerprint: string): string {
  if (!TABLE.test(table) || !/^[0-9a-f]{64}$/.test(fingerprint)) {
    throw new RangeError('A contract needs a lake table and a SHA-256 in hex')
  }
  return `${CONTRACTS_PREFIX}${table}/${fingerprint}.json`
}

/** What a key of the lake holds, by its folder; `other` for every key that no function here makes. */
export function kindOfKey(key: string): 'file' | 'manifest' | 'current' | 'contract' | 'retired' | 'unload' | 'other' {
  if (key === CURRENT_KEY) return 'current'
  if (key.startsWith(LAKE_PREFIX)) return 'file'
  if (key.startsWith(MANIFESTS_PREFIX)) return 'manifest'
  if (key.startsWith(RETIRED_PREFIX)) return 'retired'
  if (key.startsWith(UNLOAD_PREFIX)) return 'unload'
  return key.startsWith(CONTRACTS_PREFIX) ? 'contract' : 'other'
}

export function s3Uri(bucket: string, key: string): string {
  return `s3://${bucket}/${key}`
}

function checked(snapshotId: string): string {
  snapshotDate(snapshotId)
  return snapshotId
}
