import { crc32 } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import type { TableContract } from '../../../src/lake/contract.ts'
import { LakeProblem } from '../../../src/lake/lake-problem.ts'
import { partKey } from '../../../src/lake/object-keys.ts'
import { footerMetadata } from '../../../src/lake/snapshot/footer-metadata.ts'
import { type SparkPlan, sparkPlan } from '../../../src/lake/snapshot/spark-plan.ts'
import { fileCount } from '../../../src/lake/snapshot/spark-ranges.ts'
import { checkReport } from '../../../src/lake/snapshot/spark-report.ts'
import type { ReportedFile } from '../../../src/lake/snapshot/spark-report-schema.ts'
import { crc32Base64 } from '../../../src/lake/storage/multipart-sink.ts'
import { column, copyBytes, int32, text } from '../parquet/copy-bytes.ts'
import { EDGE_CONTRACT } from '../parquet/edge-contract.ts'
import { writeFile } from '../parquet/parquet-file.ts'
import { TEST_SETTINGS } from './test-lake.ts'

const ID = '20261123t020000z-01kaq3c9'
const FACTS = { snapshot: '7:9:8', taken_at: '2026-11-23T02:00:00.000Z', wal_lsn: '0/1' }
const COLUMNS = [
  column('k', 'integer', { nullable: false, sql: '"k"' }),
  column('t', 'text'),
  column('d', 'date', { onUnrepresentable: 'null' }),
]
const CONTRACTS: TableContract[] = ['one', 'two'].map((name) => ({ ...EDGE_CONTRACT, name, columns: COLUMNS }))
const MIB = 1024 * 1024

/** What a job tells, before it is broken in ways that no type allows. */
interface Report {
  readonly tables: { name: string; rows_read: number; files: ReportedFile[] }[]
}
let plan: SparkPlan
let good: string

beforeAll(async () => {
  const tables = CONTRACTS.map((contract) => ({
    contract,
    ranges: [0, 1].map((number) => ({
      ...{ range: 'true', number, estimated_rows: 2, upload_id: `upload-${contract.name}-${number}` },
      key: partKey(contract.name, ID, 0, number),
    })),
  }))
  plan = sparkPlan({
    ...{ snapshotId: ID, bucket: 'lake', settings: TEST_SETTINGS, facts: FACTS, createdBy: 'a test', tables },
    ...{ jdbc: { url: 'jdbc:postgresql://h:1/d', user: 'u' }, exported: '00000003-1' },
  })
  const reported = []
  for (const { contract, ranges } of tables) {
    const files = []
    for (const { key, number, upload_id } of ranges)
      files.push({ key, number, upload_id, ...(await file(contract, number)) })
    reported.push({ name: contract.name, rows_read: 4, files })
  }
  good = JSON.stringify({ report_version: 1, snapshot_id: ID, tables: reported })
})

/** What a job tells of two rows. */
async function file(contract: TableContract, number: number) {
  const metadata = footerMetadata({ contract, snapshotId: ID, facts: FACTS, pseudonymKeyVersion: 1 }, number)
  const rows = [0, 1].map((i) => [int32(number * 2 + i), i === 0 ? null : text('x'), null])
  const { bytes, facts } = await writeFile(copyBytes(rows), COLUMNS, { metadata })
  return {
    ...{ rows: facts.rows, bytes: facts.bytes, row_groups: facts.rowGroups, crc32: facts.crc32, sha256: facts.sha256 },
    ...{ tail: facts.tail.toString('base64'), tail_sha256: facts.tailSha256, min_key: '0', max_key: '1' },
    columns: Object.fromEntries(Object.entries(facts.columns).map(([name, { nulls, sum }]) => [name, { nulls, sum }])),
    unrepresentable: { d: { infinity: 1 } },
    parts: [{ number: 1, etag: '"e"', bytes: bytes.length, crc32: crc32Base64(crc32(bytes)) }],
  }
}

function thrown(body: string): LakeProblem {
  try {
    checkReport(plan, body, CONTRACTS)
  } catch (error) {
    if (error instanceof LakeProblem) return error
    throw error
  }
  throw new Error('The report was believed')
}

test('a plan tells a job all of it, and no secret', () => {
  expect(plan).toMatchObject({
    ...{ plan_version: 1, snapshot_id: ID, codec: 'zstd', pseudonym_key_version: 1, most_parts: 9000 },
    report: `unload/v1/${ID}/report.json`,
    jdbc: { url: 'jdbc:postgresql://h:1/d', user: 'u', exported_snapshot: '00000003-1', visible: '7:9:8' },
  })
  expect(plan.jdbc.session_init).toMatch(
    /^SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '00000003-1'; SET LOCAL timezone = 'UTC'; /,
  )
  expect(plan.tables[0]).toMatchObject({
    name: 'one',
    table: 'edge',
    key: [{ name: 'k', field: 0 }],
    min_key_column: 'k',
  })
  expect(plan.tables[0]?.columns[2]).toMatchObject({ name: 'd', on_unrepresentable: 'null', athena_type: 'date' })
  expect(JSON.stringify(plan)).not.toContain(TEST_SETTINGS.pseudonymKey.toString('hex'))
})

