import type { Context } from '../caller.ts'
import type { Transaction } from '../database/database.ts'

/** Something that a caller did to the lake. */
export interface LakeEvent {
  readonly action: 'snapshot.request' | 'snapshot.hold' | 'snapshot.release'
  readonly snapshotId: string
  /** Free text of the caller. */
  readonly reason?: string
  readonly changes?: Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>
}

/** Writes an event into the audit trail, in the transaction of the change that it tells: both are there or neither. */
export type LakeTrail = (tx: Transaction, context: Context, event: LakeEvent) => Promise<void>
