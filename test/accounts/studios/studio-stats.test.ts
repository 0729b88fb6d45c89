import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PLATFORMS } from '../../../src/accounts/games/game-platform.ts'
import { type OwnerGroup, SMALLEST_CELL, studioStats } from '../../../src/accounts/studios/studio-stats.ts'

const group = (players: number, ...platforms: OwnerGroup['platforms']): OwnerGroup => ({
  ...{ platforms, players, played: 0, playtimeSeconds: 0 },
})
const byPlatform = (...groups: OwnerGroup[]) => studioStats(new Map(), groups).players.byPlatform

describe('the sums of a studio', () => {
  it('tell games in every state, also where there is none', () => {
    const { games } = studioStats(new Map([['released', 2]]), [])
    expect(games.total).toBe(2)
    expect(games.byStatus).toMatchObject({ released: 2, draft: 0, cancelled: 0 })
  })

  it('tell five people, not four', () => {
    const players = (n: number) => studioStats(new Map(), [group(n, 'windows')]).players
    expect(players(5)).toMatchObject({ total: 5, byPlatform: { windows: 5 } })
    expect(players(4)).toMatchObject({ total: null, byPlatform: {} })
    expect(players(0)).toMatchObject({ total: null, played: null, byPlatform: {} })
  })

  it('do not tell what subtraction would', () => {
    expect(byPlatform(group(20, 'windows'), group(2, 'macos'))).toEqual({})
    expect(byPlatform(group(20, 'windows'), group(5, 'macos'), group(2, 'linux'))).toEqual({ windows: 20 })
    expect(byPlatform(group(20, 'windows'), group(9, 'macos'), group(5, 'linux'))).toEqual({
      windows: 20,
      macos: 9,
      linux: 5,
    })
    expect(byPlatform(group(10, 'windows'), group(2, 'windows', 'macos'))).toEqual({ windows: 12 })
    const played = (some: number) => studioStats(new Map(), [{ ...group(20), played: some, playtimeSeconds: 60 }])
    expect(played(20).players.played).toBe(20)
    expect(played(17)).toMatchObject({ players: { played: null }, playtimeSeconds: 60 })
    expect(played(15).players.played).toBe(15)
    expect(played(4)).toMatchObject({ players: { played: null }, playtimeSeconds: null })
  })

  it('never let a count of one to four people be read or computed', () => {
    const groups = fc.array(
      fc.record({
        platforms: fc.uniqueArray(fc.constantFrom(...PLATFORMS.slice(0, 4)), { minLength: 1 }),
        players: fc.integer({ min: 1, max: 12 }),
        played: fc.constant(0),
        playtimeSeconds: fc.constant(0),
      }),
      { maxLength: 6 },
    )
    const isSafe = (n: number) => n === 0 || n >= SMALLEST_CELL
    fc.assert(
      fc.property(groups, fc.float({ min: 0, max: 1, noNaN: true }), (made, share) => {
        const all = made.map((each) => ({ ...each, played: Math.floor(each.players * share) }))
        const { total, played, byPlatform } = studioStats(new Map(), all).players
        const told = Object.entries(byPlatform)
        if (total === null) return told.length === 0 && played === null
        const cells = [total, ...told.map(([, n]) => n), ...(played === null ? [] : [played])]
        const left = all
          .filter(({ platforms }) => platforms.every((platform) => !(platform in byPlatform)))
          .reduce((sum, { players }) => sum + players, 0)
        return cells.every((n) => n >= SMALLEST_CELL && isSafe(total - n)) && (told.length === 0 || isSafe(left))
      }),
      { numRuns: 2000 },
    )
  })
})
