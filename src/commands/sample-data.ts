import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Database } from '../database/database.ts'
import { AppError, UsageError } from '../errors.ts'
import { isEnd } from '../imports/import-answer.ts'
import type { ImportResource, ImportRunner } from '../imports/import-run.ts'
import { accountsApi } from './accounts.ts'
import { operator, type Program, withProgram } from './composition.ts'
import { whenStarted } from './environment.ts'
import { count, print } from './terminal.ts'

/**
 * The sample data, loaded through the import service. What of it a database holds is read back from its rows: there is no other
 * state that could disagree with them.
 */

interface LoadedSample {
  /** Midnight after the three years of the first load. */
  readonly endMs: number
  /** Days of `--advance` so far. */
  readonly days: number
}

const loadLocal = async () => {
  const [advance, games, library, period, players, studios] = await Promise.all([
    import('../local/sample/advance.ts'),
    import('../local/sample/games.ts'),
    import('../local/sample/library.ts'),
    import('../local/sample/period.ts'),
    import('../local/sample/players.ts'),
    import('../local/sample/studios.ts'),
  ])
  return { ...advance, ...games, ...library, ...period, ...players, ...studios }
}

/**
 * True when no record is there, or when a load was cut off: its last step closes the last studio. Loading again leaves what is in
 * as it is.
 */
export async function wantsSample({ prisma }: Database): Promise<boolean> {
  const { firstOwnerRef, lastStudioRef } = await loadLocal()
  const [row] = await prisma.$queryRaw<{ wants: boolean }[]>`
    SELECT NOT EXISTS (SELECT FROM studio) AND NOT EXISTS (SELECT FROM player) AND NOT EXISTS (SELECT FROM studio_owner)
      OR EXISTS (SELECT FROM studio_owner WHERE external_ref = ${firstOwnerRef})
        AND NOT EXISTS (SELECT FROM studio WHERE external_ref = ${lastStudioRef} AND status = 'closed') AS wants`
  return row?.wants === true
}

/** Large files go in as several imports at once, so that the database works while the next lines are judged. */
const WAYS = 4

async function bringMany(
  imports: ImportRunner,
  resource: ImportResource,
  objects: Iterable<object>,
  now: Date,
): Promise<number> {
  const shares: object[][] = Array.from({ length: WAYS }, () => [])
  let next = 0
  for (const each of objects) shares[next++ % WAYS]?.push(each)
  const lines = await Promise.all(shares.map((share) => bring(imports, resource, share, now)))
  return lines.reduce((sum, n) => sum + n, 0)
}

/** Of a database that is too busy to answer, as on a small machine at its first start. */
const ATTEMPTS = 10
const RETRY_MS = 1_000

/**
 * Lines that are in stay as they are, so all of them can be brought again.
 *
 * @throws Error at the first line that is refused: then the sample and the rules disagree.
 */
async function bring(
  imports: ImportRunner,
  resource: ImportResource,
  objects: Iterable<object>,
  now: Date,
): Promise<number> {
  const lines = [...objects]
  for (let attempt = 1; ; attempt++) {
    try {
      return await bringOnce(imports, resource, lines, now)
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'unavailable') || attempt === ATTEMPTS) throw error
      await delay(RETRY_MS)
    }
  }
}

async function bringOnce(
  imports: ImportRunner,
  resource: ImportResource,
  objects: readonly object[],
  now: Date,
): Promise<number> {
  let lines = 0
  for await (const answers of imports.run(resource, { objects }, { now }, operator())) {
    for (const answer of answers) {
      if (isEnd(answer)) lines = answer._end.lines
      else if (answer.status === 'error') {
        throw new Error(`sample data, ${resource} line ${answer.line}: ${JSON.stringify(answer.problem)}`)
      }
    }
  }
  return lines
}

/**
 * Loads the three years, or what is missing of them. They end on the day of the first load, so that "the last 30 days" has
 * something to show.
 */
