import { describe, expect, test } from 'vitest'
import { HiveTypeError, parseHiveType, printHiveType } from '../../../../src/local/aws/glue/hive-types.ts'

const canonical = (text: string): string => printHiveType(parseHiveType(text))

describe('Hive types', () => {
  test.each([
    'boolean',
    'tinyint',
    'smallint',
    'int',
    'bigint',
    'float',
    'double',
    'date',
    'timestamp',
    'string',
    'binary',
    'decimal(38,18)',
    'varchar(65535)',
    'char(1)',
    'array<string>',
    'map<string,array<int>>',
    'struct<id:bigint,address:struct<city:string,zip:char(5)>>',
    'array<struct<a:map<int,decimal(10,2)>,b:date>>',
  ])('%s is printed as it was read', (text) => {
    expect(canonical(text)).toBe(text)
  })

  test.each([
    ['INTEGER', 'int'],
    ['Double Precision', 'double'],
    ['decimal', 'decimal(10,0)'],
    ['decimal( 5 )', 'decimal(5,0)'],
    [' array < struct < Id : bigint , `a b`:string > > ', 'array<struct<Id:bigint,`a b`:string>>'],
    ['struct<`x``y`:int>', 'struct<`x``y`:int>'],
  ])('%s is %s', (text, wanted) => {
    expect(canonical(text)).toBe(wanted)
  })

  test.each([
    '',
    'text',
    'decimal(39,0)',
    'decimal(5,6)',
    'varchar',
    'varchar(0)',
    'char(256)',
    'array<int',
    'array<>',
    'map<int>',
    'struct<int>',
    'struct<a:int,>',
    'int int',
    'int)',
    'constructor',
    `${'array<'.repeat(100)}int${'>'.repeat(100)}`,
  ])('%s is refused', (text) => {
    expect(() => parseHiveType(text)).toThrow(HiveTypeError)
  })

  test('an unknown type can be kept as it is', () => {
    expect(printHiveType(parseHiveType('uniontype<int,string>', { unknown: 'keep' }))).toBe('uniontype<int,string>')
  })
})
