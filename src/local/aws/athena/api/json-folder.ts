import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Values by key, each in a JSON file of its own, written to a temporary name, fsynced and renamed. All are held in memory. */
export class JsonFolder<T> {
  readonly #folder: string
  readonly #values = new Map<string, T>()
  readonly #writing = new Map<string, Promise<void>>()
  #temporary = 0

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true })
    for (const name of readdirSync(folder)) {
      if (!name.endsWith('.json')) continue
      try {
        this.#values.set(
          decodeURIComponent(name.slice(0, -5)),
          JSON.parse(readFileSync(join(folder, name), 'utf8')) as T,
        )
      } catch {
        // a file that a crash cut is no value; the rename makes that all but impossible
      }
    }
  }

  get(key: string): T | undefined {
    return this.#values.get(key)
  }

  values(): T[] {
    return [...this.#values.values()]
  }

  keys(): string[] {
    return [...this.#values.keys()]
  }

  /** Visible at once, durable when it resolves. Writes of one key keep their order. */
  put(key: string, value: T): Promise<void> {
    this.#values.set(key, value)
    return this.write(key, value)
  }

  /** Durable when it resolves; what is seen stays as it is. */
  write(key: string, value: T): Promise<void> {
    return this.#inOrder(key, () => this.#write(key, JSON.stringify(value)))
  }

  delete(key: string): Promise<void> {
    this.#values.delete(key)
    return this.#inOrder(key, () => rm(this.#path(key), { force: true }))
  }

  async flush(): Promise<void> {
    await Promise.allSettled(this.#writing.values())
  }

  #inOrder(key: string, work: () => Promise<void>): Promise<void> {
    const next = (this.#writing.get(key) ?? Promise.resolve()).catch(() => undefined).then(work)
    this.#writing.set(key, next)
    const forget = () => {
      if (this.#writing.get(key) === next) this.#writing.delete(key)
    }
    next.then(forget, forget)
    return next
  }

  async #write(key: string, text: string): Promise<void> {
    const temporary = join(this.#folder, `.${this.#temporary++}.tmp`)
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, this.#path(key))
  }

  readonly #path = (key: string) => join(this.#folder, `${encodeURIComponent(key)}.json`)
}
