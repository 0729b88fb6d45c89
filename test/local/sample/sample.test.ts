import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { advance } from '../../../src/local/sample/advance.ts'
import { games, sampleGames } from '../../../src/local/sample/games.ts'
import { library, sampleLibrary } from '../../../src/local/sample/library.ts'
import { samplePeriod } from '../../../src/local/sample/period.ts'
import { players } from '../../../src/local/sample/players.ts'
import { owners, studios } from '../../../src/local/sample/studios.ts'

const period = samplePeriod(Date.UTC(2026, 10, 1))
const { startMs, endMs } = period

const digest = (lines: Iterable<object>) => {
  const hash = createHash('sha256')
  for (const line of lines) hash.update(JSON.stringify(line))
  return hash.digest('hex')
}

interface PlayerLine {
  readonly country?: string
  readonly createdAt: string
  readonly username: string
  readonly identities: readonly { provider: string; subject: string }[]
}

describe('the sample data', () => {
  const everyone = [...players(period)] as PlayerLine[]

  it('is the same on every run', () => {
    for (const make of [owners, studios, games, players, library])
      expect(digest(make(period))).toBe(digest(make(period)))
  })

  it('has the size and the spread that it promises', () => {
    expect([...studios(period)]).toHaveLength(30)
    expect([...games(period)]).toHaveLength(150)
    expect(everyone).toHaveLength(20_000)
    expect([...library(period)]).toHaveLength(80_000)
    expect(new Set(everyone.flatMap((p) => p.country ?? [])).size).toBe(60)
    expect(new Set(sampleGames(period).map((g) => g.status)).size).toBe(13)
    expect(Math.min(...sampleGames(period).map((g) => g.platforms.length))).toBe(1)
    expect(Math.max(...sampleGames(period).map((g) => g.platforms.length))).toBe(4)
  })

  it('lies in its three years', () => {
    const times = everyone.map((p) => Date.parse(p.createdAt))
    expect(Math.min(...times)).toBeGreaterThanOrEqual(startMs)
    expect(Math.max(...times)).toBeLessThan(endMs)
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(3 * 365 * 86_400_000 - 5 * 86_400_000)
  })

  it('has no name, identity or library row twice', () => {
    expect(new Set(everyone.map((p) => p.username.toLowerCase())).size).toBe(20_000)
    const identities = everyone.flatMap((p) => p.identities.map((i) => `${i.provider}/${i.subject}`))
    expect(new Set(identities).size).toBe(identities.length)
    const rows = sampleLibrary(period).map((r) => `${r.player}/${r.game.index}/${r.platform}`)
    expect(new Set(rows).size).toBe(rows.length)
  })

  it('keeps times in order in every library row', () => {
    for (const row of sampleLibrary(period)) {
      if (row.expiresMs !== undefined) expect(row.expiresMs).toBeGreaterThan(row.acquiredMs)
      if (row.firstPlayedMs === undefined) expect(row.playtimeSeconds).toBe(0)
      else expect(row.lastPlayedMs).toBeGreaterThanOrEqual(row.firstPlayedMs)
      expect(row.revokedMs === undefined).toBe(row.reason === undefined)
    }
  })

  it('only moves by days with another end', () => {
    const later = [...players(samplePeriod(endMs + 10 * 86_400_000))] as PlayerLine[]
    expect(later.map((p) => p.username)).toEqual(everyone.map((p) => p.username))
    expect(Date.parse(later[5]?.createdAt ?? '')).toBe(Date.parse(everyone[5]?.createdAt ?? '') + 10 * 86_400_000)
  })

  it('advances by whole days: three days at once are the three days one by one', () => {
    const registered = (from: number, to: number) => [...advance(period, from, to).players]
    expect([...registered(0, 1), ...registered(1, 2), ...registered(2, 3)]).toEqual(registered(0, 3))
    const states = new Map<string, object>()
    const keyOf = (line: object) => JSON.stringify(Reflect.get(line, 'identities'))
    for (const day of [0, 1, 2])
      for (const line of advance(period, day, day + 1).moves)
        states.set(keyOf(line), { ...states.get(keyOf(line)), ...line })
    const together = advance(period, 0, 3).moves
    expect(together.length).toBeGreaterThan(30)
    expect(new Map(together.map((line) => [keyOf(line), line]))).toEqual(states)
    expect([0, 1, 2].flatMap((d) => advance(period, d, d + 1).games)).toEqual(advance(period, 0, 3).games)
    const key = (line: object) =>
      JSON.stringify([Reflect.get(line, 'player'), Reflect.get(line, 'game'), Reflect.get(line, 'platform')])
    const last = new Map<string, object>()
    for (const day of [0, 1, 2]) for (const line of advance(period, day, day + 1).library) last.set(key(line), line)
    const atOnce = new Map(advance(period, 0, 3).library.map((line) => [key(line), line]))
    expect(new Map([...last].sort())).toEqual(new Map([...atOnce].sort()))
    expect(atOnce.size).toBeGreaterThan(1000)
  })
})
