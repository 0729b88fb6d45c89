import type { Context, ExpectedVersion } from '../../caller.ts'
import type { Database, Transaction } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import { newId } from '../../identifier.ts'
import type { ListRequest, Page } from '../../list.ts'
import { changesOf, forced } from '../audit/audit-event.ts'
import { appendAudit } from '../audit/audit-store.ts'
import { requireTransition, stepsOf, type Transitions, transitionsFrom } from '../lifecycle/lifecycle.ts'
import type { IdOrSlug } from '../text/code.ts'
import { type PutConditions, requirePutNew, requirePutOver } from '../writing/put.ts'
import { changedFields, requireVersion } from '../writing/version.ts'
import { refused, write } from '../writing/write-service.ts'
import {
  missingForStudio,
  STUDIO_LIFECYCLE,
  type Studio,
  type StudioDraft,
  type StudioFacts,
  type StudioPatch,
  type StudioReplacement,
  type StudioStatus,
} from './studio.ts'
import {
  findStudio,
  findStudiosById,
  insertStudio,
  insertStudioUnlessTaken,
  listStudios,
  lockStudio,
  lockStudioByRef,
  studioFacts,
  updateStudio,
} from './studio-store.ts'

/** Studios: load, judge, save, audit - each write in one transaction. */
export class StudioService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** @throws AppError `slug-taken`, `conflict` */
  create(draft: StudioDraft, context: Context): Promise<Studio> {
    return write(this.#database, async (tx) => {
      const studio = await insertStudio(tx, newId(), draft)
      const changes = changesOf('studio', undefined, studio)
      await appendAudit(tx, context, { action: 'studio.create', ...about(studio), changes })
      return studio
    })
  }

  /** @throws AppError `not-found` */
  async get(ref: IdOrSlug, _context: Context): Promise<Studio> {
    return found(await findStudio(this.#database.prisma, ref))
  }

  /** Those of the ids that exist, in no order. */
  byIds(ids: readonly string[], _context: Context): Promise<Studio[]> {
    return findStudiosById(this.#database.prisma, ids)
  }

  list(request: ListRequest, _context: Context): Promise<Page<Studio>> {
    return listStudios(this.#database.prisma, request)
  }

  /**
   * A patch that changes nothing changes neither the version nor the trail.
   *
   * @throws AppError `not-found`, `version-mismatch`, `slug-taken`, `conflict`, also when players' accounts are linked by the slug
   */
  update(ref: IdOrSlug, patch: StudioPatch, expected: ExpectedVersion, context: Context): Promise<Studio> {
    return write(this.#database, async (tx) => {
      const before = found(await lockStudio(tx, ref))
      requireVersion(before.version, expected)
      return save(tx, before, patch, expected, context)
    })
  }

  /**
   * Creates the studio that another system calls by this reference, or replaces its fields. Idempotent: said again, it changes
   * nothing; two at the same moment make one studio.
   *
   * @throws AppError `version-mismatch`, `slug-taken`, `conflict` when players' accounts are linked by the slug
   */
  put(
    externalRef: string,
    replacement: StudioReplacement,
    conditions: PutConditions,
    context: Context,
  ): Promise<{ readonly created: boolean; readonly studio: Studio }> {
    return write(this.#database, async (tx) => {
      let before = await lockStudioByRef(tx, externalRef)
      if (before === undefined) {
        requirePutNew(conditions)
        const studio = await insertStudioUnlessTaken(tx, newId(), { ...replacement, externalRef })
        if (studio !== undefined) {
          const changes = changesOf('studio', undefined, studio)
          await appendAudit(tx, context, { action: 'studio.create', ...about(studio), changes })
          return { created: true, studio }
        }
        // Another request was faster with the reference, and is done; or another studio has the slug.
        before = await lockStudioByRef(tx, externalRef)
        if (before === undefined) throw refused('studio_slug_key')
      }
      requirePutOver(before, conditions)
      return { created: false, studio: await save(tx, before, replacement, conditions.expected, context) }
    })
  }

  /** What this caller may do. @throws AppError `not-found` */
  async transitions(ref: IdOrSlug, context: Context): Promise<Transitions<StudioStatus>> {
    const studio = found(await findStudio(this.#database.prisma, ref))
    const transitions = transitionsOf(studio, await studioFacts(this.#database.prisma, studio.id))
    return stepsOf(context, 'studios:write', transitions)
  }

  /** @throws AppError `not-found`, `version-mismatch`, `invalid-transition`, `transition-blocked` */
  transition(
    ref: IdOrSlug,
    step: { readonly to: StudioStatus; readonly reason: string | null },
    expected: ExpectedVersion,
    context: Context,
  ): Promise<Studio> {
    return write(this.#database, async (tx) => {
      // Under the lock neither the members nor the games of the studio make a step of their own.
      const before = found(await lockStudio(tx, ref))
      requireVersion(before.version, expected)
      requireTransition(transitionsOf(before, await studioFacts(tx, before.id)), step.to)
      const after = await updateStudio(tx, before.id, { status: step.to })
      const changes = forced(changesOf('studio', before, after), expected)
      await appendAudit(tx, context, { action: 'studio.transition', ...about(before), reason: step.reason, changes })
      return after
    })
  }
}

/** A change that changes nothing changes neither the version nor the trail. */
async function save(
  tx: Transaction,
  before: Studio,
  patch: StudioPatch,
  expected: ExpectedVersion | undefined,
  context: Context,
): Promise<Studio> {
  const change = changedFields(before, patch)
  if (Object.keys(change).length === 0) return before
  const after = await updateStudio(tx, before.id, change)
  const changes = forced(changesOf('studio', before, after), expected)
  await appendAudit(tx, context, { action: 'studio.update', ...about(before), changes })
  return after
}

function transitionsOf(studio: Studio, facts: StudioFacts): Transitions<StudioStatus> {
  return transitionsFrom(STUDIO_LIFECYCLE, studio.status, (to) => missingForStudio(to, facts))
}

function about(studio: Studio) {
  return { entityType: 'studio', entityId: studio.id, studioId: studio.id } as const
}

function found(studio: Studio | undefined): Studio {
  if (studio === undefined) throw new AppError('not-found', 'There is no such studio')
  return studio
}
