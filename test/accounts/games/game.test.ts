import { describe, expect, it } from 'vitest'
import {
  GAME_LIFECYCLE,
  GAME_STATUSES,
  missingForGame,
  missingToBe,
  neededInState,
} from '../../../src/accounts/games/game.ts'
import { newGameSchema } from '../../../src/accounts/games/game-schema.ts'
import { check } from '../../../src/http/validation.ts'

const complete = { minAge: 12, releasePrecision: 'day', genres: ['rpg'] } as const
const empty = { minAge: null, releasePrecision: 'month', genres: [] } as const

describe('the steps of a game', () => {
  it('lead everywhere but back into the past of a game that has ended', () => {
    const reachable = new Set(Object.values(GAME_LIFECYCLE).flat())
    expect(GAME_STATUSES.filter((status) => !reachable.has(status))).toEqual([])
    expect(GAME_STATUSES.filter((status) => GAME_LIFECYCLE[status].length === 0)).toEqual(['retired', 'cancelled'])
  })

  it('need what the public must know, once the public can see the game', () => {
    expect(missingForGame('released', { ...empty, status: 'announced' }, 'active')).toEqual([
      'min-age',
      'exact-release-date',
      'genre',
    ])
    expect(missingForGame('cancelled', { ...empty, status: 'announced' }, 'active')).toEqual([])
    expect(missingForGame('released', { ...complete, minAge: 0, status: 'announced' }, 'active')).toEqual([])
  })

  it('leave draft only in a studio that is in review or active', () => {
    const draft = { ...empty, status: 'draft' } as const
    expect(missingForGame('submitted', draft, 'prospect')).toEqual(['studio-in-review'])
    expect(missingForGame('withdrawn', draft, 'rejected')).toEqual(['studio-in-review'])
    expect(missingForGame('submitted', draft, 'in_review')).toEqual([])
    expect(missingForGame('approved', { ...empty, status: 'in_review' }, 'in_review')).toEqual(['active-studio'])
  })

  it('are all frozen while the studio is suspended', () => {
    for (const status of GAME_STATUSES) {
      for (const to of GAME_LIFECYCLE[status]) {
        expect(missingForGame(to, { ...complete, status }, 'suspended')).toEqual(['active-studio'])
      }
    }
  })
})

describe('a game that is brought in as it is', () => {
  it('may have ended with its studio', () => {
    expect(missingToBe('retired', complete, 'closed')).toEqual([])
    expect(missingToBe('cancelled', empty, 'closed')).toEqual([])
    expect(missingToBe('released', complete, 'closed')).toEqual(['active-studio'])
    expect(missingToBe('released', empty, 'suspended')).toEqual(['min-age', 'exact-release-date', 'genre'])
    expect(missingToBe('in_review', empty, 'prospect')).toEqual(['studio-in-review'])
  })
})

describe('the fields of a game', () => {
  const game = { studioId: '0193AAAA-0000-7000-8000-000000000001', slug: 'star-haul', title: ' Star   Haul ' }
  const errorsOf = (fields: object) => {
    const checked = check(newGameSchema, { ...game, ...fields })
    return checked.ok ? [] : checked.errors.map(({ pointer, code }) => `${pointer} ${code}`)
  }

  it('are normalised', () => {
    const checked = check(newGameSchema, {
      ...game,
      summary: ' One.\r\n\r\nTwo\tthree. ',
      releaseDate: '2026-05-04',
      releasePrecision: 'quarter',
    })
    expect(checked).toEqual({
      ok: true,
      value: {
        studioId: '0193aaaa-0000-7000-8000-000000000001',
        slug: 'star-haul',
        title: 'Star Haul',
        summary: 'One.\n\nTwo three.',
        genres: [],
        minAge: null,
        releaseDate: '2026-06-30',
        releasePrecision: 'quarter',
        externalRef: null,
      },
    })
  })

  it('are refused by place and rule', () => {
    expect(errorsOf({ genres: ['rpg', 'rpg'] })).toEqual(['/genres/1 duplicate'])
    expect(errorsOf({ genres: ['action', 'rpg', 'card', 'idle', 'party', 'other'] })).toEqual(['/genres too-long'])
    expect(errorsOf({ minAge: 22 })).toEqual(['/minAge too-large'])
    expect(errorsOf({ minAge: 1.5 })).toEqual(['/minAge type'])
    expect(errorsOf({ releaseDate: '2026-02-29' })).toEqual(['/releaseDate format'])
    expect(errorsOf({ releasePrecision: 'month' })).toEqual(['/releaseDate required'])
    expect(errorsOf({ status: 'released' })).toEqual(['/status unknown-field'])
    expect(errorsOf({ summary: 'bell \u0007' })).toEqual(['/summary character'])
  })

  it('stay where the state needs them', () => {
    expect(neededInState({ ...empty, status: 'announced' })).toEqual([])
    expect(neededInState({ ...empty, status: 'released' }).map(({ pointer }) => pointer)).toEqual([
      '/minAge',
      '/releaseDate',
      '/genres',
    ])
  })
})
