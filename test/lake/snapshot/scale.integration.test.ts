import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { discardingS3, type Round } from '../../../bench/snapshot/contestants.ts'
import { seedPlayers } from '../../../bench/snapshot/seed.ts'
import { openDatabase } from '../../../src/database/database.ts'
import { parseManifest } from '../../../src/lake/manifest.ts'
import { parsePartKey } from '../../../src/lake/object-keys.ts'
import { BATCH_ROWS } from '../../../src/lake/parquet/scanner.ts'
import type { SnapshotSettings } from '../../../src/lake/snapshot/lake.ts'
import { counted } from '../../support/counts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'

const RUNNER = path.resolve(import.meta.dirname, '../../../bench/snapshot/runner.ts')
const ROWS = counted(150_000, 2_000_000)
/** Row groups of whole batches, the smallest there are. */
const GROUP_ROWS = 16_384
const FILE_BYTES = ROWS * 8
const PEAK_MIB = 350

let database: TestDatabase
let s3: Awaited<ReturnType<typeof discardingS3>>

beforeAll(async () => {
  ;[database, s3] = await Promise.all([createTestDatabase(), discardingS3()])
  await seedPlayers(database.url, ROWS)
}, 600_000)

afterAll(async () => {
  await s3?.stop()
  await database?.drop()
})

/** A snapshot in a process of its own. */
async function snapshot(settings: Partial<SnapshotSettings>): Promise<Round> {
  const { accessKeyId, endpoint, secretAccessKey } = s3
  const place = { endpoint, accessKeyId, secretAccessKey, databaseUrl: database.url, bucket: 'lake', settings }
  const { stdout } = await promisify(execFile)(process.execPath, [RUNNER, JSON.stringify(place)])
  return JSON.parse(stdout) as Round
}

/** The files of the players in the newest snapshot, by reader and in order. */
async function playerFiles() {
  const control = openDatabase({ url: database.url, poolSize: 1 })
  const row = await control.prisma.lakeSnapshot.findFirstOrThrow({ orderBy: { sequence: 'desc' } })
  await control.close()
  const files = parseManifest(row.manifest ?? '').tables.find((table) => table.name === 'players')?.files ?? []
  return Map.groupBy(files, (file) => parsePartKey(file.key)?.reader)
}

describe(`lake 20: ${ROWS} players`, () => {
  test.each([1, 2])(
    'lake 20: read by %i at once: memory within its bound, files of the target size, a small one per reader',
    async (readers) => {
      const settings = { fileTargetBytes: FILE_BYTES, rowGroupRows: GROUP_ROWS }
      const round = await snapshot(readers === 1 ? settings : { ...settings, readers, parallelTableBytes: 1 })
      expect(round.peakRssMiB).toBeLessThanOrEqual(PEAK_MIB)
      const byReader = await playerFiles()
      expect(byReader.size).toBe(readers)
      let rows = 0
      for (const files of byReader.values()) {
        expect(files.length).toBeGreaterThan(1)
        for (const file of files) rows += file.rows
        for (const file of files.slice(0, -1)) {
          const groupBytes = file.bytes / file.row_groups
          expect(file.rows).toBeGreaterThan((GROUP_ROWS - BATCH_ROWS) * file.row_groups)
          expect(file.bytes).toBeGreaterThanOrEqual(FILE_BYTES)
          expect(file.bytes).toBeLessThan(FILE_BYTES + 2 * groupBytes)
        }
      }
      expect(rows).toBe(ROWS)
    },
  )

  test('lake 20: in the default layout one process stays within the same memory', async () => {
    const round = await snapshot({})
    expect(round).toMatchObject({ rows: ROWS })
    expect(round.peakRssMiB).toBeLessThanOrEqual(PEAK_MIB)
  })
})
