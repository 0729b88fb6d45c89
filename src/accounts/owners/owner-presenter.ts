import { type Expansion, toOne } from '../../http/expansion.ts'
import { ownerSchema } from './owner-schema.ts'
import type { OwnerService } from './owner-service.ts'

/** The owner that a row is about, for `expand=owner`. */
export function ownerOf<Row extends { readonly ownerId: string }>(owners: OwnerService): Expansion<Row> {
  return toOne({
    table: 'studio_owner',
    scope: 'owners:read',
    description: 'the owner, without personal fields unless the scope owners:read.personal is there',
    schema: ownerSchema,
    idOf: ({ ownerId }: Row) => ownerId,
    find: (ids, context) => owners.byIds(ids, context),
  })
}
