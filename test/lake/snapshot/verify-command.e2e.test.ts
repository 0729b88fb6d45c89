import {
  GetPartitionCommand,
  GetTableCommand,
  type TableInput,
  UpdatePartitionCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FINDING_GUIDE, type FindingCode } from '../../../src/lake/finding-guide.ts'
import { ensureLake, lakeParts } from '../../../src/lake/lake-setup.ts'
import { type Manifest, manifestBody, parseManifest } from '../../../src/lake/manifest.ts'
import { CURRENT_KEY, manifestKey } from '../../../src/lake/object-keys.ts'
import { verifyFile } from '../../../src/lake/parquet/read.ts'
import { columnsOf } from '../../../src/lake/snapshot/manifest-columns.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { manifestOf } from '../../../src/lake/snapshot/snapshots.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { lakeEnvironment } from '../../support/lake-environment.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { type Finished, runCommand } from '../../support/service.ts'
import { testPlace } from '../lake-fixture.ts'
import { asyncBuffer } from '../parquet/parquet-file.ts'
import { seedAccounts } from './seed.ts'
import { type OpenLake, openLake } from './test-lake.ts'

/** The program itself, as an operator's scheduler calls it, on a database and an endpoint that other processes run. */

const place = testPlace('verify')
let database: TestDatabase
let aws: TestAws
let open: OpenLake
let id: string
let manifest: Manifest

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, 200)
  await ensureLake(place, aws, { owned: true })
  const { credentials, dir, endpoint, region } = aws
  open = openLake({ databaseUrl: database.url, credentials, endpoint, region, bucket: place.bucket, publisherDir: dir })
  const lake = { ...open.lake, publisher: lakeParts(place, aws).publisher }
  await runSnapshot(lake)
  id = (await runSnapshot(lake)).id
  manifest = parseManifest((await manifestOf(open.database, id)) ?? '')
})

afterAll(async () => {
  await open?.close()
  await Promise.all([database?.drop(), aws?.stop()])
})

const verify = (...args: string[]): Promise<Finished> =>
  runCommand(['verify', ...args], lakeEnvironment(database.url, aws, place))

const fileOf = (table: string) => {
  const file = manifest.tables.find((each) => each.name === table)?.files[0]
  if (!file) throw new Error(`no file of ${table}`)
  return file
}
const put = (Key: string, Body: Uint8Array | string) =>
  aws.s3.send(new PutObjectCommand({ Bucket: place.bucket, Key, Body, ChecksumAlgorithm: 'CRC32' }))
const bytesOf = (table: string) => open.lake.bucket.range(fileOf(table).key, 0, fileOf(table).bytes)

async function retype(table: string, column: string, type: string): Promise<void> {
  const where = { DatabaseName: place.rawDatabase, Name: table }
  const { Table: found } = await aws.glue.send(new GetTableCommand(where))
  const Columns = found?.StorageDescriptor?.Columns?.map((c) => (c.Name === column ? { ...c, Type: type } : c))
  const { Description, Name, Parameters, PartitionKeys, StorageDescriptor, TableType } = found ?? {}
  const TableInput = {
    ...{ Name, Description, Parameters, PartitionKeys, TableType },
    StorageDescriptor: { ...StorageDescriptor, Columns },
  } as TableInput
  await aws.glue.send(new UpdateTableCommand({ DatabaseName: place.rawDatabase, TableInput }))
}

async function repoint(table: string, folder: string): Promise<string> {
  const where = { DatabaseName: place.rawDatabase, TableName: table }
  const PartitionValues = [manifest.snapshot_date, id]
  const { Partition } = await aws.glue.send(new GetPartitionCommand({ ...where, PartitionValues }))
  const { Location = '' } = Partition?.StorageDescriptor ?? {}
  const StorageDescriptor = { ...Partition?.StorageDescriptor, Location: folder || Location }
  const PartitionInput = { Values: PartitionValues, StorageDescriptor, Parameters: Partition?.Parameters ?? {} }
  await aws.glue.send(new UpdatePartitionCommand({ ...where, PartitionValueList: PartitionValues, PartitionInput }))
  return Location
}

interface Report {
  readonly snapshots: string[]
  readonly findings: { readonly code: FindingCode; readonly key?: string; readonly table?: string }[]
}

