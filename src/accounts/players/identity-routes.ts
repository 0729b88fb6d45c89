import { z } from 'zod'
import type { Context } from '../../caller.ts'
import { created, noContent } from '../../http/answer.ts'
import { jsonBody } from '../../http/body.ts'
import { itemRoute } from '../../http/item-route.ts'
import { listRoute } from '../../http/list-route.ts'
import { type Route, type RouteGroup, route } from '../../http/route.ts'
import { present } from '../../http/visibility.ts'
import { idParam } from '../text/text-schema.ts'
import type { Identity } from './identity.ts'
import { identitySchema, newIdentitySchema } from './identity-schema.ts'
import type { IdentityService } from './identity-service.ts'
import { identityList } from './player-list.ts'

const params = z.strictObject({ id: idParam })
const itemParams = z.strictObject({ id: idParam, identityId: idParam })
const tag = 'players'
const path = '/v1/players/{id}/identities'
const one = { description: 'The identity', schema: identitySchema, versioned: true } as const
const READ = ['players:read'] as const
const WRITE = ['players:write'] as const

export function identityRoutes(identities: IdentityService): RouteGroup {
  return { routes: [...readRoutes(identities), ...writeRoutes(identities)] }
}

function readRoutes(identities: IdentityService): Route[] {
  return [
    listRoute({
      operation: 'listPlayerIdentities',
      path,
      tag,
      summary: 'The accounts of a player elsewhere',
      description:
        'Those that were unlinked are among them, without subject and name; unlinkedAt[isNull]=true leaves them out.',
      access: READ,
      params,
      list: identityList,
      row: identitySchema,
      page: (request, { id }, context) => identities.list(id, request, context),
    }),
    itemRoute({
      operation: 'getPlayerIdentity',
      path: `${path}/{identityId}`,
      tag,
      summary: 'One account of a player elsewhere',
      access: READ,
      params: itemParams,
      table: 'player_identity',
      row: identitySchema,
      answer: 'The identity',
      get: ({ id, identityId }, context) => identities.get(id, identityId, context),
    }),
  ]
}

function writeRoutes(identities: IdentityService): Route[] {
  return [
    route({
      operation: 'linkPlayerIdentity',
      method: 'post',
      path,
      tag,
      summary: 'Link an account elsewhere',
      access: WRITE,
      params,
      body: jsonBody(newIdentitySchema),
      answers: { 201: { ...one, headers: { Location: 'Where the identity is' } } },
      problems: ['identity-taken', 'conflict'],
      async handle({ params, body, context }) {
        const identity = await identities.link(params.id, body, context)
        const location = `/v1/players/${identity.playerId}/identities/${identity.id}`
        return created(location, shown(context)(identity), identity.version)
      },
    }),
    route({
      operation: 'unlinkPlayerIdentity',
      method: 'delete',
      path: `${path}/{identityId}`,
      tag,
      summary: 'Unlink an account elsewhere: the row stays, without subject and name',
      access: WRITE,
      params: itemParams,
      ifMatch: 'required',
      answers: { 204: { description: 'The account is not linked any more' } },
      problems: ['last-identity'],
      async handle({ params, expected, context }) {
        await identities.unlink(params.id, params.identityId, expected, context)
        return noContent()
      },
    }),
  ]
}

const shown = (context: Context) => (identity: Identity) => present('player_identity', identity, context.principal)
