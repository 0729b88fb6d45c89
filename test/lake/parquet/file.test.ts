import { createCipheriv, createDecipheriv, createHash, randomBytes, randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { parquetMetadata, readOffsetIndex } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import { footerTypes } from '../../../src/lake/parquet/footer-check.ts'
import { checkTail, verifyFile } from '../../../src/lake/parquet/read.ts'
import { CopyScanner } from '../../../src/lake/parquet/scanner.ts'
import { ColumnSum } from '../../../src/lake/parquet/sums.ts'
import { ParquetWriter } from '../../../src/lake/parquet/writer.ts'
import { bool, column, copyBytes, type Field, int16, int32, int64, text, uuid } from './copy-bytes.ts'
import { asyncBuffer, PSEUDONYM_KEY, writeFile } from './parquet-file.ts'
import { readWithHyparquet, readWithParquetjs } from './readers.ts'

const ALL = [
  column('u', 'uuid'),
  column('t', 'text'),
  column('j', 'jsonb'),
  column('b', 'boolean'),
  column('s', 'smallint'),
  column('i', 'integer'),
  column('l', 'bigint'),
  column('d', 'date'),
  column('z', 'timestamptz(3)'),
  column('n', 'numeric(12,2)'),
  column('w', 'numeric(38,0)'),
]
const fortyTwo = Buffer.concat([int16(1), int16(0), int16(0), int16(0), int16(42)])
const ROW: Field[] = [
  uuid('0193a5b2-0000-7000-8000-000000000001'),
  text('text'),
  text('\u0001{"a":1}'),
  bool(true),
  int16(-2),
  int32(3),
  int64(-4n),
  int32(5),
  int64(6n),
  fortyTwo,
  fortyTwo,
]

describe('a file', () => {
  it.each([
    ['no row', []],
    ['one row', [ROW]],
    ['one row of NULLs', [ROW.map(() => null)]],
    ['NULLs in every column of many rows', Array.from({ length: 3000 }, () => ROW.map(() => null))],
  ] as [string, Field[][]][])('is valid with %s', async (_, rows) => {
    const { bytes, facts } = await writeFile(copyBytes(rows), ALL)
    expect(facts.rows).toBe(rows.length)
    expect(facts.rowGroups).toBe(rows.length === 0 ? 0 : 1)
    const found = await readWithHyparquet(bytes, ALL)
    expect(found.length).toBe(rows.length)
    expect(await readWithParquetjs(bytes, ALL)).toEqual(found)
    expect((await verifyFile(asyncBuffer(bytes), ALL)).columns).toMatchObject(
      Object.fromEntries(Object.entries(facts.columns).map(([n, { nulls, sum }]) => [n, { nulls, sum }])),
    )
  })

  it('is described by its facts: size, checksums, tail, metadata', async () => {
    const { bytes, facts } = await writeFile(copyBytes([ROW]), ALL)
    expect(facts.bytes).toBe(bytes.length)
    expect(facts.crc32).toBe(crc32(bytes).toString(16).padStart(8, '0'))
    expect(facts.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect(bytes.subarray(-facts.tail.length)).toEqual(facts.tail)
    expect(facts.tail.readUInt32LE(facts.tail.length - 8)).toBe(facts.tail.length - 8)
    expect(facts.tailSha256).toBe(createHash('sha256').update(facts.tail).digest('hex'))
    const footer = parquetMetadata(bytes)
    expect(footer.created_by).toBe('rocketgames-accounts version 0.0.0 (build test)')
    expect(footer.key_value_metadata).toEqual([{ key: 'rocketgames.table', value: 'edge' }])
    expect(Object.fromEntries(footerTypes(footer))).toEqual(Object.fromEntries(ALL.map((c) => [c.name, c.athenaType])))
  })

  it('holds a batch of huge values in pages of one value each, and small ones after them', async () => {
    const huge = 'h'.repeat(3 << 20)
    const rows = Array.from({ length: 12 }, (_, i): Field[] => [i % 2 === 0 ? text(huge + i) : text(String(i))])
    const columns = [column('t', 'text')]
    const { bytes } = await writeFile(copyBytes(rows), columns, {}, 64 << 20)
    expect((await readWithHyparquet(bytes, columns)).map(([v]) => v?.length)).toEqual(
      rows.map(([f]) => (f as Buffer).length),
    )
    expect(largestPage(bytes)).toBeLessThan(4 << 20)
  })

  it('turns an overflowing dictionary into pages of the usual size, with its NULLs in place', async () => {
    const wide = (i: number) => `${i}-${'w'.repeat(400)}`
    const rows = Array.from({ length: 30_000 }, (_, i): Field[] => [
      i % 5 === 0 ? null : text(wide(i < 25_000 ? i % 4000 : i)),
    ])
    const columns = [column('t', 'text')]
    const { bytes, facts } = await writeFile(copyBytes(rows), columns)
    const found = await readWithHyparquet(bytes, columns)
    expect(found).toEqual(rows.map(([f]) => [f?.toString() ?? null]))
    expect(parquetMetadata(bytes).row_groups[0]?.columns[0]?.meta_data?.encodings).not.toContain('PLAIN_DICTIONARY')
    expect(largestPage(bytes)).toBeLessThan(2 << 20)
    expect((await verifyFile(asyncBuffer(bytes), columns)).columns.t).toMatchObject({
      nulls: facts.columns.t?.nulls,
      sum: facts.columns.t?.sum,
    })
  })

  it('closes a row group at its limits of rows or bytes', async () => {
    const rows = Array.from({ length: 40_000 }, (_, i): Field[] => [text(`${i}${'y'.repeat(100)}`)])
    const groups = async (options: object) =>
      parquetMetadata((await writeFile(copyBytes(rows), [column('t', 'text')], options)).bytes).row_groups.map((g) =>
        Number(g.num_rows),
      )
    expect(await groups({ rowGroupRows: 15_000 })).toEqual([15_000, 15_000, 10_000])
    const aligned = await groups({ rowGroupRows: 20_000 })
    for (const count of aligned.slice(0, -1)) {
      expect(count).toBeGreaterThan(20_000 - 1024)
      expect(count).toBeLessThanOrEqual(20_000)
    }
    const byBytes = await groups({ rowGroupBytes: 1 << 20 })
    expect(byBytes.length).toBeGreaterThan(2)
    expect(byBytes.reduce((a, b) => a + b, 0)).toBe(40_000)
  })
})

/** Mean size of the pages of the first column before compression, in the row group where it is largest. */
function largestPage(bytes: Buffer): number {
  const sizes = parquetMetadata(bytes).row_groups.map((group) => {
    const chunk = group.columns[0]
    const at = bytes.byteOffset + Number(chunk?.offset_index_offset)
    const view = new DataView(bytes.buffer, at, chunk?.offset_index_length ?? 0)
    const pages = readOffsetIndex({ view, offset: 0 }).page_locations.length
    return Number(chunk?.meta_data?.total_uncompressed_size) / pages
  })
  return Math.max(...sizes)
}

describe('back-pressure', () => {
  it('gives a busy sink nothing, is busy itself when much waits, and ends only when all is given', async () => {
    const columns = [column('t', 'text')]
    let isBusy = true
    let written = 0
    let release: (() => void) | undefined
    const sink = {
      write: (bytes: Uint8Array) => {
        expect(isBusy).toBe(false)
        written += bytes.length
      },
      get busy() {
        return isBusy
      },
      drained: () =>
        new Promise<void>((resolve) => {
          release = resolve
        }),
    }
    const writer = new ParquetWriter({
      table: 't',
      columns,
      key: [],
      codec: 'zstd',
      rowGroupRows: 262_144,
      rowGroupBytes: 16 << 20,
      pseudonymKey: PSEUDONYM_KEY,
      metadata: {},
      createdBy: 'x',
      sink,
    })
    const scanner = new CopyScanner(1, (batch) => writer.append(batch))
    // Random bytes do not compress, so three row groups of 16 MiB are more than may wait.
    for (let i = 0; i < 48; i++)
      scanner.push(
        i === 0
          ? copyBytes([[randomBytes(1 << 20)]]).subarray(0, -2)
          : copyBytes([[randomBytes(1 << 20)]]).subarray(19, -2),
      )
    expect(written).toBe(0)
    expect(writer.busy).toBe(true)
    const drained = writer.drained()
    isBusy = false
    release?.()
    await drained
    expect(writer.busy).toBe(false)
    const facts = await writer.close()
    expect(written).toBe(facts.bytes)
    expect(facts.rows).toBe(48)
  })

  it('passes on what the sink throws', async () => {
    const sink = { write: () => undefined, busy: true, drained: () => Promise.reject(new Error('the upload failed')) }
    await expect(writeFile(copyBytes([ROW]), ALL, { sink })).rejects.toThrow('the upload failed')
  })
})

describe('the check of a footer', () => {
  it('names what differs from the contract', async () => {
    const { bytes, facts } = await writeFile(copyBytes([ROW]), ALL)
    const check = (columns = ALL, size = bytes.length) => checkTail(facts.tail, size, columns)
    expect(check()).toEqual({ rows: 1, rowGroups: 1 })
    expect(() => check(ALL.slice(1))).toThrow(/its columns are u, t/)
    expect(() => check(ALL.map((c) => (c.name === 'i' ? column('i', 'bigint') : c)))).toThrow(/i is OPTIONAL INT32/)
    expect(() => check(ALL.map((c) => (c.name === 'n' ? column('n', 'numeric(12,3)') : c)))).toThrow(/n is .*12,2/)
    expect(() => check(ALL.map((c) => (c.name === 'd' ? column('d', 'integer') : c)))).toThrow(/d is .*DATE/)
    expect(() => check(ALL, bytes.length - 100)).toThrow(/outside the file|behind the data/)
    expect(() => checkTail(facts.tail.subarray(0, -1), bytes.length, ALL)).toThrow(/footer cannot be read/)
    expect(() => checkTail(Buffer.alloc(3), bytes.length, ALL)).toThrow(/footer cannot be read/)
  })
})

describe('column sums', () => {
  const words = (...values: number[]) => {
    let a = 0
    let b = 0
    for (const w of values) {
      a = (a + w) >>> 0
      b = (b + a) >>> 0
    }
    return [a, b].map((x) => x.toString(16).padStart(8, '0')).join('')
  }

  it('are those of the definition', async () => {
    const { facts } = await writeFile(copyBytes([ROW, ROW.map(() => null)]), ALL)
    const sum = (name: string) => facts.columns[name]?.sum
    expect(sum('b')).toBe(words(1, 0xffffffff))
    expect(sum('s')).toBe(words(0xfffffffe, 0xffffffff))
    expect(sum('i')).toBe(words(3, 0xffffffff))
    expect(sum('l')).toBe(words(0xfffffffc, 0xffffffff, 0xffffffff))
    expect(sum('d')).toBe(words(10_962, 0xffffffff))
    expect(sum('n')).toBe(words(4200, 0, 0xffffffff))
    expect(sum('t')).toBe(words(4, 0x74786574, 0xffffffff))
    // 16 bytes, big-endian, read as little-endian words.
    expect(sum('w')).toBe(words(16, 0, 0, 0, 42 << 24, 0xffffffff))
    expect(sum('j')).toBe(words(7, 0x2261227b, 0x007d313a, 0xffffffff))
  })

  it('differ after one changed bit and after two exchanged rows', async () => {
    const rows = Array.from({ length: 100 }, (_, i): Field[] => [text(`row ${i}`), int64(BigInt(i) << 30n)])
    const columns = [column('t', 'text'), column('l', 'bigint')]
    const sums = async (changed: Field[][]) =>
      Object.values((await writeFile(copyBytes(changed), columns)).facts.columns).map((c) => c.sum)
    const original = await sums(rows)
    const flipped = rows.map((row, i) => (i === 50 ? row.map((f) => flip(f as Buffer)) : row))
    const exchanged = rows.with(10, rows[90] as Field[]).with(90, rows[10] as Field[])
    for (const changed of [flipped, exchanged]) {
      const found = await sums(changed)
      for (const [i, sum] of found.entries()) expect(sum).not.toBe(original[i])
    }
  })

  it('of a long text are those of its words, whichever way it was copied', async () => {
    for (const length of [0, 1, 2, 3, 4, 5, 63, 64, 65, 66, 67, 1000]) {
      const value = randomBytes(length).map((b) => b & 127)
      const sum = new ColumnSum()
      sum.addBytes(value)
      for (const dictionary of [true, false]) {
        const { facts } = await writeFile(copyBytes([[Buffer.from(value)]]), [column('t', 'text')], { dictionary })
        expect(facts.columns.t?.sum, `${length} bytes`).toBe(sum.toString())
      }
    }
  })
})

function flip(field: Buffer): Buffer {
  const changed = Buffer.from(field)
  changed[changed.length - 1] = (changed.at(-1) as number) ^ 1
  return changed
}

describe('pseudonyms', () => {
  const columns = [column('player_ref', 'uuid', { action: 'pseudonymise', stats: false })]
  const write = async (ids: (string | null)[], pseudonymKey: Buffer) => {
    const { bytes } = await writeFile(copyBytes(ids.map((id) => [id === null ? null : uuid(id)])), columns, {
      pseudonymKey,
    })
    return (await readWithHyparquet(bytes, columns)).map(([v]) => v ?? null)
  }

  it('of a batch equal single calls, can be turned back with the key, and differ with another', async () => {
    const key = randomBytes(32)
    const ids = Array.from({ length: 3000 }, (_, i) => (i % 7 === 0 ? null : randomUUID()))
    const found = await write(ids, key)
    for (const [i, id] of ids.entries()) {
      if (id === null) {
        expect(found[i]).toBeNull()
        continue
      }
      const block = uuid(id)
      const single = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
      expect(found[i]).toBe(single.update(block).toString('hex'))
      const back = createDecipheriv('aes-256-ecb', key, null).setAutoPadding(false)
      expect(back.update(Buffer.from(found[i] as string, 'hex'))).toEqual(block)
    }
    const other = await write(ids, randomBytes(32))
    expect(other.filter((value, i) => value !== null && value === found[i])).toEqual([])
  })
})
