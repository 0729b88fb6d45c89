import { readFileSync } from 'node:fs'
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestAws, type TestAws } from '../../../support/local-aws.ts'
import { reason, run } from './athena-client.ts'

/** Values of the partition key; `-` is that of NULL. */
const KEYS = ['a', 'b', 'c', 'é', '-'] as const
const ROWS_OF_A_KEY = 3

let aws: TestAws
/** Size of the file of each partition; each differs. */
const sizes = new Map<string, number>()

const rows = async (text: string, more: Parameters<typeof run>[2] = {}) => {
  const result = await run(aws.athena, text, more)
  expect(reason(result), text).toBe('SUCCEEDED')
  return { rows: result.rows, bytes: result.execution.Statistics?.DataScannedInBytes ?? -1 }
}

async function put(Key: string, select: string): Promise<number> {
  const file = `${aws.dir}/made-${Key.replaceAll('/', '-')}`
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  await connection.run(`COPY (${select}) TO '${file}' (FORMAT parquet)`)
  connection.closeSync()
  instance.closeSync()
  const Body = readFileSync(file)
  await aws.s3.send(new PutObjectCommand({ Bucket: 'lake', Key, Body }))
  return Body.length
}

const scanned = (keys: string) => [...keys].reduce((sum, key) => sum + (sizes.get(key) ?? Number.NaN), 0)

/** The same rows twice: in partitions, and in one file that has the key as a column, of which no part can be left out. */
beforeAll(async () => {
  aws = await startTestAws()
  for (const Bucket of ['results', 'lake']) await aws.s3.send(new CreateBucketCommand({ Bucket }))
  await rows('CREATE DATABASE games')
  const all: string[] = []
  const partitions: string[] = []
  for (const [i, key] of KEYS.entries()) {
    const select = `SELECT (${i * ROWS_OF_A_KEY} + r)::BIGINT AS id, repeat('x', ${i}) AS name FROM range(${ROWS_OF_A_KEY}) t(r)`
    const folder = `parted/n${i}/`
    sizes.set(key, await put(`${folder}a.parquet`, select))
    all.push(`SELECT *, ${key === '-' ? 'NULL' : `'${key}'`}::VARCHAR AS k, '${i % 2}' AS l FROM (${select})`)
    const value = key === '-' ? '__HIVE_DEFAULT_PARTITION__' : key
    partitions.push(`PARTITION (k='${value}', l='${i % 2}') LOCATION 's3://lake/${folder}'`)
  }
  await put('flat/a.parquet', all.join(' UNION ALL '))
  await rows(
    `CREATE EXTERNAL TABLE parted (id bigint, name string) PARTITIONED BY (k string, l string) STORED AS PARQUET LOCATION 's3://lake/parted/'`,
  )
  await rows(`ALTER TABLE parted ADD ${partitions.join(' ')}`)
  await rows(
    `CREATE EXTERNAL TABLE flat (id bigint, name string, k string, l string) STORED AS PARQUET LOCATION 's3://lake/flat/'`,
  )
  for (const table of ['parted', 'flat']) {
    await rows(`CREATE VIEW ${table}_latest AS SELECT id, name, k, l FROM ${table} WHERE k = 'b' AND l = '1'`)
    await rows(`CREATE VIEW ${table}_daily AS SELECT id, name, k, l FROM ${table} WHERE k IN ('a', 'c')`)
    await rows(`CREATE VIEW ${table}_versions AS SELECT id, k, l AS "L2" FROM ${table} WHERE k = 'a' UNION ALL
      SELECT id, k, l FROM ${table} WHERE k IN ('b', 'c')`)
    await rows(`CREATE VIEW ${table}_all AS SELECT * FROM ${table}`)
  }
  sizes.set('*', scanned(KEYS.join('')))
})
afterAll(() => aws?.stop())

