import { type Current, parseCurrent, sha256Hex } from '../manifest.ts'
import {
  CURRENT_KEY,
  MANIFESTS_PREFIX,
  parseManifestKey,
  parsePartKey,
  RETIRED_PREFIX,
  retiredKey,
} from '../object-keys.ts'
import type { Finding } from '../publication.ts'
import { inParallel } from './in-parallel.ts'
import type { Lake } from './lake.ts'
import { retiredManifests, type SnapshotStates, snapshotStates } from './live-snapshots.ts'

const READINGS = 4
const READS_AT_ONCE = 8
/** Everything that engines may read. */
const LAKE_ROOT = 'lake/'
const META_ROOT = 'lake-meta/'

export interface LakeCheck {
  /** Also the kept manifests of retired snapshots, of which there may be thousands. */
  readonly retiredToo: boolean
  readonly signal?: AbortSignal | undefined
}

const nameOf = ({ code, key, snapshotId, table, message }: Finding) =>
  JSON.stringify([
    code,
    key,
    snapshotId,
    table,
    ['type_drift', 'column_missing', 'extra_column'].includes(code) && message,
  ])

/**
 * What is wrong with the lake as a whole: pointer, catalogue, views, and objects that belong to nobody. A snapshot or retention under
 * way moves all of these, so what is found while rows change is looked at again; where they never stand still, what every reading found
 * is a finding, since what is under way differs from one reading to the next.
 */
export async function lakeFindings(lake: Lake, check: LakeCheck): Promise<Finding[]> {
  let lasting: Finding[] | undefined
  for (let reading = 1; ; reading++) {
    check.signal?.throwIfAborted()
    const states = await snapshotStates(lake)
    const findings = [
      ...(await pointerFindings(lake, states)),
      ...(await strayFindings(lake, states)),
      ...(await metaFindings(lake, states, check)),
      ...(await catalogueFindings(lake, states)),
    ]
    if (findings.length === 0) return findings
    // Views move within one state: where they do, the two lists they are compared with may be read on two sides of a move.
    const stood = states.moving.length === 0 && (await snapshotStates(lake)).signature === states.signature
    if (stood) return findings
    const names = new Set(findings.map(nameOf))
    lasting = (lasting ?? findings).filter((finding) => names.has(nameOf(finding)))
    if (lasting.length === 0 && reading > 1) return []
    if (reading === READINGS) return lasting
  }
}

/** What `CURRENT.json` says; undefined when it is not there, null when it is not to be understood. */
export async function readPointer(lake: Lake): Promise<Current | undefined | null> {
  const stored = await lake.bucket.getText(CURRENT_KEY)
  if (!stored) return undefined
  try {
    return parseCurrent(stored.text)
  } catch {
    return null
  }
}

async function pointerFindings(lake: Lake, { live, moving }: SnapshotStates): Promise<Finding[]> {
  const finding = (message: string): Finding[] => [{ code: 'pointer_mismatch', message, key: CURRENT_KEY }]
  const newest = live.filter((snapshot) => snapshot.published).at(-1)
  const pointer = await readPointer(lake)
  if (pointer === null) return finding(`${CURRENT_KEY} is no pointer of version 1`)
  if (pointer === undefined) return newest ? finding(`${CURRENT_KEY} is not there`) : []
  const { manifest_sha256: sha256, sequence, snapshot_id: id } = pointer
  if (id !== newest?.id && !moving.some((manifest) => manifest.snapshot_id === id)) {
    return finding(`${CURRENT_KEY} names ${id}, published last was ${newest?.id ?? 'none'}`)
  }
  const named = live.find((snapshot) => snapshot.id === id)
  if (named?.sha256 === sha256 && named.manifest.sequence === sequence) return []
  return finding(`${CURRENT_KEY} has another checksum or sequence than the manifest of ${id}`)
}

