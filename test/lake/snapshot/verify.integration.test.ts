import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Manifest, manifestBody, parseManifest } from '../../../src/lake/manifest.ts'
import { CURRENT_KEY, contractKey, manifestKey, partKey } from '../../../src/lake/object-keys.ts'
import { fingerprintOf } from '../../../src/lake/snapshot/manifest-columns.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { type VerifyOptions, verifySnapshots } from '../../../src/lake/snapshot/verify.ts'
import type { Tap } from '../../../src/lake/tap.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { startS3Proxy } from './s3-proxy.ts'
import { seedAccounts } from './seed.ts'
import { contents, type LakePlace, newPlace, type OpenLake, openLake } from './test-lake.ts'

/** One snapshot for all tests: each finds it as it was taken. */

let database: TestDatabase
let aws: TestAws
let place: LakePlace & { remove(): Promise<void> }
let open: OpenLake
let id: string
let manifest: Manifest
let taken: { readonly objects: ReadonlyMap<string, Buffer>; readonly body: string; readonly sha256: string | null }

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, 1_000)
  place = await newPlace(aws, database.url)
  open = openLake(place)
  id = (await runSnapshot(open.lake)).id
  const objects = new Map<string, Buffer>()
  for await (const { bytes, key } of open.lake.bucket.objects('')) {
    objects.set(key, await open.lake.bucket.range(key, 0, bytes))
  }
  const row = await open.database.prisma.lakeSnapshot.findUniqueOrThrow({ where: { id } })
  taken = { objects, body: row.manifest ?? '', sha256: row.manifestSha256 }
})

afterAll(async () => {
  await open?.close()
  await Promise.all([database?.drop(), aws?.stop(), place?.remove()])
})

beforeEach(async () => {
  const { bucket } = open.lake
  const strays: string[] = []
  for await (const { key } of bucket.objects('')) if (!taken.objects.has(key)) strays.push(key)
  if (strays.length > 0) await bucket.delete(strays)
  for await (const { key, uploadId } of bucket.multipart.pending('')) await bucket.multipart.abort(key, uploadId)
  await Promise.all([...taken.objects].map(([key, body]) => put(key, body)))
  const { body, sha256 } = taken
  await open.database.prisma.lakeSnapshot.update({ where: { id }, data: { manifest: body, manifestSha256: sha256 } })
  manifest = parseManifest(body)
})

const codes = async (options: VerifyOptions = {}) =>
  (await verifySnapshots(open.lake, options)).findings.map((finding) => finding.code).sort()

const fileOf = (table: string) => {
  const file = manifest.tables.find((each) => each.name === table)?.files[0]
  if (!file) throw new Error(`no file of ${table}`)
  return file
}

const put = (key: string, body: Uint8Array | string) =>
  open.client.send(new PutObjectCommand({ Bucket: place.bucket, Key: key, Body: body, ChecksumAlgorithm: 'CRC32' }))

test('a healthy lake has no findings, read deeply or not', async () => {
  const report = await verifySnapshots(open.lake, { id })
  expect(report).toEqual({ snapshots: [id], gone: [], files: 9, rows: manifest.totals.rows, findings: [] })
  expect(await codes({ deep: true, all: true })).toEqual([])
})

test('a deleted object is missing', async () => {
  await open.lake.bucket.delete([fileOf('games').key])
  expect(await codes()).toEqual(['object_missing'])
})

test('an object with other bytes is found by its checksum', async () => {
  const { bytes, key } = fileOf('players')
  const content = await open.lake.bucket.range(key, 0, bytes)
  content[100] = (content[100] ?? 0) ^ 1
  await put(key, content)
  expect(await codes()).toEqual(['object_mismatch'])
})

test('a shorter object is found by its size', async () => {
  const { bytes, key } = fileOf('players')
  await put(key, await open.lake.bucket.range(key, 0, bytes - 1))
  expect(await codes()).toContain('object_mismatch')
})

test('what no snapshot names is a stray: file, upload, manifest', async () => {
  await put('lake/v1/players/notes.parquet', 'x')
  await put('lake/readme.txt', 'x')
  await put('lake-meta/v1/notes.json', '{}')
  await put('lake-meta/v1/retired/20200101t000000z-00000000.json', '{}')
  await open.lake.bucket.multipart.create(partKey('players', id, 7, 7), id)
  await put(manifestKey('20200101t000000z-00000000'), '{}')
  expect(await codes()).toEqual([
    ...['orphan_upload', 'stray_manifest', 'stray_manifest'],
    ...['stray_object', 'stray_object', 'stray_object'],
  ])
})

test('a manifest that is gone or changed, and a pointer elsewhere', async () => {
  const key = manifestKey(id)
  await put(key, manifestBody({ ...manifest, sequence: manifest.sequence + 1 }).body)
  expect(await codes()).toEqual(['manifest_mismatch'])
  await open.lake.bucket.delete([key])
  expect(await codes()).toEqual(['manifest_missing'])
  await put(key, manifestBody(manifest).body)
  const current = await open.lake.bucket.getText(CURRENT_KEY)
  await put(CURRENT_KEY, (current?.text ?? '').replace(id, '20200101t000000z-00000000'))
  expect(await codes({ id })).toEqual(['pointer_mismatch'])
})

