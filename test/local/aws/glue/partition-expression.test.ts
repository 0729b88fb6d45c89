import { describe, expect, test } from 'vitest'
import { partitionFilter } from '../../../../src/local/aws/glue/catalogue/partition-expression.ts'
import type { AwsError } from '../../../../src/local/aws/ports.ts'

const KEYS = [
  { name: 'name', type: 'string' },
  { name: 'year', type: 'int' },
  { name: 'day', type: 'date' },
  { name: 'price', type: 'decimal(10,2)' },
  { name: 'at', type: 'timestamp' },
]
const NULL = '__HIVE_DEFAULT_PARTITION__'

const PARTITIONS = {
  ann: ['ann', '9', '2026-01-01', '1.50', '2026-01-01 10:00:00'],
  bob: ['bob', '10', '2026-01-02', '10', '2026-01-01 10:00:00.5'],
  obrien: ["o'brien", '-3', '2025-12-31', '-2.25', '2025-12-31T23:59:59'],
  none: [NULL, NULL, NULL, NULL, NULL],
} as const

function chosen(expression: string): string[] {
  const matches = partitionFilter(expression, KEYS)
  return Object.entries(PARTITIONS)
    .filter(([, values]) => matches(values))
    .map(([name]) => name)
}

const EVERYONE = ['ann', 'bob', 'obrien', 'none']

describe('an expression over partitions', () => {
  test.each([
    ['', EVERYONE],
    ['   ', EVERYONE],
    ["name = 'bob'", ['bob']],
    ["NAME = 'bob'", ['bob']],
    ["'bob' = name", ['bob']],
    ["`name` = 'bob' or \"name\" = 'ann'", ['ann', 'bob']],
    ["name = 'o''brien'", ['obrien']],
    ["name <> 'bob'", ['ann', 'obrien']],
    ["name != 'bob'", ['ann', 'obrien']],
    ["name in ('ann', 'bob')", ['ann', 'bob']],
    ["name not in ('ann')", ['bob', 'obrien']],
    ["name like '_o%'", ['bob']],
    ["name like 'b\\%'", []],
    ["not (name = 'ann')", ['bob', 'obrien']],
    ['year < 10', ['ann', 'obrien']],
    ['10 > year', ['ann', 'obrien']],
    ["year >= '9'", ['ann', 'bob']],
    ['year between 9 and 10', ['ann', 'bob']],
    ['year not between 9 and 9 and year < 100', ['bob', 'obrien']],
    ['year = 9.0', ['ann']],
    ['year > -4', ['ann', 'bob', 'obrien']],
    ["day > '2026-01-01'", ['bob']],
    ["day = DATE '2026-01-01'", ['ann']],
    ['price = 1.5', ['ann']],
    ['price < 9', ['ann', 'obrien']],
    ["at > '2026-01-01 10:00:00'", ['bob']],
    ["at = timestamp '2025-12-31 23:59:59.000'", ['obrien']],
    ['year is null', ['none']],
    ['year is not null', ['ann', 'bob', 'obrien']],
    ["year = 9 or name = 'bob' and year = 9", ['ann']],
  ])('%s', (expression, wanted) => {
    expect(chosen(expression)).toEqual(wanted)
  })

  test('as Trino sends it: nested parentheses, lower-case in, the partition of NULLs', () => {
    expect(chosen("((name = 'ann') or (name = 'bob')) AND (((year >= 9)) AND (year <= 9))")).toEqual(['ann'])
    expect(chosen("(name in ('ann','o''brien')) AND ((year = 9) OR (year = -3))")).toEqual(['ann', 'obrien'])
    expect(chosen(`(name = '${NULL}')`)).toEqual(['none'])
    expect(chosen(`(year = '${NULL}') OR (year in ('${NULL}', 10))`)).toEqual(['bob', 'none'])
    expect(chosen(`year <> '${NULL}'`)).toEqual(['ann', 'bob', 'obrien'])
  })

  test('a value that is none of its type is NULL: no comparison finds it', () => {
    const keys = [{ name: 'year', type: 'int' }]
    expect(partitionFilter('year > 0', keys)(['soon'])).toBe(false)
    expect(partitionFilter('not (year > 0)', keys)(['soon'])).toBe(false)
  })

  test.each([
    "name = 'o'brien'",
    "name = 'bob",
    "name = 'bob' name = 'ann'",
    'name',
    "'a' = 'a'",
    'name = year',
    "surname = 'x'",
    'year = soon',
    "year = 'soon'",
    "day = '2026-02-30'",
    '(year = 1',
    'year = 1)',
    'year in ()',
    'year between 1',
    "name = 'x'; drop table t",
    'length(name) = 3',
    "name like 'a' escape '!'",
    `name = '${'x'.repeat(2100)}'`,
  ])('%s is refused', (expression) => {
    let error: unknown
    try {
      partitionFilter(expression, KEYS)
    } catch (thrown) {
      error = thrown
    }
    expect((error as AwsError | undefined)?.code).toBe('InvalidInputException')
  })
})
