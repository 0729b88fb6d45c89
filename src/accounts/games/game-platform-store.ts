import type { PrismaClient, Transaction } from '../../database/database.ts'
import { fromDay, toDay } from '../text/calendar-date.ts'
import type { GamePlatform, GamePlatformFacts, Platform } from './game-platform.ts'

type Reader = Transaction | PrismaClient

interface GamePlatformRow extends Omit<GamePlatform, 'releasedOn' | 'delistedOn'> {
  readonly releasedOn: Date | null
  readonly delistedOn: Date | null
}

function asGamePlatform(row: GamePlatformRow): GamePlatform {
  const { releasedOn, delistedOn } = row
  return { ...row, releasedOn: releasedOn && fromDay(releasedOn), delistedOn: delistedOn && fromDay(delistedOn) }
}

function asColumns({ releasedOn, delistedOn, ...rest }: Partial<GamePlatformFacts>) {
  return {
    ...rest,
    ...(releasedOn === undefined ? {} : { releasedOn: releasedOn && toDay(releasedOn) }),
    ...(delistedOn === undefined ? {} : { delistedOn: delistedOn && toDay(delistedOn) }),
  }
}

/** The platforms of a game, at most one row for each platform there is, in the order of the enum. */
export async function findGamePlatforms(db: Reader, gameId: string): Promise<GamePlatform[]> {
  return (await db.gamePlatform.findMany({ where: { gameId }, orderBy: { platform: 'asc' } })).map(asGamePlatform)
}

/** The platforms of several games. */
export async function findPlatformsOfGames(db: Reader, gameIds: readonly string[]): Promise<GamePlatform[]> {
  const where = { gameId: { in: [...gameIds] } }
  return (await db.gamePlatform.findMany({ where, orderBy: [{ gameId: 'asc' }, { platform: 'asc' }] })).map(
    asGamePlatform,
  )
}

export async function findGamePlatform(
  db: Reader,
  gameId: string,
  platform: Platform,
): Promise<GamePlatform | undefined> {
  const row = await db.gamePlatform.findUnique({ where: { gameId_platform: { gameId, platform } } })
  return row === null ? undefined : asGamePlatform(row)
}

export async function insertGamePlatform(
  tx: Transaction,
  gameId: string,
  platform: Platform,
  facts: GamePlatformFacts,
): Promise<GamePlatform> {
  return asGamePlatform(await tx.gamePlatform.create({ data: { gameId, platform, ...asColumns(facts) } }))
}

export async function updateGamePlatform(
  tx: Transaction,
  { gameId, platform }: Pick<GamePlatform, 'gameId' | 'platform'>,
  change: Partial<GamePlatformFacts>,
): Promise<GamePlatform> {
  const where = { gameId_platform: { gameId, platform } }
  return asGamePlatform(await tx.gamePlatform.update({ where, data: asColumns(change) }))
}

/** The database refuses it while library rows refer to the platform. */
export async function deleteGamePlatform(
  tx: Transaction,
  { gameId, platform }: Pick<GamePlatform, 'gameId' | 'platform'>,
): Promise<void> {
  await tx.gamePlatform.delete({ where: { gameId_platform: { gameId, platform } } })
}
