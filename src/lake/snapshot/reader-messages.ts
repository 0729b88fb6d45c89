import { describe } from '../../errors.ts'
import type { TableContract } from '../contract.ts'
import { LakeProblem, type LakeProblemCode, type LakeProblemFacts } from '../lake-problem.ts'
import type { FileFacts } from '../parquet/writer.ts'
import type { SourceFacts } from './source.ts'
import type { EncodingSettings } from './table-files.ts'

/**
 * What main thread and reader threads say to each other. The main thread commands, one command at a time; the reader answers each, and
 * while it copies it opens files, sends their bytes and closes them. Control rows and S3 stay with the main thread, which alone
 * knows the fence: a reader has a connection to the database that it reads, and nothing else.
 */
export interface ReaderData {
  readonly url: string
  readonly applicationName: string
  readonly snapshotId: string
  readonly maxAgeMs: number
  readonly createdBy: string
}

export type ReaderCommand =
  /** Opens a connection; also a new one after the last one broke. */
  | { readonly kind: 'connect' }
  /** Imports a snapshot and lets it go again. */
  | { readonly kind: 'trial'; readonly snapshot: string }
  | ({ readonly kind: 'copy' } & CopyCommand)
  | { readonly kind: 'end' }

export interface CopyCommand {
  readonly contract: TableContract
  /** The condition that the rows fulfil. */
  readonly range: string
  /** Name of the exported snapshot. */
  readonly snapshot: string
  readonly facts: Pick<SourceFacts, 'taken_at' | 'wal_lsn'>
  readonly settings: EncodingSettings
}

/** What the main thread says while a reader copies. */
export type ReaderReply =
  | { readonly kind: 'opened' }
  /** The bytes of a block are in their part: it may be filled again. */
  | { readonly kind: 'taken'; readonly block: ArrayBuffer }

export type ReaderMessage =
  | { readonly kind: 'connected'; readonly pid: number; readonly instance: string }
  | { readonly kind: 'tried' }
  | { readonly kind: 'copied'; readonly rows: number }
  | { readonly kind: 'problem'; readonly problem: SentProblem }
  | { readonly kind: 'progress'; readonly rows: number; readonly bytes: number }
  | { readonly kind: 'open'; readonly number: number }
  | { readonly kind: 'bytes'; readonly block: ArrayBuffer; readonly length: number }
  | { readonly kind: 'close'; readonly number: number; readonly facts: FileFacts }

export interface SentProblem {
  /** Undefined: no problem of a snapshot, but a defect. */
  readonly code: LakeProblemCode | undefined
  readonly message: string
  readonly facts: LakeProblemFacts
  readonly cause: string | undefined
  readonly stack: string | undefined
}

/** An error in a form that passes between threads. */
export function sentProblem(error: unknown): SentProblem {
  const known = error instanceof LakeProblem
  const { cause, stack } = error as Error
  return {
    code: known ? error.code : undefined,
    message: known ? error.message : describe(error),
    facts: known ? error.facts : {},
    cause: cause === undefined ? undefined : describe(cause),
    stack,
  }
}

/** The error that was sent: with its code and facts, or as a defect of the reader. */
export function receivedProblem({ cause, code, facts, message, stack }: SentProblem): Error {
  const error =
    code === undefined ? new Error(message) : new LakeProblem(code, message, facts, cause && new Error(cause))
  if (stack !== undefined) error.stack = stack
  return error
}
