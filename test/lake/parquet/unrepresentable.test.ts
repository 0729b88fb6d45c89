import { describe, expect, it } from 'vitest'
import type { PgType } from '../../../src/lake/datasets.ts'
import { NullValueError, UnrepresentableValueError } from '../../../src/lake/parquet/row-problem.ts'
import { column, copyBytes, type Field, int16, int32, int64, text, uuid } from './copy-bytes.ts'
import { writeFile } from './parquet-file.ts'
import { readWithHyparquet } from './readers.ts'

const DAY_US = 86_400_000_000n
const KEY = '0193a5b2-0000-7000-8000-00000000002a'

const numeric = (sign: number, ...digits: number[]) =>
  Buffer.concat([
    int16(digits.length),
    int16(digits.length - 1),
    Buffer.from([sign >> 8, sign & 255]),
    int16(0),
    ...digits.map(int16),
  ])

/** As the wire has them: days and microseconds since 2000-01-01. */
const REJECTED: [string, PgType, Buffer, string][] = [
  ['timestamptz infinity', 'timestamptz(3)', int64(2n ** 63n - 1n), 'infinity'],
  ['timestamptz -infinity', 'timestamptz(3)', int64(-(2n ** 63n)), 'infinity'],
  ['the first instant before 1900', 'timestamptz(3)', int64(-3_155_673_600_000_001n), 'out_of_range'],
  [
    'the first instant that rounds to the year 10000',
    'timestamptz(3)',
    int64(252_455_615_999_999_001n),
    'out_of_range',
  ],
  ['the year 294276', 'timestamptz(3)', int64(9_223_371_331_199_999_999n), 'out_of_range'],
  ['the last instant BC', 'timestamptz(3)', int64(-730_119n * DAY_US - 1n), 'bc'],
  ['the first instant AD', 'timestamptz(3)', int64(-730_119n * DAY_US), 'out_of_range'],
  ['4713 BC', 'timestamptz(3)', int64(-211_813_488_000_000_000n), 'bc'],
  ['date infinity', 'date', int32(2_147_483_647), 'infinity'],
  ['date -infinity', 'date', int32(-2_147_483_648), 'infinity'],
  ['1582-10-14', 'date', int32(-152_385), 'out_of_range'],
  ['10000-01-01', 'date', int32(2_921_940), 'out_of_range'],
  ['the last day BC', 'date', int32(-730_120), 'bc'],
  ...(['numeric(12,2)', 'numeric(18,4)', 'numeric(38,10)'] as const).flatMap(
    (type): [string, PgType, Buffer, string][] => [
      [`NaN in ${type}`, type, numeric(0xc000), 'nan'],
      [`infinity in ${type}`, type, numeric(0xd000), 'infinity'],
      [`-infinity in ${type}`, type, numeric(0xf000), 'infinity'],
    ],
  ),
]

const good: Readonly<Record<string, Buffer>> = { date: int32(0), 'timestamptz(3)': int64(0n) }
const goodFor = (type: PgType) => good[type] ?? numeric(0, 1)

describe('a value that cannot be held', () => {
  it.each(REJECTED)('fails and names the row: %s', async (_, type, value, reason) => {
    const columns = [column('closed_at', type, { nullable: false })]
    const rows = [
      [goodFor(type), uuid('0193a5b2-0000-7000-8000-000000000001')],
      [value, uuid(KEY)],
    ]
    const key = [{ name: 'id', field: 1 }]
    const failure = await writeFile(copyBytes(rows), columns, { table: 'player', key }).catch((e: unknown) => e)
    expect(failure).toBeInstanceOf(UnrepresentableValueError)
    expect(failure).toMatchObject({ table: 'player', column: 'closed_at', key: `id=${KEY}`, reason })
  })

  it.each(REJECTED)('becomes NULL where the dataset says so, and is counted: %s', async (_, type, value, reason) => {
    const columns = [column('closed_at', type, { nullable: false, onUnrepresentable: 'null' })]
    const rows: Field[][] = [[goodFor(type)], [value], [goodFor(type)], [value]]
    const { bytes, facts } = await writeFile(copyBytes(rows), columns)
    expect(facts.unrepresentable).toEqual({ closed_at: { infinity: 0, bc: 0, out_of_range: 0, nan: 0, [reason]: 2 } })
    expect(facts.columns.closed_at?.nulls).toBe(2)
    const found = await readWithHyparquet(bytes, columns)
    expect(found.map(([v]) => v === null)).toEqual([false, true, false, true])
  })

  const accepted: [string, PgType, Buffer, string][] = [
    ['1900-01-01', 'timestamptz(3)', int64(-3_155_673_600_000_000n), '-2208988800000000'],
    ['9999-12-31 23:59:59.999', 'timestamptz(3)', int64(252_455_615_999_999_000n), '253402300799999000'],
    ['1582-10-15', 'date', int32(-152_384), '-141427'],
    ['9999-12-31', 'date', int32(2_921_939), '2932896'],
  ]
  it.each(accepted)('is held at the end of the accepted range: %s', async (_, type, value, expected) => {
    const columns = [column('c', type)]
    const { bytes } = await writeFile(copyBytes([[value]]), columns)
    expect(await readWithHyparquet(bytes, columns)).toEqual([[expected]])
  })
})

