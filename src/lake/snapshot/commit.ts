import { LakeProblem } from '../lake-problem.ts'
import { canonicalJson, type Manifest, type ManifestFile, parseManifest, sha256Hex } from '../manifest.ts'
import { contractKey, manifestKey } from '../object-keys.ts'
import type { ControlRows, StoredUpload } from './control-rows.ts'
import { inParallel } from './in-parallel.ts'
import type { Lake } from './lake.ts'
import type { Phase } from './run-measurements.ts'

/** A prepared snapshot: its bytes are all in S3, its manifest is fixed. */
export interface PreparedSnapshot {
  readonly rows: ControlRows
  /** The manifest's body, byte for byte. */
  readonly body: string
}

export interface CommitOptions {
  readonly enter: (phase: Phase) => Promise<void>
  /** Stops the commit between two calls; the snapshot is then recovery's. */
  readonly signal: AbortSignal
}

const COMPLETES_AT_ONCE = 32

/**
 * Steps 5 and 6 of the protocol: completes every upload, checks every object, then writes the manifest, which is the commit. May be
 * repeated from any point by any holder of the lease: what is done already is found and counts.
 *
 * A holder that sleeps past its lease begins no request any more (`Lease.guard`), but one may be on its way and arrive when another process
 * has taken over. Whatever it is, it does no harm:
 * - Create: an upload that nobody completes; invisible, and swept by recovery and by the bucket's lifecycle.
 * - UploadPart: the successor either ends the upload, and S3 lists no part of it in the end, or completes it, and then this was a second
 *   copy of the same bytes (`MultipartUploads.complete`).
 * - Complete: makes the object that the successor makes, and of the two S3 takes one.
 * - the manifest: fixed since `prepared`, so both write the same; `If-None-Match` takes one.
 * - Abort, Delete: sent only after the decision to roll back is stored, which binds the successor as well (`rollBack`).
 * - partitions: the same location; views: moved by the successor after this one's statements have ended (`LakeViews`);
 *   `CURRENT.json`: `If-Match`, and only ever upwards.
 *
 * @throws LakeProblem `rolled_back` when an upload and its object are both gone: then nothing of the snapshot is left.
 */
export async function commit(lake: Lake, prepared: PreparedSnapshot, options: CommitOptions): Promise<void> {
  const { rows, body } = prepared
  const manifest = parseManifest(body)
  await rows.update({ state: 'committing' })
  if (!(await manifestIsThere(lake, manifest, body))) {
    await options.enter('completing')
    await completeAll(lake, rows, manifest, options)
    await verifyAll(lake, manifest, options.signal)
    await options.enter('manifest')
    await putContracts(lake, manifest)
    // Between here and the PUT lies the last moment at which a process that was taken for dead can notice it.
    await rows.update({ state: 'committing' })
    await putManifest(lake, manifest, body)
  }
  await rows.update({ state: 'committed', committedAt: new Date() })
}

async function manifestIsThere(lake: Lake, manifest: Manifest, body: string): Promise<boolean> {
  const key = manifestKey(manifest.snapshot_id)
  const stored = await lake.bucket.getText(key)
  if (stored === undefined) return false
  if (sha256Hex(stored.text) === sha256Hex(body)) return true
  throw new LakeProblem(
    'manifest_conflict',
    `${key} holds another manifest than the prepared one; look at both by hand`,
    {
      key,
    },
  )
}

async function putManifest(lake: Lake, manifest: Manifest, body: string): Promise<void> {
  const written = await lake.bucket.putText(manifestKey(manifest.snapshot_id), body, '*')
  if (!written && !(await manifestIsThere(lake, manifest, body))) {
    const key = manifestKey(manifest.snapshot_id)
    throw new LakeProblem('storage_failed', `${key} was refused as existing and is not there`, { key })
  }
}

/** The contracts of the snapshot, once per fingerprint, for readers of old files. */
async function putContracts(lake: Lake, manifest: Manifest): Promise<void> {
  for (const { columns, contract_version: version, fingerprint, name } of manifest.tables) {
    const body = canonicalJson({ columns, contract_version: version, fingerprint, table: name })
    await lake.bucket.putText(contractKey(name, fingerprint), body, '*')
  }
}

async function completeAll(lake: Lake, rows: ControlRows, manifest: Manifest, options: CommitOptions): Promise<void> {
  const uploads = new Map((await rows.uploads()).map((upload) => [upload.key, upload]))
  const files = manifest.tables.flatMap((table) => table.files)
  await inParallel(files, COMPLETES_AT_ONCE, async (file) => {
    options.signal.throwIfAborted()
    const upload = uploads.get(file.key)
    if (!upload) throw new LakeProblem('object_mismatch', `No upload of ${file.key} is recorded`, { key: file.key })
    if ((await completeOne(lake, upload, file)) === 'absent') {
      throw new LakeProblem('rolled_back', `Neither the upload nor the object ${file.key} is in S3`, { key: file.key })
    }
    await rows.markUpload(file.key, 'completed')
  })
}

async function completeOne(lake: Lake, upload: StoredUpload, file: ManifestFile): Promise<'completed' | 'absent'> {
  const { key, parts = [], uploadId } = upload
  return lake.bucket.multipart.complete({ key, uploadId, parts, bytes: file.bytes, crc32: file.crc32 })
}

async function verifyAll(lake: Lake, manifest: Manifest, signal: AbortSignal): Promise<void> {
  const files = manifest.tables.flatMap((table) => table.files)
  await inParallel(files, COMPLETES_AT_ONCE, async (file) => {
    signal.throwIfAborted()
    // What follows cannot be taken back, so an answer that was damaged on its way must not decide it.
    const problem = (await objectProblem(lake, file)) && (await objectProblem(lake, file))
    if (problem) throw new LakeProblem('object_mismatch', problem.message, { key: file.key })
  })
}

/** Compares an object with the manifest: size, CRC32 of all bytes as S3 keeps it, SHA-256 of the footer. */
export async function objectProblem(
  lake: Lake,
  file: ManifestFile,
): Promise<{ code: 'object_missing' | 'object_mismatch'; message: string } | undefined> {
  const facts = await lake.bucket.head(file.key)
  if (!facts) return { code: 'object_missing', message: `${file.key} is not there` }
  const code = 'object_mismatch'
  if (facts.bytes !== file.bytes) {
    return { code, message: `${file.key} has ${facts.bytes} bytes, its manifest says ${file.bytes}` }
  }
  if (facts.crc32 !== file.crc32) {
    return { code, message: `${file.key} has the CRC32 ${facts.crc32 ?? '(none)'}, its manifest says ${file.crc32}` }
  }
  const tail = await lake.bucket.tail(file.key, file.tail_bytes)
  if (sha256Hex(tail) !== file.tail_sha256)
    return { code, message: `The footer of ${file.key} differs from its manifest` }
  return undefined
}
