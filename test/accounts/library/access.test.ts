import { describe, expect, it } from 'vitest'
import { GAME_STATUSES } from '../../../src/accounts/games/game.ts'
import { type AccessFacts, accessOf } from '../../../src/accounts/library/access.ts'
import { ENTITLEMENT_SOURCES } from '../../../src/accounts/library/entitlement.ts'

const line = { source: 'purchase', expiresAt: null, isExpired: false, isRevoked: false } as const
const facts: AccessFacts = { playerStatus: 'active', gameStatus: 'released', minAge: 16, age: 20, line }

describe('access', () => {
  it('is allowed exactly when there is no reason against it', () => {
    const [yes, no] = [accessOf(facts), accessOf({ ...facts, line: undefined })]
    expect(yes).toEqual({
      ...{ allowed: true, reasons: [], owns: true, permanent: true, expiresAt: null },
      ...{ ageGate: 'passed', gameStatus: 'released' },
    })
    expect(no).toMatchObject({ allowed: false, reasons: ['not-owned'], owns: false, permanent: false })
  })

  it('names every reason, not the first one', () => {
    const expiresAt = new Date('2026-01-01T00:00:00Z')
    const ended = { ...line, expiresAt, isExpired: true, isRevoked: true }
    const all = accessOf({ playerStatus: 'closed', gameStatus: 'retired', minAge: 18, age: 17, line: ended })
    expect(all.reasons).toEqual(['expired', 'revoked', 'below-min-age', 'game-not-available', 'player-closed'])
    expect(all).toMatchObject({ owns: false, permanent: false, expiresAt, ageGate: 'failed' })
  })

  it('of what ends later is owned, not for ever', () => {
    const expiresAt = new Date('2999-01-01T00:00:00Z')
    expect(accessOf({ ...facts, line: { ...line, expiresAt } })).toMatchObject({
      ...{ allowed: true, owns: true, permanent: false, expiresAt },
    })
  })

  it('by age: the very age will do, none is unknown and does not refuse, no limit needs none', () => {
    const gate = (minAge: number | null, age: number | null) => {
      const { ageGate, allowed } = accessOf({ ...facts, minAge, age })
      return [ageGate, allowed]
    }
    expect(gate(16, 16)).toEqual(['passed', true])
    expect(gate(16, 15)).toEqual(['failed', false])
    expect(gate(16, null)).toEqual(['unknown', true])
    expect(gate(0, null)).toEqual(['passed', true])
    expect(gate(null, 3)).toEqual(['passed', true])
  })

  it('by the state of the game: sold or sold once, and early for those who test and tell', () => {
    const playable = GAME_STATUSES.filter((gameStatus) => accessOf({ ...facts, gameStatus }).allowed)
    expect(playable).toEqual(['early_access', 'released', 'delisted'])
    for (const gameStatus of ['approved', 'announced'] as const) {
      const early = ENTITLEMENT_SOURCES.filter(
        (source) => accessOf({ ...facts, gameStatus, line: { ...line, source } }).allowed,
      )
      expect(early).toEqual(['beta', 'press', 'staff'])
    }
  })

  it('is closed to every player who is not active', () => {
    for (const playerStatus of ['closed', 'erasure_pending', 'erased'] as const) {
      expect(accessOf({ ...facts, playerStatus }).reasons).toEqual(['player-closed'])
    }
  })
})
