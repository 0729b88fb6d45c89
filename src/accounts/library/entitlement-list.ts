import type { ListSpec } from '../../list.ts'
import { PLATFORMS } from '../games/game-platform.ts'
import { ENTITLEMENT_SOURCES, REVOKE_REASONS } from './entitlement.ts'

const RANGE = ['gt', 'gte', 'lt', 'lte'] as const

const filters = {
  platform: { kind: 'enum', operators: ['eq', 'in'], values: PLATFORMS, sqlType: 'platform' },
  source: { kind: 'enum', operators: ['eq', 'ne', 'in'], values: ENTITLEMENT_SOURCES, sqlType: 'entitlement_source' },
  active: {
    kind: 'boolean',
    operators: ['eq'],
    column: 'revoked_at',
    description: 'true: neither revoked nor expired now',
  },
  revokedAt: { kind: 'timestamp', operators: [...RANGE, 'isNull'] },
  revokeReason: { kind: 'enum', operators: ['eq', 'in'], values: REVOKE_REASONS },
  expiresAt: { kind: 'timestamp', operators: [...RANGE, 'isNull'] },
  acquiredAt: { kind: 'timestamp', operators: RANGE },
  lastPlayedAt: { kind: 'timestamp', operators: [...RANGE, 'isNull'] },
} as const

const asked = {
  table: 'player_game',
  idField: 'id',
  defaultSort: '-acquiredAt',
} as const

const sorts = {
  acquiredAt: { kind: 'timestamp' },
  lastPlayedAt: { kind: 'timestamp', nullable: true },
} as const

/** The library of one player. */
export const libraryList = {
  ...asked,
  filters: {
    gameId: { kind: 'uuid', operators: ['eq', 'in'] },
    studioId: { kind: 'uuid', operators: ['eq'], column: 'game_id', description: 'Games of this studio' },
    ...filters,
  },
  sorts: { ...sorts, playtimeSeconds: { kind: 'integer' }, expiresAt: { kind: 'timestamp', nullable: true } },
} as const satisfies ListSpec

const { platform, source, active, acquiredAt } = filters

/** Everybody's libraries, for an export. */
export const entitlementList = {
  ...asked,
  filters: { playerId: { kind: 'uuid', operators: ['eq', 'in'] }, ...libraryList.filters },
  sorts: { id: { kind: 'uuid' } },
  defaultSort: 'id',
} as const satisfies ListSpec

/** Who owns one game: perhaps every player, so there are the sorts that an index answers, and filters that many rows satisfy. */
export const gamePlayerList = {
  ...asked,
  filters: { platform, source, active, acquiredAt: { ...acquiredAt, onlySort: 'acquiredAt' } },
  sorts,
  maxSortKeys: 1,
} as const satisfies ListSpec