describe('a value that contradicts the contract', () => {
  it('fails for NULL in a column without NULLs, also where other values become NULL', async () => {
    for (const onUnrepresentable of ['fail', 'null'] as const) {
      const columns = [column('closed_at', 'date', { nullable: false, onUnrepresentable })]
      const copy = copyBytes([
        [int32(1), int64(41n), text('pc')],
        [null, int64(42n), text('pc')],
      ])
      const key = [
        { name: 'seq', field: 1 },
        { name: 'platform', field: 2 },
      ]
      const failure = await writeFile(copy, columns, { key }).catch((e: unknown) => e)
      expect(failure).toBeInstanceOf(NullValueError)
      expect(failure).toMatchObject({ column: 'closed_at', key: 'seq=42, platform=pc' })
    }
  })

  const wrong: [string, PgType, Buffer, RegExp][] = [
    ['a bigint for an integer', 'integer', int64(1n), /8 bytes/],
    ['an integer for a smallint', 'smallint', int32(1), /4 bytes/],
    ['an integer for a bigint', 'bigint', int32(1), /4 bytes/],
    ['a time for a date', 'date', int64(1n), /8 bytes/],
    ['text for a uuid', 'uuid', text('not a uuid'), /10 bytes/],
    ['text for a boolean', 'boolean', text('true'), /4 bytes/],
    ['json for jsonb', 'jsonb', text('{}'), /jsonb/],
    ['a digit too many for 12 places', 'numeric(12,2)', numeric(0, 100, 0, 0), /more digits/],
    ['a digit too many for 18 places', 'numeric(18,4)', numeric(0, 10, 0, 0, 0, 0), /more digits/],
    ['a digit too many for 38 places', 'numeric(38,0)', numeric(0, 100, ...Array<number>(9).fill(0)), /more digits/],
    ['far too many digits', 'numeric(12,2)', numeric(0, ...Array<number>(40).fill(9999)), /more digits/],
    ['far too many digits for 38 places', 'numeric(38,0)', numeric(0, ...Array<number>(40).fill(9999)), /more digits/],
    [
      'a place behind the scale',
      'numeric(12,0)',
      Buffer.concat([int16(1), int16(-1), int16(0), int16(4), int16(5)]),
      /more digits/,
    ],
    [
      'a place behind the scale of 38',
      'numeric(38,0)',
      Buffer.concat([int16(1), int16(-1), int16(0), int16(4), int16(5)]),
      /more digits/,
    ],
    [
      'a place far behind the scale',
      'numeric(38,0)',
      Buffer.concat([int16(1), int16(-3), int16(0), int16(12), int16(1)]),
      /more digits/,
    ],
  ]
  it.each(wrong)('fails for %s', async (_, type, value, message) => {
    await expect(writeFile(copyBytes([[value]]), [column('c', type)])).rejects.toThrow(message)
  })

  it('fails for text where a pseudonym needs a uuid', async () => {
    const columns = [column('player_ref', 'uuid', { action: 'pseudonymise', stats: false })]
    await expect(writeFile(copyBytes([[text('4711')]]), columns)).rejects.toThrow(/4 bytes/)
  })
})
