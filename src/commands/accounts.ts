import { enumerations } from '../accounts/enumerations/enumerations.ts'
import { gamePlatformRoutes } from '../accounts/games/game-platform-routes.ts'
import { GamePlatformService } from '../accounts/games/game-platform-service.ts'
import { gameRoutes } from '../accounts/games/game-routes.ts'
import { GameService } from '../accounts/games/game-service.ts'
import { entitlementRoutes } from '../accounts/library/entitlement-routes.ts'
import { EntitlementService } from '../accounts/library/entitlement-service.ts'
import { ownerRoutes } from '../accounts/owners/owner-routes.ts'
import { OwnerService } from '../accounts/owners/owner-service.ts'
import { identityRoutes } from '../accounts/players/identity-routes.ts'
import { IdentityService } from '../accounts/players/identity-service.ts'
import { playerRoutes } from '../accounts/players/player-routes.ts'
import { PlayerService } from '../accounts/players/player-service.ts'
import { membershipRoutes } from '../accounts/studios/membership-routes.ts'
import { MembershipService } from '../accounts/studios/membership-service.ts'
import { studioRoutes } from '../accounts/studios/studio-routes.ts'
import { StudioService } from '../accounts/studios/studio-service.ts'
import type { Database } from '../database/database.ts'
import { snapshotReader } from '../database/snapshot-reader.ts'
import { ExportJob, type ExportJobOptions } from '../exports/export-job.ts'
import { type ExportLists, exportLists } from '../exports/export-list.ts'
import { exportRoutes } from '../exports/export-routes.ts'
import type { RouteGroup } from '../http/route.ts'
import { ImportJob } from '../imports/import-job.ts'
import { importRoutes } from '../imports/import-routes.ts'
import type { ImportRunner } from '../imports/import-run.ts'
import { ImportService, type ImportTraces } from '../imports/import-service.ts'
import { JobQueue } from '../jobs/job-queue.ts'
import { jobRoutes } from '../jobs/job-routes.ts'
import { JobService } from '../jobs/job-service.ts'
import { JobWorker } from '../jobs/job-worker.ts'
import { actionRoutes } from './actions.ts'

export interface AccountsApi {
  readonly imports: ImportRunner
  readonly exports: ExportLists
  /** Does the jobs, from its start to its stop. */
  readonly worker: JobWorker
  readonly groups: readonly RouteGroup[]
  readonly enums: Readonly<Record<string, readonly string[]>>
}

/** The records and their routes, wired. */
export function accountsApi(
  database: Database,
  traces: ImportTraces = {},
  exportJobs: Pick<ExportJobOptions, 'partBytes'> = {},
): AccountsApi {
  const imports = new ImportService(database, traces)
  const queue = new JobQueue({ database, logger: traces.logger })
  const jobs = new JobService(database, queue)
  const studios = new StudioService(database)
  const owners = new OwnerService(database)
  const games = new GameService(database)
  const platforms = new GamePlatformService(database)
  const library = new EntitlementService(database)
  const players = new PlayerService(database)
  const identities = new IdentityService(database)
  const lists = exportLists({ players, studios, owners, games, library })
  const handlers = [
    new ImportJob(imports),
    new ExportJob({ lists, snapshots: snapshotReader(database), ...exportJobs }),
  ]
  return {
    imports,
    exports: lists,
    worker: new JobWorker({ database, queue, handlers, ...traces }),
    groups: [
      ...actionRoutes(database),
      studioRoutes(studios),
      membershipRoutes(new MembershipService(database), { owners, studios }),
      ownerRoutes(owners),
      gameRoutes(games, { studios, platforms }),
      gamePlatformRoutes(platforms),
      playerRoutes(players, identities),
      identityRoutes(identities),
      entitlementRoutes(library, { games, players }),
      importRoutes(imports, jobs),
      exportRoutes(lists, jobs),
      jobRoutes(jobs),
    ],
    enums: enumerations,
  }
}
