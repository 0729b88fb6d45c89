import type { ObjectStore, StoredObject } from '../../ports.ts'
import { NotParquetError, type ParquetSchema, readParquetSchema } from './parquet-schema.ts'

/** Footers kept in memory; the oldest leave first. One is a few kB. */
const MAX_CACHED = 20_000

/**
 * Schemas by ETag and size: an object that did not change is not opened again. What is not Parquet is remembered too, as the reason
 * why.
 */
export class SchemaCache {
  readonly #objects: ObjectStore
  readonly #known = new Map<string, ParquetSchema | string>()

  constructor(objects: ObjectStore) {
    this.#objects = objects
  }

  /** A text says why the object is no Parquet file. Undefined: the object is gone since it was listed. */
  async read(bucket: string, object: StoredObject): Promise<ParquetSchema | string | undefined> {
    const key = `${object.etag} ${object.size}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const path = this.#objects.blobPath(bucket, object.key)
    if (path === undefined) return undefined
    try {
      return this.#keep(key, await readParquetSchema(path))
    } catch (error) {
      if (error instanceof NotParquetError) return this.#keep(key, error.message)
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  #keep<T extends ParquetSchema | string>(key: string, schema: T): T {
    this.#known.set(key, schema)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_CACHED) break
      this.#known.delete(oldest)
    }
    return schema
  }
}
