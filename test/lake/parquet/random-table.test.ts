import { mkdtemp, rm, writeFile as writeToDisk } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PAGE_ROWS } from '../../../src/lake/parquet/column.ts'
import { CopyFrameScanner } from '../../../src/lake/parquet/frame-scanner.ts'
import { checkTail, verifyFile } from '../../../src/lake/parquet/read.ts'
import { type Batch, CopyScanner } from '../../../src/lake/parquet/scanner.ts'
import { ParquetWriter } from '../../../src/lake/parquet/writer.ts'
import { counted } from '../../support/counts.ts'
import { HEADER, int32, TRAILER, tuple } from './copy-bytes.ts'
import { asyncBuffer, PSEUDONYM_KEY } from './parquet-file.ts'
import { RANDOM_COLUMNS, type Random, random, randomColumn, type Spread, type Value } from './random-table.ts'
import { readWithDuckDb, readWithHyparquet } from './readers.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'random-table-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

type Feed = (rows: readonly Buffer[], onBatch: (batch: Batch) => void, next: Random) => number

/** Cut anywhere, as a stream gives it. */
const inChunks: Feed = (rows, onBatch, next) => {
  const bytes = Buffer.concat([HEADER, ...rows, TRAILER])
  const scanner = new CopyScanner(RANDOM_COLUMNS.length, onBatch)
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + next(next(4) === 0 ? 50 : 300_000)
    // Chunks may be reused by whoever reads: what is kept of them must be a copy.
    const chunk = Buffer.from(bytes.subarray(at, end))
    scanner.push(chunk)
    chunk.fill(0xee)
    at = end
  }
  return scanner.end()
}

const frame = (type: string, body: Buffer) => Buffer.concat([Buffer.from(type), int32(body.length + 4), body])

/** As raw messages through one reused buffer, with notices between the rows. */
const inFrames: Feed = (rows, onBatch, next) => {
  const [first, ...rest] = [...rows, TRAILER]
  const messages = [
    frame('H', Buffer.from([1, 0, 0])),
    frame('d', Buffer.concat([HEADER, first as Buffer])),
    ...rest.flatMap((row) => {
      const data = frame('d', row)
      return next(50) === 0 ? [frame('N', Buffer.from('SWARNING\0Mnotice\0\0')), data] : [data]
    }),
    frame('c', Buffer.alloc(0)),
    frame('C', Buffer.from(`COPY ${rows.length}\0`)),
    frame('Z', Buffer.from('T')),
  ]
  const bytes = Buffer.concat(messages)
  const scanner = new CopyFrameScanner(RANDOM_COLUMNS.length, onBatch)
  const buffer = Buffer.allocUnsafeSlow(1 << 20)
  const view = new DataView(buffer.buffer)
  let kept = 0
  for (let at = 0; at < bytes.length; ) {
    const step = 1 + next(next(4) === 0 ? 50 : 300_000)
    const filled = kept + bytes.copy(buffer, kept, at, Math.min(at + step, bytes.length))
    at += step
    const used = scanner.scan(buffer, view, 0, filled)
    buffer.copyWithin(0, used, filled)
    kept = filled - used
    buffer.fill(0xee, kept)
  }
  expect(scanner).toMatchObject({ ready: true, serverRows: rows.length })
  return scanner.rows
}

interface Shape {
  readonly rows: number
  readonly seed: number
  readonly spreads: readonly Spread[]
  readonly rowGroupRows: number
  readonly rowGroupBytes: number
  readonly codec: 'zstd' | 'snappy' | 'gzip'
  readonly dictionary: boolean
  readonly feed: Feed
  /** The sink takes nothing now and then: pages of several row groups wait, and their memory is used again only afterwards. */
  readonly slow: boolean
}

