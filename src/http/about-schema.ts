import { z } from 'zod'
import { SCOPES } from '../caller.ts'
import { COUNT_KINDS } from '../list.ts'

export const statusSchema = z.object({ status: z.string().meta({ example: 'alive' }) }).meta({ id: 'Health' })

export const checksSchema = z
  .object({
    status: z.literal('ready'),
    checks: z.array(z.object({ name: z.string().meta({ example: 'database' }), ok: z.boolean(), ms: z.int() })),
  })
  .meta({ id: 'Readiness' })

export const whoamiSchema = z
  .object({
    type: z.enum(['api_key', 'user', 'system']),
    id: z.string().meta({ example: 'k3v9x0m2q7ab' }),
    name: z.string().meta({ example: 'storefront' }),
    scopes: z.array(z.enum(SCOPES)).meta({ example: ['games:read', 'players:read'] }),
    expiresAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Whoami', description: 'The caller, as this service knows it' })

export const enumsSchema = z.record(z.string(), z.array(z.string())).meta({
  id: 'Enums',
  description: 'Every enumeration by name; new values are announced before they are used',
  example: { studio_status: ['prospect', 'in_review', 'active', 'suspended', 'closed', 'rejected'] },
})

export const problemKindSchema = z
  .object({
    type: z.string(),
    code: z.string(),
    title: z.string(),
    status: z.int(),
    cause: z.string().meta({ description: 'How it comes about' }),
    advice: z.string().meta({ description: 'What to do about it' }),
  })
  .meta({
    id: 'ProblemKind',
    example: {
      type: 'https://accounts.rocketgames.example/problems/slug-taken',
      code: 'slug-taken',
      title: 'The slug is taken',
      status: 409,
      cause: 'Another studio or game has this slug. Slugs are part of addresses and unique.',
      advice: 'Choose another slug.',
    },
  })

export const documentSchema = z.record(z.string(), z.unknown()).meta({
  id: 'OpenApiDocument',
  example: { openapi: '3.1.1', info: { title: 'RocketGames Accounts', version: '1.0.0' } },
})

export const problemSchema = z
  .looseObject({
    type: z.string().meta({ description: 'Identifies the kind of problem; compare code instead' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().optional(),
    code: z.string(),
    requestId: z.string().optional(),
    errors: z
      .array(
        z.looseObject({
          pointer: z.string().optional().meta({ description: 'RFC 6901, into the body' }),
          parameter: z.string().optional(),
          header: z.string().optional(),
          code: z.string(),
          detail: z.string().optional(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457; never carries a value of the request' })

/** The last line of an export. */
export const exportEndSchema = z
  .object({
    _end: z.object({
      rows: z.int(),
      sha256: z.string().meta({ description: 'Of every byte before this line, in hexadecimal' }),
    }),
  })
  .meta({
    id: 'ExportEnd',
    description: 'Proves that an export is whole; one without it was cut off',
    example: { _end: { rows: 1, sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' } },
  })

/** A page of a list. */
export function pageSchema(item: z.ZodType, id: string): z.ZodType {
  return z
    .object({
      data: z.array(item),
      page: z.object({
        limit: z.int().meta({ example: 50 }),
        hasMore: z.boolean(),
        next: z
          .string()
          .nullable()
          .meta({ description: 'The cursor of the next page', example: 'eyJ2IjoxLCJmIjoiM2EifQ' }),
        prev: z.string().nullable().meta({ description: 'The cursor of the page before', example: null }),
        total: z.int().optional().meta({ description: 'Rows of the whole list; only with count' }),
        totalKind: z.enum(COUNT_KINDS).optional(),
      }),
    })
    .meta({ id })
}
