import { z } from 'zod'
import type { Context } from '../../caller.ts'
import { created, ok } from '../../http/answer.ts'
import { jsonBody, mergePatch } from '../../http/body.ts'
import { itemRoute } from '../../http/item-route.ts'
import { listRoute } from '../../http/list-route.ts'
import { type Route, type RouteGroup, route } from '../../http/route.ts'
import { present } from '../../http/visibility.ts'
import { idOrSlugParam } from '../text/text-schema.ts'
import type { Studio } from './studio.ts'
import { studioList } from './studio-list.ts'
import {
  newStudioSchema,
  studioPatchSchema,
  studioSchema,
  studioTransitionBody,
  studioTransitionsSchema,
} from './studio-schema.ts'
import type { StudioService } from './studio-service.ts'

const params = z.strictObject({ id: idOrSlugParam })
const tag = 'studios'
const one = { description: 'The studio', schema: studioSchema, versioned: true } as const
const READ = ['studios:read'] as const
const WRITE = ['studios:write'] as const

export function studioRoutes(studios: StudioService): RouteGroup {
  return {
    routes: [...collectionRoutes(studios), ...itemRoutes(studios), ...transitionRoutes(studios)],
    refusals: [
      {
        method: 'delete',
        path: '/v1/studios/{id}',
        advice: 'A studio is not deleted: close it with POST /v1/studios/{id}/transitions {"to": "closed"}.',
      },
    ],
  }
}

function collectionRoutes(studios: StudioService): Route[] {
  return [
    listRoute({
      operation: 'listStudios',
      path: '/v1/studios',
      tag,
      summary: 'Studios, page by page',
      access: READ,
      list: studioList,
      row: studioSchema,
      page: (request, _params, context) => studios.list(request, context),
    }),
    route({
      operation: 'createStudio',
      method: 'post',
      path: '/v1/studios',
      tag,
      summary: 'Add a studio, as a prospect',
      access: WRITE,
      body: jsonBody(newStudioSchema),
      answers: { 201: { ...one, headers: { Location: 'Where the studio is' } } },
      problems: ['slug-taken', 'conflict'],
      async handle({ body, context }) {
        const studio = await studios.create(body, context)
        return created(`/v1/studios/${studio.id}`, shown(context)(studio), studio.version)
      },
    }),
  ]
}

function itemRoutes(studios: StudioService): Route[] {
  return [
    itemRoute({
      operation: 'getStudio',
      path: '/v1/studios/{id}',
      tag,
      summary: 'One studio',
      access: READ,
      params,
      table: 'studio',
      row: studioSchema,
      answer: 'The studio',
      get: ({ id }, context) => studios.get(id, context),
    }),
    route({
      operation: 'updateStudio',
      method: 'patch',
      path: '/v1/studios/{id}',
      tag,
      summary: 'Change fields of a studio',
      description: 'The slug stays while accounts of players are linked under it (identities of the provider studio).',
      access: WRITE,
      params,
      ifMatch: 'required',
      body: mergePatch(studioPatchSchema),
      answers: { 200: one },
      problems: ['slug-taken', 'conflict'],
      async handle({ params, body, expected, context }) {
        return single(await studios.update(params.id, body, expected, context), context)
      },
    }),
  ]
}

function transitionRoutes(studios: StudioService): Route[] {
  return [
    route({
      operation: 'listStudioTransitions',
      method: 'get',
      path: '/v1/studios/{id}/transitions',
      tag,
      summary: 'The steps that are possible now, and what each still needs',
      access: READ,
      params,
      answers: { 200: { description: 'The steps', schema: studioTransitionsSchema } },
      async handle({ params, context }) {
        return ok(await studios.transitions(params.id, context))
      },
    }),
    route({
      operation: 'makeStudioTransition',
      method: 'post',
      path: '/v1/studios/{id}/transitions',
      tag,
      summary: 'Make a step',
      access: WRITE,
      params,
      ifMatch: 'required',
      body: jsonBody(studioTransitionBody),
      answers: { 200: one },
      problems: ['invalid-transition', 'transition-blocked', 'last-owner'],
      async handle({ params, body, expected, context }) {
        return single(await studios.transition(params.id, body, expected, context), context)
      },
    }),
  ]
}

const shown = (context: Context) => (studio: Studio) => present('studio', studio, context.principal)

function single(studio: Studio, context: Context) {
  return ok(shown(context)(studio), { version: studio.version })
}