test('a report that is about the plan gives the files, with the bounds of their keys and every reason counted', () => {
  const tables = checkReport(plan, good, CONTRACTS)
  expect(tables.map(({ contract, files, rows }) => [contract.name, rows, files.length])).toEqual([
    ['one', 4, 2],
    ['two', 4, 2],
  ])
  const [first] = tables[0]?.files ?? []
  expect(first).toMatchObject({
    key: partKey('one', ID, 0, 0),
    parts: [{ number: 1, etag: '"e"' }],
    facts: {
      ...{ rows: 2, rowGroups: 1, unrepresentable: { d: { infinity: 1, bc: 0, out_of_range: 0, nan: 0 } } },
      columns: { k: { nulls: 0, min: '0', max: '1' }, t: { nulls: 1 } },
    },
  })
  expect(first?.facts.columns.t).not.toHaveProperty('min')
})

const shuffled = (report: Report) => ({
  ...report,
  tables: report.tables.toReversed().map((table) => ({ ...table, files: table.files.toReversed() })),
})

test('the order of tables and files in a report means nothing', () => {
  expect(checkReport(plan, JSON.stringify(shuffled(JSON.parse(good))), CONTRACTS)).toEqual(
    checkReport(plan, good, CONTRACTS),
  )
})

/** A report, and its first table, file and part. */
interface Spoilt {
  readonly r: Report
  readonly t: Report['tables'][number]
  readonly f: ReportedFile
  readonly p: ReportedFile['parts'][number]
}

function first(report: Report): Spoilt {
  const [t] = report.tables
  const [f] = t?.files ?? []
  const [p] = f?.parts ?? []
  if (!t || !f || !p) throw new Error('The report has no part')
  return { r: report, t, f, p }
}

const set = Object.assign
const HOSTILE: readonly (readonly [string, string, (all: Spoilt) => unknown])[] = [
  ['another version', 'report_invalid', ({ r }) => set(r, { report_version: 2 })],
  ['another snapshot', 'report_invalid', ({ r }) => set(r, { snapshot_id: '20261123t020000z-01kaq3c8' })],
  ['a member that nobody knows', 'report_invalid', ({ r }) => set(r, { more: 1 })],
  ['no tables', 'report_invalid', ({ r }) => set(r, { tables: [] })],
  ['a table that is missing', 'report_invalid', ({ r }) => r.tables.pop()],
  ['a table told twice', 'report_invalid', ({ r, t }) => r.tables.push(t)],
  ['a table that is not in the plan', 'report_invalid', ({ t }) => set(t, { name: 'three' })],
  ['a range that is missing', 'report_invalid', ({ t }) => t.files.pop()],
  ['a range told twice', 'report_invalid', ({ f, t }) => t.files.push(f)],
  ['a range that is not in the plan', 'report_invalid', ({ f }) => set(f, { number: 7 })],
  [
    'the file of another range',
    'report_invalid',
    ({ t }) => {
      for (const file of t.files) file.number = 1 - file.number
    },
  ],
  ['another key', 'report_invalid', ({ f }) => set(f, { key: f.key.replace('00000', '00009') })],
  ['another upload', 'report_invalid', ({ f }) => set(f, { upload_id: 'other' })],
  ['rows that are no number', 'report_invalid', ({ f }) => set(f, { rows: '2' })],
  ['rows below none', 'report_invalid', ({ f }) => set(f, { rows: -1 })],
  ['rows in fractions', 'report_invalid', ({ t }) => set(t, { rows_read: 1.5 })],
  ['rows beyond all numbers', 'report_invalid', ({ t }) => set(t, { rows_read: 1e300 })],
  ['more rows than the footer', 'count_mismatch', ({ f }) => set(f, { rows: 3 })],
  ['another number of row groups', 'count_mismatch', ({ f }) => set(f, { row_groups: 2 })],
  ['a checksum in capitals', 'report_invalid', ({ f }) => set(f, { crc32: 'ABCDEF01' })],
  ['a short SHA-256', 'report_invalid', ({ f }) => set(f, { sha256: 'ab' })],
  ['a tail that is no base 64', 'report_invalid', ({ f }) => set(f, { tail: '%' })],
  ['a tail of other bytes', 'report_invalid', ({ f }) => set(f, { tail: Buffer.from('PAR1').toString('base64') })],
  ['a tail with another SHA-256', 'report_invalid', ({ f }) => set(f, { tail_sha256: '0'.repeat(64) })],
  [
    'the tail of the file before',
    'footer_invalid',
    ({ f, r }) => {
      const { tail, tail_sha256 } = r.tables[1]?.files[0] ?? {}
      set(f, { tail, tail_sha256 })
    },
  ],
  [
    'a file larger than its footer says',
    'footer_invalid',
    ({ f, p }) => {
      f.bytes = 20
      p.bytes = 20
    },
  ],
  ['no part', 'report_invalid', ({ f }) => set(f, { parts: [] })],
  ['parts that begin with 2', 'report_invalid', ({ p }) => set(p, { number: 2 })],
  ['parts with a gap', 'report_invalid', (all) => split(all, [1, 3])],
  ['parts out of order', 'report_invalid', (all) => split(all, [2, 1])],
  ['a first part that S3 would not take', 'report_invalid', (all) => split(all, [1, 2])],
  ['parts that are fewer bytes than the file', 'report_invalid', ({ p }) => set(p, { bytes: p.bytes - 1 })],
  [
    'more parts than an upload holds',
    'report_invalid',
    ({ f, p }) => set(f, { parts: Array.from({ length: 10_001 }, (_, i) => ({ ...p, number: i + 1 })) }),
  ],
  ['a part without ETag', 'report_invalid', ({ p }) => set(p, { etag: '' })],
  ['a part whose checksum is of 3 bytes', 'report_invalid', ({ p }) => set(p, { crc32: 'AAAA' })],
  ['a column that is missing', 'report_invalid', ({ f }) => delete f.columns.t],
  ['a column that the contract lacks', 'report_invalid', ({ f }) => set(f.columns, { __proto__x: f.columns.t })],
  ['a sum of 15 digits', 'report_invalid', ({ f }) => set(f.columns, { k: { nulls: 0, sum: '0'.repeat(15) } })],
  ['more NULLs than rows', 'report_invalid', ({ f }) => set(f.columns.t ?? {}, { nulls: 3 })],
  ['a NULL where none may be', 'report_invalid', ({ f }) => set(f.columns.k ?? {}, { nulls: 1 })],
  ['more lost values than NULLs', 'report_invalid', ({ f }) => set(f.unrepresentable, { d: { infinity: 3 } })],
  [
    'lost values of a column that may lose none',
    'report_invalid',
    ({ f }) => set(f.unrepresentable, { t: { nan: 1 } }),
  ],
  ['a reason that nobody knows', 'report_invalid', ({ f }) => set(f.unrepresentable, { d: { infinity: 1, other: 0 } })],
]