export async function loadSample({ database, logger }: Program): Promise<Record<string, number>> {
  const sample = await loadLocal()
  const { imports } = accountsApi(database, { logger })
  const endMs = (await endOfCutLoad(database)) ?? Math.floor(Date.now() / sample.DAY_MS) * sample.DAY_MS
  const period = sample.samplePeriod(endMs)
  const now = new Date(endMs)
  await bring(imports, 'owners', sample.owners(period), now)
  const loaded = {
    studios: await bring(imports, 'studios', sample.studios(period), now),
    games: await bring(imports, 'games', sample.games(period), now),
    players: await bringMany(imports, 'players', sample.players(period), now),
    'library rows': await bringMany(imports, 'library', sample.library(period), now),
  }
  await bring(imports, 'games', sample.laterGames(period), now)
  await bring(imports, 'studios', sample.laterStudios(period), now)
  return loaded
}

/** Undefined when nothing of the sample is in. */
async function endOfCutLoad({ prisma }: Database): Promise<number | undefined> {
  const sample = await loadLocal()
  const [first] = await prisma.$queryRaw<{ created_at: Date }[]>`
    SELECT created_at FROM studio_owner WHERE external_ref = ${sample.firstOwnerRef}`
  const [zero] = sample.owners(sample.samplePeriod(0)) as Iterable<{ readonly createdAt: string }>
  return first && zero && first.created_at.getTime() - Date.parse(zero.createdAt)
}

/** Undefined when the database does not hold the sample. */
async function findSample({ prisma }: Database): Promise<LoadedSample | undefined> {
  const sample = await loadLocal()
  const [first] = await prisma.$queryRaw<{ created_at: Date }[]>`
    SELECT p.created_at FROM player p JOIN player_identity i ON i.player_id = p.id
    WHERE i.provider = 'steam' AND i.namespace = '' AND i.subject = ${sample.steamSubject(0)}`
  if (!first) return undefined
  const zero = sample.samplePeriod(0)
  const endMs = first.created_at.getTime() - sample.registeredMs(zero, 0)
  const [last] = await prisma.$queryRaw<{ subject: string }[]>`
    SELECT i.subject FROM player p JOIN player_identity i ON i.player_id = p.id
    WHERE i.provider = 'steam' AND i.namespace = '' AND i.subject BETWEEN ${sample.steamSubject(0)} AND ${sample.steamSubject(9_999_999)}
    ORDER BY i.subject DESC LIMIT 1`
  const index = last ? sample.indexOfSteamSubject(last.subject) : undefined
  if (index === undefined) return undefined
  return { endMs, days: Math.floor((index + 1 - sample.PLAYER_COUNT) / sample.NEW_PLAYERS_A_DAY) }
}

async function advanceSample(program: Program, by: number): Promise<void> {
  const { database, logger } = program
  const loaded = await findSample(database)
  if (!loaded)
    throw new UsageError('The database does not hold the sample data: load it with "rocketgames sample" first')
  const sample = await loadLocal()
  const { imports } = accountsApi(database, { logger })
  const to = loaded.days + by
  const changes = sample.advance(sample.samplePeriod(loaded.endMs), loaded.days, to)
  const now = new Date(loaded.endMs + to * sample.DAY_MS)
  const players = await bring(imports, 'players', changes.players, now)
  const moves = await bring(imports, 'players', changes.moves, now)
  const games = await bring(imports, 'games', changes.games, now)
  const library = await bring(imports, 'library', changes.library, now)
  print(
    `Day ${loaded.days} -> ${to}: ${count(players)} registrations, ${count(moves)} accounts changed, ${count(games)} steps of games, ${count(library)} library rows played, bought or revoked`,
  )
}

export function addSampleCommand(program: Command): void {
  program
    .command('sample')
    .description('load the sample data into an empty database, or let days pass in it')
    .option('--advance <days>', 'registrations, moves, play time, steps of games and refunds of so many more days')
    .action(async ({ advance }: { advance?: string }) => {
      const days = Number(advance ?? 0)
      if (!Number.isInteger(days) || days < 0 || days > 365 || (advance !== undefined && days === 0)) {
        throw new UsageError(`--advance takes a whole number of days from 1 to 365, not ${advance}`)
      }
      await withProgram(async (opened) => {
        await whenStarted(opened.workplace)
        if (days > 0) return advanceSample(opened, days)
        if (!(await wantsSample(opened.database))) {
          throw new UsageError('The database is not empty: the sample is loaded into an empty one only')
        }
        const loaded = await loadSample(opened)
        print(
          Object.entries(loaded)
            .map(([what, n]) => `${count(n)} ${what}`)
            .join(', '),
        )
      })
    })
}
