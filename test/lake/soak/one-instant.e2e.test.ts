import { setTimeout as sleep } from 'node:timers/promises'
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LAKE_PREFIX } from '../../../src/lake/object-keys.ts'
import { httpStatus } from '../../../src/lake/retries.ts'
import { counted } from '../../support/counts.ts'
import { operationOf, type Verdict } from '../snapshot/s3-proxy.ts'
import { seedAccounts } from '../snapshot/seed.ts'
import { startMoves } from './moves.ts'
import { openWholeLake, type WholeLake } from './whole-lake.ts'

const PLAYERS = counted(1_500, 20_000)
/** Small files, so that a part of them would show. */
const FILES = { LAKE_ROW_GROUP_ROWS: String(PLAYERS / 10), LAKE_FILE_TARGET_BYTES: '4000' }
/** Processes are started one after another; other tests may take the cores meanwhile. */
const TIME = { timeout: counted(180_000, 3_600_000) }
const MOVES_A_TABLE = counted(50, 500)

let lake: WholeLake
/** What happened during the one snapshot that both tests are about. */
let seen: Awaited<ReturnType<typeof watchedSnapshot>>

beforeAll(async () => {
  lake = await openWholeLake('instant')
  await seedAccounts(lake.databaseUrl, PLAYERS)
  seen = await watchedSnapshot()
}, TIME.timeout)

afterAll(async () => {
  await lake?.close()
})

/** Takes a snapshot while one client moves players and another one looks for its files. */
async function watchedSnapshot() {
  const [moves, watch] = await Promise.all([startMoves(lake.databaseUrl), watchKeys()])
  const calls: string[] = []
  let during = 0
  let rounds: Round[]
  const tables = new Set<string>()
  lake.proxy.decide = async (request): Promise<Verdict> => {
    const operation = operationOf(request)
    if (!/uploads$|partNumber|^POST object uploadId/.test(operation)) return 'pass'
    calls.push(operation)
    // nothing is created, sent or completed before the watcher has looked once more
    await watch.round()
    const table = /lake\/v1\/([^/]+)\//.exec(request.url ?? '')?.[1] ?? ''
    if (tables.has(table)) return 'pass'
    tables.add(table)
    // each table's first upload waits for moves, so that every two tables are read at instants that differ
    const before = moves.count
    await moves.more(MOVES_A_TABLE)
    during += moves.count - before
    return 'pass'
  }
  try {
    await lake.run(['snapshot'], FILES)
  } finally {
    lake.proxy.decide = () => 'pass'
    await moves.stop()
    rounds = await watch.stop()
  }
  return { calls, during, rounds }
}

/** Games of a snapshot whose player is not in it, and rows of both tables, counted by Athena. */
async function joined(id: string) {
  const { rawDatabase: raw } = lake.place
  const table = (name: string) => `(SELECT * FROM ${raw}.${name} WHERE snapshot_id = '${id}')`
  const [row = []] = await lake.select(`
    SELECT count(*), count(p.player_ref), (SELECT count(*) FROM ${table('players')})
      FROM ${table('player_games')} g LEFT JOIN ${table('players')} p
        ON p.player_ref = g.player_ref AND p.snapshot_id = g.snapshot_id`)
  const [games = 0, withPlayer = 0, players = 0] = row.map(Number)
  return { games, orphans: games - withPlayer, players }
}

test(
  'lake 2: one transaction moves a player and a player_game, 500 per s, during a snapshot: no orphan in a join on snapshot_id',
  TIME,
  async () => {
    const [id = '', manifest] = [...(await lake.manifests('published'))].at(-1) ?? []
    expect(seen.during).toBeGreaterThanOrEqual(9 * MOVES_A_TABLE)
    expect(await joined(id)).toEqual({ games: PLAYERS, orphans: 0, players: PLAYERS })
    expect(manifest?.tables.find((table) => table.name === 'players')?.rows).toBe(PLAYERS)
  },
)