/** In two parts with these numbers. */
function split({ f, p }: Spoilt, numbers: readonly number[]): void {
  f.parts = numbers.map((number, i) => ({ ...p, number, bytes: i === 0 ? 100 : p.bytes - 100 }))
}

test.each(HOSTILE)('%s: %s', (_, code, spoil) => {
  const report = JSON.parse(good) as Report
  spoil(first(report))
  const { code: found, message } = thrown(JSON.stringify(report))
  expect(found, message).toBe(code)
  expect(message.length).toBeLessThan(3_000)
})

test.each(['', 'null', '[]', '7', '{', '{"report_version":1}', '<html>'])('a text that is no report: %s', (body) => {
  expect(thrown(body).code).toBe('report_invalid')
})

test('what a job could name itself is the problem of the snapshot; what nobody knows is not', () => {
  const told = (problem: object) =>
    thrown(JSON.stringify({ report_version: 1, snapshot_id: ID, problem: { message: 'why', ...problem } }))
  expect(
    told({ code: 'unrepresentable_value', table: 'edge', column: 'd', primary_key: 'k=1', reason: 'infinity' }),
  ).toMatchObject({
    code: 'unrepresentable_value',
    message: 'why',
    facts: { table: 'edge', column: 'd', primaryKey: 'k=1', reason: 'infinity' },
  })
  expect(told({ code: 'storage_failed', aws_code: 'NoSuchUpload', range: 3, column: null }).facts).toEqual({
    awsCode: 'NoSuchUpload',
    range: 3,
  })
  expect(told({ code: 'fenced' }).code).toBe('report_invalid')
  expect(told({ code: 'published' }).code).toBe('report_invalid')
})

test('a table goes into as many files as its bytes need, and into more where one could run out of parts', () => {
  const settings = { fileTargetBytes: 192 * MIB, partBytes: 5 * MIB }
  expect(fileCount(0, 0, settings)).toBe(1)
  expect(fileCount(192 * MIB, 200 * MIB, settings)).toBe(1)
  expect(fileCount(192 * MIB + 1, 200 * MIB, settings)).toBe(2)
  // An estimate of nothing for a table of a tebibyte.
  expect(fileCount(0, 1024 * 1024 * MIB, settings)).toBe(94)
  expect(fileCount(1e15, 1e15, settings)).toBe(5_000)
})
