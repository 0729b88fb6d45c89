import { z } from 'zod'
import { created, ok } from '../../http/answer.ts'
import { jsonBody } from '../../http/body.ts'
import { type RouteGroup, route } from '../../http/route.ts'
import { present } from '../../http/visibility.ts'
import { externalRefParam, studioReplacementSchema } from './studio-ref-schema.ts'
import { studioSchema } from './studio-schema.ts'
import type { StudioService } from './studio-service.ts'

const one = { description: 'The studio', schema: studioSchema, versioned: true } as const

/** Put this group before that of the studios: a reference may be `games`, which is also a part of a studio's address. */
export function studioRefRoutes(studios: StudioService): RouteGroup {
  return {
    routes: [
      route({
        operation: 'putStudioByRef',
        method: 'put',
        path: '/v1/studios/by-ref/{externalRef}',
        tag: 'studios',
        summary: 'Create or replace the studio that your own system calls by this reference',
        description:
          'Fields that are absent are emptied; the state stays. Safe to repeat: the same body again changes nothing, the ' +
          'version neither. If-None-Match: * only creates, If-Match only replaces the version that it names. Percent-encode ' +
          'the reference. A new studio is a prospect.',
        access: ['studios:write'],
        params: z.strictObject({ externalRef: externalRefParam }),
        ifMatch: 'optional',
        createOnly: true,
        body: jsonBody(studioReplacementSchema),
        answers: { 200: one, 201: { ...one, headers: { Location: 'Where the studio is' } } },
        problems: ['slug-taken', 'conflict'],
        async handle({ params, body, expected, createOnly, context }) {
          const outcome = await studios.put(params.externalRef, body, { expected, createOnly }, context)
          const { id, version } = outcome.studio
          const shown = present('studio', outcome.studio, context.principal)
          return outcome.created ? created(`/v1/studios/${id}`, shown, version) : ok(shown, { version })
        },
      }),
    ],
  }
}
