import type { ListedObject, ObjectTable } from './object-table.ts'

export interface ListingQuery {
  readonly prefix: string
  /** Empty: no grouping. */
  readonly delimiter: string
  /** Only keys and common prefixes behind this one, in byte order. */
  readonly after: string
  readonly limit: number
}

export interface ListingPage {
  readonly objects: readonly ListedObject[]
  readonly prefixes: readonly string[]
  readonly truncated: boolean
  /** The last key or common prefix of the page: `after` of the next. */
  readonly last: string | undefined
}

/** Behind every key that begins with what stands before it (but those that go on with this very character). */
const LAST_CHARACTER = '\u{10FFFF}'

/** Few, as the next step is likely a seek past a common prefix; fourfold as long as it is not. */
const FIRST_BATCH_KEYS = 16

const isBehind = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0

/**
 * One page, in the byte order of UTF-8. It seeks in the index, and past a whole common prefix in one step, so its cost
 * follows the page and not the bucket.
 */
export function listPage(objects: ObjectTable, bucket: string, query: ListingQuery): ListingPage {
  const { prefix, delimiter, after, limit } = query
  const found: ListedObject[] = []
  const prefixes: string[] = []
  let last: string | undefined
  let cursor = after !== '' && isBehind(after, prefix) ? after : prefix
  let inclusive = cursor !== after
  const commonPrefix = (key: string) => {
    const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    return at < 0 ? undefined : key.slice(0, at + delimiter.length)
  }
  // a page that ended with a common prefix goes on behind all of it
  const passed = after.startsWith(prefix) ? commonPrefix(after) : undefined
  if (passed !== undefined) {
    cursor = passed + LAST_CHARACTER
    inclusive = false
  }
  let skipping = passed
  let batchKeys = delimiter === '' ? limit + 1 : FIRST_BATCH_KEYS
  for (;;) {
    const batch = objects.seek(
      bucket,
      cursor,
      inclusive,
      Math.min(batchKeys, limit - found.length - prefixes.length + 1),
    )
    batchKeys *= 4
    let seekAgain = false
    for (const record of batch) {
      if (!record.key.startsWith(prefix)) return { objects: found, prefixes, truncated: false, last }
      const group = commonPrefix(record.key)
      cursor = record.key
      inclusive = false
      if (group !== undefined && group === skipping) continue
      if (limit === 0) return { objects: found, prefixes, truncated: false, last }
      if (found.length + prefixes.length >= limit) return { objects: found, prefixes, truncated: true, last }
      last = group ?? record.key
      if (group === undefined) {
        found.push(record)
        continue
      }
      prefixes.push(group)
      skipping = group
      cursor = group + LAST_CHARACTER
      seekAgain = true
      // behind one common prefix there is likely another
      batchKeys = 1
      break
    }
    if (!seekAgain && batch.length === 0) return { objects: found, prefixes, truncated: false, last }
  }
}
