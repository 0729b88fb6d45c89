import { z } from 'zod'
import type { Context } from '../../caller.ts'
import { created, ok } from '../../http/answer.ts'
import { jsonBody, mergePatch } from '../../http/body.ts'
import { itemRoute } from '../../http/item-route.ts'
import { listRoute } from '../../http/list-route.ts'
import { type Route, type RouteGroup, route } from '../../http/route.ts'
import { present } from '../../http/visibility.ts'
import { idParam } from '../text/text-schema.ts'
import type { Owner } from './owner.ts'
import { ownerList } from './owner-list.ts'
import {
  newOwnerSchema,
  ownerPatchSchema,
  ownerSchema,
  ownerTransitionBody,
  ownerTransitionsSchema,
} from './owner-schema.ts'
import type { OwnerService } from './owner-service.ts'

const params = z.strictObject({ id: idParam })
const tag = 'owners'
const one = { description: 'The owner', schema: ownerSchema, versioned: true } as const
const READ = ['owners:read'] as const
const WRITE = ['owners:write'] as const

export function ownerRoutes(owners: OwnerService): RouteGroup {
  return {
    routes: [...collectionRoutes(owners), ...itemRoutes(owners), ...transitionRoutes(owners)],
    refusals: [
      {
        method: 'delete',
        path: '/v1/owners/{id}',
        advice: 'An owner is not deleted: disable them with POST /v1/owners/{id}/transitions {"to": "disabled"}.',
      },
    ],
  }
}

function collectionRoutes(owners: OwnerService): Route[] {
  return [
    listRoute({
      operation: 'listOwners',
      path: '/v1/owners',
      tag,
      summary: 'Owners, page by page',
      description: 'Filters, sorts and q on personal fields need the scope owners:read.personal.',
      access: READ,
      list: ownerList,
      row: ownerSchema,
      page: (request, _params, context) => owners.list(request, context),
    }),
    route({
      operation: 'createOwner',
      method: 'post',
      path: '/v1/owners',
      tag,
      summary: 'Add an owner',
      access: WRITE,
      body: jsonBody(newOwnerSchema),
      answers: { 201: { ...one, headers: { Location: 'Where the owner is' } } },
      problems: ['email-taken', 'conflict'],
      async handle({ body, context }) {
        const owner = await owners.create(body, context)
        return created(`/v1/owners/${owner.id}`, shown(context)(owner), owner.version)
      },
    }),
  ]
}

function itemRoutes(owners: OwnerService): Route[] {
  return [
    itemRoute({
      operation: 'getOwner',
      path: '/v1/owners/{id}',
      tag,
      summary: 'One owner',
      access: READ,
      params,
      table: 'studio_owner',
      row: ownerSchema,
      answer: 'The owner',
      get: ({ id }, context) => owners.get(id, context),
    }),
    route({
      operation: 'updateOwner',
      method: 'patch',
      path: '/v1/owners/{id}',
      tag,
      summary: 'Change fields of an owner',
      description: 'A new address counts as not verified, unless emailVerifiedAt comes with it.',
      access: WRITE,
      params,
      ifMatch: 'required',
      body: mergePatch(ownerPatchSchema),
      answers: { 200: one },
      problems: ['email-taken', 'conflict'],
      async handle({ params, body, expected, context }) {
        return single(await owners.update(params.id, body, expected, context), context)
      },
    }),
  ]
}

function transitionRoutes(owners: OwnerService): Route[] {
  return [
    route({
      operation: 'listOwnerTransitions',
      method: 'get',
      path: '/v1/owners/{id}/transitions',
      tag,
      summary: 'The steps that are possible now, and what each still needs',
      access: READ,
      params,
      answers: { 200: { description: 'The steps', schema: ownerTransitionsSchema } },
      async handle({ params, context }) {
        return ok(await owners.transitions(params.id, context))
      },
    }),
    route({
      operation: 'makeOwnerTransition',
      method: 'post',
      path: '/v1/owners/{id}/transitions',
      tag,
      summary: 'Disable an owner, or make them active again',
      access: WRITE,
      params,
      ifMatch: 'required',
      body: jsonBody(ownerTransitionBody),
      answers: { 200: one },
      problems: ['invalid-transition', 'last-owner'],
      async handle({ params, body, expected, context }) {
        return single(await owners.transition(params.id, body, expected, context), context)
      },
    }),
  ]
}

const shown = (context: Context) => (owner: Owner) => present('studio_owner', owner, context.principal)

function single(owner: Owner, context: Context) {
  return ok(shown(context)(owner), { version: owner.version })
}
