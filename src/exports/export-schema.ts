import { z } from 'zod'
import { EXPORT_FORMATS } from '../http/export-writer.ts'
import { EXPORT_RESOURCES } from './export-list.ts'
import type { ExportRequest } from './export-request.ts'

const name = z.string().min(1).max(64)

export const exportRequestSchema: z.ZodType<ExportRequest> = z
  .strictObject({
    resource: z.enum(EXPORT_RESOURCES).meta({ example: 'players' }),
    format: z.enum(EXPORT_FORMATS).default('ndjson').meta({ example: 'ndjson' }),
    compress: z.enum(['none', 'gzip']).default('none').meta({ description: 'Of each part', example: 'gzip' }),
    filter: z
      .record(z.string().max(64), z.union([z.string().max(4096), z.number(), z.boolean()]))
      .optional()
      .meta({
        description: 'Parameters of the list by their names in its address, operators in brackets',
        example: { status: 'active', 'createdAt[gte]': '2026-01-01T00:00:00Z' },
      }),
    q: z.string().max(400).optional().meta({ description: 'As q of the list', example: 'nova' }),
    sort: z.string().max(400).optional().meta({ description: 'As sort of the list', example: '-createdAt' }),
    fields: z
      .array(name)
      .min(1)
      .max(64)
      .optional()
      .meta({
        description: 'Only these fields, and the key; default: all that the key may see',
        example: ['username', 'status'],
      }),
    expand: z
      .array(name)
      .min(1)
      .max(3)
      .optional()
      .meta({
        description:
          'Rows to embed as an import takes them: identities of players, members of studios, platforms of games',
        example: ['identities'],
      }),
  })
  .meta({ id: 'NewExport' })
