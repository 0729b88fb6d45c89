/**
 * Draws the retention curve of docs/retention.svg from the answer of the saved query, on standard input:
 *
 *     npx rocketgames query retention-curve --json | npx node scripts/draw-retention.ts "sample data" > docs/retention.svg
 *
 * The same answer and the same words give the same bytes; both stand in the picture's metadata.
 */
import { text } from 'node:stream/consumers'

export interface RetentionPoint {
  readonly weeks_after_registration: number
  readonly players: number
  readonly played_then_or_later: number
  readonly percent: number
}

const [WIDTH, HEIGHT] = [760, 400]
const PLOT = { left: 70, right: 735, top: 58, bottom: 330 } as const
const INK = '#24292f'
const GREY = '#6e7781'
const CURVE = '#0969da'

const number = (value: number) => String(Number(value.toFixed(1)))
const thousands = (value: number) => String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',')
const escaped = (given: string) => given.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** About eight steps of a round size. */
function ticks(last: number): number[] {
  const step = [1, 2, 4, 5, 10, 13, 26, 52, 104].find((each) => last / each <= 8) ?? 208
  return Array.from({ length: Math.floor(last / step) + 1 }, (_, i) => i * step)
}

/**
 * @param points in ascending order of weeks, at least two, all of the same players: else the curve would mix who came with who stayed.
 * @param source what the data are, for the caption.
 */
export function drawRetention(points: readonly RetentionPoint[], source: string): string {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined || first === last) {
    throw new Error('A curve needs two points: are there players who registered long enough ago?')
  }
  if (points.some(({ players }) => players !== first.players)) throw new Error('The points are not of the same players')
  const weeks = last.weeks_after_registration
  const x = (week: number) => PLOT.left + ((PLOT.right - PLOT.left) * week) / weeks
  const y = (percent: number) => PLOT.bottom - ((PLOT.bottom - PLOT.top) * percent) / 100
  const path = points.map((p, i) => `${i ? 'L' : 'M'}${number(x(p.weeks_after_registration))} ${number(y(p.percent))}`)
  const label = (at: string, anchor: string, words: string, more = '') =>
    `  <text ${at} text-anchor="${anchor}"${more}>${escaped(words)}</text>`
  const rows = [0, 20, 40, 60, 80, 100].flatMap((percent) => [
    `  <line x1="${PLOT.left}" x2="${PLOT.right}" y1="${number(y(percent))}" y2="${number(y(percent))}" stroke="${percent === 0 ? GREY : '#d8dee4'}"/>`,
    label(`x="${PLOT.left - 8}" y="${number(y(percent) + 4)}"`, 'end', `${percent} %`),
  ])
  const columns = ticks(weeks).flatMap((week) => [
    `  <line x1="${number(x(week))}" x2="${number(x(week))}" y1="${PLOT.bottom}" y2="${PLOT.bottom + 5}" stroke="${GREY}"/>`,
    label(`x="${number(x(week))}" y="${PLOT.bottom + 20}"`, 'middle', String(week)),
  ])
  const ends = [first, last].map((p, i) => {
    const at = `x="${number(x(p.weeks_after_registration) + (i ? -4 : 8))}" y="${number(y(p.percent) - 10)}"`
    return label(at, i ? 'end' : 'start', `${p.percent} %`, ` fill="${CURVE}" font-weight="600"`)
  })
  const middle = (PLOT.top + PLOT.bottom) / 2
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="Helvetica, Arial, sans-serif" font-size="13" fill="${INK}">`,
    `  <title>Retention curve: ${escaped(source)}</title>`,
    `  <metadata>${escaped(JSON.stringify({ source, points }))}</metadata>`,
    `  <rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    label(
      `x="${PLOT.left}" y="26"`,
      'start',
      'Players who played so many weeks after they registered, or later',
      ' font-size="16" font-weight="600"',
    ),
    label(
      `x="${PLOT.left}" y="45"`,
      'start',
      `${source}; the same ${thousands(first.players)} players at each week`,
      ` fill="${GREY}"`,
    ),
    ...rows,
    ...columns,
    `  <path d="${path.join('')}" fill="none" stroke="${CURVE}" stroke-width="2.5" stroke-linejoin="round"/>`,
    ...[first, last].map(
      (p) =>
        `  <circle cx="${number(x(p.weeks_after_registration))}" cy="${number(y(p.percent))}" r="4" fill="${CURVE}"/>`,
    ),
    ...ends,
    label(`x="${number((PLOT.left + PLOT.right) / 2)}" y="${PLOT.bottom + 46}"`, 'middle', 'weeks after registration'),
    label(`transform="translate(20 ${number(middle)}) rotate(-90)"`, 'middle', 'share of these players'),
    '</svg>',
    '',
  ].join('\n')
}

if (import.meta.main) {
  const points = JSON.parse(await text(process.stdin)) as RetentionPoint[]
  process.stdout.write(drawRetention(points, process.argv[2] ?? ''))
}
