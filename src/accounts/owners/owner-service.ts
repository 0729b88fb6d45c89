import type { Context, ExpectedVersion } from '../../caller.ts'
import type { Database, Transaction } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import { newId } from '../../identifier.ts'
import type { ListRequest, Page } from '../../list.ts'
import { changesOf, forced } from '../audit/audit-event.ts'
import { appendAudit } from '../audit/audit-store.ts'
import { requireTransition, stepsOf, type Transitions, transitionsFrom } from '../lifecycle/lifecycle.ts'
import { changedFields, requireVersion } from '../writing/version.ts'
import { write } from '../writing/write-service.ts'
import {
  OWNER_LIFECYCLE,
  type Owner,
  type OwnerDraft,
  type OwnerPatch,
  type OwnerStatus,
  withVerification,
} from './owner.ts'
import {
  findOwner,
  findOwnersById,
  insertOwner,
  listOwners,
  lockOwner,
  lockStudiosOwnedAlone,
  studiosOwnedAlone,
  updateOwner,
} from './owner-store.ts'

/** The people who own studios. */
export class OwnerService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** @throws AppError `email-taken`, `conflict` */
  create(draft: OwnerDraft, context: Context): Promise<Owner> {
    return write(this.#database, async (tx) => {
      const owner = await insertOwner(tx, newId(), draft)
      const changes = changesOf('studio_owner', undefined, owner)
      await appendAudit(tx, context, { action: 'owner.create', ...about(owner), changes })
      return owner
    })
  }

  /** @throws AppError `not-found` */
  async get(id: string, _context: Context): Promise<Owner> {
    return found(await findOwner(this.#database.prisma, id))
  }

  /** Those of the ids that exist, in no order. */
  byIds(ids: readonly string[], _context: Context): Promise<Owner[]> {
    return findOwnersById(this.#database.prisma, ids)
  }

  list(request: ListRequest, _context: Context): Promise<Page<Owner>> {
    return listOwners(this.#database.prisma, request)
  }

  /** A new address counts as not verified unless the patch says otherwise. */
  update(id: string, patch: OwnerPatch, expected: ExpectedVersion, context: Context): Promise<Owner> {
    return write(this.#database, async (tx) => {
      const before = found(await lockOwner(tx, id))
      requireVersion(before.version, expected)
      const change = changedFields<OwnerPatch>(before, withVerification(before, patch))
      if (Object.keys(change).length === 0) return before
      const after = await updateOwner(tx, id, change)
      const changes = forced(changesOf('studio_owner', before, after), expected)
      await appendAudit(tx, context, { action: 'owner.update', ...about(before), changes })
      return after
    })
  }

  /** What this caller may do. @throws AppError `not-found` */
  async transitions(id: string, context: Context): Promise<Transitions<OwnerStatus>> {
    const owner = found(await findOwner(this.#database.prisma, id))
    const transitions = transitionsOf(owner, await studiosOwnedAlone(this.#database.prisma, id))
    return stepsOf(context, 'owners:write', transitions)
  }

  /** @throws AppError `not-found`, `version-mismatch`, `invalid-transition`, `last-owner` that names the studios */
  transition(
    id: string,
    step: { readonly to: OwnerStatus; readonly reason: string | null },
    expected: ExpectedVersion,
    context: Context,
  ): Promise<Owner> {
    return write(this.#database, async (tx) => {
      // Studios before owners, as the members' changes do: in another order the two could wait for each other.
      const studioIds = step.to === 'active' ? [] : await lockStudiosOwnedAlone(tx, id)
      const before = found(await lockOwner(tx, id))
      requireVersion(before.version, expected)
      requireTransition(transitionsOf(before, []), step.to)
      if (studioIds.length > 0) throw lastOwner(studioIds)
      return this.#step(tx, before, step, expected, context)
    })
  }

  async #step(
    tx: Transaction,
    before: Owner,
    step: { readonly to: OwnerStatus; readonly reason: string | null },
    expected: ExpectedVersion,
    context: Context,
  ): Promise<Owner> {
    const after = await updateOwner(tx, before.id, { status: step.to })
    const changes = forced(changesOf('studio_owner', before, after), expected)
    await appendAudit(tx, context, { action: 'owner.transition', ...about(before), reason: step.reason, changes })
    return after
  }
}

function transitionsOf(owner: Owner, ownedAlone: readonly string[]): Transitions<OwnerStatus> {
  const blocked = ownedAlone.length > 0 ? ['other-active-owner'] : []
  return transitionsFrom(OWNER_LIFECYCLE, owner.status, (to) => (to === 'active' ? [] : blocked))
}

function lastOwner(studioIds: readonly string[]): AppError {
  return new AppError('last-owner', 'Active studios would be left without an active owner; add another one first', {
    extra: { studioIds },
  })
}

function about(owner: Owner) {
  return { entityType: 'owner', entityId: owner.id } as const
}

function found(owner: Owner | undefined): Owner {
  if (owner === undefined) throw new AppError('not-found', 'There is no such owner')
  return owner
}
