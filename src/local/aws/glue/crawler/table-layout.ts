import type { ObjectStore, StoredObject } from '../../ports.ts'
import { invalidInput } from '../request.ts'

/** A folder of objects that a crawler was told to look at. */
export interface CrawlTarget {
  readonly bucket: string
  /** Empty, or ends with a slash. */
  readonly prefix: string
  readonly exclusions: readonly RegExp[]
  /** Files read per folder; undefined: all. */
  readonly sampleSize?: number
}

/** One folder that holds files of a table directly: a partition, or the table itself. */
export interface LeafFolder {
  /** `s3://bucket/key/`, always with a slash at its end. */
  readonly location: string
  readonly values: readonly string[]
  readonly files: StoredObject[]
}

export interface TableLayout {
  readonly target: CrawlTarget
  readonly location: string
  /** The root's last folder, as it stands in the key. */
  readonly folderName: string
  readonly keys: readonly string[]
  readonly leaves: readonly LeafFolder[]
  /** Files whose folders do not fit the other files' partition keys; they are left out. */
  readonly misfits: readonly string[]
}

/** @throws AwsError InvalidInputException when `path` is no `s3://bucket/prefix` */
export function parseLocation(path: string): { bucket: string; prefix: string } {
  const parts = /^s3[an]?:\/\/([^/]+)(?:\/+(.*))?$/s.exec(path)
  if (!parts?.[1]) throw invalidInput(`S3 path ${path} is not of the form s3://bucket/prefix/`)
  const prefix = parts[2] ?? ''
  return { bucket: parts[1], prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/` }
}

/** One spelling of a location, to compare those of different writers. */
export function normalLocation(location: string | undefined): string | undefined {
  const parts = /^s3[an]?:\/\/([^/]+)\/*(.*?)\/*$/s.exec(location ?? '')
  return parts ? `s3://${parts[1]}/${parts[2] ? `${parts[2]}/` : ''}` : undefined
}

const LISTED_PER_TURN = 1000
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * The tables below a target. A table's root is the folder at `tableLevel`, the bucket being 1, or else the one above the first
 * `key=value` folder, or else the file's own. Folders below the root are partitions: `key=value` by name, any other as
 * `partition_<depth>`. Empty objects, names beginning with `_` or `.`, and excluded keys do not exist for a crawler.
 */
export async function findTables(
  objects: ObjectStore,
  target: CrawlTarget,
  options: { readonly tableLevel?: number | undefined; readonly signal: AbortSignal },
): Promise<TableLayout[]> {
  const roots = new Map<string, Map<string, StoredObject[]>>()
  let listed = 0
  for await (const object of objects.list(target.bucket, target.prefix)) {
    listed += 1
    if (listed % LISTED_PER_TURN === 0) {
      await nextTurn()
      options.signal.throwIfAborted()
    }
    if (!isCandidate(object, target)) continue
    const folder = object.key.slice(0, object.key.lastIndexOf('/') + 1)
    const root = rootOf(folder, target.prefix, options.tableLevel)
    const folders = roots.get(root) ?? new Map<string, StoredObject[]>()
    roots.set(root, folders)
    const files = folders.get(folder) ?? []
    folders.set(folder, files)
    files.push(object)
  }
  return [...roots].map(([root, folders]) => layout(target, root, folders))
}

function isCandidate(object: StoredObject, target: CrawlTarget): boolean {
  if (object.size === 0) return false
  const below = object.key.slice(target.prefix.length)
  if (below.split('/').some((name) => /^[_.]/.test(name))) return false
  return !target.exclusions.some((exclusion) => exclusion.test(below))
}

/** Never above the target, never below the file's folder. */
function rootOf(folder: string, prefix: string, tableLevel: number | undefined): string {
  const names = folder.split('/').slice(0, -1)
  const least = prefix.split('/').length - 1
  const firstKey = names.findIndex((name, index) => index >= least && KEY_VALUE.test(name))
  const depth = tableLevel === undefined ? (firstKey < 0 ? names.length : firstKey) : tableLevel - 1
  const root = names.slice(0, Math.min(Math.max(depth, least), names.length))
  return root.length === 0 ? '' : `${root.join('/')}/`
}

const KEY_VALUE = /^([^=]+)=(.*)$/s

function layout(target: CrawlTarget, root: string, folders: Map<string, StoredObject[]>): TableLayout {
  const leaves = [...folders].map(([folder, files]) => ({ folder, files, ...partitionOf(folder.slice(root.length)) }))
  const votes = new Map<string, number>()
  for (const leaf of leaves) {
    const shape = JSON.stringify(leaf.keys)
    votes.set(shape, (votes.get(shape) ?? 0) + leaf.files.length)
  }
  const most = Math.max(...votes.values())
  const shape = [...votes].find(([, files]) => files === most)?.[0] ?? '[]'
  const fits = (leaf: { keys: readonly string[] }) => JSON.stringify(leaf.keys) === shape
  return {
    target,
    location: `s3://${target.bucket}/${root}`,
    folderName: root.split('/').at(-2) ?? target.bucket,
    keys: JSON.parse(shape) as string[],
    leaves: leaves.filter(fits).map(({ folder, files, values }) => ({
      location: `s3://${target.bucket}/${folder}`,
      values,
      files,
    })),
    misfits: leaves.filter((leaf) => !fits(leaf)).flatMap((leaf) => leaf.files.map((file) => file.key)),
  }
}

function partitionOf(below: string): { keys: string[]; values: string[] } {
  const folders = below.split('/').slice(0, -1)
  const pairs = folders.map((folder, depth) => {
    const parts = KEY_VALUE.exec(folder)
    return parts ? [catalogueName(parts[1]!), unescaped(parts[2]!)] : [`partition_${depth}`, folder]
  })
  return { keys: pairs.map(([key]) => key!), values: pairs.map(([, value]) => value!) }
}

/** Hive writes special characters of partition values as %XX. */
function unescaped(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** Lower case, and only letters, digits and underscores. */
export const catalogueName = (name: string): string => name.toLowerCase().replace(/[^a-z0-9_]/g, '_')
