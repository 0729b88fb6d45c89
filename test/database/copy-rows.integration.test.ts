import { afterAll, beforeAll, expect, it } from 'vitest'
import { type CopyValue, copyLines, copyRows, copyTogether } from '../../src/database/copy-rows.ts'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { createTestDatabase } from '../support/database.ts'

let database: Database
let drop: () => Promise<void>

beforeAll(async () => {
  const made = await createTestDatabase()
  drop = made.drop
  database = openDatabase({ url: made.url, poolSize: 2 })
})

afterAll(async () => {
  await database.close()
  await drop()
})

const COLUMNS = ['id', 'words', 'amount', 'big', 'flag', 'at', 'list']
const awkward = 'tab\t newline\n return\r back\\slash \\N \\. "quote" \u0001 🚀 \u2028'

it('writes every kind of value as it is, NULL and the empty string apart', async () => {
  const at = new Date('2026-02-03T04:05:06.789Z')
  const rows: CopyValue[][] = [
    [1, awkward, 1.5, 2n ** 62n, true, at, ['plain', awkward, '', 'NULL', '{}', 'a,b']],
    [2, '', -0.25, -1n, false, at, []],
    [3, null, undefined, null, null, null, null],
    [4, '\\.', 0, 0n, false, at, ['\\.']],
  ]
  const read = await database.rawTransaction(async (client) => {
    await client.query(
      `CREATE TEMP TABLE t (id int, words text, amount float8, big bigint, flag boolean, at timestamptz(3), list text[])`,
    )
    await copyRows(client, 't', COLUMNS, rows)
    await copyRows(client, 't', COLUMNS, [])
    return (await client.query({ text: 'SELECT * FROM t ORDER BY id', rowMode: 'array' })).rows as unknown[][]
  })
  const expected = rows.map((row) => row.map((v) => (typeof v === 'bigint' ? String(v) : (v ?? null))))
  expect(read).toEqual(expected)
})

it('fails as a whole, leaves the connection usable and names the rule', async () => {
  await database.rawTransaction(async (client) => {
    await client.query('CREATE TEMP TABLE u (id int CONSTRAINT u_once UNIQUE)')
    await client.query('SAVEPOINT before')
    await expect(copyRows(client, 'u', ['id'], [[1], [2], [1]])).rejects.toMatchObject({
      code: '23505',
      constraint: 'u_once',
    })
    await client.query('ROLLBACK TO before')
    await copyRows(client, 'u', ['id'], [[1], [2]])
    expect((await client.query('SELECT count(*)::int AS n FROM u')).rows).toEqual([{ n: 2 }])
  })
})

it('adds to several tables at once or to none, and the connection goes on', async () => {
  await database.withClient(async (client) => {
    await client.query('CREATE TEMP TABLE first (id int, word text); CREATE TEMP TABLE second (id int CHECK (id > 0))')
    const counts = async () =>
      (await client.query('SELECT (SELECT count(*)::int FROM first) AS f, (SELECT count(*)::int FROM second) AS s'))
        .rows[0]
    const words = copyLines([{ id: 1, word: awkward }, { id: 2 }], ['id', 'word'])
    const first = { table: 'first', columns: ['id', 'word'], text: words }
    const second = (...ids: number[]) => ({
      table: 'second',
      columns: ['id'],
      text: ids.map((id) => `${id}\n`).join(''),
    })
    await expect(copyTogether(client, [first, second(1, -1), first])).rejects.toMatchObject({ code: '23514' })
    expect(await counts()).toEqual({ f: 0, s: 0 })
    const broken = { ...second(1), columns: ['nothing'] }
    await expect(copyTogether(client, [broken, first, first])).rejects.toMatchObject({ code: '42703' })
    expect(await counts()).toEqual({ f: 0, s: 0 })
    await copyTogether(client, [first, second(), second(1, 2, 3)])
    expect(await counts()).toEqual({ f: 2, s: 3 })
    expect((await client.query('SELECT * FROM first ORDER BY id')).rows).toEqual([
      { id: 1, word: awkward },
      { id: 2, word: null },
    ])
  })
})
