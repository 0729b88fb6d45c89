import { z } from 'zod'
import type { Context } from '../../caller.ts'
import { created, noContent, ok, pageOf } from '../../http/answer.ts'
import { jsonBody, mergePatch } from '../../http/body.ts'
import { listQuery } from '../../http/list-query.ts'
import { type Route, type RouteGroup, route } from '../../http/route.ts'
import { holds, present } from '../../http/visibility.ts'
import { idOrSlugParam, idParam } from '../text/text-schema.ts'
import type { Membership } from './membership.ts'
import { memberList, ownedStudioList } from './membership-list.ts'
import {
  memberPageSchema,
  memberPatchSchema,
  memberSchema,
  membershipSchema,
  ownedStudioPageSchema,
} from './membership-schema.ts'
import type { MembershipService, OwnedStudio } from './membership-service.ts'

const params = z.strictObject({ id: idOrSlugParam, ownerId: idParam })
const tag = 'members'
const path = '/v1/studios/{id}/members/{ownerId}'
const one = { description: 'The member', schema: membershipSchema, versioned: true } as const
const READ = ['studios:read'] as const
const WRITE = ['studios:write'] as const

export function membershipRoutes(members: MembershipService): RouteGroup {
  return { routes: [...listRoutes(members), ...itemRoutes(members), ...writeRoutes(members)] }
}

function listRoutes(members: MembershipService): Route[] {
  return [
    route({
      operation: 'listStudioMembers',
      method: 'get',
      path: '/v1/studios/{id}/members',
      tag,
      summary: 'Who owns and runs a studio',
      access: READ,
      params: z.strictObject({ id: idOrSlugParam }),
      query: listQuery(memberList),
      answers: { 200: { description: 'A page', schema: memberPageSchema } },
      async handle({ params, query, context }) {
        return pageOf(await members.list(params.id, query.request, context), query, shown(context))
      },
    }),
    route({
      operation: 'listOwnerStudios',
      method: 'get',
      path: '/v1/owners/{id}/studios',
      tag,
      summary: 'The studios of an owner',
      access: ['owners:read'],
      params: z.strictObject({ id: idParam }),
      query: listQuery(ownedStudioList),
      answers: { 200: { description: 'A page', schema: ownedStudioPageSchema } },
      async handle({ params, query, context }) {
        return pageOf(await members.studiosOf(params.id, query.request, context), query, shownWithStudio(context))
      },
    }),
  ]
}

function itemRoutes(members: MembershipService): Route[] {
  return [
    route({
      operation: 'getStudioMember',
      method: 'get',
      path,
      tag,
      summary: 'One member',
      access: READ,
      params,
      answers: { 200: one },
      async handle({ params, context }) {
        return single(await members.get(params.id, params.ownerId, context), context)
      },
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
      problems: ['conflict', 'last-owner', 'invalid-transition'],
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

const shownWithStudio =
  (context: Context) =>
  ({ membership, studio }: OwnedStudio) => ({
    ...shown(context)(membership),
    ...(holds(context.principal, 'studios:read') ? { studio: present('studio', studio, context.principal) } : {}),
  })

function single(membership: Membership, context: Context) {
  return ok(shown(context)(membership), { version: membership.version })
}
