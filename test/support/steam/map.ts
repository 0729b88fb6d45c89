/**
 * Maps the public Steam data set (games.csv, play.csv) to import lines, dirt included: a row that cannot become a record is
 * mapped as it is and ends as an error line of the import that says why.
 *
 *     node test/support/steam/map.ts <folder with the CSV files> <output folder>
 *
 * writes owners.ndjson, studios.ndjson, games.ndjson, players.ndjson and library.ndjson, to be imported in this order.
 */
import { createHash } from 'node:crypto'
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { finished } from 'node:stream/promises'
import { parse } from 'csv-parse/sync'

const STEAM_BASE = 76561197960265728n
const GENRES: Readonly<Record<string, string>> = {
  action: 'action',
  adventure: 'adventure',
  rpg: 'rpg',
  strategy: 'strategy',
  simulation: 'simulation',
  sports: 'sports',
  racing: 'racing',
  education: 'educational',
}

interface GameRow {
  readonly appid: string
  readonly name: string
  readonly developer: string
  readonly genre: string
}

interface PlayRow {
  readonly userId: string
  readonly title: string
  readonly hours: string
}

export interface SteamLines {
  readonly owners: readonly object[]
  readonly studios: readonly object[]
  readonly games: readonly object[]
  readonly players: readonly object[]
  readonly library: readonly object[]
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
const studioRef = (developer: string): string => `steamdev:${digest(developer).slice(0, 32)}`

function readGames(file: string): GameRow[] {
  return parse(readFileSync(file), { columns: true, skip_empty_lines: true }) as GameRow[]
}

function readPlay(file: string): PlayRow[] {
  const rows = parse(readFileSync(file), {
    from_line: 2,
    relax_column_count: true,
    skip_empty_lines: true,
  }) as string[][]
  return rows.map(([userId = '', title = '', hours = '']) => ({ userId, title, hours }))
}

function studioLines(developers: readonly string[]): Pick<SteamLines, 'owners' | 'studios'> {
  const email = (index: number) => `steam-owner-${index + 1}@example.invalid`
  return {
    owners: developers.map((_, i) => ({ fullName: `Owner ${i + 1}`, email: email(i) })),
    studios: developers.map((developer, i) => ({
      slug: `dev-${digest(developer).slice(0, 12)}`,
      name: developer,
      status: 'active',
      externalRef: studioRef(developer),
      members: [{ owner: { email: email(i) }, role: 'owner', status: 'active' }],
    })),
  }
}

function gameLine(row: GameRow): object {
  const words = row.genre.split(',').map((word) => word.trim().toLowerCase())
  const genres = [...new Set(words.filter(Boolean).map((word) => GENRES[word] ?? 'other'))].slice(0, 5)
  return {
    slug: `steam-${row.appid}`,
    title: row.name,
    genres,
    status: 'announced',
    releasePrecision: 'tba',
    externalRef: `steam-${row.appid}`,
    // No developer, no studio: the import refuses the line and says that the studio is missing.
    ...(row.developer.trim() === '' ? {} : { studio: { externalRef: studioRef(row.developer) } }),
    platforms: [{ platform: 'windows', store: 'steam', storeAppId: row.appid }],
  }
}

const steamId = (userId: string): string => String(STEAM_BASE + BigInt(userId))

function libraryLine(row: PlayRow, appidsByTitle: ReadonlyMap<string, ReadonlySet<string>>): object {
  const appids = appidsByTitle.get(row.title.toLowerCase())
  const [appid] = appids?.size === 1 ? appids : []
  return {
    player: { provider: 'steam', subject: steamId(row.userId) },
    // A title that is not exactly one game refers to nothing, and the import says so.
    game:
      appid === undefined
        ? { externalRef: `steam-title:${digest(row.title).slice(0, 32)}` }
        : { store: 'steam', storeAppId: appid },
    platform: 'windows',
    source: 'import',
    acquiredAt: '2015-01-01T00:00:00Z',
    playtimeSeconds: Math.round(Number(row.hours) * 3600),
  }
}

/** All lines, one per input row where the input has rows, else one per distinct value. */
export function steamLines(folder: string): SteamLines {
  const games = readGames(path.join(folder, 'games.csv'))
  const play = readPlay(path.join(folder, 'play.csv'))
  const developers = [...new Set(games.map((g) => g.developer).filter((d) => d.trim() !== ''))]
  const appidsByTitle = new Map<string, Set<string>>()
  for (const { name, appid } of games) {
    const title = name.toLowerCase()
    appidsByTitle.set(title, (appidsByTitle.get(title) ?? new Set()).add(appid))
  }
  const users = [...new Set(play.map((p) => p.userId))]
  return {
    ...studioLines(developers),
    games: games.map(gameLine),
    players: users.map((id) => ({
      username: `steam-${id}`,
      identities: [{ provider: 'steam', subject: steamId(id) }],
    })),
    library: play.map((row) => libraryLine(row, appidsByTitle)),
  }
}

async function main([from, to]: readonly string[]): Promise<void> {
  if (from === undefined || to === undefined) {
    throw new Error('usage: node test/support/steam/map.ts <folder with games.csv and play.csv> <output folder>')
  }
  mkdirSync(to, { recursive: true })
  for (const [resource, lines] of Object.entries(steamLines(from))) {
    const out = createWriteStream(path.join(to, `${resource}.ndjson`))
    for (const line of lines as readonly object[]) out.write(`${JSON.stringify(line)}\n`)
    out.end()
    await finished(out)
    process.stdout.write(`${resource}.ndjson: ${(lines as readonly object[]).length} lines\n`)
  }
}

if (import.meta.main) await main(process.argv.slice(2))
