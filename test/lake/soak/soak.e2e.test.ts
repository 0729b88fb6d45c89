import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LAKE_PREFIX, RETIRED_PREFIX } from '../../../src/lake/object-keys.ts'
import { counted } from '../../support/counts.ts'
import { faultRate } from '../snapshot/s3-proxy.ts'
import { seedAccounts } from '../snapshot/seed.ts'
import { Dice } from './dice.ts'
import { orphansOf, startReader } from './lake-reader.ts'
import { startMoves } from './moves.ts'
import { filesUnder, lakeObjects, processesIn, type Resources, resourcesOf } from './resources.ts'
import { Soak } from './soak.ts'
import { openWholeLake, type WholeLake } from './whole-lake.ts'

/** `SOAK_SNAPSHOTS` and `SOAK_SEED` make another run of it. */
const SNAPSHOTS = Number(process.env.SOAK_SNAPSHOTS ?? counted(2, 100))
/** Of the small run: one whose first process is killed. */
const SEED = Number(process.env.SOAK_SEED ?? 33)
const PLAYERS = counted(500, 3_000)
/** Processes are started one after another; other tests may take the cores meanwhile. */
const TIME = { timeout: counted(240_000, 3_600_000) }
const FAULT_RATE = 0.1

/** Short times, so that snapshots are retired while others are taken; small files, so that half a snapshot would show. */
const SETTINGS = {
  LAKE_KEEP_ALL: '15s',
  LAKE_DAILY_DAYS: '1',
  LAKE_RETIRE_GRACE: '20s',
  LAKE_ROW_GROUP_ROWS: '500',
  LAKE_FILE_TARGET_BYTES: '16384',
}

let folder: string
let lake: WholeLake

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'rocketgames-soak-'))
  lake = await openWholeLake('soak', {
    env: {
      ...SETTINGS,
      TMPDIR: folder,
      LOCAL_DATA_DIR: path.join(folder, 'local'),
    },
  })
  await seedAccounts(lake.databaseUrl, PLAYERS)
})

afterAll(async () => {
  await lake?.close()
  rmSync(folder, { recursive: true, force: true })
})

test(
  `${SNAPSHOTS} snapshots in a row, under write load, kills, faults of S3, retention and readers, never lie`,
  TIME,
  async () => {
    const soak = new Soak(
      lake,
      new Dice(SEED),
      faultRate(FAULT_RATE, ['slow-down', 'internal-error', 'reset', 'lost-answer', 'cut-answer', 'slow'], SEED),
    )
    await soak.first()
    const before = await resourcesOf(lake)
    const moves = await startMoves(lake.databaseUrl, { rate: counted(25, 100) })
    const reader = startReader(lake, counted(1_000, 100))
    try {
      while (soak.published.size < SNAPSHOTS) {
        await soak.round(async (id) => {
          expect(await orphansOf(lake, id), `orphans in ${id}`).toBe(0)
          expect(await soak.findings(id), id).toEqual([])
        })
        expect(reader.complaints).toEqual([])
        tell(soak)
      }
    } finally {
      await moves.stop()
      await reader.stop()
    }
    expect(reader.complaints).toEqual([])
    await soak.settle()
    expect(await soak.findings()).toEqual([])
    await soak.retireAll()
    const after = await resourcesOf(lake)
    report(soak, { before, after, queries: reader.queries, moved: moves.count })
    await expectNothingLeft(soak)
    expectWithin(before, after)
    expect(soak.unexpected).toEqual([])
    expect(Object.values(soak.killed).reduce((sum, one) => sum + one)).toBeGreaterThan(0)
    expect(lake.proxy.failed).toBeGreaterThan(0)
    expect(reader.queries).toBeGreaterThan(0)
  },
)

/** A long run says where it is. */
function tell({ killed, published }: Soak): void {
  if (SNAPSHOTS < 10) return
  const dead = Object.values(killed).reduce((sum, one) => sum + one)
  process.stdout.write(
    `  ${new Date().toISOString()} ${published.size} of ${SNAPSHOTS} published, ${dead} processes killed\n`,
  )
}

async function expectNothingLeft(soak: Soak): Promise<void> {
  const groups = await lake.database.prisma.lakeSnapshot.groupBy({ by: ['state'], _count: true })
  const { failed: _, ...states } = Object.fromEntries(groups.map(({ _count, state }) => [state, _count]))
  expect(states).toEqual({ published: 1, retired: soak.published.size - 1 })
  const [manifest] = (await lake.manifests('published')).values()
  const expected = manifest?.tables.flatMap((table) => table.files.map((file) => file.key)) ?? []
  const keys = (await lakeObjects(lake)).map(({ key }) => key)
  expect(keys.filter((key) => key.startsWith(LAKE_PREFIX))).toEqual(expected.sort())
  expect(keys.filter((key) => key.startsWith(RETIRED_PREFIX))).toHaveLength(soak.published.size - 1)
  expect(filesUnder(folder).map(({ file }) => file)).toEqual([])
  expect(processesIn(folder)).toEqual([])
  expect(await soak.findings()).toEqual([])
}

/** One snapshot lay in the lake before, one lies there now; what has grown are the manifests of retired ones. */
function expectWithin(before: Resources, after: Resources): void {
  expect(after.uploads).toBe(0)
  expect(after.blobFiles).toBe(after.lakeObjects)
  expect(after.endpointRssMiB).toBeLessThanOrEqual(before.endpointRssMiB * 1.5 + 128)
  expect(after.endpointFiles).toBeLessThanOrEqual(before.endpointFiles + 16)
  expect(after.endpointProcesses).toBeLessThanOrEqual(before.endpointProcesses + 2)
  expect(after.postgresConnections).toBeLessThanOrEqual(before.postgresConnections + 4)
  expect(after.proxyConnections).toBe(0)
}

function report(
  soak: Soak,
  { before, after, queries, moved }: { before: Resources; after: Resources; queries: number; moved: number },
) {
  const faults = Object.entries(lake.proxy.verdicts).filter(([verdict, count]) => verdict !== 'pass' && count > 0)
  const lines: [string, string | number][] = [
    ['seed', SEED],
    ['snapshots published', soak.published.size],
    ['of them by recovery', soak.recovered],
    ['runs (snapshot, recover, retention)', Object.values(soak.runs).join(', ')],
    ['of them killed', Object.values(soak.killed).join(', ')],
    ['requests passed', lake.proxy.verdicts.pass],
    ['faults of S3', faults.map(([verdict, count]) => `${count} ${verdict}`).join(', ')],
    ['rows published', soak.rows],
    ['transactions that moved a player', moved],
    ['queries of the reader', queries],
    ['holds taken', soak.holdsTaken],
    ['retired before the end', soak.retiredBefore],
    ...Object.keys(before).map((name): [string, string] => {
      const key = name as keyof Resources
      return [`${name}, before and after`, `${before[key]} ${after[key]}`]
    }),
  ]
  process.stdout.write(`${lines.map(([what, value]) => `  ${what.padEnd(40)} ${value}`).join('\n')}\n`)
}