test('lake 25: verify --all after deleting an object, corrupting one, adding a stray file, altering a Glue column, re-pointing a partition → five findings, exit 1; none on a healthy lake', async () => {
  const healthy = await verify('--all')
  expect(healthy).toMatchObject({ code: 0, stdout: '' })
  expect(healthy.stderr).toMatch(/2 snapshot\(s\), 18 files, [\d,]+ rows: healthy/)

  const [games, players] = await Promise.all([bytesOf('games'), bytesOf('players')])
  const corrupted = Buffer.from(players)
  corrupted[100] = (corrupted[100] ?? 0) ^ 1
  const stray = `${fileOf('studios').key.replace(/[^/]*$/, '')}part-99-00000.parquet`
  await open.lake.bucket.delete([fileOf('games').key])
  await put(fileOf('players').key, corrupted)
  await put(stray, 'not ours')
  await retype('player_games', 'playtime_seconds', 'string')
  const location = await repoint('studio_owners', `s3://${place.bucket}/lake/v1/studio_owners/elsewhere/`)

  const found = await verify('--all')
  expect(found.code).toBe(1)
  const lines = found.stdout.trim().split('\n').sort()
  expect(lines.map((line) => line.slice(0, line.indexOf(':')))).toEqual([
    ...['object_mismatch', 'object_missing', 'partition_location', 'stray_object', 'type_drift'],
  ])
  const [mismatch, missing, moved, other, drift] = lines
  expect(mismatch).toContain(fileOf('players').key)
  expect(missing).toContain(fileOf('games').key)
  expect(moved).toContain(`studio_owners/${id}`)
  expect(other).toContain(stray)
  expect(drift).toContain('player_games.playtime_seconds')
  expect(found.stderr).toContain(`What to do: ${FINDING_GUIDE.partition_location.next}`)

  const json = await verify('--all', '--json')
  expect(json.code).toBe(1)
  const report = JSON.parse(json.stdout) as Report
  expect(report.snapshots).toHaveLength(2)
  expect(report.findings.map(({ code }) => code).sort()).toEqual(lines.map((line) => line.slice(0, line.indexOf(':'))))
  expect(report.findings).toContainEqual({
    ...{ code: 'object_missing', snapshotId: id, table: 'games', key: fileOf('games').key },
    message: expect.any(String),
  })

  await Promise.all([put(fileOf('games').key, games), put(fileOf('players').key, players)])
  await open.lake.bucket.delete([stray])
  await retype('player_games', 'playtime_seconds', 'bigint')
  await repoint('studio_owners', location)
  expect(await verify('--all')).toMatchObject({ code: 0, stdout: '' })
})

/** A bit of the file whose change no decoder notices: every page can be read, and values of one column are others. */
async function quietBit(table: string): Promise<{ bytes: Buffer; column: string }> {
  const described = manifest.tables.find((each) => each.name === table)
  if (described === undefined) throw new Error(`no table ${table}`)
  const columns = columnsOf(described)
  const file = fileOf(table)
  const bytes = await bytesOf(table)
  for (let at = 4; at < bytes.length - file.tail_bytes; at++) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    const found = await verifyFile(asyncBuffer(changed), columns).catch(() => undefined)
    const wrong = columns.filter(({ name }) => found?.columns[name]?.sum !== file.columns[name]?.sum)
    const [only] = wrong
    if (found?.problems.length === 0 && wrong.length === 1 && only) return { bytes: changed, column: only.name }
  }
  throw new Error('every change of a bit is noticed')
}

test('lake 25: verify --deep finds a wrong value behind a right CRC', async () => {
  const { bytes, column } = await quietBit('studio_owners')
  const { key } = fileOf('studio_owners')
  await put(key, bytes)
  // The checksums of manifest, control table and pointer are those of the wrong bytes: nothing but the values can tell.
  const facts = await open.lake.bucket.head(key)
  Object.assign(fileOf('studio_owners'), { crc32: facts?.crc32 })
  const { body, sha256 } = manifestBody(manifest)
  await put(manifestKey(id), body)
  await open.database.prisma.lakeSnapshot.update({ where: { id }, data: { manifest: body, manifestSha256: sha256 } })
  const current = await open.lake.bucket.getText(CURRENT_KEY)
  await put(CURRENT_KEY, (current?.text ?? '').replace(/"manifest_sha256":"\w+"/, `"manifest_sha256":"${sha256}"`))

  expect(await verify()).toMatchObject({ code: 0, stdout: '' })
  const deep = await verify('--deep')
  expect(deep.code).toBe(1)
  expect(deep.stdout).toMatch(
    new RegExp(`^column_mismatch: ${key}: the values of ${column} sum to [0-9a-f]{16}, .*\n$`),
  )
  // How far it is, table by table.
  expect(deep.stderr).toMatch(new RegExp(`${id}: players, [\\d,]+ values\n`))
})

test('verify that cannot look ends with code 2: no such snapshot, no storage', async () => {
  const unknown = await verify('20200101t000000z-00000000')
  expect(unknown).toMatchObject({ code: 2, stdout: '' })
  expect(unknown.stderr).toContain('Nothing is verified')
  expect(await verify(id, '--all')).toMatchObject({ code: 2, stdout: '' })
})
