import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { drawRetention, type RetentionPoint } from '../../scripts/draw-retention.ts'
import { ROOT } from '../support/service.ts'

const picture = readFileSync(path.join(ROOT, 'docs/retention.svg'), 'utf8')
const { source, points } = JSON.parse(/<metadata>(.*)<\/metadata>/.exec(picture)?.[1] ?? '') as {
  readonly source: string
  readonly points: RetentionPoint[]
}

describe('the retention curve of the README', () => {
  it('is drawn from the answer that it carries, by the script as it is now', () => {
    expect(points).toHaveLength(53)
    expect(drawRetention(points, source)).toBe(picture)
  })

  it('falls with the weeks, of the same players at each of them, and its shares are those of its counts', () => {
    for (const [i, point] of points.entries()) {
      const { weeks_after_registration: week, players, played_then_or_later: played, percent } = point
      expect(week).toBe(i)
      expect(percent).toBeCloseTo((100 * played) / players, 2)
      expect(players).toBe(points[0]?.players)
      expect(played).toBeLessThanOrEqual(points[i - 1]?.played_then_or_later ?? players)
    }
  })

  it('says with titles and ends what it shows, and what the README says of it', () => {
    const { percent, players } = points.at(-1) as RetentionPoint
    const count = players.toLocaleString('en-US')
    expect(picture).toContain('>weeks after registration</text>')
    expect(picture).toContain('>share of these players</text>')
    expect(picture).toContain(`; the same ${count} players at each week</text>`)
    expect(picture).toContain(`>${percent} %</text>`)
    const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8')
    expect(readme).toContain(
      `Of the ${count} players who registered at least 66 weeks before, ${Math.round(percent)} %`,
    )
  })

  it('is not drawn of points that are not of the same players', () => {
    const later = points.map((point, i) => ({ ...point, players: point.players - i }))
    expect(() => drawRetention(later, 'who came and who stayed')).toThrow('not of the same players')
  })

  it('is not drawn of less than two points', () => {
    expect(() => drawRetention(points.slice(0, 1), 'one')).toThrow('two points')
  })
})
