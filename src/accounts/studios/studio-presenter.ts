import { type Expansion, toOne } from '../../http/expansion.ts'
import { studioSchema } from './studio-schema.ts'
import type { StudioService } from './studio-service.ts'

/** The studio that a row belongs to, for `expand=studio`. */
export function studioOf<Row extends { readonly studioId: string }>(studios: StudioService): Expansion<Row> {
  return toOne({
    table: 'studio',
    scope: 'studios:read',
    description: 'the studio',
    schema: studioSchema,
    idOf: ({ studioId }: Row) => studioId,
    find: (ids, context) => studios.byIds(ids, context),
  })
}
