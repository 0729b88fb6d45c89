import type { ApplyBatch } from '../accounts/bulk/bulk-service.ts'
import { GAME_KEYS, type GameKey, type GameLine, gameKeyTexts } from '../accounts/games/game-import.ts'
import { parseGameLine } from '../accounts/games/game-import-schema.ts'
import { applyGames } from '../accounts/games/game-import-service.ts'
import type { EntitlementLine } from '../accounts/library/entitlement-import.ts'
import { parseEntitlementLine } from '../accounts/library/entitlement-import-schema.ts'
import { applyEntitlements } from '../accounts/library/entitlement-import-service.ts'
import { OWNER_KEYS, type OwnerKey, type OwnerLine, ownerKeyTexts } from '../accounts/owners/owner-import.ts'
import { parseOwnerLine } from '../accounts/owners/owner-import-schema.ts'
import { applyOwners } from '../accounts/owners/owner-import-service.ts'
import { PLAYER_KEYS, type PlayerKey, type PlayerLine, playerKeyTexts } from '../accounts/players/player-import.ts'
import { parsePlayerLine } from '../accounts/players/player-import-schema.ts'
import { applyPlayers } from '../accounts/players/player-import-service.ts'
import { STUDIO_KEYS, type StudioKey, type StudioLine, studioKeyTexts } from '../accounts/studios/studio-import.ts'
import { parseStudioLine } from '../accounts/studios/studio-import-schema.ts'
import { applyStudios } from '../accounts/studios/studio-import-service.ts'
import type { Scope } from '../caller.ts'
import type { Checked } from '../http/validation.ts'
import type { ImportResource } from './import-run.ts'

/** What the import of one resource consists of. */
export interface ImportTarget<Line> {
  /** Needed besides `imports:write`. */
  readonly scope: Scope
  /** The keys of `matchBy`, the most preferred first. */
  readonly keys: readonly string[]
  readonly parse: (input: unknown) => Checked<Line>
  /** The texts of a key that the line carries; none: it does not. */
  readonly keyTexts: (line: Line, key: string) => readonly string[]
  readonly apply: ApplyBatch<Line>
}

/** A target whose line type only the target itself knows. */
export type AnyTarget = ImportTarget<unknown>

function target<Line, Key extends string>(
  spec: Omit<ImportTarget<Line>, 'keys' | 'keyTexts'> & {
    readonly keys: readonly Key[]
    readonly keyTexts: (line: Line, key: Key) => readonly string[]
  },
): AnyTarget {
  return spec as unknown as AnyTarget
}

export const importTargets: Readonly<Record<ImportResource, AnyTarget>> = {
  owners: target<OwnerLine, OwnerKey>({
    scope: 'owners:write',
    keys: OWNER_KEYS,
    parse: parseOwnerLine,
    keyTexts: ownerKeyTexts,
    apply: applyOwners,
  }),
  studios: target<StudioLine, StudioKey>({
    scope: 'studios:write',
    keys: STUDIO_KEYS,
    parse: parseStudioLine,
    keyTexts: studioKeyTexts,
    apply: applyStudios,
  }),
  games: target<GameLine, GameKey>({
    scope: 'games:write',
    keys: GAME_KEYS,
    parse: parseGameLine,
    keyTexts: gameKeyTexts,
    apply: applyGames,
  }),
  players: target<PlayerLine, PlayerKey>({
    scope: 'players:write',
    keys: PLAYER_KEYS,
    parse: parsePlayerLine,
    keyTexts: playerKeyTexts,
    apply: applyPlayers,
  }),
  // Its key is what the references lead to, which only the database knows.
  library: target<EntitlementLine, never>({
    scope: 'library:write',
    keys: [],
    parse: parseEntitlementLine,
    keyTexts: () => [],
    apply: applyEntitlements,
  }),
}