async function written(shape: Shape, columns: readonly (readonly Value[])[], next: Random) {
  const parts: Uint8Array[] = []
  const { rows: count, rowGroupRows, rowGroupBytes, codec, dictionary, feed, slow } = shape
  const writer = new ParquetWriter({
    table: 'random',
    columns: RANDOM_COLUMNS,
    key: [],
    codec,
    dictionary,
    rowGroupRows: count > 100 ? Math.max(rowGroupRows, 40) : rowGroupRows,
    rowGroupBytes,
    pseudonymKey: PSEUDONYM_KEY,
    metadata: {},
    createdBy: 'rocketgames-accounts version 0.0.0 (build test)',
    sink: {
      write: (bytes) => void parts.push(Buffer.from(bytes)),
      get busy() {
        return slow && next(8) === 0
      },
      drained: async () => undefined,
    },
  })
  const rows = Array.from({ length: count }, (_, r) => tuple(columns.map((values) => (values[r] as Value).field)))
  expect(feed(rows, (batch) => writer.append(batch), next)).toBe(count)
  const facts = await writer.close()
  return { bytes: Buffer.concat(parts), facts }
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  rows: fc.oneof(
    { weight: 8, arbitrary: fc.nat(40) },
    { weight: 8, arbitrary: fc.nat(1500) },
    { weight: 8, arbitrary: fc.integer({ min: 1020, max: 6000 }) },
    // Several pages by their rows.
    { weight: counted(0, 1), arbitrary: fc.integer({ min: PAGE_ROWS - 10, max: 2 * PAGE_ROWS + 10 }) },
  ),
  seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  spreads: fc.array(
    fc.record({ nulls: fc.constantFrom(0, 0, 1, 8, 15, 16), distinct: fc.constantFrom(0, 1, 2, 3, 200, 4096) }),
    { minLength: RANDOM_COLUMNS.length, maxLength: RANDOM_COLUMNS.length },
  ),
  rowGroupRows: fc.constantFrom(1, 7, 1000, 1024, 2500, 20_000, 262_144),
  rowGroupBytes: fc.constantFrom(1, 1 << 20, 64 << 20),
  codec: fc.constantFrom('zstd', 'snappy', 'gzip'),
  dictionary: fc.boolean(),
  feed: fc.constantFrom(inChunks, inFrames),
  slow: fc.boolean(),
})

describe('a random table', () => {
  it(
    'is read back equal by two readers, with true counts, sums and bounds, however it arrives and is cut',
    async () => {
      let file = 0
      await fc.assert(
        fc.asyncProperty(shapes, async (shape) => {
          const next = random(shape.seed)
          const columns = RANDOM_COLUMNS.map((each, i) =>
            randomColumn(each, shape.rows, shape.spreads[i] as Spread, next),
          )
          const { bytes, facts } = await written(shape, columns, next)
          const expected = Array.from({ length: shape.rows }, (_, r) => columns.map((values) => values[r]?.canonical))
          expect(checkTail(facts.tail, bytes.length, RANDOM_COLUMNS).rows).toBe(shape.rows)
          const path = join(folder, `${++file}.parquet`)
          await writeToDisk(path, bytes)
          // Compared as plain texts: a difference of thousands of rows has no readable diff.
          const same = (found: unknown[][]) => JSON.stringify(found) === JSON.stringify(expected)
          expect(same(await readWithDuckDb(path, RANDOM_COLUMNS)), 'DuckDB reads the same').toBe(true)
          if (shape.codec !== 'snappy')
            expect(same(await readWithHyparquet(bytes, RANDOM_COLUMNS)), 'hyparquet reads the same').toBe(true)
          await rm(path)
          const again = await verifyFile(asyncBuffer(bytes), RANDOM_COLUMNS)
          expect(again.problems).toEqual([])
          for (const [i, { name, stats }] of RANDOM_COLUMNS.entries()) {
            const { nulls, sum, min, max } = facts.columns[name] as {
              nulls: number
              sum: string
              min?: string
              max?: string
            }
            expect(again.columns[name]).toEqual({ nulls, sum })
            const present = (columns[i] as Value[]).flatMap(({ canonical }) => canonical ?? [])
            expect(nulls).toBe(shape.rows - present.length)
            if (stats && ['id', 't', 'v', 'e', 'j'].includes(name)) {
              const sorted = [...new Set(present)].map((value) => Buffer.from(value)).sort(Buffer.compare)
              // A bound of more than 256 bytes is left out, and the file's with it.
              const isBounded = present.length > 0 && present.every((value) => Buffer.byteLength(value) <= 256)
              if (isBounded || min !== undefined) expect([min, max]).toEqual([String(sorted[0]), String(sorted.at(-1))])
            } else if (stats && ['s', 'i', 'l', 'n18'].includes(name) && present.length > 0) {
              const sorted = present.map(BigInt).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
              expect([min, max]).toEqual([String(sorted[0]), String(sorted.at(-1))])
            }
          }
        }),
        { numRuns: counted(10, 400) },
      )
    },
    counted(60_000, 1_200_000),
  )
})
