import { DatabaseSync } from 'node:sqlite'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS bucket (
    name TEXT PRIMARY KEY, created INTEGER NOT NULL, location TEXT NOT NULL, lifecycle TEXT, tagging TEXT
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE IF NOT EXISTS object (
    bucket TEXT NOT NULL, key TEXT NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
    modified INTEGER NOT NULL, checksum_algorithm TEXT, checksum_type TEXT, checksum_value TEXT, details TEXT NOT NULL,
    PRIMARY KEY (bucket, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE IF NOT EXISTS object_parts (blob TEXT PRIMARY KEY, parts TEXT NOT NULL) STRICT;

  CREATE TABLE IF NOT EXISTS upload (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, initiated INTEGER NOT NULL, details TEXT NOT NULL,
    checksum_algorithm TEXT, checksum_type TEXT, slot_blob TEXT NOT NULL, slot_bytes INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS upload_by_key ON upload (bucket, key, id);

  CREATE TABLE IF NOT EXISTS part (
    upload TEXT NOT NULL, number INTEGER NOT NULL, blob TEXT, size INTEGER NOT NULL, etag TEXT NOT NULL,
    modified INTEGER NOT NULL, checksum TEXT,
    PRIMARY KEY (upload, number)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE IF NOT EXISTS completed_upload (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, etag TEXT NOT NULL, completed INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`

interface Pending {
  run(): void
  resolve(): void
  reject(error: unknown): void
}

/**
 * What exists: buckets, objects, uploads, parts. One SQLite file whose text compares byte by byte, so an index on keys is in
 * the order S3 lists them, and a page of a listing is one seek.
 *
 * Writes that arrive together share one transaction and so one fsync. Each is decided inside it, after all before it: a
 * condition that holds there cannot be overtaken. Reads in between see committed writes only, because a transaction
 * opens and commits within one turn of the event loop.
 */
export class S3Index {
  readonly database: DatabaseSync
  #pending: Pending[] = []
  #scheduled = false

  constructor(path: string) {
    this.database = new DatabaseSync(path)
    this.database.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA cache_size = -32768;
      PRAGMA temp_store = MEMORY;
      PRAGMA journal_size_limit = 67108864;
    `)
    this.database.exec(SCHEMA)
  }

  /**
   * Runs `work` in the next transaction; durable when it resolves. A `work` that throws is undone alone and rejects; it must
   * not await.
   */
  transact<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let result: T
      this.#pending.push({
        run: () => {
          result = work()
        },
        resolve: () => resolve(result),
        reject,
      })
      if (this.#scheduled) return
      this.#scheduled = true
      setImmediate(() => this.#commit())
    })
  }

  #commit(): void {
    this.#scheduled = false
    const batch = this.#pending
    this.#pending = []
    const done: Pending[] = []
    try {
      this.database.exec('BEGIN IMMEDIATE')
      for (const one of batch) {
        this.database.exec('SAVEPOINT one')
        try {
          one.run()
          done.push(one)
        } catch (error) {
          this.database.exec('ROLLBACK TO one')
          one.reject(error)
        }
        this.database.exec('RELEASE one')
      }
      this.database.exec('COMMIT')
    } catch (error) {
      if (this.database.isTransaction) this.database.exec('ROLLBACK')
      // a promise that was rejected above ignores the second rejection
      for (const one of batch) one.reject(error)
      return
    }
    for (const one of done) one.resolve()
  }

  close(): void {
    if (this.#pending.length > 0) this.#commit()
    this.database.close()
  }
}
