import type { CopyContext } from './copy-context.ts'

const WRITE_INTERVAL_MS = 2_000

/**
 * How far a table is: told to whoever watches each time, and written to its row now and then, for those who ask another process. The sum
 * over its readers; one that reads its range again begins with nothing.
 */
export class TableProgress {
  readonly #context: Pick<CopyContext, 'fail' | 'progress' | 'rows'>
  readonly #table: string
  readonly #readers = new Map<number, { readonly rows: number; readonly bytes: number }>()
  #writtenAt = performance.now()
  #writing: Promise<void> | undefined

  /** @param table of the lake. */
  constructor(context: Pick<CopyContext, 'fail' | 'progress' | 'rows'>, table: string) {
    this.#context = context
    this.#table = table
  }

  report(reader: number, rows: number, bytes: number): void {
    this.#readers.set(reader, { rows, bytes })
    this.#tell(false)
    const now = performance.now()
    if (this.#writing !== undefined || now - this.#writtenAt < WRITE_INTERVAL_MS) return
    this.#writtenAt = now
    this.#writing = this.#write()
      .catch((error: unknown) => this.#context.fail(error))
      .finally(() => {
        this.#writing = undefined
      })
  }

  /** All rows are read; no write of this progress comes after. */
  async done(): Promise<void> {
    await this.#writing
    this.#tell(true)
  }

  #sums(): { rows: number; bytes: number } {
    let [rows, bytes] = [0, 0]
    for (const reader of this.#readers.values()) {
      rows += reader.rows
      bytes += reader.bytes
    }
    return { rows, bytes }
  }

  #tell(done: boolean): void {
    this.#context.progress?.({ kind: 'table', table: this.#table, ...this.#sums(), done })
  }

  async #write(): Promise<void> {
    const { bytes, rows } = this.#sums()
    await this.#context.rows.table(this.#table, { state: 'copying', rowsEncoded: rows, bytes })
  }
}
