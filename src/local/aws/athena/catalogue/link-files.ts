import { copyFile, link, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectStore } from '../../ports.ts'
import type { LinkedFiles } from '../engine/table-read.ts'
import { QueryFailure } from '../failure.ts'
import { neededPartitions, type UsedTable } from './catalogue-tables.ts'

export interface Linked extends LinkedFiles {
  readonly bytes: number
}

export function parseS3(location: string): { bucket: string; prefix: string } {
  const m = /^s3[an]?:\/\/([^/]+)\/?(.*)$/.exec(location)
  if (m === null) throw new QueryFailure('INVALID_TABLE_PROPERTY', `${location.slice(0, 200)} is no location in S3`)
  return { bucket: m[1]!, prefix: m[2] === '' || m[2]!.endsWith('/') ? m[2]! : `${m[2]}/` }
}

/**
 * Hard-links every file of a table, or of those of its registered partitions that the query needs, below `folder`: a later PUT or DELETE does not touch
 * what the query reads. Objects named `_*` or `.*` and empty ones are left out, as Athena does.
 */
export async function linkFiles(
  used: UsedTable,
  folder: string,
  store: ObjectStore,
  stopped: () => boolean,
): Promise<Linked> {
  const paths: [string, string][] = []
  let bytes = 0
  const parts = neededPartitions(used) ?? [{ Values: [], StorageDescriptor: used.table!.StorageDescriptor }]
  for (const p of parts) {
    const location = p.StorageDescriptor?.Location
    if (location === undefined || location === '') continue
    const { bucket, prefix } = parseS3(location)
    if (!store.hasBucket(bucket)) continue
    const target = join(folder, ...(p.Values ?? []).map((v, i) => `$k${i}=${encodeURIComponent(v)}`))
    let made = false
    for await (const object of store.list(bucket, prefix)) {
      if (stopped()) return { folder, paths, bytes }
      if (
        object.size === 0 ||
        object.key
          .slice(prefix.length)
          .split('/')
          .some((part) => /^[_.]/.test(part))
      )
        continue
      const blob = store.blobPath(bucket, object.key)
      if (blob === undefined) continue
      if (!made) await mkdir(target, { recursive: true })
      made = true
      const file = join(target, `${paths.length}.parquet`)
      await link(blob, file).catch(() => copyFile(blob, file))
      paths.push([file, `s3://${bucket}/${object.key}`])
      bytes += object.size
    }
  }
  return { folder, paths, bytes }
}
