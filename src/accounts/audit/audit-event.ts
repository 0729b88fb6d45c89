import type { ExpectedVersion } from '../../caller.ts'
import { type Column, datasets, type TableName } from '../../lake/datasets.ts'
import { toCamelCase } from '../../naming.ts'

export const AUDITED_ENTITIES = [
  'studio',
  'owner',
  'membership',
  'game',
  'game_platform',
  'player',
  'player_game',
  'api_key',
  'snapshot',
] as const
export type AuditedEntity = (typeof AUDITED_ENTITIES)[number]

export const ACTOR_TYPES = ['api_key', 'user', 'system'] as const
export type ActorType = (typeof ACTOR_TYPES)[number]

/** Of a public or internal field both values; of a personal one only that it changed, so that erasure never has to come here. */
export type Change = { readonly from: unknown; readonly to: unknown } | 'changed'

/** `$ifMatch: '*'` marks a change that overwrote whatever was there. */
export type Changes = Readonly<Record<string, Change | '*'>>

/** Something that happened, before it is written down. */
export interface AuditEvent {
  /** `studio.update` */
  readonly action: `${string}.${string}`
  readonly entityType: AuditedEntity
  /** The row's own id; for a membership and a game platform the studio's or game's. */
  readonly entityId: string
  /** The studio concerned. It cannot be filled in later. */
  readonly studioId?: string | null
  /** Free text of the caller. */
  readonly reason?: string | null
  readonly changes?: Changes
}

/** An event as it stands in the trail. */
export interface RecordedEvent {
  readonly seq: number | bigint
  readonly occurredAt: Date
  readonly actorType: ActorType
  readonly actorId: string
  readonly requestId: string
  readonly action: string
  readonly entityType: AuditedEntity
  readonly entityId: string
  readonly studioId: string | null
  readonly reason: string | null
  readonly changes: Changes
}

/** Kept by the database; their change is no news. */
const BOOKKEEPING = new Set(['version', 'created_at', 'updated_at', 'status_changed_at'])

interface ToldField {
  readonly field: string
  readonly isPersonal: boolean
}

/** The fields of each table whose change is told; looked up once, because an import asks for every row. */
const TOLD = new Map<TableName, readonly ToldField[]>(
  (Object.keys(datasets) as TableName[]).map((table) => [table, toldFields(table)]),
)

function toldFields(table: TableName): ToldField[] {
  return Object.entries<Column>(datasets[table].columns)
    .filter(([name, column]) => !BOOKKEEPING.has(name) && column.class !== 'secret' && column.api !== false)
    .map(([name, column]) => ({ field: toCamelCase(name), isPersonal: column.class === 'personal' }))
}

/**
 * The difference of two states of a row by the class of its columns. Without `before` the row is new: its fields that are not
 * NULL. Fields that never leave the database (keys, secrets) are not told at all.
 */
export function changesOf(table: TableName, before: object | undefined, after: object): Changes {
  const changes: Record<string, Change> = {}
  for (const { field, isPersonal } of TOLD.get(table) ?? []) {
    if (!(field in after)) continue
    const from = plain((before as Record<string, unknown> | undefined)?.[field])
    const to = plain((after as Record<string, unknown>)[field])
    if (from === to || JSON.stringify(from) === JSON.stringify(to)) continue
    changes[field] = isPersonal ? 'changed' : { from, to }
  }
  return changes
}

/** Marks the changes of a writer who overwrote on purpose. */
export function forced(changes: Changes, expected: ExpectedVersion | undefined): Changes {
  return expected === 'any' ? { ...changes, $ifMatch: '*' } : changes
}

function plain(value: unknown): unknown {
  if (value === undefined) return null
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'bigint' ? Number(value) : value
}
