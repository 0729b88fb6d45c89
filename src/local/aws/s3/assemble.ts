import { type FileHandle, open } from 'node:fs/promises'
import type { BlobFolder } from './blob-folder.ts'
import type { PartRecord, UploadRecord } from './upload-table.ts'

const COPY_BYTES = 1024 * 1024

/**
 * Whether the slot file is the object once the parts that are not in it are copied to their places: every part that lies
 * in a slot is wanted, and wanted just where it lies. A slot of an unwanted part must not be overwritten, because the
 * completion may yet be refused and the next one want that part.
 */
export function liesInPlace(
  slotBytes: number | undefined,
  wanted: readonly PartRecord[],
  all: readonly PartRecord[],
): boolean {
  if (slotBytes === undefined) return false
  let offset = 0
  let inSlots = 0
  for (const part of wanted) {
    if (part.blob === undefined) {
      if (offset !== (part.number - 1) * slotBytes) return false
      inSlots++
    }
    offset += part.sizeBytes
  }
  return inSlots > 0 && inSlots === all.filter((part) => part.blob === undefined).length
}

/** Copies into the slot file what is not in it, and cuts it to the object's size. Durable; may be repeated. */
export async function finishInPlace(
  blobs: BlobFolder,
  upload: UploadRecord,
  parts: readonly PartRecord[],
  sizeBytes: number,
): Promise<void> {
  const target = await open(blobs.path(upload.slotBlob), 'r+')
  try {
    let offset = 0
    let changed = false
    for (const part of parts) {
      if (part.blob !== undefined) {
        await copyPart(blobs, upload, part, target, offset)
        changed = true
      }
      offset += part.sizeBytes
    }
    if ((await target.stat()).size !== sizeBytes) {
      await target.truncate(sizeBytes)
      changed = true
    }
    // each part was synced when it was acknowledged
    if (changed) await target.sync()
  } finally {
    await target.close()
  }
}

/** Writes the parts one behind the other into a new blob. Durable. */
export async function assembleCopy(
  blobs: BlobFolder,
  upload: UploadRecord,
  parts: readonly PartRecord[],
  blob: string,
): Promise<void> {
  const target = await blobs.create(blob)
  try {
    let offset = 0
    for (const part of parts) {
      await copyPart(blobs, upload, part, target, offset)
      offset += part.sizeBytes
    }
    await target.sync()
    await blobs.syncFolder()
  } finally {
    await target.close()
  }
}

async function copyPart(
  blobs: BlobFolder,
  upload: UploadRecord,
  part: PartRecord,
  target: FileHandle,
  offset: number,
): Promise<void> {
  if (part.sizeBytes === 0) return
  const start = part.blob === undefined ? (part.number - 1) * (upload.slotBytes ?? 0) : 0
  const source = await open(blobs.path(part.blob ?? upload.slotBlob), 'r')
  try {
    const buffer = Buffer.allocUnsafe(Math.min(COPY_BYTES, part.sizeBytes))
    let done = 0
    while (done < part.sizeBytes) {
      const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, part.sizeBytes - done), start + done)
      if (bytesRead === 0) throw new Error(`part ${part.number} of an upload is shorter than the index says`)
      for (let written = 0; written < bytesRead; ) {
        const { bytesWritten } = await target.write(buffer, written, bytesRead - written, offset + done + written)
        written += bytesWritten
      }
      done += bytesRead
    }
  } finally {
    await source.close()
  }
}
