import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type CareOptions, careForLake } from '../../../src/lake/lake-care.ts'
import { LakeProblem } from '../../../src/lake/lake-problem.ts'
import { tickName } from '../../../src/lake/schedule-tick.ts'
import { takeScheduled } from '../../../src/lake/scheduled-snapshot.ts'
import { Lease } from '../../../src/lake/snapshot/lease.ts'
import { requestSnapshot } from '../../../src/lake/snapshot/snapshots.ts'
import type { Tap } from '../../../src/lake/tap.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { deathAt } from '../snapshot/death.ts'
import { expireLease } from '../snapshot/situations.ts'
import { forgetSnapshots, type LakePlace, newPlace, type OpenLake, openLake } from '../snapshot/test-lake.ts'

let database: TestDatabase
let aws: TestAws
let place: LakePlace & { remove(): Promise<void> }
let opened: OpenLake[]

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
})
afterAll(() => Promise.all([database?.drop(), aws?.stop()]))
beforeEach(async () => {
  place = { ...(await newPlace(aws, database.url)), tables: ['studios'] }
  opened = []
})
afterEach(async () => {
  if (opened[0]) await forgetSnapshots(opened[0].database)
  for (const each of opened) await each.close()
  await place.remove()
})

function open(tap?: Tap, leaseTtlMs = 60_000): OpenLake {
  const one = openLake(place, { leaseTtlMs }, tap)
  opened.push(one)
  return one
}

const rows = () => opened[0]?.database.prisma.lakeSnapshot.findMany({ orderBy: { sequence: 'asc' } })

const schedule = { schedule: '0 2 * * *', scheduleZone: 'UTC' }
const due = new Date('2026-11-23T02:00:00Z')
const going = () => new AbortController().signal
/** At twenty past, as always; of the night in which a tick was due. */
const options = (more: Partial<CareOptions> = {}): CareOptions => ({
  ...{ schedule, now: new Date('2026-11-23T02:20:00Z'), signal: going() },
  ...more,
})
const quiet = { retiring: [], waiting: [], retired: [], leftover: [] }

describe('the care of a lake', () => {
  it('takes the tick whose process died, in the same turn in which it recovers it', async () => {
    await takeScheduled(open(deathAt('after-UploadPart')).lake, {
      ...{ due, schedule, patient: false, signal: going() },
    })
    await expireLease(open())
    const report = await careForLake(open().lake, options())
    expect(report).toMatchObject({ scheduled: 'published', retention: quiet, problems: [] })
    expect(report.recovery?.snapshots).toMatchObject([{ to: 'failed', problem: 'abandoned' }])
    expect(await rows()).toMatchObject([
      { requestedBy: tickName(due), state: 'failed' },
      { requestedBy: tickName(due), state: 'published' },
    ])
    expect(await careForLake(open().lake, options())).toMatchObject({ scheduled: null, problems: [] })
  })

  it('goes on with the rest when a part of it fails, for a reason of ours or for any other', async () => {
    let left = 1
    const tap: Tap = {
      before(name) {
        if (name === 'control-not-started' && left-- > 0) throw new TypeError('of no kind that is known')
        if (name === 'UploadPart') throw new LakeProblem('storage_denied', 'for a test')
      },
      after() {},
    }
    expect(await careForLake(open(tap).lake, options())).toEqual({
      ...{ recovery: null, scheduled: null, retention: quiet },
      problems: [
        { step: 'recovery', code: 'internal', message: 'of no kind that is known' },
        { step: 'snapshot', code: 'storage_denied', message: 'for a test' },
      ],
    })
  })

  it('fails of nothing while somebody else takes a long snapshot: it waits for its end, and leaves the tick for later', async () => {
    const other = open()
    const { id } = await requestSnapshot(other.database, 'somebody')
    const lease = await Lease.take(other.database, 60_000)
    const before = new Date(due.getTime() - 60_000)
    await other.database.prisma.lakeSnapshot.update({
      where: { id },
      data: { state: 'uploading', fence: lease.fence, requestedAt: before },
    })
    let waits = 0
    // The first wait ends for being too long.
    const report = await careForLake(
      open(undefined, 1_000).lake,
      options({
        progress({ kind }) {
          if (kind === 'waiting' && ++waits === 2) void lease.release()
        },
      }),
    )
    expect(report).toEqual({ recovery: null, scheduled: 'running', retention: quiet, problems: [] })
  })

  it('ends at once when it is told to stop, whatever it waits for', async () => {
    const other = open()
    const lease = await Lease.take(other.database, 60_000)
    const leave = new AbortController()
    const told = new LakeProblem('cancelled', 'told to stop')
    const caring = careForLake(open().lake, options({ signal: leave.signal, progress: () => leave.abort(told) }))
    await expect(caring).rejects.toBe(told)
    await lease.release()
  })
})
