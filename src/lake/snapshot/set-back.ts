import { type Manifest, parseManifest, sha256Hex } from '../manifest.ts'
import { manifestKey } from '../object-keys.ts'
import type { ControlRows } from './control-rows.ts'
import type { Lake } from './lake.ts'

/**
 * The manifest of a snapshot that is committed in the lake and not in its row, which has been set back: by the restore of the database to an
 * instant within the run, or by a standby that was promoted without the last writes. No run puts a manifest before its row has it. What the
 * row lacks is written from the manifest; it is `prepared` then, and can be finished as any other.
 *
 * @returns undefined when there is none, or something else lies in its place.
 */
export async function takeUpManifest(lake: Lake, rows: ControlRows): Promise<string | undefined> {
  const stored = await lake.bucket.getText(manifestKey(rows.snapshotId))
  const manifest = stored && manifestIn(stored.text)
  if (stored === undefined || manifest?.snapshot_id !== rows.snapshotId) return undefined
  lake.logger.warn({ snapshotId: rows.snapshotId }, 'the lake has a commit that the database has lost: it is taken up')
  for (const { bytes, files, name, rows: count } of manifest.tables) {
    const counts = { rowsCopied: count, rowsEncoded: count, bytes, files: files.length }
    await rows.table(name, { state: 'uploaded', ...counts })
  }
  for (const { key, state } of await rows.uploads()) if (state !== 'aborted') await rows.markUpload(key, 'completed')
  await rows.update({
    ...{ state: 'prepared', source: manifest.source, preparedAt: new Date(manifest.prepared_at), problem: null },
    ...{ manifest: stored.text, manifestSha256: sha256Hex(stored.text) },
    ...{ totalRows: BigInt(manifest.totals.rows), totalBytes: BigInt(manifest.totals.bytes) },
  })
  return stored.text
}

function manifestIn(body: string): Manifest | undefined {
  try {
    return parseManifest(body)
  } catch {
    return undefined
  }
}
