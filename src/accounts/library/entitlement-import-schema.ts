import { z } from 'zod'
import { type Checked, check } from '../../http/validation.ts'
import {
  idField,
  lineFields,
  madeFields,
  onlyKey,
  originFields,
  parentOf,
  referenceField,
  withoutMade,
} from '../bulk/bulk-schema.ts'
import { storeAppText } from '../games/game-platform-import.ts'
import { gamePlatformFields, platformField } from '../games/game-platform-schema.ts'
import { type IdentityDraft, identityErrors } from '../players/identity.ts'
import { identityText } from '../players/identity-import.ts'
import { newIdentityFields } from '../players/identity-schema.ts'
import { reference } from '../text/line.ts'
import { emailField, externalRefField, instantField, ruled, slugField, usernameField } from '../text/text-schema.ts'
import { REVOKE_REASONS } from './entitlement.ts'
import type { EntitlementLine } from './entitlement-import.ts'
import { grantFields } from './entitlement-schema.ts'

const { provider, namespace, subject } = newIdentityFields

const playerReference = referenceField(
  {
    id: idField,
    username: usernameField.transform(({ key }) => key),
    email: emailField.transform(({ key }) => key),
    provider,
    namespace: namespace.unwrap(),
    subject,
  },
  ({ provider, namespace = '', subject, ...single }) => {
    if (provider === undefined) return namespace === '' && subject === undefined ? onlyKey(single) : undefined
    if (subject === undefined || onlyKey(single) !== undefined) return undefined
    const draft: IdentityDraft = { provider, namespace, subject, providerName: null, verifiedAt: null }
    return identityErrors(draft).length > 0 ? undefined : { by: 'identity', text: identityText(draft) }
  },
)

/** Of a store's key without a platform, what stands before the text until the line's own platform takes its place. */
const LINE_PLATFORM = 'storeApp of the line'

const gameReference = referenceField(
  {
    id: idField,
    externalRef: externalRefField,
    slug: slugField,
    store: gamePlatformFields.store.unwrap().min(1),
    storeAppId: ruled(reference(128)),
    platform: platformField,
  },
  ({ store, storeAppId, platform, ...single }) => {
    if (store === undefined && storeAppId === undefined) return platform === undefined ? onlyKey(single) : undefined
    if (store === undefined || storeAppId === undefined || onlyKey(single) !== undefined) return undefined
    if (platform === undefined) return { by: LINE_PLATFORM, text: `${store}/${storeAppId}` }
    return { by: 'storeApp', text: storeAppText({ store, storeAppId, platform }) }
  },
)

export const entitlementLineSchema = z
  .strictObject({
    ...lineFields(grantFields),
    ...originFields,
    ...madeFields,
    player: playerReference.optional(),
    playerId: idField.optional(),
    game: gameReference.optional(),
    gameId: idField.optional(),
    platform: platformField,
    revokedAt: instantField.nullable().optional(),
    revokeReason: z.enum(REVOKE_REASONS).nullable().optional(),
  })
  .transform((line, context) => {
    const { player, playerId, game, gameId, ...rest } = withoutMade(line)
    const owner = parentOf({ player, playerId }, 'player', context) ?? missing('player', context)
    const owned = parentOf({ game, gameId }, 'game', context) ?? missing('game', context)
    const gameOf =
      owned.by === LINE_PLATFORM ? { ...owned, by: 'storeApp', text: `${rest.platform}/${owned.text}` } : owned
    return { ...rest, player: owner, game: gameOf } as EntitlementLine
  })

function missing(name: string, context: z.RefinementCtx): never {
  context.addIssue({ code: 'custom', path: [name], message: 'what the line refers to', params: { code: 'required' } })
  return z.NEVER
}

/** Checks one line of an import without I/O. */
export function parseEntitlementLine(input: unknown): Checked<EntitlementLine> {
  return check(entitlementLineSchema, input)
}
