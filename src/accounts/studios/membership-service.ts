import type { Context, ExpectedVersion } from '../../caller.ts'
import type { Database, Transaction } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import type { ListRequest, Page } from '../../list.ts'
import { changesOf, forced } from '../audit/audit-event.ts'
import { appendAudit } from '../audit/audit-store.ts'
import { findOwner } from '../owners/owner-store.ts'
import type { IdOrSlug } from '../text/code.ts'
import { type PutConditions, requirePutNew, requirePutOver } from '../writing/put.ts'
import { changedFields, requireVersion } from '../writing/version.ts'
import { write } from '../writing/write-service.ts'
import {
  changedMembership,
  isActiveOwner,
  type Membership,
  type MembershipDraft,
  type MembershipPatch,
  type MembershipState,
  newMembership,
  requireWithinWhole,
} from './membership.ts'
import {
  findMembership,
  hasOtherActiveOwner,
  insertMembership,
  listMembers,
  listStudiosOf,
  otherShares,
  updateMembership,
} from './membership-store.ts'
import type { Studio } from './studio.ts'
import { findStudio, lockStudio } from './studio-store.ts'

/** Who owns and runs a studio. Every change holds the studio's row, so its rules cannot be passed by at the same moment. */
export class MembershipService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async list(ref: IdOrSlug, request: ListRequest, _context: Context): Promise<Page<Membership>> {
    const studio = foundStudio(await findStudio(this.#database.prisma, ref))
    return listMembers(this.#database.prisma, studio.id, request)
  }

  async get(ref: IdOrSlug, ownerId: string, _context: Context): Promise<Membership> {
    const studio = foundStudio(await findStudio(this.#database.prisma, ref))
    return foundMember(await findMembership(this.#database.prisma, studio.id, ownerId))
  }

  /** In which studios one owner is. */
  async listOfOwner(ownerId: string, request: ListRequest, _context: Context): Promise<Page<Membership>> {
    if ((await findOwner(this.#database.prisma, ownerId)) === undefined) throw noSuchOwner()
    return listStudiosOf(this.#database.prisma, ownerId, request)
  }

  /**
   * Adds a member, or replaces role and share of one who is there.
   *
   * @throws AppError `not-found`, `precondition-required`, `version-mismatch`, `conflict`, `last-owner`, `invalid-transition`
   */
  put(
    ref: IdOrSlug,
    ownerId: string,
    draft: MembershipDraft,
    conditions: PutConditions,
    context: Context,
  ): Promise<{ readonly created: boolean; readonly membership: Membership }> {
    return write(this.#database, async (tx) => {
      const studio = foundStudio(await lockStudio(tx, ref))
      const before = await findMembership(tx, studio.id, ownerId)
      if (before === undefined) {
        requirePutNew(conditions)
        return { created: true, membership: await this.#add(tx, studio, ownerId, draft, context) }
      }
      requirePutOver(before, conditions)
      const expected = requireSeen(before, conditions)
      // Who left and is put again is invited again.
      const status = draft.status ?? (before.status === 'left' ? 'invited' : before.status)
      const after = changedMembership(before, { ...draft, status }, new Date())
      return { created: false, membership: await this.#save(tx, studio, before, after, expected, context) }
    })
  }

  update(
    ref: IdOrSlug,
    ownerId: string,
    patch: MembershipPatch,
    expected: ExpectedVersion,
    context: Context,
  ): Promise<Membership> {
    return write(this.#database, async (tx) => {
      const studio = foundStudio(await lockStudio(tx, ref))
      const before = foundMember(await findMembership(tx, studio.id, ownerId))
      requireVersion(before.version, expected)
      return this.#save(tx, studio, before, changedMembership(before, patch, new Date()), expected, context)
    })
  }

  /** The member leaves; the row stays. Who has left already may leave again. */
  leave(ref: IdOrSlug, ownerId: string, expected: ExpectedVersion, context: Context): Promise<Membership> {
    return this.update(ref, ownerId, { status: 'left' }, expected, context)
  }

  async #add(
    tx: Transaction,
    studio: Studio,
    ownerId: string,
    draft: MembershipDraft,
    context: Context,
  ): Promise<Membership> {
    const owner = await findOwner(tx, ownerId)
    if (owner === undefined) throw noSuchOwner()
    if (owner.status === 'erased') throw new AppError('conflict', 'The owner was erased and cannot join a studio')
    const state = newMembership(draft, new Date())
    requireWithinWhole(await otherShares(tx, studio.id, ownerId), state.ownershipPercent)
    const membership = await insertMembership(tx, studio.id, ownerId, state)
    const changes = changesOf('studio_membership', undefined, membership)
    await appendAudit(tx, context, { action: 'membership.create', ...about(studio), changes })
    return membership
  }

  async #save(
    tx: Transaction,
    studio: Studio,
    before: Membership,
    state: MembershipState,
    expected: ExpectedVersion,
    context: Context,
  ): Promise<Membership> {
    const change = changedFields(before, state)
    if (Object.keys(change).length === 0) return before
    if (change.ownershipPercent !== undefined) {
      requireWithinWhole(await otherShares(tx, studio.id, before.ownerId), change.ownershipPercent)
    }
    if (isActiveOwner(before) && !isActiveOwner(state)) await this.#requireOtherOwner(tx, studio, before.ownerId)
    const after = await updateMembership(tx, before, change)
    // Which member it was: the event's entity is the studio.
    const member = { ownerId: { from: before.ownerId, to: before.ownerId } }
    const changes = forced({ ...member, ...changesOf('studio_membership', before, after) }, expected)
    await appendAudit(tx, context, { action: 'membership.update', ...about(studio), changes })
    return after
  }

  async #requireOtherOwner(tx: Transaction, studio: Studio, ownerId: string): Promise<void> {
    if (studio.status !== 'active' && studio.status !== 'suspended') return
    if (await hasOtherActiveOwner(tx, studio.id, ownerId)) return
    throw new AppError('last-owner', 'An active or suspended studio needs another active owner first')
  }
}

/** A share or role of somebody is not overwritten by a caller who does not know of it. @throws AppError `precondition-required` */
function requireSeen({ version }: Membership, { expected }: PutConditions): ExpectedVersion {
  if (expected !== undefined) return expected
  throw new AppError('precondition-required', 'The member is there already: send If-Match to replace role and share', {
    headers: { ETag: `"${version}"` },
  })
}

function about(studio: Studio) {
  return { entityType: 'membership', entityId: studio.id, studioId: studio.id } as const
}

function foundStudio(studio: Studio | undefined): Studio {
  if (studio === undefined) throw new AppError('not-found', 'There is no such studio')
  return studio
}

function foundMember(membership: Membership | undefined): Membership {
  if (membership === undefined) throw new AppError('not-found', 'The studio has no such member')
  return membership
}

function noSuchOwner(): AppError {
  return new AppError('not-found', 'There is no such owner')
}