async function catalogueFindings(lake: Lake, { live, moving, unsettled }: SnapshotStates): Promise<Finding[]> {
  const published = live.filter((snapshot) => snapshot.published).map((snapshot) => snapshot.manifest)
  const read = async (manifests: typeof published) =>
    (await lake.publisher.findings(manifests)).filter((f) => f.snapshotId === undefined || !unsettled.has(f.snapshotId))
  const findings = await read(published)
  if (findings.length === 0 || moving.length === 0) return findings
  // Views that move one by one: each may show the lists before or after, and nothing else.
  const other = await read([...published, ...moving].sort((a, b) => a.sequence - b.sequence))
  const name = ({ code, key, snapshotId, table }: Finding) => JSON.stringify([code, key, snapshotId, table])
  const both = new Set(other.map(name))
  return findings.filter((finding) => both.has(name(finding)))
}

/** Objects and uploads that no snapshot names. */
async function strayFindings(lake: Lake, { live, unsettled }: SnapshotStates): Promise<Finding[]> {
  const known = new Set(live.flatMap((s) => s.manifest.tables.flatMap((table) => table.files.map((file) => file.key))))
  const isUnsettled = (key: string) => unsettled.has(parsePartKey(key)?.snapshotId ?? '')
  const findings: Finding[] = []
  for await (const { key } of lake.bucket.objects(LAKE_ROOT)) {
    if (known.has(key) || isUnsettled(key)) continue
    findings.push({ code: 'stray_object', message: `${key} belongs to no live snapshot`, key })
  }
  for await (const { key } of lake.bucket.multipart.pending(LAKE_ROOT)) {
    if (isUnsettled(key)) continue
    findings.push({ code: 'orphan_upload', message: `An upload of ${key} belongs to no running snapshot`, key })
  }
  return findings
}

const CONTRACT_KEY = /^lake-meta\/v1\/contracts\/[a-z][a-z0-9_]{0,62}\/[0-9a-f]{64}\.json$/

/** Manifests without a row, kept ones that are missing, and whatever else lies beside them. */
async function metaFindings(
  lake: Lake,
  { live, unsettled }: SnapshotStates,
  { retiredToo, signal }: LakeCheck,
): Promise<Finding[]> {
  const ids = new Set(live.map((snapshot) => snapshot.id))
  const retired = await retiredManifests(lake)
  const missing = new Map(retired.map((each) => [retiredKey(each.id), each]))
  const findings: Finding[] = []
  const sameSize: [string, (typeof retired)[number]][] = []
  for await (const { bytes, key } of lake.bucket.objects(META_ROOT)) {
    const kept = missing.get(key)
    missing.delete(key)
    if (kept !== undefined) {
      if (bytes === kept.bytes) sameSize.push([key, kept])
      else findings.push(keptDiffers(key, kept.id))
    } else if (key.startsWith(MANIFESTS_PREFIX)) {
      const id = parseManifestKey(key)
      if (id !== undefined && (ids.has(id) || unsettled.has(id))) continue
      findings.push({ code: 'stray_manifest', message: `${key} belongs to no live snapshot`, key })
    } else if (key.startsWith(RETIRED_PREFIX)) {
      // Written just before the row says so.
      if ([...unsettled].some((id) => retiredKey(id) === key)) continue
      findings.push({ code: 'stray_manifest', message: `${key} belongs to no retired snapshot`, key })
    } else if (key !== CURRENT_KEY && !CONTRACT_KEY.test(key)) {
      findings.push({ code: 'stray_object', message: `${key} is nothing that a snapshot writes`, key })
    }
  }
  await inParallel(retiredToo ? sameSize : [], READS_AT_ONCE, async ([key, { id, sha256 }]) => {
    signal?.throwIfAborted()
    const stored = await lake.bucket.getText(key)
    if (stored === undefined || sha256Hex(stored.text) !== sha256) findings.push(keptDiffers(key, id))
  })
  for (const [key, { id }] of missing) {
    findings.push({ code: 'retired_missing', message: `${key} is not there`, key, snapshotId: id })
  }
  return findings
}

function keptDiffers(key: string, snapshotId: string): Finding {
  return { code: 'retired_mismatch', message: `${key} differs from the control table`, key, snapshotId }
}
