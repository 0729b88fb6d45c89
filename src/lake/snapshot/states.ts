/** The way of a snapshot; from any state before `committed` also to `failed`. */
export const SNAPSHOT_STATES = [
  'requested',
  'planning',
  'uploading',
  'prepared',
  'committing',
  /** Data and manifest are durable, views have not moved yet. */
  'committed',
  'published',
  'retiring',
  'retired',
  'failed',
] as const

export type SnapshotState = (typeof SNAPSHOT_STATES)[number]

/** States of a snapshot that somebody works on or has to finish: at most one snapshot is in one of them. */
export const RUNNING_STATES = [
  'requested',
  'planning',
  'uploading',
  'prepared',
  'committing',
  'committed',
] as const satisfies readonly SnapshotState[]

/** States in which the snapshot's objects must all be there. */
export const LIVE_STATES = ['committed', 'published'] as const satisfies readonly SnapshotState[]
