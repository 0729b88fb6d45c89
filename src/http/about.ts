import { z } from 'zod'
import { AppError, type ErrorCode } from '../errors.ts'
import { documentSchema, enumsSchema, problemKindSchema, whoamiSchema } from './about-schema.ts'
import { ok, pieces, text } from './answer.ts'
import { CAUSES } from './problem-causes.ts'
import { problemPage } from './problem-page.ts'
import { PROBLEMS, problemType } from './problems.ts'
import { type RouteGroup, route } from './route.ts'

export interface AboutOptions {
  /** Every enumeration of the API by name. */
  readonly enums: Readonly<Record<string, readonly string[]>>
  /** The API document, once it is complete. */
  readonly document: () => Readonly<Record<string, unknown>>
}

/** Same for everyone until the next release. */
const CACHEABLE = 'public, max-age=300'

/** What the service says about itself. */
export function aboutRoutes({ enums, document }: AboutOptions): RouteGroup {
  return {
    routes: [
      route({
        operation: 'whoami',
        method: 'get',
        path: '/v1/whoami',
        tag: 'service',
        summary: 'Who the caller is and what it may do',
        access: 'key',
        answers: { 200: { description: 'The caller', schema: whoamiSchema } },
        handle: ({ context: { principal } }) =>
          ok({
            type: principal.type,
            id: principal.id,
            name: principal.name,
            scopes: [...principal.scopes].sort(),
            expiresAt: principal.expiresAt,
          }),
      }),
      route({
        operation: 'listEnums',
        method: 'get',
        path: '/v1/enums',
        tag: 'service',
        summary: 'The values of every enumeration',
        access: 'open',
        cacheControl: CACHEABLE,
        answers: { 200: { description: 'Values by name', schema: enumsSchema } },
        handle: () => ok(enums),
      }),
      problemRoute(),
      route({
        operation: 'getOpenApi',
        method: 'get',
        path: '/v1/openapi.json',
        tag: 'service',
        summary: 'This document',
        access: 'open',
        cacheControl: CACHEABLE,
        answers: { 200: { description: 'OpenAPI 3.1', schema: documentSchema } },
        // Large, and asked for by every reader of the page: worth compressing.
        handle: () => pieces('application/json', once(JSON.stringify(document())), { compressible: true }),
      }),
    ],
  }
}

async function* once(content: string) {
  yield content
}

const PAGE_EXAMPLE = '<!doctype html>\n<html lang="en">…</html>\n'

function problemRoute() {
  return route({
    operation: 'getProblem',
    method: 'get',
    path: '/v1/problems/{slug}',
    tag: 'service',
    summary: 'What a problem code means and what to do about it',
    access: 'open',
    cacheControl: CACHEABLE,
    params: z.strictObject({ slug: z.string() }),
    produces: ['application/json', 'text/html'],
    answers: {
      200: {
        description: 'The kind of problem',
        schema: problemKindSchema,
        also: { 'text/html': { example: PAGE_EXAMPLE } },
      },
    },
    handle: ({ params, accepted }) => {
      if (!Object.hasOwn(PROBLEMS, params.slug)) throw new AppError('not-found', 'There is no problem with this code')
      const code = params.slug as ErrorCode
      const { title, status, advice } = PROBLEMS[code]
      const kind = { type: problemType(code), code, title, status, cause: CAUSES[code], advice }
      return accepted === 'text/html' ? text('text/html; charset=utf-8', problemPage(kind)) : ok(kind)
    },
  })
}
