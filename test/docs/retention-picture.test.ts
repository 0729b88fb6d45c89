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

  it('falls with the weeks, and its shares are those of its counts', () => {
    for (const [
      i,
      { weeks_after_registration: week, players, played_then_or_later: played, percent },
    ] of points.entries()) {
      expect(week).toBe(i)
      expect(percent).toBeCloseTo((100 * played) / players, 2)
      expect(players).toBeLessThanOrEqual(points[i - 1]?.players ?? players)
    }
  })

  it('says with axis titles and ends what it shows, and what the README says of it', () => {
    const last = points.at(-1)
    expect(picture).toContain('>weeks after registration</text>')
    expect(picture).toContain('>share of players registered long enough</text>')
    expect(picture).toContain(`>${last?.percent} % of 11,082</text>`)
    const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8')
    expect(readme).toContain(
      `of the 11,082 players who registered more than a year before, ${Math.round(last?.percent ?? 0)} %`,
    )
  })

  it('is not drawn of less than two points', () => {
    expect(() => drawRetention(points.slice(0, 1), 'one')).toThrow('two points')
  })
})
