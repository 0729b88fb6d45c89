import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { manifestKey, partKey } from '../../../src/lake/object-keys.ts'
import { commit } from '../../../src/lake/snapshot/commit.ts'
import { ControlRows } from '../../../src/lake/snapshot/control-rows.ts'
import type { FaultPoint } from '../../../src/lake/snapshot/faults.ts'
import { Lease } from '../../../src/lake/snapshot/lease.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { rollBack } from '../../../src/lake/snapshot/roll-back.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { listSnapshots, manifestOf, requestSnapshot } from '../../../src/lake/snapshot/snapshots.ts'
import { verifySnapshots } from '../../../src/lake/snapshot/verify.ts'
import { counted } from '../../support/counts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { deathAt } from './death.ts'
import { leaseIsFree } from './lease-is-free.ts'
import { seedAccounts } from './seed.ts'
import { expireLease } from './situations.ts'
import { contents, forgetSnapshots, type LakePlace, newPlace, type OpenLake, openLake } from './test-lake.ts'

const TABLES = ['players', 'player_identities']
/** Of the process that sleeps. */
const TTL_MS = 1_000

let database: TestDatabase
let aws: TestAws
let place: LakePlace
let remove: () => Promise<void>
let open: OpenLake
const children = new Set<ChildProcess>()

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, 300)
})

afterAll(async () => {
  await Promise.all([database?.drop(), aws?.stop()])
})

beforeEach(async () => {
  const fresh = await newPlace(aws, database.url)
  remove = fresh.remove
  place = { ...fresh, tables: TABLES }
  open = openLake(place)
  await forgetSnapshots(open.database)
})

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
  await open.close()
  await remove()
})

interface Sleeper {
  /** Wakes it and waits for its end. @returns what it says: the code of its problem. */
  wake(): Promise<string>
}

