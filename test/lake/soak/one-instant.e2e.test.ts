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

const PLAYERS = counted(2_000, 20_000)
/** Processes are started one after another; other tests may take the cores meanwhile. */
const TIME = { timeout: counted(180_000, 3_600_000) }
const MOVES_A_TABLE = counted(50, 500)

let lake: WholeLake

beforeAll(async () => {
  lake = await openWholeLake('instant')
  await seedAccounts(lake.databaseUrl, PLAYERS)
})

afterAll(async () => {
  await lake?.close()
})

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
    const moves = await startMoves(lake.databaseUrl)
    let during = 0
    try {
      // each table's first upload waits for moves, so that every two tables are read at instants that differ
      lake.proxy.decide = async (request): Promise<Verdict> => {
        if (operationOf(request) === 'POST object uploads') {
          const before = moves.count
          await moves.more(MOVES_A_TABLE)
          during += moves.count - before
        }
        return 'pass'
      }
      await lake.run(['snapshot'])
    } finally {
      lake.proxy.decide = () => 'pass'
      await moves.stop()
    }
    const [id = '', manifest] = [...(await lake.manifests('published'))].at(-1) ?? []
    expect(during).toBeGreaterThanOrEqual(9 * MOVES_A_TABLE)
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
  const earlier = (await prisma.lakeSnapshot.findMany({ select: { id: true } })).map(({ id }) => id)
  const state = async () =>
    (await prisma.lakeSnapshot.findFirst({ where: { id: { notIn: earlier } } }))?.state ?? 'none'
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
    await lake.database.withClient(async (client) => {
      await client.query('DELETE FROM lake_uploads')
    })
    const before = await lake.aws.s3.send(new ListObjectsV2Command({ Bucket: lake.place.bucket, Prefix: LAKE_PREFIX }))
    const old = new Set((before.Contents ?? []).map(({ Key }) => Key))
    const watch = await watchKeys()
    const calls: string[] = []
    let rounds: Round[]
    try {
      // nothing is created, sent or completed before the watcher has looked once more
      lake.proxy.decide = async (request): Promise<Verdict> => {
        const operation = operationOf(request)
        if (/uploads$|partNumber|^POST object uploadId/.test(operation)) {
          calls.push(operation)
          await watch.round()
        }
        return 'pass'
      }
      await lake.run(['snapshot'], { LAKE_ROW_GROUP_ROWS: '500', LAKE_FILE_TARGET_BYTES: '12000' })
    } finally {
      lake.proxy.decide = () => 'pass'
      rounds = await watch.stop()
    }
    const files = rounds.at(-1)?.known ?? []
    expect(files.length).toBeGreaterThan(9)
    const seen = (round: Round) => round.listed.filter((key) => !old.has(key))
    for (const round of rounds) {
      expect(round.strange.filter((key) => !old.has(key))).toEqual([])
      if (['none', 'requested', 'planning', 'uploading', 'prepared'].includes(round.after)) {
        expect([...seen(round), ...round.head, ...round.got]).toEqual([])
      }
      if (['committed', 'published'].includes(round.before)) {
        for (const found of [seen(round), round.head, round.got]) expect([...found].sort()).toEqual([...files].sort())
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
