import { z } from 'zod'
import { ACTOR_TYPES, AUDITED_ENTITIES } from './audit-event.ts'

export const auditEventSchema = z
  .object({
    seq: z.int().meta({ description: 'Grows with every event; gaps mean nothing', example: 4711 }),
    occurredAt: z.iso.datetime(),
    actorType: z.enum(ACTOR_TYPES),
    actorId: z.string().meta({ example: 'k3v9x0m2q7ab' }),
    requestId: z.string().meta({ example: '01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11' }),
    action: z.string().meta({ example: 'studio.update' }),
    entityType: z.enum(AUDITED_ENTITIES),
    entityId: z.string().meta({ example: '01932f00-5b7e-7c1d-9a55-0e7c0f3d2b12' }),
    studioId: z.uuid().nullable(),
    reason: z
      .string()
      .nullable()
      .optional()
      .meta({ description: 'Personal: absent without the scope players:read.personal', example: 'requested by phone' }),
    changes: z.record(z.string(), z.unknown()).meta({
      description:
        'Of each field {from, to}, of a personal one only "changed"; none of a player that an import created, the record tells them; $ifMatch "*" marks a change that overwrote on purpose',
      example: { name: { from: 'Comet', to: 'Comet Forge' } },
    }),
  })
  .meta({ id: 'AuditEvent' })