interface Round {
  /** State of the snapshot before and after the looking; states only go forward. `none`: it is not there yet. */
  readonly before: string
  readonly after: string
  /** Final keys that were recorded before the looking. */
  readonly known: readonly string[]
  readonly head: readonly string[]
  readonly got: readonly string[]
  /** Everything under `lake/`, and what of it was recorded by the end of the looking. */
  readonly listed: readonly string[]
  readonly strange: readonly string[]
}

/** A client of S3 that knows every final key as soon as anybody can, and looks at all of them again and again. */
async function watchKeys() {
  const { prisma } = lake.database
  const Bucket = lake.place.bucket
  const rounds: Round[] = []
  let next = Promise.withResolvers<void>()
  let stopped = false
  const state = async () => (await prisma.lakeSnapshot.findFirst())?.state ?? 'none'
  const keys = async () => (await prisma.lakeUpload.findMany({ select: { key: true } })).map(({ key }) => key)
  const there = async (call: Promise<unknown>) => {
    try {
      await call
      return true
    } catch (error) {
      if (httpStatus(error) === 404) return false
      throw error
    }
  }
  const which = async (known: readonly string[], call: (key: string) => Promise<unknown>) => {
    const found = await Promise.all(known.map((key) => there(call(key))))
    return known.filter((_, i) => found[i])
  }
  const look = async (): Promise<Round> => {
    const before = await state()
    const known = await keys()
    const list = await lake.aws.s3.send(new ListObjectsV2Command({ Bucket, Prefix: LAKE_PREFIX }))
    const listed = (list.Contents ?? []).map(({ Key = '' }) => Key)
    const head = await which(known, (Key) => lake.aws.s3.send(new HeadObjectCommand({ Bucket, Key })))
    const got = await which(known, async (Key) => {
      const { Body } = await lake.aws.s3.send(new GetObjectCommand({ Bucket, Key, Range: 'bytes=0-3' }))
      expect(await Body?.transformToString()).toBe('PAR1')
    })
    const recorded = new Set(await keys())
    return { before, known, listed, head, got, after: await state(), strange: listed.filter((k) => !recorded.has(k)) }
  }
  const watching = (async () => {
    for (let last = false; !last; ) {
      last = stopped
      const reached = next
      next = Promise.withResolvers()
      rounds.push(await look())
      reached.resolve()
      await sleep(10)
    }
  })()
  watching.catch(() => undefined)
  return {
    /** Resolves when a round that begins after this call has ended. */
    round: () => Promise.race([next.promise, watching]),
    async stop() {
      stopped = true
      await watching
      return rounds
    },
  }
}

test(
  'lake 3: another client lists, HEADs and GETs every final key each 10 ms: absent until committing; then all within the burst; nothing else ever under lake/',
  TIME,
  async () => {
    const { calls, rounds } = seen
    const files = rounds.at(-1)?.known ?? []
    expect(files.length).toBeGreaterThan(9)
    for (const round of rounds) {
      expect(round.strange).toEqual([])
      if (['none', 'requested', 'planning', 'uploading', 'prepared'].includes(round.after)) {
        expect([...round.listed, ...round.head, ...round.got]).toEqual([])
      }
      if (['committed', 'published'].includes(round.before)) {
        for (const found of [round.listed, round.head, round.got]) expect([...found].sort()).toEqual([...files].sort())
      }
    }
    // each state was looked at, and the looking saw the uploads that are not there
    const states = new Set(rounds.map((round) => round.after))
    for (const each of ['uploading', 'committing', 'published']) expect(states).toContain(each)
    expect(rounds.some((round) => round.after === 'uploading' && round.known.length > 5)).toBe(true)
    // the burst: from the first completion on nothing is created or sent any more
    const burst = calls.slice(calls.indexOf('POST object uploadId'))
    expect(burst).toEqual(files.map(() => 'POST object uploadId'))
  },
)
