import type { ListSpec } from '../../list.ts'
import { countryForm } from '../text/text-form.ts'
import { IDENTITY_PROVIDERS } from './identity.ts'
import { PLAYER_STATUSES } from './player.ts'

const RANGE = ['gt', 'gte', 'lt', 'lte'] as const

/** What a list of players can be asked; the personal fields only with the scope for them. Addresses stay out of URLs. */
export const playerList = {
  table: 'player',
  idField: 'id',
  filters: {
    id: { kind: 'uuid', operators: ['eq', 'in'] },
    status: { kind: 'enum', operators: ['eq', 'ne', 'in'], values: PLAYER_STATUSES, sqlType: 'player_status' },
    provider: {
      kind: 'enum',
      operators: ['eq', 'in'],
      values: IDENTITY_PROVIDERS,
      sqlType: 'identity_provider',
      column: 'id',
      description: 'Players with a linked account at this provider (in: at one of these)',
    },
    gameId: {
      kind: 'uuid',
      operators: ['eq'],
      column: 'id',
      description: 'Players who own this game now: neither revoked nor expired',
    },
    studioId: {
      kind: 'uuid',
      operators: ['eq'],
      column: 'id',
      description: 'Players who own a game of this studio now: neither revoked nor expired',
    },
    country: { kind: 'text', operators: ['eq', 'ne', 'in', 'isNull'], sqlType: 'bpchar', form: countryForm },
    hasEmail: {
      kind: 'boolean',
      operators: ['eq'],
      column: 'email',
      description: 'Players with an address, or without',
    },
    createdAt: { kind: 'timestamp', operators: RANGE },
  },
  sorts: {
    createdAt: { kind: 'timestamp' },
  },
  defaultSort: '-createdAt',
  // Millions of rows: what no index answers cannot be asked.
  maxSortKeys: 1,
  minSearchCharacters: 3,
  search: ['username', 'displayName'],
  parts: {
    identities: {
      table: 'player_identity',
      scope: 'players:read.personal',
      parent: 'player_id',
      columns: ['provider', 'namespace', 'subject', 'provider_name', 'verified_at', 'linked_at'],
      having: 'subject',
      order: ['id'],
    },
  },
} as const satisfies ListSpec

/** The accounts elsewhere of one player. */
export const identityList = {
  table: 'player_identity',
  idField: 'id',
  filters: {
    provider: {
      kind: 'enum',
      operators: ['eq', 'ne', 'in'],
      values: IDENTITY_PROVIDERS,
      sqlType: 'identity_provider',
    },
    unlinkedAt: { kind: 'timestamp', operators: ['isNull'], description: 'true: linked now; false: unlinked' },
  },
  sorts: {
    linkedAt: { kind: 'timestamp' },
    unlinkedAt: { kind: 'timestamp', nullable: true },
  },
  defaultSort: 'linkedAt',
} as const satisfies ListSpec
