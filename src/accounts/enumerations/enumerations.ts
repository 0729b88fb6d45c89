import { SCOPES } from '../../caller.ts'
import { ACTOR_TYPES, AUDITED_ENTITIES } from '../audit/audit-event.ts'
import { GAME_STATUSES, GENRES } from '../games/game.ts'
import { PLATFORMS } from '../games/game-platform.ts'
import { RELEASE_PRECISIONS } from '../games/release.ts'
import { ACCESS_REASONS, AGE_GATES } from '../library/access.ts'
import { ENTITLEMENT_SOURCES, REVOKE_REASONS } from '../library/entitlement.ts'
import { OWNER_STATUSES } from '../owners/owner.ts'
import { IDENTITY_PROVIDERS } from '../players/identity.ts'
import { PLAYER_STATUSES } from '../players/player.ts'
import { MEMBER_ROLES, MEMBER_STATUSES } from '../studios/membership.ts'
import { STUDIO_STATUSES } from '../studios/studio.ts'

/** Every enumeration of the records by the name of its field: what `/v1/enums` answers. */
export const enumerations: Readonly<Record<string, readonly string[]>> = {
  studioStatus: STUDIO_STATUSES,
  ownerStatus: OWNER_STATUSES,
  memberRole: MEMBER_ROLES,
  memberStatus: MEMBER_STATUSES,
  gameStatus: GAME_STATUSES,
  genre: GENRES,
  releasePrecision: RELEASE_PRECISIONS,
  platform: PLATFORMS,
  playerStatus: PLAYER_STATUSES,
  identityProvider: IDENTITY_PROVIDERS,
  entitlementSource: ENTITLEMENT_SOURCES,
  revokeReason: REVOKE_REASONS,
  accessReason: ACCESS_REASONS,
  ageGate: AGE_GATES,
  actorType: ACTOR_TYPES,
  auditedEntity: AUDITED_ENTITIES,
  scope: SCOPES,
}
