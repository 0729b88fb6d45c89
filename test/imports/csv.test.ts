import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../src/errors.ts'
import { CsvReader } from '../../src/imports/csv.ts'
import type { CellKind } from '../../src/imports/csv-columns.ts'
import type { InputLine } from '../../src/imports/input.ts'

const COLUMNS = new Map<string, CellKind>([
  ['name', 'text'],
  ['studio.slug', 'text'],
  ['minAge', 'json'],
  ['genres', 'json'],
])

function read(input: Buffer | string, chunkBytes = Number.POSITIVE_INFINITY) {
  const bytes = Buffer.from(input)
  const reader = new CsvReader(COLUMNS)
  const lines: InputLine[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes) lines.push(...reader.push(bytes.subarray(at, at + chunkBytes)))
  return [...lines, ...reader.finish()]
}

const codes = (lines: readonly InputLine[]) =>
  lines.map((l) => ('error' in l ? `${l.line}:${l.error.code}` : `${l.line}`))

describe('reading CSV', () => {
  const awkward = [
    '\uFEFFname,studio.slug,minAge,genres\r',
    '"a, ""b""\n\nc",acme,12,"[""rpg""]"\r',
    '',
    'plain,,,',
    '\\N,\\N,\\N,\\N',
    `'=1+1,''quoted,'-1,[]`,
    `O'Neill,-x,0,`,
  ].join('\n')

  it('takes a BOM, mixed line ends, quotes, empty and null cells, JSON cells, and shields of formulas off', () => {
    expect(read(awkward)).toEqual([
      { line: 2, value: { name: 'a, "b"\n\nc', studio: { slug: 'acme' }, minAge: 12, genres: ['rpg'] } },
      { line: 6, value: { name: 'plain' } },
      { line: 7, value: { name: null, studio: { slug: null }, minAge: null, genres: null } },
      { line: 8, value: { name: '=1+1', studio: { slug: "'quoted" }, minAge: -1, genres: [] } },
      { line: 9, value: { name: "O'Neill", studio: { slug: '-x' }, minAge: 0 } },
    ])
  })

  it('gives the same records wherever the chunks are cut', () => {
    const whole = read(awkward)
    for (let chunkBytes = 1; chunkBytes < 40; chunkBytes++) expect(read(awkward, chunkBytes)).toEqual(whole)
  })

  it('names the line of a malformed record and goes on', () => {
    const input = Buffer.concat([
      Buffer.from('name,minAge\n5" disk,1\n"a"b,1\nok,1\na\na,1,2\nbad,{\n'),
      Buffer.from([0xff, 0x2c, 0x31, 0x0a]),
      Buffer.from('ok,2\n'),
    ])
    const expected = [
      '2:malformed-csv',
      '3:malformed-csv',
      '4',
      '5:cell-count',
      '6:cell-count',
      '7:malformed-json',
      '8:invalid-utf8',
      '9',
    ]
    expect(codes(read(input))).toEqual(expected)
  })

  it('loses at most 64 KB to a quote that is never closed', () => {
    const input = `name,minAge\n"open,1\n${'ok,1\n'.repeat(30_000)}`
    for (const chunkBytes of [777, 1_000_000]) {
      const lines = read(input, chunkBytes)
      expect(codes(lines)[0]).toBe('2:line-too-long')
      expect(lines.length).toBeGreaterThan(16_000)
      expect(lines.at(-1)).toEqual({ line: 30_002, value: { name: 'ok', minAge: 1 } })
    }
  })

  it('refuses a header with unknown or repeated names, and does not repeat them', () => {
    try {
      read('name,Zoë,name\n')
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(AppError)
      const { code, errors } = error as AppError
      expect({ code, errors: errors.map((e) => `${e.column} ${e.code}`) }).toEqual({
        code: 'validation',
        errors: ['2 unknown-field', '3 duplicate'],
      })
      expect(JSON.stringify(errors)).not.toContain('Zoë')
    }
  })

  it('checks the end line of an export, wherever the chunks are cut, and refuses records after it', () => {
    const rows = '\uFEFFname,minAge\r\n"a\n""b""",1\r\nc,2\r\n'
    const sha256 = createHash('sha256').update(rows).digest('hex')
    const end = (claim: object) => `"${JSON.stringify({ _end: claim }).replaceAll('"', '""')}",\r\n`
    const whole = `${rows}${end({ rows: 2, sha256 })}`
    for (const input of [whole, whole.trimEnd()]) {
      for (let chunkBytes = 1; chunkBytes < 150; chunkBytes++)
        expect(codes(read(input, chunkBytes))).toEqual(['2', '4'])
    }
    expect(codes(read(`${rows.replace('c,2', 'c,3')}${end({ rows: 2, sha256 })}`))).toEqual([
      '2',
      '4',
      '5:digest-mismatch',
    ])
    expect(codes(read(`${rows}${end({ rows: 1, sha256 })}d,1\n`))).toEqual(['2', '4', '5:incomplete', '6:after-end'])
    expect(codes(read(`${rows}${end({ rows: 2, sha256: 'ab' })}`))).toEqual(['2', '4', '5:format'])
  })
})
