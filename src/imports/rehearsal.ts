import type { RehearsedKeys } from '../accounts/bulk/bulk-item.ts'
import { SeenKeys } from './seen-keys.ts'

/**
 * The unique keys that the lines of a dry run would have taken by now. Each batch of a dry run is undone before the next one
 * begins, so that it keeps nobody waiting; what its lines would have left in the unique keys is remembered here. A key that a
 * line gives up still counts as taken for the batches after its own.
 */
export class Rehearsal implements RehearsedKeys {
  readonly #taken = new SeenKeys()
  #ofBatch = new Map<number, readonly string[]>()

  lineOf(key: string): number | undefined {
    return this.#taken.lineOf(key)
  }

  took(line: number, keys: readonly string[]): void {
    this.#ofBatch.set(line, keys)
  }

  /** The batch is judged; `isGood` says of which lines something would have stayed. */
  endBatch(isGood: (line: number) => boolean): void {
    for (const [line, keys] of this.#ofBatch) if (isGood(line)) for (const key of keys) this.#taken.add(key, line)
    this.#ofBatch = new Map()
  }
}
