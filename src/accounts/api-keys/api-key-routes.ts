import { z } from 'zod'
import type { Context } from '../../caller.ts'
import { created, noContent, ok } from '../../http/answer.ts'
import { jsonBody } from '../../http/body.ts'
import { listRoute } from '../../http/list-route.ts'
import { type Route, type RouteGroup, route } from '../../http/route.ts'
import { present } from '../../http/visibility.ts'
import { type ApiKey, ROTATION_OVERLAP_HOURS } from './api-key.ts'
import { apiKeyList } from './api-key-list.ts'
import {
  apiKeyIdParam,
  apiKeySchema,
  createdApiKeySchema,
  newApiKeySchema,
  rotatedApiKeySchema,
} from './api-key-schema.ts'
import type { ApiKeyService } from './api-key-service.ts'

const params = z.strictObject({ id: apiKeyIdParam })
const tag = 'api keys'
const MANAGE = ['keys:manage'] as const
/** Also why no such answer may be stored for an Idempotency-Key. */
const NO_STORE = 'no-store'
const NO_REPLAY = {
  'Idempotency-Key':
    'The answer holds a secret, which is kept nowhere: after a lost answer revoke the key and make another',
}

export function apiKeyRoutes(keys: ApiKeyService): RouteGroup {
  return { routes: [...readRoutes(keys), ...makingRoutes(keys), revokeRoute(keys)] }
}

function readRoutes(keys: ApiKeyService): Route[] {
  return [
    listRoute({
      operation: 'listApiKeys',
      path: '/v1/api-keys',
      tag,
      summary: 'API keys, without their secrets; revoked and expired ones too',
      access: MANAGE,
      list: apiKeyList,
      row: apiKeySchema,
      page: (request, _params, context) => keys.page(request, context),
    }),
    route({
      operation: 'getApiKey',
      method: 'get',
      path: '/v1/api-keys/{id}',
      tag,
      summary: 'One API key, without its secret',
      access: MANAGE,
      params,
      answers: { 200: { description: 'The key', schema: apiKeySchema } },
      async handle({ params, context }) {
        return ok(shown(await keys.get(params.id, context), context))
      },
    }),
  ]
}

function makingRoutes(keys: ApiKeyService): Route[] {
  const headers = { Location: 'Where the key is' }
  return [
    route({
      operation: 'createApiKey',
      method: 'post',
      path: '/v1/api-keys',
      tag,
      summary: 'Make an API key; its secret is shown once',
      description: 'A key cannot make a key with scopes that it does not have itself.',
      access: MANAGE,
      body: jsonBody(newApiKeySchema),
      refusedHeaders: NO_REPLAY,
      answers: { 201: { description: 'The key with its secret', schema: createdApiKeySchema, headers } },
      problems: ['forbidden'],
      cacheControl: NO_STORE,
      async handle({ body, context }) {
        const { key, token } = await keys.create(body, context)
        return created(`/v1/api-keys/${key.id}`, { ...shown(key, context), token })
      },
    }),
    route({
      operation: 'rotateApiKey',
      method: 'post',
      path: '/v1/api-keys/{id}/rotate',
      tag,
      summary: 'Make a key that takes the place of this one; its secret is shown once',
      description:
        `Same name and scopes, valid for as long as this key was made for. This key lives on for ${ROTATION_OVERLAP_HOURS} hours, ` +
        'or until its own end; DELETE ends it at once. A key is rotated once: then rotate the one that took its place. Jobs and ' +
        'Idempotency-Keys stay with the key that they came with: finish them under it.',
      access: MANAGE,
      params,
      refusedHeaders: NO_REPLAY,
      answers: { 201: { description: 'The new key with its secret', schema: rotatedApiKeySchema, headers } },
      problems: ['conflict', 'forbidden'],
      cacheControl: NO_STORE,
      async handle({ params, context }) {
        const { key, token, replaced } = await keys.rotate(params.id, context)
        const body = { ...shown(key, context), token, replaced: shown(replaced, context) }
        return created(`/v1/api-keys/${key.id}`, body)
      },
    }),
  ]
}

function revokeRoute(keys: ApiKeyService): Route {
  return route({
    operation: 'revokeApiKey',
    method: 'delete',
    path: '/v1/api-keys/{id}',
    tag,
    summary: 'End a key: it holds for the next request. The row stays',
    access: MANAGE,
    params,
    answers: { 204: { description: 'The key is revoked' } },
    async handle({ params, context }) {
      await keys.revoke(params.id, context)
      return noContent()
    },
  })
}

function shown(key: ApiKey, { principal }: Context) {
  return present('api_key', key, principal)
}