/** `$t` is the table; then the partitions that must be read, and no other. */
const CASES: readonly (readonly [sql: string, keys: string])[] = [
  ['SELECT * FROM $t ORDER BY id', '*'],
  [`SELECT * FROM $t WHERE k = 'b' ORDER BY id`, 'b'],
  [`SELECT * FROM $t WHERE 'b' = k ORDER BY id`, 'b'],
  [`SELECT * FROM $t AS x WHERE x.K = 'é' AND id > 0 ORDER BY id`, 'é'],
  [`SELECT * FROM $t WHERE k = 'none'`, ''],
  [`SELECT count(*), max(name) FROM $t WHERE k IN ('a', 'b', 'none')`, 'ab'],
  [`SELECT count(*) FROM $t WHERE k IN ('a', NULL)`, '*'],
  [`SELECT count(*) FROM $t WHERE k >= 'b' AND k < 'd'`, 'bc'],
  [`SELECT count(*) FROM $t WHERE 'b' <= k`, 'bcé'],
  [`SELECT count(*) FROM $t WHERE k BETWEEN 'a' AND 'b'`, 'ab'],
  [`SELECT count(*) FROM $t WHERE k = 'a' AND l = '0'`, 'a'],
  [`SELECT count(*) FROM $t WHERE k = 'a' AND l = '1'`, ''],
  [`SELECT count(*) FROM $t WHERE l = '0' AND (k = 'a' OR id = 6)`, 'ac-'],
  // What is no plain condition drops nothing.
  [`SELECT count(*) FROM $t WHERE k = 'a' OR id > 5`, '*'],
  [`SELECT count(*) FROM $t WHERE NOT k = 'a'`, '*'],
  [`SELECT count(*) FROM $t WHERE NOT (k = 'a' AND l = '0')`, '*'],
  [`SELECT count(*) FROM $t WHERE k <> 'a'`, '*'],
  [`SELECT count(*) FROM $t WHERE k NOT IN ('a', 'b')`, '*'],
  [`SELECT count(*) FROM $t WHERE k IS NULL`, '*'],
  [`SELECT count(*) FROM $t WHERE k IS NOT DISTINCT FROM NULL`, '*'],
  [`SELECT count(*) FROM $t WHERE upper(k) = 'A'`, '*'],
  [`SELECT count(*) FROM $t WHERE coalesce(k, 'a') = 'a'`, '*'],
  [`SELECT count(*) FROM $t WHERE k || '' = 'a'`, '*'],
  [`SELECT count(*) FROM $t WHERE CAST(k AS char(3)) = CAST('a' AS char(3))`, '*'],
  [`SELECT count(*) FROM $t WHERE CASE WHEN k = 'a' THEN false ELSE true END`, '*'],
  [`SELECT count_if(k = 'a'), count(*) FROM $t`, '*'],
  [`SELECT k, count(*) FROM $t GROUP BY k HAVING k = 'a'`, '*'],
  // Views, and conditions from outside of them.
  ['SELECT * FROM $t_latest ORDER BY id', 'b'],
  ['SELECT l, count(*) FROM $t_daily GROUP BY l', 'ac'],
  [`SELECT * FROM $t_daily WHERE k = 'c' ORDER BY id`, 'c'],
  [`SELECT * FROM $t_daily WHERE k = 'b'`, ''],
  [`SELECT v.id FROM $t_all AS v WHERE v.k = 'a' ORDER BY 1`, 'a'],
  ['SELECT count(*) FROM $t_versions', 'abc'],
  [`SELECT id, l2 FROM $t_versions WHERE k = 'c' AND L2 = '0' ORDER BY id`, 'c'],
  [`SELECT count(*) FROM (SELECT k AS date, id FROM $t) WHERE date = 'a'`, 'a'],
  [`SELECT count(*) FROM (SELECT 'a' AS k, id FROM $t) WHERE k = 'a'`, '*'],
  [`SELECT count(*) FROM (SELECT l AS k, k AS l FROM $t) AS x(m, n) WHERE n = 'a'`, 'a'],
  [`SELECT count(*) FROM ((SELECT k FROM $t) UNION ALL (SELECT name FROM $t)) WHERE k = 'a'`, '*'],
  [`SELECT count(*) FROM ((SELECT k FROM $t) EXCEPT (SELECT k FROM $t WHERE k = 'b')) WHERE k = 'a'`, '*'],
  // Rows that depend on others.
  [`SELECT * FROM (SELECT k, row_number() OVER (ORDER BY id) AS n FROM $t) WHERE k = 'b' ORDER BY n`, '*'],
  [`SELECT * FROM (SELECT k, 1 + count(*) OVER () AS n FROM $t) WHERE k = 'b'`, '*'],
  [`SELECT * FROM (SELECT k, id FROM $t ORDER BY id LIMIT 4) WHERE k = 'b'`, '*'],
  [`SELECT * FROM (SELECT k, id FROM $t ORDER BY id OFFSET 4) WHERE k = 'b' ORDER BY id`, '*'],
  [`SELECT * FROM (SELECT k, max(id) FROM $t GROUP BY k) WHERE k = 'b'`, '*'],
  [`SELECT * FROM (SELECT DISTINCT k FROM $t) WHERE k = 'b'`, '*'],
  // A table that is read in several places: what any of them needs.
  [`SELECT count(*) FROM $t x JOIN $t y ON x.l = y.l WHERE x.k = 'a' AND y.k = 'c'`, 'ac'],
  [`SELECT count(*) FROM $t x, $t y WHERE x.k = 'a' AND x.id < y.id`, '*'],
  [`SELECT (SELECT count(*) FROM $t WHERE k = 'a'), (SELECT count(*) FROM $t WHERE k = 'b')`, 'ab'],
  [`SELECT count(*) FROM $t WHERE k = 'a' AND id IN (SELECT id - 3 FROM $t WHERE k = 'b')`, 'ab'],
  [`WITH x AS (SELECT * FROM $t WHERE k = 'a') SELECT count(*) FROM x JOIN x y USING (id)`, 'a'],
  [`WITH x AS (SELECT * FROM $t) SELECT (SELECT count(*) FROM x WHERE k = 'a'), (SELECT count(*) FROM x)`, '*'],
  [`SELECT count(*) FROM $t x WHERE x.k = 'b' AND EXISTS (SELECT 1 FROM $t y WHERE y.k = 'c' AND x.k = 'b')`, 'bc'],
  [`SELECT count(*) FROM $t x WHERE EXISTS (SELECT 1 FROM (VALUES 1) AS y(z) WHERE x.k = 'b') OR x.id = 0`, '*'],
  // Joins: a row that stays without a match is no row of a partition.
  [`SELECT count(*) FROM $t x JOIN $t y ON x.k = 'a' AND y.k = 'b'`, 'ab'],
  [`SELECT count(y.id), count(*) FROM $t_latest x LEFT JOIN $t_daily y ON y.k = 'a'`, 'ab'],
  [`SELECT count(y.id), count(*) FROM $t_daily x LEFT JOIN $t_latest y ON x.k = 'a'`, 'abc'],
  [`SELECT count(x.id), count(*) FROM $t_daily x RIGHT JOIN $t_latest y ON y.k = 'none' AND x.k = 'a'`, 'ab'],
  [`SELECT count(x.id), count(*) FROM $t_daily x FULL JOIN $t_latest y ON x.k = 'a' AND x.id = y.id`, 'abc'],
  [`SELECT count(*) FROM $t_latest x LEFT JOIN $t_daily y ON x.id = y.id WHERE y.k = 'a' OR y.k IS NULL`, 'abc'],
  [`SELECT count(*) FROM $t_daily x LEFT JOIN $t_latest y ON x.id = y.id WHERE x.k = 'a' AND y.k IS NULL`, 'ab'],
  [`SELECT count(*) FROM $t x JOIN $t_daily y USING (k, id) WHERE k = 'a'`, 'a'],
  [`SELECT count(*) FROM $t_daily x LEFT JOIN $t_all y USING (k, l) WHERE k = 'a'`, '*'],
  [`SELECT count(*) FROM $t_daily x FULL JOIN $t_latest y USING (k) WHERE k = 'a'`, 'abc'],
  [`SELECT count(*) FROM $t x CROSS JOIN UNNEST(ARRAY['a', 'b']) AS u(k) WHERE u.k = 'a' AND x.k = 'b'`, 'b'],
  [`SELECT count(*) FROM $t x CROSS JOIN LATERAL (SELECT x.k AS m) y WHERE y.m = 'a'`, '*'],
]

describe('a query on partitions reads those that its conditions leave', () => {
  it.each(CASES)('%s', async (sql, keys) => {
    const [parted, flat] = await Promise.all(['parted', 'flat'].map((t) => rows(sql.replaceAll('$t', t))))
    expect(parted!.rows).toEqual(flat!.rows)
    expect(parted!.bytes).toBe(scanned(keys))
  })

  it('also where a parameter is the value', async () => {
    const { bytes } = await rows('SELECT count(*) FROM parted_all WHERE k = ?', { ExecutionParameters: [`'c'`] })
    expect(bytes).toBe(scanned('c'))
  })
})
