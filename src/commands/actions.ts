import { auditRoutes } from '../accounts/audit/audit-routes.ts'
import { AuditService } from '../accounts/audit/audit-service.ts'
import { gameRefRoutes } from '../accounts/games/game-ref-routes.ts'
import { GameRefService } from '../accounts/games/game-ref-service.ts'
import { gameTransferRoutes } from '../accounts/games/game-transfer-routes.ts'
import { GameTransferService } from '../accounts/games/game-transfer-service.ts'
import { accessRoutes } from '../accounts/library/access-routes.ts'
import { AccessService } from '../accounts/library/access-service.ts'
import { playtimeRoutes } from '../accounts/library/playtime-routes.ts'
import { PlaytimeService } from '../accounts/library/playtime-service.ts'
import { playerLookupRoutes } from '../accounts/players/player-lookup-routes.ts'
import { PlayerLookupService } from '../accounts/players/player-lookup-service.ts'
import { studioRefRoutes } from '../accounts/studios/studio-ref-routes.ts'
import { StudioService } from '../accounts/studios/studio-service.ts'
import { studioStatsRoutes } from '../accounts/studios/studio-stats-routes.ts'
import { StudioStatsService } from '../accounts/studios/studio-stats-service.ts'
import type { Database } from '../database/database.ts'
import type { RouteGroup } from '../http/route.ts'

/**
 * The operations that are more than a record's own, wired. They go before the records: `/by-ref/…` would otherwise be taken for
 * a part of the record `by-ref`.
 */
export function actionRoutes(database: Database): readonly RouteGroup[] {
  return [
    studioRefRoutes(new StudioService(database)),
    gameRefRoutes(new GameRefService(database)),
    gameTransferRoutes(new GameTransferService(database)),
    playerLookupRoutes(new PlayerLookupService(database)),
    accessRoutes(new AccessService(database)),
    playtimeRoutes(new PlaytimeService(database)),
    studioStatsRoutes(new StudioStatsService(database)),
    auditRoutes(new AuditService(database)),
  ]
}
