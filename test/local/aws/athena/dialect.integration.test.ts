import { afterAll, describe, expect, it } from 'vitest'
import { AnswersEngine, haveAnswers } from './answers-engine.ts'

/** `SELECT …` and the row, or the error, that a Trino 435 gave for it. */
const RECORDED: readonly (readonly [string, readonly (string | null)[] | string])[] = [
  ["date_diff('day', TIMESTAMP '2024-02-29 23:59:59.999', DATE '2024-02-29')", ['0']],
  [
    "date_diff('millisecond', TIMESTAMP '2024-10-27 02:30:00.5 Europe/Berlin', TIMESTAMP '2024-01-01 00:00:00 -05:30')",
    ['-25902000500'],
  ],
  [
    "date_add('millisecond', -1, TIMESTAMP '2024-10-27 02:30:00.5 Europe/Berlin')",
    ['2024-10-27 02:30:00.5 Europe/Berlin'],
  ],
  ["DATE '2023-01-31' AT TIME ZONE 'Asia/Tokyo'", 'TYPE_MISMATCH'],
  ['from_unixtime(-0.0005)', ['1970-01-01 00:00:00.000 UTC']],
  ["mod(DECIMAL '1.50', 0.7), mod(5, 1.5), mod(12345.6789, 2147483647)", ['0.10', '0.5', '12345.6789']],
  ['mod(1.5, 0)', 'DIVISION_BY_ZERO'],
  ["DECIMAL '99999999999999999999999999999999999999' % 0.05", 'NUMERIC_VALUE_OUT_OF_RANGE'],
  ["REAL '1.1' - 12345.6789, CAST(12345.6789 AS real)", ['-12344.58', '12345.68']],
  ["CAST(' 12 ' AS decimal(5,2))", 'INVALID_CAST_ARGUMENT'],
  ["upper(CAST('ab' AS char(4))), '[' || CAST(CAST('ab' AS char(4)) AS varchar) || ']'", ['AB  ', '[ab  ]']],
  ["length(CAST('ab' AS char(4))), '[' || substr(CAST('ab' AS char(4)), 2) || ']'", ['4', '[b  ]']],
  ["strpos(CAST('ab' AS char(4)), 'b')", 'FUNCTION_NOT_FOUND'],
  ["'a' LIKE '%' ESCAPE ''", 'INVALID_FUNCTION_ARGUMENT'],
  ["json_parse('1.50'), json_extract_scalar('{\"a\":1.50}', '$.a'), json_parse('-0')", ['1.5', '1.50', '0']],
  ['format_number(3.1e0), format_number(1234.5e0), format_number(nan())', ['3', '1.23K', '0']],
  ['filter(ARRAY[1], x -> NULL)', 'FUNCTION_NOT_FOUND'],
  ['ARRAY[] || ARRAY[1]', 'AMBIGUOUS_FUNCTION_CALL'],
  ['1e0 * NULL', 'AMBIGUOUS_FUNCTION_CALL'],
  ['1 * NULL', [null]],
  [
    'approx_percentile(x, 0.5), approx_percentile(x, 0.25), approx_percentile(x, 1) FROM (VALUES 1,2,3,4) t(x)',
    ['3', '2', '4'],
  ],
  ['approx_percentile(x, ARRAY[0.1, 0.9, 0.0]) FROM UNNEST(sequence(1, 10)) t(x)', ['[2, 10, 1]']],
  [
    'max(x), min(x), max_by(i, x), min_by(i, x) FROM (VALUES (1,nan()),(2,1e0),(3,2e0)) t(i,x)',
    ['2.0', '1.0', '3', '2'],
  ],
  ['max(x) FROM (VALUES nan()) t(x)', ['NaN']],
  ['typeof(corr(x, y)) FROM (VALUES (1, 2)) t(x, y)', ['real']],
]

/** Statements that would cost a recursive reader its stack or its memory. */
const HOSTILE: readonly (readonly [string, string])[] = [
  ['parentheses', `SELECT ${'('.repeat(50_000)}1${')'.repeat(50_000)}`],
  ['a sum', `SELECT 1${'+1'.repeat(60_000)}`],
  ['a chain of subscripts', `SELECT a${'[1]'.repeat(20_000)} FROM (SELECT ARRAY[1] a)`],
  ['a union', `SELECT 1${' UNION ALL SELECT 1'.repeat(10_000)}`],
  ['a type', `SELECT CAST(NULL AS ${'array('.repeat(20_000)}bigint${')'.repeat(20_000)})`],
  ['nullif, which names its operand twice', `SELECT ${'nullif('.repeat(100)}1${',2)'.repeat(100)}`],
  ['array concatenation', `SELECT ARRAY[1]${'||ARRAY[1]'.repeat(60)}`],
]

describe.skipIf(!haveAnswers)('the dialect', () => {
  const engine = haveAnswers ? new AnswersEngine() : undefined
  afterAll(() => engine?.close())

  it.each(RECORDED)('answers as Trino does: %s', async (select, want) => {
    const answer = await engine!.answer(`SELECT ${select}`)
    if (typeof want === 'string') expect(answer).toMatchObject({ error: want })
    else expect(answer).toMatchObject({ rows: [want] })
  })

  it.each(HOSTILE)('refuses without harm, deep or large: %s', async (_, sql) => {
    expect(await engine!.answer(sql)).toMatchObject({
      error: expect.stringMatching(/^(?:SYNTAX_ERROR|NOT_SUPPORTED)$/),
    })
  })

  it('ends a comment at a carriage return', async () => {
    expect(await engine!.answer('SELECT 1 -- x\r+ 1')).toMatchObject({ rows: [['2']] })
  })

  it('does not take a NULL of TRY_CAST for what it cannot do', async () => {
    expect(await engine!.answer("SELECT TRY_CAST('2024-01-01 10:00:00.1234567' AS timestamp(6))")).toMatchObject({
      error: 'NOT_SUPPORTED',
    })
  })
})