test('deep reading finds a wrong value behind a right checksum', async () => {
  const players = manifest.tables.find((table) => table.name === 'players')
  const column = players?.files[0]?.columns.country
  if (!players || !column) throw new Error('players have a country')
  // As if the encoder had summed another value than the one in the file.
  column.sum = column.sum.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))
  const { body, sha256 } = manifestBody(manifest)
  await put(manifestKey(id), body)
  await open.database.prisma.lakeSnapshot.update({ where: { id }, data: { manifest: body, manifestSha256: sha256 } })
  const current = await open.lake.bucket.getText(CURRENT_KEY)
  await put(CURRENT_KEY, (current?.text ?? '').replace(/"manifest_sha256":"\w+"/, `"manifest_sha256":"${sha256}"`))
  expect(await codes({ id })).toEqual([])
  expect(await codes({ id, deep: true })).toEqual(['column_mismatch'])
})

test('while S3 cannot be read there is no verdict', async () => {
  const proxy = await startS3Proxy(place.endpoint)
  const behind = openLake({ ...place, endpoint: proxy.endpoint })
  let heads = 0
  // The objects are there; their footers cannot be read.
  proxy.decide = ({ headers, method, url }) =>
    method === 'GET' && headers.range !== undefined && url?.includes('/games/') && heads++ > 0 ? 'refuse' : 'pass'
  try {
    await expect(verifySnapshots(behind.lake)).rejects.toMatchObject({ code: 'storage_denied' })
  } finally {
    await behind.close()
    await proxy.close()
  }
})

test('counts, contracts and what a file says of itself are compared', async () => {
  const games = manifest.tables.find((table) => table.name === 'games')
  if (!games) throw new Error('games are exported')
  for (const { columns, fingerprint } of manifest.tables) expect(fingerprintOf(columns)).toBe(fingerprint)

  const key = contractKey('games', games.fingerprint)
  const contract = await open.lake.bucket.getText(key)
  await put(key, (contract?.text ?? '').replace('"string"', '"int"'))
  expect(await codes()).toEqual(['contract_mismatch'])
  await open.lake.bucket.delete([key])
  expect(await codes()).toEqual(['contract_missing'])
  await put(key, contract?.text ?? '')

  const place = { snapshotId_tableName: { snapshotId: id, tableName: 'games' } }
  await open.database.prisma.lakeSnapshotTable.update({ where: place, data: { rowsCopied: 51n } })
  expect(await codes()).toEqual(['count_mismatch'])
  await open.database.prisma.lakeSnapshotTable.update({ where: place, data: { rowsCopied: BigInt(games.rows) } })
  expect(await codes()).toEqual([])

  // Files of another instant than the manifest says: of another snapshot, perhaps.
  const source = { ...manifest.source, wal_lsn: '0/1' }
  const { body, sha256 } = manifestBody({ ...manifest, source })
  await put(manifestKey(id), body)
  await open.database.prisma.lakeSnapshot.update({ where: { id }, data: { manifest: body, manifestSha256: sha256 } })
  expect(new Set(await codes({ id }))).toEqual(new Set(['metadata_mismatch', 'pointer_mismatch']))
})

test('a pointer that cannot be read is a finding', async () => {
  await put(CURRENT_KEY, '{"snapshot')
  expect(await codes({ all: true })).toEqual(['pointer_mismatch'])
})

test('deep reading tells which file has pages that cannot be read', async () => {
  const { bytes, key } = fileOf('players')
  const content = await open.lake.bucket.range(key, 0, bytes)
  content.fill(0xff, 4, Math.min(2_000, bytes - fileOf('players').tail_bytes))
  await put(key, content)
  expect(await codes({ deep: true })).toEqual(['object_mismatch', 'values_unreadable'])
})

test('a snapshot that is not there cannot be verified', async () => {
  await expect(verifySnapshots(open.lake, { id: '20200101t000000z-00000000' })).rejects.toMatchObject({
    code: 'not-found',
  })
})

test('nothing is written: calls that read are all that leave, to a database that takes no change', async () => {
  const calls = new Set<string>()
  const tap: Tap = {
    before: (name) => void calls.add(name.replace(/-.*/, '')),
    after: () => undefined,
  }
  const url = new URL(place.databaseUrl)
  url.searchParams.set('options', '-c default_transaction_read_only=on')
  const reading = openLake({ ...place, databaseUrl: url.href }, {}, tap)
  const refused = reading.database.prisma.lakeSnapshot.update({ where: { id }, data: { requestedBy: 'nobody' } })
  await expect(refused).rejects.toThrow('read-only')
  const before = await contents(open.lake)
  try {
    await verifySnapshots(reading.lake, { all: true, deep: true })
    await open.lake.bucket.delete([fileOf('games').key])
    expect((await verifySnapshots(reading.lake, { id, deep: true })).findings).toHaveLength(1)
  } finally {
    await reading.close()
  }
  expect([...calls].sort()).toEqual(['GetObject', 'HeadObject', 'ListMultipartUploads', 'ListObjectsV2'])
  expect((await contents(open.lake)).files).toEqual(before.files.filter((key) => key !== fileOf('games').key))
})

// The last one: it leaves another snapshot.
test('a snapshot that is published meanwhile is no finding', async () => {
  let next = ''
  open.publisher.beforeNext('findings', async () => {
    next = (await runSnapshot(open.lake)).id
  })
  expect(await codes()).toEqual([])
  // And one whose views and pointer have moved, but whose row does not say so yet.
  await open.database.prisma.lakeSnapshot.update({ where: { id: next }, data: { state: 'committed' } })
  expect(await codes()).toEqual([])
})
