import { type Current, parseCurrent } from '../manifest.ts'
import { CURRENT_KEY, LAKE_PREFIX, MANIFESTS_PREFIX, parseManifestKey, parsePartKey } from '../object-keys.ts'
import type { Finding } from '../publication.ts'
import type { Lake } from './lake.ts'
import { type SnapshotStates, snapshotStates } from './live-snapshots.ts'

const READINGS = 3

/**
 * What is wrong with the lake as a whole: pointer, catalogue, views, and objects that belong to nobody. A snapshot or retention under
 * way moves all of these, so what is found while rows change is looked at again.
 */
export async function lakeFindings(lake: Lake): Promise<Finding[]> {
  for (let reading = 1; ; reading++) {
    const states = await snapshotStates(lake)
    const findings = [
      ...(await pointerFindings(lake, states)),
      ...(await strayFindings(lake, states)),
      ...(await catalogueFindings(lake, states)),
    ]
    if (findings.length === 0 || reading === READINGS) return findings
    if ((await snapshotStates(lake)).signature === states.signature) return findings
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
  const { manifest_sha256: sha256, snapshot_id: id } = pointer
  if (id !== newest?.id && !moving.some((manifest) => manifest.snapshot_id === id)) {
    return finding(`${CURRENT_KEY} names ${id}, published last was ${newest?.id ?? 'none'}`)
  }
  if (live.find((snapshot) => snapshot.id === id)?.sha256 === sha256) return []
  return finding(`${CURRENT_KEY} has another checksum than the manifest of ${id}`)
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

/** Objects and uploads that no snapshot names, and manifests without a row. */
async function strayFindings(lake: Lake, { live, unsettled }: SnapshotStates): Promise<Finding[]> {
  const known = new Set(live.flatMap((s) => s.manifest.tables.flatMap((table) => table.files.map((file) => file.key))))
  const ids = new Set(live.map((snapshot) => snapshot.id))
  const findings: Finding[] = []
  for await (const { key } of lake.bucket.objects(LAKE_PREFIX)) {
    const snapshotId = parsePartKey(key)?.snapshotId
    if (known.has(key) || (snapshotId !== undefined && unsettled.has(snapshotId))) continue
    findings.push({ code: 'stray_object', message: `${key} belongs to no live snapshot`, key })
  }
  for await (const { key } of lake.bucket.multipart.pending(LAKE_PREFIX)) {
    const snapshotId = parsePartKey(key)?.snapshotId
    if (snapshotId !== undefined && unsettled.has(snapshotId)) continue
    findings.push({ code: 'orphan_upload', message: `An upload of ${key} belongs to no running snapshot`, key })
  }
  for await (const { key } of lake.bucket.objects(MANIFESTS_PREFIX)) {
    const id = parseManifestKey(key)
    if (id !== undefined && (ids.has(id) || unsettled.has(id))) continue
    findings.push({ code: 'stray_manifest', message: `${key} belongs to no live snapshot`, key })
  }
  return findings
}
