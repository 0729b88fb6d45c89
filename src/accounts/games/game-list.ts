import type { ListSpec } from '../../list.ts'
import { referenceForm, slugForm } from '../text/text-form.ts'
import { GAME_STATUSES, GENRES, MAX_MIN_AGE } from './game.ts'
import { PLATFORMS } from './game-platform.ts'
import { RELEASE_PRECISIONS } from './release.ts'

const RANGE = ['gt', 'gte', 'lt', 'lte'] as const

/** What a list of games can be asked. */
export const gameList = {
  table: 'game',
  idField: 'id',
  filters: {
    id: { kind: 'uuid', operators: ['eq', 'in'] },
    studioId: { kind: 'uuid', operators: ['eq', 'in'] },
    status: { kind: 'enum', operators: ['eq', 'ne', 'in'], values: GAME_STATUSES, sqlType: 'game_status' },
    platform: {
      kind: 'enum',
      operators: ['eq', 'in'],
      values: PLATFORMS,
      sqlType: 'platform',
      column: 'id',
      description: 'Games that ship on this platform (in: on one of these)',
    },
    genre: {
      kind: 'enum',
      operators: ['eq', 'in'],
      values: GENRES,
      sqlType: 'genre',
      column: 'genres',
      description: 'Games of this genre (in: of one of these)',
    },
    minAge: { kind: 'integer', operators: ['eq', ...RANGE, 'isNull'], range: [0, MAX_MIN_AGE] },
    releaseDate: { kind: 'date', operators: ['eq', ...RANGE, 'isNull'] },
    releasePrecision: {
      kind: 'enum',
      operators: ['eq', 'ne', 'in'],
      values: RELEASE_PRECISIONS,
      sqlType: 'date_precision',
    },
    slug: { kind: 'text', operators: ['eq', 'in', 'prefix'], form: slugForm },
    externalRef: { kind: 'text', operators: ['eq', 'in', 'isNull'], form: referenceForm },
    createdAt: { kind: 'timestamp', operators: RANGE },
    updatedAt: { kind: 'timestamp', operators: RANGE },
  },
  sorts: {
    createdAt: { kind: 'timestamp' },
    updatedAt: { kind: 'timestamp' },
    title: { kind: 'text' },
    slug: { kind: 'text' },
    releaseDate: { kind: 'date', nullable: true },
  },
  defaultSort: '-createdAt',
  search: ['title'],
  parts: {
    platforms: {
      table: 'game_platform',
      scope: 'games:read',
      parent: 'game_id',
      columns: ['platform', 'store', 'store_app_id', 'released_on', 'delisted_on'],
      order: ['platform'],
    },
  },
} as const satisfies ListSpec
