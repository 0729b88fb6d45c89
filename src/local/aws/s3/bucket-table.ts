import type { StatementSync } from 'node:sqlite'
import type { S3Index } from './s3-index.ts'

export interface BucketRecord {
  readonly name: string
  readonly createdMs: number
  /** The region it was created for; `us-east-1` when none was named. */
  readonly location: string
  /** The lifecycle configuration's XML as it was sent. Stored and returned, never applied. */
  readonly lifecycle: string | null
  /** JSON object of the bucket's tags. */
  readonly tagging: string | null
}

type Setting = 'lifecycle' | 'tagging'

const COLUMNS = 'name, created AS createdMs, location, lifecycle, tagging'

/** Buckets of the index. Everything that changes rows must run inside `S3Index.transact`. */
export class BucketTable {
  readonly #get: StatementSync
  readonly #all: StatementSync
  readonly #create: StatementSync
  readonly #delete: StatementSync
  readonly #set: Readonly<Record<Setting, StatementSync>>

  constructor({ database }: S3Index) {
    this.#get = database.prepare(`SELECT ${COLUMNS} FROM bucket WHERE name = ?`)
    this.#all = database.prepare(`SELECT ${COLUMNS} FROM bucket ORDER BY name`)
    this.#create = database.prepare('INSERT INTO bucket (name, created, location) VALUES (?, ?, ?)')
    this.#delete = database.prepare('DELETE FROM bucket WHERE name = ?')
    this.#set = {
      lifecycle: database.prepare('UPDATE bucket SET lifecycle = ? WHERE name = ?'),
      tagging: database.prepare('UPDATE bucket SET tagging = ? WHERE name = ?'),
    }
  }

  get(name: string): BucketRecord | undefined {
    return this.#get.get(name) as BucketRecord | undefined
  }

  all(): BucketRecord[] {
    return this.#all.all() as unknown as BucketRecord[]
  }

  create(name: string, createdMs: number, location: string): void {
    this.#create.run(name, createdMs, location)
  }

  delete(name: string): void {
    this.#delete.run(name)
  }

  set(name: string, setting: Setting, value: string | null): void {
    this.#set[setting].run(value, name)
  }
}
