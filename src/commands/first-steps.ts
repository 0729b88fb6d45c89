import { setTimeout as delay } from 'node:timers/promises'
import { describe } from '../errors.ts'
import { ensureLake } from '../lake/lake-setup.ts'
import { failNotStarted, listSnapshots, readSnapshot } from '../lake/snapshot/snapshots.ts'
import { launchSnapshot } from '../lake/snapshot-launch.ts'
import type { Program } from './composition.ts'
import type { LakeApi } from './lake-api.ts'
import { asTable, runQuery } from './query.ts'
import { loadSample, wantsSample } from './sample-data.ts'
import { count, print, say, size } from './terminal.ts'

const FIRST_QUERY = `SELECT g.title, s.name AS studio, count(*) AS players, sum(pg.playtime_seconds) / 3600 AS hours
FROM player_games_latest pg
JOIN games_latest g ON g.id = pg.game_id
JOIN studios_latest s ON s.id = g.studio_id
WHERE pg.revoked_at IS NULL
GROUP BY g.title, s.name
ORDER BY players DESC, g.title
LIMIT 5`

const POLL_MS = 150

/**
 * What a start on a laptop does after the service listens: sample data into an empty database, a first snapshot, one query,
 * and what a person needs next. A failure here is told and leaves the service running.
 */
export async function firstSteps(program: Program, api: LakeApi, url: string, leave: AbortSignal): Promise<void> {
  if (program.workplace.localDir === undefined) {
    if (!leave.aborted) api.start()
    return
  }
  const steps = [prepareLake, sampleData, firstSnapshot, firstAnswer]
  try {
    for (const step of steps) {
      if (leave.aborted) return
      await step(program, api, leave)
    }
  } catch (error) {
    if (leave.aborted) return
    program.logger.error({ err: error }, 'the start could not be completed; the service runs on')
    say(
      `The start could not be completed: ${describe(error)}\nStop it and start it again: it goes on from where it is.`,
    )
  }
  if (leave.aborted) return
  api.start()
  next(program, url)
}

async function prepareLake({ logger, ...program }: Program): Promise<void> {
  const { config, clients } = program.lake()
  const { created, differing } = await ensureLake(config, clients, { owned: config.endpoint !== undefined })
  if (created.length > 0) logger.info({ created }, 'the lake was set up')
  for (const difference of differing) logger.warn(difference)
}

async function sampleData(program: Program): Promise<void> {
  const { config, workplace } = program
  if (!config.local.sampleData || workplace.env.DATABASE_URL === process.env.DATABASE_URL) return
  if (!(await wantsSample(program.database))) return
  const started = performance.now()
  const loaded = await loadSample(program)
  const counts = Object.entries(loaded).map(([resource, n]) => `${count(n)} ${resource}`)
  say(`Sample data: ${counts.join(', ')} in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

/** As the API does it: a row, and a process that takes it. */
async function firstSnapshot({ database }: Program, { starter }: LakeApi, leave: AbortSignal): Promise<void> {
  const [published] = await listSnapshots(database, { limit: 1, state: 'published' })
  if (published) return
  const { id } = await launchSnapshot(database, starter, 'system:first start')
  for (;;) {
    const snapshot = await readSnapshot(database, id)
    if (snapshot.state === 'published') {
      say(`Snapshot ${id}: ${count(snapshot.totalRows ?? 0)} rows, ${size(snapshot.totalBytes ?? 0)}`)
      return
    }
    if (snapshot.state === 'requested') await failNotStarted(database)
    else if (snapshot.abandoned) await requireEnd(database, id)
    if (snapshot.state === 'failed') throw new Error(`snapshot ${id}: ${snapshot.problem?.message ?? 'failed'}`)
    if (leave.aborted) return
    await delay(POLL_MS)
  }
}

/** Its process has ended: either the state that was read is old, or nobody goes on with the snapshot. */
async function requireEnd(database: Program['database'], id: string): Promise<void> {
  const { endedAt, state, problem } = await readSnapshot(database, id)
  if (endedAt !== null) return
  throw new Error(`snapshot ${id} is ${state} and its process has ended: ${problem?.message ?? 'look at the log'}`)
}

async function firstAnswer(program: Program): Promise<void> {
  const { columns, rows } = await runQuery(program.lake(), FIRST_QUERY)
  print(`\n${FIRST_QUERY}\n\n${asTable(columns, rows)}\n`)
}

function next({ config, workplace }: Program, url: string): void {
  print(`RocketGames Accounts is ready to use.

  API        ${url}/v1   (page: ${url}/docs, document: ${url}/v1/openapi.json)
  Admin key  in ${workplace.localDir}/bootstrap-api-key
  Lake       s3://${config.lake?.bucket}/lake/v1/   S3, Glue and Athena on ${config.lake?.endpoint ?? 'AWS'}

In another terminal:

  eval "$(npx rocketgames env)"
  curl -s -H "Authorization: Bearer $API_KEY" "$API_URL/v1/players?limit=2"
  npx rocketgames query "SELECT country, count(*) AS players FROM players_latest GROUP BY 1 ORDER BY 2 DESC LIMIT 5"

Ctrl-C stops everything; the next start goes on from here.`)
}