/** A runner that stops itself (SIGSTOP) at the point, until somebody wakes it. */
async function sleeperAt(point: FaultPoint): Promise<Sleeper> {
  const script = path.join(import.meta.dirname, 'runner-process.ts')
  const settings = JSON.stringify({ fault: `${point}:stop`, leaseTtlMs: TTL_MS })
  const child = spawn(process.execPath, [script, JSON.stringify(place), settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(child)
  let said = ''
  child.stdout?.on('data', (text) => {
    said += text
  })
  const ended = once(child, 'close')
  const stopped = expect.poll(() => stateOf(child.pid ?? 0), { timeout: 30_000, interval: 20 }).toBe('T')
  await Promise.race([stopped, ended.then(() => Promise.reject(new Error(`${point} was not met: ${said}`)))])
  return {
    async wake() {
      process.kill(child.pid ?? 0, 'SIGCONT')
      await ended
      return said
    },
  }
}

/** `T`: stopped by a signal. */
function stateOf(processId: number): string | undefined {
  const stat = readFileSync(`/proc/${processId}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[0]
}

/** Takes over as soon as the sleeper's lease has run out. */
async function takeOver() {
  return (await recoverSnapshots(open.lake)).snapshots
}

async function expectPublishedOnce(): Promise<void> {
  const [snapshot, ...others] = await listSnapshots(open.database, { limit: 5 })
  expect(others).toEqual([])
  expect(snapshot).toMatchObject({ state: 'published', problem: null })
  const id = snapshot?.id ?? ''
  expect(await contents(open.lake)).toMatchObject({ uploads: [], manifests: [manifestKey(id)], current: true })
  expect(open.publisher.views).toEqual([id])
  expect((await verifySnapshots(open.lake, { all: true })).findings).toEqual([])
}

test('lake 5: two runners; A stopped past its lease in prepared, B takes over, A resumes and its next write is refused', async () => {
  const sleeper = await sleeperAt('after-control-prepared')
  expect(await takeOver()).toMatchObject([{ from: 'prepared', to: 'published' }])
  const fence = (await open.database.prisma.lakeSnapshot.findFirstOrThrow()).fence
  expect(await sleeper.wake()).toBe('fenced')
  expect((await open.database.prisma.lakeSnapshot.findFirstOrThrow()).fence).toBe(fence)
  await expectPublishedOnce()
})

const WINDOWS: readonly FaultPoint[] = [
  'during-CompleteMultipartUpload',
  'before-PutObject-current',
  'before-CompleteMultipartUpload',
  'before-PutObject-manifest',
  'during-PutObject-manifest',
  'before-control-committed',
]

test.each(WINDOWS.slice(0, counted(1, WINDOWS.length)))(
  'lake 5: A stopped past its lease at %s harms nothing when it resumes',
  async (point) => {
    const sleeper = await sleeperAt(point)
    expect((await takeOver()).map(({ to }) => to)).toEqual(['published'])
    expect(await sleeper.wake()).toBe('fenced')
    await expectPublishedOnce()
  },
)

test('lake 5: A stopped while it uploads; B removes all, A sends nothing more', async () => {
  const sleeper = await sleeperAt('before-UploadPart')
  expect(await takeOver()).toMatchObject([{ to: 'failed', problem: 'abandoned' }])
  expect(await sleeper.wake()).toBe('fenced')
  expect(await contents(open.lake)).toEqual({ files: [], uploads: [], manifests: [], current: false })
})

test('lake 5: A stopped and resumed while nobody took over goes on', async () => {
  const sleeper = await sleeperAt('before-CompleteMultipartUpload')
  await expect.poll(() => leaseIsFree(open.database), { timeout: 10_000, interval: 20 }).toBe(true)
  const id = await sleeper.wake()
  expect(id).toBe((await listSnapshots(open.database, { limit: 1 }))[0]?.id)
  await expectPublishedOnce()
})

test('lake 5: nothing is sent under a lease that was given back', async () => {
  const lease = await Lease.take(open.database, 60_000)
  const sent = lease.guard(async () => {
    await open.lake.bucket.head('lake/there-is-none')
    await lease.release()
    return open.lake.bucket.head('lake/there-is-none')
  })
  await expect(sent).rejects.toMatchObject({ code: 'fenced' })
})

test('lake 5: A stopped in the middle of a roll back; B can only roll back as well, and a newer snapshot stays untouched', async () => {
  const { id } = await requestSnapshot(open.database, 'test')
  const first = await Lease.take(open.database, 60_000)
  const rows = new ControlRows(open.database, id, first.fence)
  await rows.claim(first.owner)
  const key = partKey('players', id, 0, 0)
  await rows.openUpload(key, 'players', await open.lake.bucket.multipart.create(key, id))
  const death = deathAt('after-AbortMultipartUpload')
  const dying = openLake(place, {}, death)
  await expect(rollBack(dying.lake, rows, new Error('no more'), 'uploading')).rejects.toThrow('dead')
  await dying.close()
  await first.release()
  await expireLease(open)
  const stored = await open.database.prisma.lakeSnapshot.findUniqueOrThrow({ where: { id } })
  expect(stored.problem).toMatchObject({ rollingBack: true, code: 'internal' })
  expect(await takeOver()).toMatchObject([{ to: 'failed', problem: 'internal' }])
  const next = await runSnapshot(open.lake)
  await expect(rollBack(open.lake, rows, new Error('late'), 'uploading')).rejects.toMatchObject({ code: 'fenced' })
  expect(open.publisher.views).toEqual([next.id])
  expect((await verifySnapshots(open.lake, { all: true })).findings).toEqual([])
})

test('lake 5: objects and a manifest that a dead process makes visible after its removal are swept', async () => {
  const { id } = await requestSnapshot(open.database, 'test')
  const lease = await Lease.take(open.database, 60_000)
  const rows = new ControlRows(open.database, id, lease.fence)
  await rows.claim(lease.owner)
  await rows.update({ state: 'planning', startedAt: new Date() })
  await rollBack(open.lake, rows, new Error('no more'), 'uploading')
  await lease.release()
  const key = partKey('players', id, 0, 0)
  await open.lake.bucket.putText(key, 'late', '*')
  await open.lake.bucket.putText(manifestKey(id), '{}', '*')
  const { removedObjects } = await recoverSnapshots(open.lake)
  expect(removedObjects).toEqual([key, manifestKey(id)])
  expect(await contents(open.lake)).toEqual({ files: [], uploads: [], manifests: [], current: false })
})

test('lake 6: the same commit executed twice at once: the loser sees 412, compares, and is content; no object changes', async () => {
  const death = deathAt('after-control-prepared')
  const dying = openLake(place, {}, death)
  await runSnapshot(dying.lake).catch(() => undefined)
  await dying.close()
  const [left] = await listSnapshots(open.database, { limit: 1 })
  const id = left?.id ?? ''
  const body = (await manifestOf(open.database, id)) ?? ''
  const lease = await Lease.take(open.database, 60_000).catch(async () => {
    await expireLease(open)
    return Lease.take(open.database, 60_000)
  })
  const rows = new ControlRows(open.database, id, lease.fence)
  await rows.claim(lease.owner)
  const answers: number[] = []
  const second = openLake(place, {})
  for (const { client } of [open, second]) {
    client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          const answer = await next(args)
          const { statusCode } = answer.response as { statusCode: number }
          if (/^(Complete|PutObject)/.test(commandName ?? '')) answers.push(statusCode)
          return answer
        },
      { step: 'deserialize', priority: 'low', name: 'listen' },
    )
  }
  const options = { enter: async () => undefined, signal: lease.signal }
  try {
    await Promise.all([open, second].map(({ lake }) => commit(lake, { rows, body }, options)))
    const etags = await Promise.all((await contents(open.lake)).files.map((key) => open.lake.bucket.head(key)))
    // Once more, when everything is there.
    await commit(second.lake, { rows, body }, options)
    expect(await Promise.all((await contents(open.lake)).files.map((key) => open.lake.bucket.head(key)))).toEqual(etags)
  } finally {
    await second.close()
    await lease.release()
  }
  expect(answers).toContain(412)
  expect(answers.filter((status) => status === 200).length).toBeGreaterThanOrEqual(TABLES.length + 1)
  expect((await open.lake.bucket.getText(manifestKey(id)))?.text).toBe(body)
  expect(await takeOver()).toMatchObject([{ from: 'committed', to: 'published' }])
  await expectPublishedOnce()
})
