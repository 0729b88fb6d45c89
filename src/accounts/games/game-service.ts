import type { Context, ExpectedVersion } from '../../caller.ts'
import type { Database, Transaction } from '../../database/database.ts'
import { AppError, invalid } from '../../errors.ts'
import { newId } from '../../identifier.ts'
import type { ListRequest, Page } from '../../list.ts'
import { changesOf, forced } from '../audit/audit-event.ts'
import { appendAudit } from '../audit/audit-store.ts'
import { requireTransition, stepsOf, type Transitions, transitionsFrom } from '../lifecycle/lifecycle.ts'
import type { Studio, StudioStatus } from '../studios/studio.ts'
import { findStudio } from '../studios/studio-store.ts'
import type { IdOrSlug } from '../text/code.ts'
import { changedFields, requireVersion } from '../writing/version.ts'
import { write } from '../writing/write-service.ts'
import {
  GAME_LIFECYCLE,
  type Game,
  type GameDraft,
  type GamePatch,
  type GameStatus,
  missingForGame,
  neededInState,
} from './game.ts'
import { findGame, findGamesById, holdStudioStatus, insertGame, listGames, lockGame, updateGame } from './game-store.ts'
import { isRefused, releaseAfter } from './release.ts'

/** Games: load, judge, save, audit - each write in one transaction. Locks go game first, then studio. */
export class GameService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * A draft of a studio that is not closed.
   *
   * @throws AppError `slug-taken`, `conflict`, `validation` when there is no such studio
   */
  create(draft: GameDraft, context: Context): Promise<Game> {
    return write(this.#database, async (tx) => {
      requireOpenStudio(await holdStudioStatus(tx, draft.studioId))
      const game = await insertGame(tx, newId(), draft)
      const changes = changesOf('game', undefined, game)
      await appendAudit(tx, context, { action: 'game.create', ...about(game), changes })
      return game
    })
  }

  /** @throws AppError `not-found` */
  async get(ref: IdOrSlug, _context: Context): Promise<Game> {
    return found(await findGame(this.#database.prisma, ref))
  }

  /** Those of the ids that exist, in no order. */
  byIds(ids: readonly string[], _context: Context): Promise<Game[]> {
    return findGamesById(this.#database.prisma, ids)
  }

  list(request: ListRequest, _context: Context): Promise<Page<Game>> {
    return listGames(this.#database.prisma, request)
  }

  /** The games of one studio. @throws AppError `not-found` */
  async listOfStudio(studio: IdOrSlug, request: ListRequest, _context: Context): Promise<Page<Game>> {
    const { id } = foundStudio(await findStudio(this.#database.prisma, studio))
    return listGames(this.#database.prisma, request, id)
  }

  /**
   * A patch that changes nothing changes neither the version nor the trail.
   *
   * @throws AppError `not-found`, `version-mismatch`, `slug-taken`, `conflict`, `validation` when the state needs a field
   */
  update(ref: IdOrSlug, patch: GamePatch, expected: ExpectedVersion, context: Context): Promise<Game> {
    return write(this.#database, async (tx) => {
      const before = found(await lockGame(tx, ref))
      requireVersion(before.version, expected)
      return saveGame(tx, before, resolved(before, patch), expected, context)
    })
  }

  /** What this caller may do. @throws AppError `not-found` */
  async transitions(ref: IdOrSlug, context: Context): Promise<Transitions<GameStatus>> {
    const game = found(await findGame(this.#database.prisma, ref))
    const studio = foundStudio(await findStudio(this.#database.prisma, { id: game.studioId }))
    return stepsOf(context, 'games:transition', transitionsOf(game, studio.status))
  }

  /** @throws AppError `not-found`, `version-mismatch`, `invalid-transition`, `transition-blocked` */
  transition(
    ref: IdOrSlug,
    step: { readonly to: GameStatus; readonly reason: string | null },
    expected: ExpectedVersion,
    context: Context,
  ): Promise<Game> {
    return write(this.#database, async (tx) => {
      const before = found(await lockGame(tx, ref))
      requireVersion(before.version, expected)
      // Held to the end: the studio is not suspended or closed while its game makes a step, nor the other way round.
      const studio = await holdStudioStatus(tx, before.studioId)
      if (studio === undefined) throw new Error('a game without its studio')
      requireTransition(transitionsOf(before, studio), step.to)
      const after = await updateGame(tx, before.id, { status: step.to })
      const changes = forced(changesOf('game', before, after), expected)
      await appendAudit(tx, context, { action: 'game.transition', ...about(before), reason: step.reason, changes })
      return after
    })
  }
}

/**
 * Writes what a caller wants a locked game to be. A change that changes nothing changes neither the version nor the trail.
 *
 * @throws AppError `validation` when the game's state needs a field
 */
export async function saveGame(
  tx: Transaction,
  before: Game,
  wanted: Partial<GameDraft>,
  expected: ExpectedVersion | undefined,
  context: Context,
): Promise<Game> {
  const change = changedFields(before, wanted)
  if (Object.keys(change).length === 0) return before
  const errors = neededInState({ ...before, ...change })
  if (errors.length > 0) throw invalid(errors)
  const after = await updateGame(tx, before.id, change)
  const changes = forced(changesOf('game', before, after), expected)
  await appendAudit(tx, context, { action: 'game.update', ...about(before), changes })
  return after
}

function transitionsOf(game: Game, studio: StudioStatus): Transitions<GameStatus> {
  return transitionsFrom(GAME_LIFECYCLE, game.status, (to) => missingForGame(to, game, studio))
}

/** The patch with the date and its precision brought together. */
function resolved(before: Game, { releaseDate, releasePrecision, ...rest }: GamePatch): Partial<GameDraft> {
  const release = releaseAfter(before, { releaseDate, releasePrecision })
  if (isRefused(release)) throw invalid([release])
  return { ...rest, releaseDate: release.releaseDate, releasePrecision: release.releasePrecision }
}

/** @throws AppError `validation` when there is no such studio, `conflict` when it has closed */
export function requireOpenStudio(status: StudioStatus | undefined): void {
  if (status === undefined) {
    throw invalid([{ pointer: '/studioId', code: 'not-found', detail: 'there is no such studio' }])
  }
  if (status === 'closed') {
    throw new AppError('conflict', 'The studio has closed and gets no new games', {
      errors: [{ pointer: '/studioId', code: 'closed' }],
    })
  }
}

function about(game: Game) {
  return { entityType: 'game', entityId: game.id, studioId: game.studioId } as const
}

function found(game: Game | undefined): Game {
  if (game === undefined) throw new AppError('not-found', 'There is no such game')
  return game
}

function foundStudio(studio: Studio | undefined): Studio {
  if (studio === undefined) throw new AppError('not-found', 'There is no such studio')
  return studio
}
