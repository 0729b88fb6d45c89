import type { Context } from '../caller.ts'
import type { ImportAnswer } from './import-answer.ts'
import type { ImportFormat } from './input.ts'

export const IMPORT_RESOURCES = ['owners', 'studios', 'games', 'players', 'library'] as const
export type ImportResource = (typeof IMPORT_RESOURCES)[number]

export const IMPORT_MODES = ['create', 'update', 'upsert'] as const
export type ImportMode = (typeof IMPORT_MODES)[number]

export const ON_ERROR = ['continue', 'abort'] as const
export type OnError = (typeof ON_ERROR)[number]

export interface ImportOptions {
  /** Default `upsert`. */
  readonly mode?: ImportMode | undefined
  /** The key by which a line finds its row; default: the first of the resource's keys that the line carries. */
  readonly matchBy?: string | undefined
  /** Default `continue`. `abort` stops at the first error; lines before it stay. */
  readonly onError?: OnError | undefined
  /** All or nothing, at most 1000 lines. Default false. */
  readonly atomic?: boolean | undefined
  /**
   * Default false. Everything is done and undone again, batch by batch: lines say what would have become of them. Batches after
   * one that was undone see the unique keys that it would have taken, but not those it would have given up, nor that its owners
   * no longer count for their studios.
   */
  readonly dryRun?: boolean | undefined
  /** What counts as now: no `createdAt` may lie after it. Default: the database's clock. For data that plays in a time of its own; not offered over HTTP. */
  readonly now?: Date | undefined
}

/** Bytes as they come, cut anywhere, or objects that are lines already. */
export type ImportInput =
  | { readonly format: ImportFormat; readonly chunks: AsyncIterable<Uint8Array> }
  | { readonly objects: Iterable<object> | AsyncIterable<object> }

export interface ImportRunner {
  /**
   * May the caller do this? `run` asks, too.
   *
   * @throws AppError `forbidden`, `invalid-parameter`
   */
  requireAllowed(resource: ImportResource, options: ImportOptions, context: Context): void
  /**
   * Brings lines in, batch by batch, each in a transaction: what is answered is committed. Takes input only as fast as the
   * answers are taken; whoever stops taking them stops the import after the batches that have begun, three at
   * most. The last answer is the `EndAnswer`.
   *
   * @throws AppError before the first answer: `forbidden`, `invalid-parameter`, `validation` of a CSV header, `malformed-json`
   * of a JSON array, `payload-too-large` for more lines than an array or an atomic import may have. Later:
   * `unavailable`, or what the input's stream fails with; the lines answered so far are in, those of a batch behind the one that
   * failed may be.
   */
  run(
    resource: ImportResource,
    input: ImportInput,
    options: ImportOptions,
    context: Context,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly ImportAnswer[], void, undefined>
}
