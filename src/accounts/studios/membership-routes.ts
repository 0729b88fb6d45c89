import { z } from 'zod'
import type { Context } from '../../caller.ts'
import { created, noContent, ok } from '../../http/answer.ts'
import { jsonBody, mergePatch } from '../../http/body.ts'
import type { Expansions } from '../../http/expansion.ts'
import { itemRoute } from '../../http/item-route.ts'
import { listRoute } from '../../http/list-route.ts'
import { type Route, type RouteGroup, route } from '../../http/route.ts'
import { present } from '../../http/visibility.ts'
import { ownerOf } from '../owners/owner-presenter.ts'
import type { OwnerService } from '../owners/owner-service.ts'
import { idOrSlugParam, idParam } from '../text/text-schema.ts'
import type { Membership } from './membership.ts'
import { memberList, ownedStudioList } from './membership-list.ts'
import { memberPatchSchema, memberSchema, membershipSchema } from './membership-schema.ts'
import type { MembershipService } from './membership-service.ts'
import { studioOf } from './studio-presenter.ts'
import type { StudioService } from './studio-service.ts'

const params = z.strictObject({ id: idOrSlugParam, ownerId: idParam })
const tag = 'members'
const path = '/v1/studios/{id}/members/{ownerId}'
const one = { description: 'The member', schema: membershipSchema, versioned: true } as const
const READ = ['studios:read'] as const
const WRITE = ['studios:write'] as const

/** Where the parts come from that a member can be shown with. */
export interface MemberParts {
  readonly owners: OwnerService
  readonly studios: StudioService
}

export function membershipRoutes(members: MembershipService, { owners, studios }: MemberParts): RouteGroup {
  const expand = { owner: ownerOf<Membership>(owners), studio: studioOf<Membership>(studios) }
  return { routes: [...listRoutes(members, expand), ...itemRoutes(members, expand), ...writeRoutes(members)] }
}

function listRoutes(members: MembershipService, expand: Expansions<Membership>): Route[] {
  return [
    listRoute({
      operation: 'listStudioMembers',
      path: '/v1/studios/{id}/members',
      tag,
      summary: 'Who owns and runs a studio',
      access: READ,
      params: z.strictObject({ id: idOrSlugParam }),
      list: memberList,
      row: membershipSchema,
      page: (request, { id }, context) => members.list(id, request, context),
      expand,
    }),
    listRoute({
      operation: 'listOwnerStudios',
      path: '/v1/owners/{id}/studios',
      tag,
      summary: 'In which studios an owner is, and as what',
      description: 'expand=studio embeds the studios themselves.',
      access: ['owners:read'],
      params: z.strictObject({ id: idParam }),
      list: ownedStudioList,
      row: membershipSchema,
      page: (request, { id }, context) => members.listOfOwner(id, request, context),
      expand,
    }),
  ]
}

function itemRoutes(members: MembershipService, expand: Expansions<Membership>): Route[] {
  return [
    itemRoute({
      operation: 'getStudioMember',
      path,
      tag,
      summary: 'One member',
      access: READ,
      params,
      table: 'studio_membership',
      row: membershipSchema,
      answer: 'The member',
      get: ({ id, ownerId }, context) => members.get(id, ownerId, context),
      expand,
    }),
    route({
      operation: 'putStudioMember',
      method: 'put',
      path,
      tag,
      summary: 'Add a member, or replace role and share of one',
      description: 'Replacing needs If-Match. Without status a new or returning member is invited.',
      access: WRITE,
      params,
      ifMatch: 'optional',
      createOnly: true,
      body: jsonBody(memberSchema),
      answers: { 200: one, 201: { ...one, headers: { Location: 'Where the member is' } } },
      problems: ['conflict', 'last-owner', 'invalid-transition', 'precondition-required'],
      async handle({ params, body, expected, createOnly, context }) {
        const conditions = { expected, createOnly }
        const outcome = await members.put(params.id, params.ownerId, body, conditions, context)
        const { studioId, ownerId, version } = outcome.membership
        if (!outcome.created) return single(outcome.membership, context)
        return created(`/v1/studios/${studioId}/members/${ownerId}`, shown(context)(outcome.membership), version)
      },
    }),
  ]
}

function writeRoutes(members: MembershipService): Route[] {
  return [
    route({
      operation: 'updateStudioMember',
      method: 'patch',
      path,
      tag,
      summary: 'Change role, share or status of a member',
      description:
        'Steps: invited to active or left, active to left, left to invited. Who leaves gives up their share.',
      access: WRITE,
      params,
      ifMatch: 'required',
      body: mergePatch(memberPatchSchema),
      answers: { 200: one },
      problems: ['conflict', 'last-owner', 'invalid-transition'],
      async handle({ params, body, expected, context }) {
        return single(await members.update(params.id, params.ownerId, body, expected, context), context)
      },
    }),
    route({
      operation: 'removeStudioMember',
      method: 'delete',
      path,
      tag,
      summary: 'A member leaves, or an invitation is withdrawn: the status becomes left, the row stays',
      access: WRITE,
      params,
      ifMatch: 'required',
      answers: { 204: { description: 'The member has left', versioned: true } },
      problems: ['last-owner', 'invalid-transition'],
      async handle({ params, expected, context }) {
        const { version } = await members.leave(params.id, params.ownerId, expected, context)
        return noContent({ ETag: `"${version}"` })
      },
    }),
  ]
}

const shown = (context: Context) => (membership: Membership) =>
  present('studio_membership', membership, context.principal)

function single(membership: Membership, context: Context) {
  return ok(shown(context)(membership), { version: membership.version })
}
