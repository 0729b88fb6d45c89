import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import Table from 'cli-table3'
import type { OptionValues } from '../scripts/read-options.ts'
import { migrate } from '../src/database/migrate.ts'
import { type Manifest, parseManifest } from '../src/lake/manifest.ts'
import { MANIFESTS_PREFIX } from '../src/lake/object-keys.ts'
import { startEmbeddedPostgres } from '../src/local/postgres.ts'
import { sparkEnvironment } from '../test/support/python.ts'
import { SparkSession } from '../test/support/spark.ts'
import { startCountingProxy } from './pruning/counting-proxy.ts'
import { seedYears } from './pruning/seed.ts'
import { startLocalS3 } from './snapshot/local-s3.ts'

export const summary =
  'bytes and rows that Spark reads of a snapshot for selective questions, with and without what the files say of themselves'

export const OPTIONS = {
  rows: {
    type: 'string',
    default: '1000000',
    least: 1,
    help: 'rows of players, library entries and audit events each',
  },
  layouts: { type: 'string', default: '3', least: 1, help: 'how many of the layouts' },
  fillfactor: {
    type: 'string',
    least: 10,
    help: 'of players and library entries, in percent (default: as the migrations have it)',
  },
} as const

interface Question {
  readonly what: string
  readonly table: string
  readonly where: string
  readonly select: readonly string[]
}

const DAY = `BETWEEN TIMESTAMP '2024-03-05' AND TIMESTAMP '2024-03-06'`
const MONTH = `BETWEEN TIMESTAMP '2024-03-01' AND TIMESTAMP '2024-04-01'`

const questions = (rows: number): readonly Question[] => [
  {
    what: 'players registered on a day, by country',
    table: 'players',
    where: `created_at ${DAY}`,
    select: ['count(player_ref)', 'count(DISTINCT country)'],
  },
  {
    what: 'players registered in a month',
    table: 'players',
    where: `created_at ${MONTH}`,
    select: ['count(player_ref)', 'count(DISTINCT country)'],
  },
  { what: 'players of one country', table: 'players', where: `country = 'JP'`, select: ['count(player_ref)'] },
  {
    what: 'library entries acquired on a day',
    table: 'player_games',
    where: `acquired_at ${DAY}`,
    select: ['count(player_ref)', 'sum(playtime_seconds)'],
  },
  {
    what: 'audit events of a day',
    table: 'audit_events',
    where: `occurred_at ${DAY}`,
    select: ['count(entity_ref)', 'count(DISTINCT action)'],
  },
  {
    what: 'audit events by number',
    table: 'audit_events',
    where: `seq BETWEEN ${Math.trunc(rows / 2)} AND ${Math.trunc(rows / 2) + 100}`,
    select: ['count(entity_ref)', 'max(request_id)'],
  },
]

/** The same files, read by a reader that knows more or less of them. */
const READERS = [
  { name: 'all pages', statistics: false, pageIndex: false },
  { name: 'row groups by statistics', statistics: true, pageIndex: false },
  { name: 'pages by page index', statistics: true, pageIndex: true },
] as const

interface Layout {
  readonly name: string
  readonly settings: Readonly<Record<string, number>>
}

const MIB = 1024 * 1024
const RUNNER = path.join(import.meta.dirname, 'snapshot/runner.ts')
const LAYOUTS: readonly Layout[] = [
  { name: '262,144 rows or 64 MiB (ours)', settings: {} },
  { name: '65,536 rows or 16 MiB', settings: { rowGroupRows: 65_536, rowGroupBytes: 16 * MIB } },
  { name: '1,048,576 rows or 256 MiB', settings: { rowGroupRows: 1_048_576, rowGroupBytes: 256 * MIB } },
]

interface Scan {
  readonly answer: readonly string[]
  readonly decoded: number
}

async function newestManifest(client: S3Client): Promise<Manifest> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'lake', Prefix: MANIFESTS_PREFIX }))
  const Key = Contents.map((each) => each.Key ?? '')
    .sort()
    .at(-1)
  const { Body } = await client.send(new GetObjectCommand({ Bucket: 'lake', Key }))
  return parseManifest((await Body?.transformToString()) ?? '')
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(2)

/** One layout: a snapshot, and every question by every reader. The answers must be the same. */
async function measure(
  layout: Layout,
  rows: number,
  manifest: Manifest,
  session: SparkSession,
  proxy: Awaited<ReturnType<typeof startCountingProxy>>,
) {
  const table = new Table({
    head: ['question', 'reader', 'MB read', 'requests', 'rows decoded'],
    style: { head: [], border: [], compact: true },
  })
  for (const { what, table: name, where, select } of questions(rows)) {
    const found = manifest.tables.find((each) => each.name === name)
    const files = (found?.files ?? []).map((file) => `s3a://lake/${file.key}`)
    const answers = new Set<string>()
    for (const reader of READERS) {
      proxy.take()
      const { answer, decoded } = await session.ask<Scan>('scan', { files, where, select, ...reader })
      const { requests, bytes } = proxy.take()
      answers.add(answer.join())
      table.push([
        reader === READERS[0] ? what : '',
        reader.name,
        megabytes(bytes),
        requests,
        decoded.toLocaleString('en'),
      ])
    }
    if (answers.size !== 1) throw new Error(`${what}: the readers answer differently: ${[...answers].join(' | ')}`)
  }
  const tables = manifest.tables.filter(({ rows }) => rows > 0)
  const groups = tables.flatMap((each) => each.files).reduce((sum, file) => sum + file.row_groups, 0)
  console.log(
    `\nRow groups of ${layout.name}: ${megabytes(manifest.totals.bytes)} MB, ${manifest.totals.files} files, ${groups} row groups`,
  )
  console.log(table.toString())
}

export async function run(values: OptionValues<typeof OPTIONS>): Promise<void> {
  const rows = Number(values.rows)
  const spark = await sparkEnvironment()
  if ('missing' in spark) throw new Error(spark.missing)
  const dir = await mkdtemp(path.join(os.tmpdir(), 'rocketgames-pruning-'))
  const settings = ['fsync=off', 'shared_buffers=512MB', 'max_wal_size=4GB', 'autovacuum=off']
  const cluster = await startEmbeddedPostgres({ dir, database: 'bench', settings })
  const { stop, ...s3 } = await startLocalS3(dir)
  const proxy = await startCountingProxy(s3.endpoint)
  const { accessKeyId, secretAccessKey } = s3
  const credentials = { accessKeyId, secretAccessKey }
  const client = new S3Client({ endpoint: s3.endpoint, region: 'us-east-1', forcePathStyle: true, credentials })
  let session: SparkSession | undefined
  try {
    await migrate({ url: cluster.url })
    await seedYears(cluster.url, rows, values.fillfactor)
    const address = { endpoint: proxy.endpoint, region: 'us-east-1', credentials }
    session = await SparkSession.start(spark, path.join(import.meta.dirname, 'pruning/scan.py'), address)
    console.log(
      `${rows.toLocaleString('en')} players, library entries and audit events each, in the order in which they were written; a tenth`,
    )
    console.log('of players and library entries changed since')
    for (const layout of LAYOUTS.slice(0, Number(values.layouts))) {
      const argument = { ...s3, databaseUrl: cluster.url, bucket: 'lake', settings: layout.settings }
      await promisify(execFile)(process.execPath, [RUNNER, JSON.stringify(argument)])
      await measure(layout, rows, await newestManifest(client), session, proxy)
    }
  } finally {
    await session?.stop()
    await proxy.close()
    client.destroy()
    await stop()
    await cluster.stop()
    await rm(dir, { recursive: true, force: true })
  }
}
