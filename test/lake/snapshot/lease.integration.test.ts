import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Database, openDatabase } from '../../../src/database/database.ts'
import { ControlRows } from '../../../src/lake/snapshot/control-rows.ts'
import { Lease } from '../../../src/lake/snapshot/lease.ts'
import { isGone, thisProcess } from '../../../src/lake/snapshot/process-identity.ts'
import { NOT_STARTED_MS, readSnapshot, requestSnapshot } from '../../../src/lake/snapshot/snapshots.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { leaseIsFree } from './lease-is-free.ts'
import { forgetSnapshots } from './test-lake.ts'

const TTL_MS = 60_000

let server: TestDatabase
let database: Database

beforeAll(async () => {
  server = await createTestDatabase()
  database = openDatabase({ url: server.url, poolSize: 4 })
})

afterAll(async () => {
  await database?.close()
  await server?.drop()
})

beforeEach(() => forgetSnapshots(database))

test('of many that ask at once, one gets the lease', async () => {
  const asked = await Promise.allSettled(Array.from({ length: 8 }, () => Lease.take(database, TTL_MS)))
  const taken = asked.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const refused = asked.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []))
  expect(taken).toHaveLength(1)
  expect(refused).toEqual(Array(7).fill('lease_taken'))
  expect(await leaseIsFree(database)).toBe(false)
  await taken[0]?.release()
  expect(await leaseIsFree(database)).toBe(true)
})

test('each holder has a higher fence than the one before', async () => {
  const first = await Lease.take(database, TTL_MS)
  await first.release()
  const second = await Lease.take(database, TTL_MS)
  expect(second.fence).toBe(first.fence + 1n)
  await second.release()
})

test('a heartbeat keeps the lease, and notices when another process has it', async () => {
  const lease = await Lease.take(database, 200)
  const before = await expiresAt()
  await expect.poll(() => expiresAt().then((at) => at > before), { interval: 20 }).toBe(true)
  expect(lease.signal.aborted).toBe(false)
  await database.prisma.$executeRaw`UPDATE lake_lease SET fence = fence + 1`
  await expect.poll(() => lease.signal.aborted, { interval: 20 }).toBe(true)
  expect(lease.signal.reason).toMatchObject({ code: 'fenced' })
  await lease.release()
  // What is not its own any more is not given back either.
  expect((await database.prisma.lakeLease.findUniqueOrThrow({ where: { id: 1 } })).fence).toBe(lease.fence + 1n)
})

const expiresAt = async () => (await database.prisma.lakeLease.findUniqueOrThrow({ where: { id: 1 } })).expiresAt

test('a process of this host that is gone loses its lease at once, one of another host does not', async () => {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  const held = {
    owner: 'x',
    expiresAt: new Date(Date.now() + TTL_MS),
    processId: child.pid ?? 0,
    processStartedAt: thisProcess().startedAt.replace(/\d+$/, '1'),
  }
  await database.prisma.lakeLease.update({ where: { id: 1 }, data: { ...held, host: 'elsewhere' } })
  await expect(Lease.take(database, TTL_MS)).rejects.toMatchObject({ code: 'lease_taken' })
  // A container of this machine, and another machine made from the same image: its ids mean nothing here.
  for (const part of [/\/\d+\//, /^[^/]+/]) {
    const processStartedAt = held.processStartedAt.replace(part, (text) => text.replace(/[0-9a-f]/g, '9'))
    expect(processStartedAt).not.toBe(held.processStartedAt)
    await database.prisma.lakeLease.update({ where: { id: 1 }, data: { host: hostname(), processStartedAt } })
    await expect(Lease.take(database, TTL_MS)).rejects.toMatchObject({ code: 'lease_taken' })
  }
  await database.prisma.lakeLease.update({ where: { id: 1 }, data: { ...held, host: hostname() } })
  await (await Lease.take(database, TTL_MS)).release()
})

test('this process is there; the same id with another start is another process', () => {
  const me = thisProcess()
  expect(isGone(me)).toBe(false)
  expect(isGone({ ...me, startedAt: me.startedAt.replace(/\d+$/, (ticks) => String(Number(ticks) + 1)) })).toBe(true)
})

test('a lease that another process got with the same fence, after a promoted standby forgot the first one, is lost', async () => {
  const first = await Lease.take(database, 200)
  await database.prisma.lakeLease.update({
    where: { id: 1 },
    data: { fence: first.fence - 1n, expiresAt: new Date(0) },
  })
  const second = await Lease.take(database, TTL_MS)
  expect(second.fence).toBe(first.fence)
  await expect(first.confirm()).rejects.toMatchObject({ code: 'fenced' })
  await expect.poll(() => first.signal.aborted, { interval: 20 }).toBe(true)
  await first.release()
  await second.confirm()
  expect(await leaseIsFree(database)).toBe(false)
  await second.release()
})

test('a row that was given up a moment ago is not claimed by the run that was late', async () => {
  const { id } = await requestSnapshot(database, 'test')
  await database.prisma.lakeSnapshot.update({
    where: { id },
    data: { state: 'failed', problem: { code: 'not_started' } },
  })
  await expect(new ControlRows(database, id, 7n).claim('late', 'requested')).rejects.toMatchObject({ code: 'fenced' })
})

test('a write under an old fence touches nothing', async () => {
  const { id } = await requestSnapshot(database, 'test')
  const old = new ControlRows(database, id, 7n)
  await old.claim('old')
  await old.update({ state: 'planning' })
  const taker = new ControlRows(database, id, 8n)
  await taker.claim('taker')
  for (const write of [
    () => old.update({ state: 'uploading' }),
    () => old.table('players', { state: 'copying' }),
    () => old.openUpload('key', 'players', 'upload'),
    () => old.claim('old'),
    () => old.confirm(),
  ]) {
    await expect(write()).rejects.toMatchObject({ code: 'fenced' })
  }
  expect(await database.prisma.lakeSnapshot.findUnique({ where: { id } })).toMatchObject({
    state: 'planning',
    fence: 8n,
  })
  expect(await database.prisma.lakeUpload.count()).toBe(0)
  expect(await database.prisma.lakeSnapshotTable.count()).toBe(0)
})

test('a requested snapshot that no process took in time makes room for the next one', async () => {
  const { id } = await requestSnapshot(database, 'test')
  await expect(requestSnapshot(database, 'test')).rejects.toMatchObject({ code: 'snapshot-running' })
  await database.prisma.lakeSnapshot.update({
    where: { id },
    data: { requestedAt: new Date(Date.now() - NOT_STARTED_MS - 1_000) },
  })
  expect((await requestSnapshot(database, 'test')).id).not.toBe(id)
  expect(await readSnapshot(database, id)).toMatchObject({ state: 'failed', problem: { code: 'not_started' } })
})
