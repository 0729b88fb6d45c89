import path from 'node:path'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { contracts } from '../../../src/lake/contract.ts'
import { MANIFESTS_PREFIX } from '../../../src/lake/object-keys.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { counted } from '../../support/counts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { sparkEnvironment } from '../../support/python.ts'
import { SparkSession } from '../../support/spark.ts'
import { EdgeFiles, postgresRows, VARIANTS, type Variant } from '../parquet/edge-files.ts'
import { EDGE_COLUMNS } from '../parquet/edge-table.ts'
import { type Canonical, digests, type PyArrowAnswer } from '../parquet/readers.ts'
import { seedAccounts } from '../snapshot/seed.ts'
import { contents, newPlace, openLake, TEST_SETTINGS } from '../snapshot/test-lake.ts'

const spark = await sparkEnvironment()
const skipped = 'missing' in spark ? ` (skipped: ${spark.missing})` : ''
const PLAYERS = 1_500
const CURATED_ROWS = counted(40_000, 2_000_000)

/** One Spark for all of this file: starting it costs more than all that is asked of it. */
describe.skipIf('missing' in spark)(`Spark 3.5 with S3A${skipped}`, { timeout: 180_000 }, () => {
  let database: TestDatabase
  let aws: TestAws
  let session: SparkSession
  let place: Awaited<ReturnType<typeof newPlace>>

  beforeAll(async () => {
    if ('missing' in spark) return
    ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
    const program = path.join(import.meta.dirname, 'session.py')
    ;[session] = await Promise.all([SparkSession.start(spark, program, aws), seedAccounts(database.url, PLAYERS)])
    place = await newPlace(aws, database.url)
  })

  afterAll(async () => {
    await session?.stop()
    await place?.remove()
    await Promise.all([database?.drop(), aws?.stop()])
  })

  test('lake 28: every file read by Spark 3.5 → all values equal to Postgres', async () => {
    const files = await EdgeFiles.open()
    try {
      const made: { readonly variant: Variant; readonly file: string }[] = []
      for (const variant of VARIANTS) made.push({ variant, file: (await files.make(variant)).file })
      const answers = await session.ask<Record<string, PyArrowAnswer>>('read_files', {
        files: made.map(({ file }) => file),
      })
      for (const { file, variant } of made) {
        expect(answers[file]?.columns, file).toEqual(digests(await files.expected(variant), EDGE_COLUMNS))
        expect(answers[file]?.types).toMatchObject({
          ...{ ts: 'timestamp', d: 'date', n2: 'decimal(12,2)', n38: 'decimal(38,10)', w38: 'decimal(38,0)' },
          ...{ i2: 'int', i8: 'bigint', b: 'boolean', id: 'string', e: 'string', j: 'string' },
        })
      }
    } finally {
      await files.close()
    }
  })

  test('lake 28: every table of a snapshot read by its manifest over S3A → all rows equal to Postgres, joins by person included', async () => {
    const open = openLake(place)
    const client = new pg.Client({ connectionString: database.url, options: '-c timezone=UTC' })
    await client.connect()
    try {
      const snapshot = await runSnapshot(open.lake)
      const manifest = `s3a://${place.bucket}/${MANIFESTS_PREFIX}${snapshot.id}.json`
      const names = contracts.map((contract) => contract.name)
      const tables = await session.ask<Record<string, { expected: number; rows: Canonical }>>('read_manifest', {
        manifest,
        tables: names,
      })
      let rows = 0
      for (const { columns, name, table } of contracts) {
        const wanted = await postgresRows(client, columns, table, TEST_SETTINGS.pseudonymKey)
        expect(tables[name]?.expected, name).toBe(wanted.length)
        expect(ordered(tables[name]?.rows ?? []), name).toEqual(ordered(wanted))
        rows += wanted.length
      }
      expect(rows).toBe(snapshot.totalRows)
      const owned = await session.ask<Canonical>('query', {
        manifest,
        tables: ['players', 'player_games', 'audit_events'],
        sql: `SELECT count(*), count(DISTINCT p.player_ref) FROM players p JOIN player_games g USING (player_ref, snapshot_id)
              UNION ALL SELECT count(*), count(DISTINCT p.player_ref) FROM players p JOIN audit_events a ON a.entity_ref = p.player_ref`,
      })
      expect(owned).toEqual([
        [String(PLAYERS), String(PLAYERS)],
        ['500', '500'],
      ])
    } finally {
      await client.end()
      await open.close()
    }
  })

  test('lake 30: Spark writes the curated zone with the magic committer while a snapshot is uploading → the snapshot completes', async () => {
    const uploading = gate()
    const written = gate()
    const open = openLake(
      place,
      {},
      {
        before: async (name) => {
          if (name !== 'control-prepared') return
          uploading.open()
          await written.opened
        },
        during: () => undefined,
        after: () => undefined,
      },
    )
    const { bucket } = open.lake
    try {
      // Left by a job that died: proof that the committer looks for uploads below its destination, and ends them.
      const stray = 'curated/v1/play_time/run_id=0002/stray.parquet'
      await bucket.multipart.create(stray, 'a job')
      const snapshot = runSnapshot(open.lake)
      // Awaited below; should it fail before, that is told there.
      snapshot.catch(() => undefined)
      await Promise.race([uploading.opened, snapshot])
      const pending = (await contents(open.lake)).uploads.filter((key) => key.startsWith('lake/'))
      expect(pending).toHaveLength(contracts.length)

      const done = await session.ask<Record<string, unknown>>('write_curated', {
        path: `s3a://${place.bucket}/curated/v1/play_time/run_id=0002`,
        rows: CURATED_ROWS,
      })
      expect(done).toEqual({
        committer: 'magic',
        files: 6,
        rows: CURATED_ROWS,
        sum: (CURATED_ROWS * (CURATED_ROWS - 1)) / 2,
        partitions: [0, 1, 2],
      })
      expect((await contents(open.lake)).uploads).toEqual(pending)

      written.open()
      const { id, state, totalRows } = await snapshot
      expect(state).toBe('published')
      const { files, uploads } = await contents(open.lake)
      expect(uploads).toEqual([])
      expect(files.filter((key) => key.includes(id))).toHaveLength(contracts.length)
      const tables = await session.ask<Record<string, { expected: number; rows: Canonical }>>('read_manifest', {
        manifest: `s3a://${place.bucket}/${MANIFESTS_PREFIX}${id}.json`,
        tables: contracts.map((contract) => contract.name),
      })
      expect(Object.values(tables).reduce((sum, each) => sum + each.rows.length, 0)).toBe(totalRows)
    } finally {
      written.open()
      await open.close()
    }
  })

  test('an object that is replaced under an open stream fails it, and is never mixed with the new one', async () => {
    const Key = 'curated/v1/changed.bin'
    const put = (byte: number) =>
      aws.s3.send(new PutObjectCommand({ Bucket: place.bucket, Key, Body: Buffer.alloc(3 << 20, byte) }))
    const object = `s3a://${place.bucket}/${Key}`
    await put(1)
    expect(await session.ask<number>('open_object', { path: object })).toBe(1)
    expect(await session.ask<number>('read_on', { path: object, offset: 2 << 20 })).toBe(1)
    await put(2)
    await expect(session.ask('read_on', { path: object, offset: 1 })).rejects.toThrow('RemoteFileChangedException')
  })
})

const ordered = (rows: Canonical): string[] => rows.map((row) => JSON.stringify(row)).sort()

function gate(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}
