import type { BatchWriter } from '../accounts/bulk/bulk-queue-service.ts'
import { GAME_KEYS, type GameKey, type GameLine, gameKeyTexts } from '../accounts/games/game-import.ts'
import { gameLineSchema, parseGameLine } from '../accounts/games/game-import-schema.ts'
import { applyGames } from '../accounts/games/game-import-service.ts'
import type { EntitlementLine } from '../accounts/library/entitlement-import.ts'
import { entitlementLineSchema, parseEntitlementLine } from '../accounts/library/entitlement-import-schema.ts'
import { applyEntitlements } from '../accounts/library/entitlement-import-service.ts'
import { OWNER_KEYS, type OwnerKey, type OwnerLine, ownerKeyTexts } from '../accounts/owners/owner-import.ts'
import { ownerLineSchema, parseOwnerLine } from '../accounts/owners/owner-import-schema.ts'
import { applyOwners } from '../accounts/owners/owner-import-service.ts'
import { PLAYER_KEYS, type PlayerKey, type PlayerLine, playerKeyTexts } from '../accounts/players/player-import.ts'
import { parsePlayerLine, playerLineSchema } from '../accounts/players/player-import-schema.ts'
import { applyPlayers, preparePlayers } from '../accounts/players/player-import-service.ts'
import { STUDIO_KEYS, type StudioKey, type StudioLine, studioKeyTexts } from '../accounts/studios/studio-import.ts'
import { parseStudioLine, studioLineSchema } from '../accounts/studios/studio-import-schema.ts'
import { applyStudios } from '../accounts/studios/studio-import-service.ts'
import type { Scope } from '../caller.ts'
import type { Checked } from '../http/validation.ts'
import { personalScope } from '../http/visibility.ts'
import { type Column, datasets, type TableName } from '../lake/datasets.ts'
import { type CellKind, csvColumns } from './csv-columns.ts'
import type { ImportResource } from './import-run.ts'

/** What the import of one resource consists of. */
export interface ImportTarget<Line> extends BatchWriter<Line> {
  /** Needed besides `imports:write`. */
  readonly scope: Scope
  /** Opens the personal columns that lines fill; undefined: they fill none. */
  readonly personal: Scope | undefined
  /** The keys of `matchBy`, the most preferred first. */
  readonly keys: readonly string[]
  readonly parse: (input: unknown) => Checked<Line>
  /** What a CSV may have in its header. */
  readonly columns: ReadonlyMap<string, CellKind>
  /** The texts of a key that the line carries; none: it does not. */
  readonly keyTexts: (line: Line, key: string) => readonly string[]
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

function personalOf(...tables: readonly TableName[]): Scope | undefined {
  const found = tables.find((table) =>
    Object.values<Column>(datasets[table].columns).some((column) => column.class === 'personal'),
  )
  return found && personalScope(found)
}

export const importTargets: Readonly<Record<ImportResource, AnyTarget>> = {
  owners: target<OwnerLine, OwnerKey>({
    scope: 'owners:write',
    personal: personalOf('studio_owner'),
    keys: OWNER_KEYS,
    parse: parseOwnerLine,
    columns: csvColumns(ownerLineSchema),
    keyTexts: ownerKeyTexts,
    apply: applyOwners,
  }),
  studios: target<StudioLine, StudioKey>({
    scope: 'studios:write',
    personal: personalOf('studio', 'studio_membership'),
    keys: STUDIO_KEYS,
    parse: parseStudioLine,
    columns: csvColumns(studioLineSchema),
    keyTexts: studioKeyTexts,
    apply: applyStudios,
  }),
  games: target<GameLine, GameKey>({
    scope: 'games:write',
    personal: personalOf('game', 'game_platform'),
    keys: GAME_KEYS,
    parse: parseGameLine,
    columns: csvColumns(gameLineSchema),
    keyTexts: gameKeyTexts,
    apply: applyGames,
  }),
  players: target<PlayerLine, PlayerKey>({
    scope: 'players:write',
    personal: personalOf('player', 'player_identity'),
    keys: PLAYER_KEYS,
    parse: parsePlayerLine,
    columns: csvColumns(playerLineSchema),
    keyTexts: playerKeyTexts,
    apply: applyPlayers,
    prepareNew: preparePlayers,
  }),
  // Its key is what the references lead to, which only the database knows.
  library: target<EntitlementLine, never>({
    scope: 'library:write',
    personal: personalOf('player_game'),
    keys: [],
    parse: parseEntitlementLine,
    columns: csvColumns(entitlementLineSchema),
    keyTexts: () => [],
    apply: applyEntitlements,
  }),
}
