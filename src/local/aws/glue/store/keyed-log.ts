import { open, truncate } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseJson, readIfPresent, syncFolder, writeDurably } from './durable-file.ts'

/** A value to keep under a key, or null to remove the key. */
export type Change<T> = readonly [key: string, value: T | null]

/** Lines longer than this many changes are split when the log is rewritten. */
const CHANGES_PER_LINE = 1000
/** Dead changes the file may hold beyond as many as are alive, before it is rewritten. */
const SLACK_CHANGES = 1000

/**
 * A map on disk: one JSON line for each `write`, appended and synced. A line is one change of the map: after a crash all of it
 * is there or none. A torn last line was never acknowledged and is cut off when the log is opened. The values live in memory.
 *
 * One writer at a time. Returned values are the stored ones: treat them as read only.
 */
export class KeyedLog<T> {
  readonly #path: string
  readonly #values: Map<string, T>
  #sorted: readonly string[] | undefined
  #sizeBytes: number
  #written: number

  private constructor(path: string, values: Map<string, T>, sizeBytes: number, written: number) {
    this.#path = path
    this.#values = values
    this.#sizeBytes = sizeBytes
    this.#written = written
  }

  /** Reads the file; it need not exist. */
  static async open<T>(path: string): Promise<KeyedLog<T>> {
    const text = (await readIfPresent(path)) ?? ''
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    if (whole.length < text.length) await truncate(path, Buffer.byteLength(whole))
    const values = new Map<string, T>()
    let written = 0
    for (const line of whole.split('\n')) {
      if (line === '') continue
      const changes = parseJson<Change<T>[]>(line, path)
      apply(values, changes)
      written += changes.length
    }
    return new KeyedLog(path, values, Buffer.byteLength(whole), written)
  }

  get size(): number {
    return this.#values.size
  }

  get(key: string): T | undefined {
    return this.#values.get(key)
  }

  has(key: string): boolean {
    return this.#values.has(key)
  }

  /** All keys in ascending order: the order of pages, the same for every call while nothing changes. */
  keys(): readonly string[] {
    this.#sorted ??= [...this.#values.keys()].sort()
    return this.#sorted
  }

  /** All values in the order of their keys. */
  values(): T[] {
    return this.keys().map((key) => this.#values.get(key)!)
  }

  /** One durable change of any size. Nothing has changed when it throws. */
  async write(changes: readonly Change<T>[]): Promise<void> {
    if (changes.length === 0) return
    const line = `${JSON.stringify(changes)}\n`
    await this.#append(line)
    this.#written += changes.length
    if (changes.some(([key, value]) => value === null || !this.#values.has(key))) this.#sorted = undefined
    apply(this.#values, changes)
    // The change is durable already; a rewrite that fails is tried again after the next one.
    if (this.#written > 2 * this.#values.size + SLACK_CHANGES) await this.#rewrite().catch(() => {})
  }

  async #append(line: string): Promise<void> {
    const handle = await open(this.#path, 'a')
    try {
      await handle.writeFile(line)
      await handle.datasync()
    } catch (error) {
      // A half-written line must not stand in the middle of the file.
      await handle.truncate(this.#sizeBytes).catch(() => {})
      throw error
    } finally {
      await handle.close()
    }
    if (this.#sizeBytes === 0) await syncFolder(dirname(this.#path))
    this.#sizeBytes += Buffer.byteLength(line)
  }

  async #rewrite(): Promise<void> {
    const entries = [...this.#values]
    const lines: string[] = []
    for (let from = 0; from < entries.length; from += CHANGES_PER_LINE) {
      lines.push(`${JSON.stringify(entries.slice(from, from + CHANGES_PER_LINE))}\n`)
    }
    const text = lines.join('')
    await writeDurably(this.#path, text)
    this.#sizeBytes = Buffer.byteLength(text)
    this.#written = entries.length
  }
}

function apply<T>(values: Map<string, T>, changes: readonly Change<T>[]): void {
  for (const [key, value] of changes) {
    if (value === null) values.delete(key)
    else values.set(key, value)
  }
}
