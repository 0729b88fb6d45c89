import { readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NotParquetError, readParquetSchema } from '../../../../src/local/aws/glue/crawler/parquet-schema.ts'
import { printHiveType } from '../../../../src/local/aws/glue/hive-types.ts'
import { openParquetFiles, type ParquetFiles } from './parquet-files.ts'

let files: ParquetFiles
beforeAll(async () => {
  files = await openParquetFiles()
})
afterAll(() => files?.close())

async function typesOf(path: string): Promise<Record<string, string>> {
  const { columns } = await readParquetSchema(path)
  return Object.fromEntries(columns.map(({ name, type }) => [name, printHiveType(type)]))
}

describe('the schema of a Parquet file', () => {
  test.each([
    ['true', 'boolean'],
    ['1::tinyint', 'tinyint'],
    ['1::smallint', 'smallint'],
    ['1::int', 'int'],
    ['1::bigint', 'bigint'],
    ['1::utinyint', 'smallint'],
    ['1::usmallint', 'int'],
    ['1::uinteger', 'bigint'],
    ['1::float', 'float'],
    ['1::double', 'double'],
    ['1::decimal(5,2)', 'decimal(5,2)'],
    ['1::decimal(18,0)', 'decimal(18,0)'],
    ['1::decimal(38,10)', 'decimal(38,10)'],
    ["'x'", 'string'],
    ["'x'::blob", 'binary'],
    ["'{}'::json", 'string'],
    ["date '2026-01-01'", 'date'],
    ["timestamp '2026-01-01 00:00:00'", 'timestamp'],
    ["timestamp_ns '2026-01-01 00:00:00'", 'timestamp'],
    ["timestamptz '2026-01-01 00:00:00+00'", 'timestamp'],
    ["'a'::enum('a', 'b')", 'string'],
    ['[1, 2]', 'array<int>'],
    ["[['x']]", 'array<array<string>>'],
    ["{'A': 1, 'b': {'c': 'x'}}", 'struct<a:int,b:struct<c:string>>'],
    ["[{'k': 1}]", 'array<struct<k:int>>'],
    ["map {'k': 1.5::double}", 'map<string,double>'],
    ['map {1: [true]}', 'map<int,array<boolean>>'],
  ])('%s is %s', async (sql, type) => {
    expect(await typesOf(await files.write(`${sql} AS "Column One"`))).toEqual({ 'column one': type })
  })

  test.each([
    ['gen_random_uuid()', 'string'],
    ["time '10:00:00'", 'string'],
    ['1::ubigint', 'decimal(38,0)'],
    ["interval '1' day", 'string'],
  ])('%s has no exact type: %s, with a warning that names the column', async (sql, type) => {
    const { columns, warnings } = await readParquetSchema(await files.write(`${sql} AS c`))
    expect(printHiveType(columns[0]!.type)).toBe(type)
    expect(warnings).toEqual([expect.stringMatching(/^column c: .+ has no type in Athena, taken as/)])
  })

  test('counts rows', async () => {
    const path = await files.write('i AS n FROM range(1234) t(i)')
    expect((await readParquetSchema(path)).rows).toBe(1234)
  })

  test('the first of two columns that differ in case only is taken, with a warning', async () => {
    const parquetjs = createRequire(import.meta.url)('parquetjs-lite')
    const path = (await files.write('1 AS x')).replace('.parquet', '-case.parquet')
    const schema = new parquetjs.ParquetSchema({ Id: { type: 'INT64' }, ID: { type: 'UTF8' } })
    const writer = await parquetjs.ParquetWriter.openFile(schema, path)
    await writer.appendRow({ Id: 1, ID: 'x' })
    await writer.close()
    expect(await typesOf(path)).toEqual({ id: 'bigint' })
    expect((await readParquetSchema(path)).warnings).toEqual([expect.stringContaining('column id stands twice')])
  })

  test('repeated fields of older writers are lists', async () => {
    const parquetjs = createRequire(import.meta.url)('parquetjs-lite')
    const schema = new parquetjs.ParquetSchema({
      plain: { type: 'UTF8', repeated: true },
      group: { repeated: true, fields: { a: { type: 'INT64' }, b: { type: 'TIMESTAMP_MILLIS', optional: true } } },
    })
    const path = (await files.write('1 AS x')).replace('.parquet', '-old.parquet')
    const writer = await parquetjs.ParquetWriter.openFile(schema, path)
    await writer.appendRow({ plain: ['x', 'y'], group: [{ a: 1 }] })
    await writer.close()
    expect(await typesOf(path)).toEqual({ plain: 'array<string>', group: 'array<struct<a:bigint,b:timestamp>>' })
  })
})

describe('a file that is not Parquet', () => {
  test.each([
    ['empty', Buffer.alloc(0)],
    ['text', Buffer.from('id,name\n1,x\n')],
    ['only the magic words', Buffer.from('PAR1....PAR1')],
    ['a footer longer than the file', Buffer.from('PAR1\xff\xff\xff\x7fPAR1', 'latin1')],
  ])('%s', async (_, bytes) => {
    const path = (await files.write('1 AS x')).replace('.parquet', '-bad.parquet')
    await writeFile(path, bytes)
    await expect(readParquetSchema(path)).rejects.toThrow(NotParquetError)
  })

  test('a damaged footer gives a schema or that error, whatever byte is wrong', async () => {
    const path = await files.write("1 AS a, [{'b': 'x'}] AS c, map {'k': 2} AS m, 1.5::decimal(9,2) AS d")
    const good = await readFile(path)
    const footerBytes = good.readUInt32LE(good.length - 8)
    let refused = 0
    for (let at = good.length - 8 - footerBytes; at < good.length; at += 3) {
      const bad = Buffer.from(good)
      bad[at] = bad[at]! ^ (1 << (at % 8))
      const badPath = path.replace('.parquet', '-bad.parquet')
      await writeFile(badPath, bad)
      await readParquetSchema(badPath).catch((error: unknown) => {
        expect(error).toBeInstanceOf(NotParquetError)
        refused += 1
      })
    }
    expect(refused).toBeGreaterThan(10)
  })
})
