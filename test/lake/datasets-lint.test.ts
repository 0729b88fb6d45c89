import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lintDatasets } from '../../scripts/lint-datasets.ts'
import { prismaColumns } from '../../scripts/prisma-columns.ts'
import { type Column, type Dataset, datasets } from '../../src/lake/datasets.ts'

/** The lint of the build: what it refuses, by name, and that the build runs it. */

const ROOT = path.resolve(import.meta.dirname, '../..')
const SCHEMA = readFileSync(path.join(ROOT, 'prisma/schema.prisma'), 'utf8')
const LINT = path.join(ROOT, 'scripts/lint-datasets.ts')

let dir: string
beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'datasets-lint-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** schema.prisma with a line more in the model of players. */
const withPlayerLine = (line: string) => SCHEMA.replace(/\nmodel Player \{\n/, `$&  ${line}\n`)

/** The players' entry with one column changed. */
function withColumn(name: string, change: Record<string, unknown>): Record<string, Dataset> {
  const { player } = datasets
  const columns: Record<string, Column> = { ...player.columns }
  const before: object = columns[name] ?? {}
  return {
    ...datasets,
    player: { ...player, columns: { ...columns, [name]: { ...before, ...change } as unknown as Column } },
  }
}

function lintProcess(...files: string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [LINT, ...files], (error, _, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, said: stderr }),
    )
  })
}

describe('lake 26: the build', () => {
  test('lake 26: a new column without a class fails it, named with its table and type', async () => {
    expect(await lintProcess()).toEqual({ code: 0, said: '' })
    const file = path.join(dir, 'schema.prisma')
    writeFileSync(file, withPlayerLine('shoeSize Int? @map("shoe_size") @db.SmallInt'))
    const { code, said } = await lintProcess(file)
    expect(code).toBe(1)
    expect(said).toMatch(
      /^datasets\.ts: player\.shoe_size \(smallint\) has no entry, so nobody has said what class it is/,
    )
    expect(said.trim().split('\n')).toHaveLength(1)
  })

  test('lake 26: an entry without a class fails it, at the lint and at the types', async () => {
    const file = path.join(dir, 'datasets.ts')
    const text = readFileSync(path.join(ROOT, 'src/lake/datasets.ts'), 'utf8')
    writeFileSync(file, text.replace('username: personal,', "username: { lake: 'drop' },"))
    const { code, said } = await lintProcess(path.join(ROOT, 'prisma/schema.prisma'), file)
    expect(code).toBe(1)
    expect(said).toBe('datasets.ts: player.username has no class: one of public, internal, personal, secret\n')
    const tsc = path.join(ROOT, 'node_modules/.bin/tsc')
    const types = await new Promise<string>((resolve) => {
      const options = ['--noEmit', '--strict', '--ignoreConfig', '--target', 'es2024', file]
      execFile(tsc, options, (_, stdout) => resolve(stdout))
    })
    expect(types).toMatch(/Property 'class' is missing in type/)
  })

  test('lake 26: `npm run check` runs the lint, and the build of the project runs that', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    expect(scripts.check?.split(' && ')).toContain('node scripts/lint-datasets.ts')
    expect(readFileSync(path.join(ROOT, '.ci/run'), 'utf8')).toMatch(/^npm run check$/m)
  })

  const breaches: [string, () => string[], RegExp][] = [
    [
      'a table without an entry',
      () => lintDatasets(datasets, `${SCHEMA}\nmodel Guild {\n  id String @id @db.Uuid\n}\n`),
      /^Guild has no entry$/,
    ],
    [
      'an entry without a column',
      () => lintDatasets(withColumn('nickname', { class: 'personal', lake: 'drop' }), SCHEMA),
      /^player\.nickname is in no table any more/,
    ],
    [
      'a personal column that is included without a reason',
      () => lintDatasets(withColumn('country', { reason: '' }), SCHEMA),
      /^player\.country is personal and included as it is/,
    ],
    [
      'a secret that is not dropped',
      () => lintDatasets(withColumn('status', { class: 'secret', api: false }), SCHEMA),
      /^player\.status is secret, so its lake action must be 'drop'$/,
    ],
    [
      'a secret in the API',
      () => lintDatasets(withColumn('email', { class: 'secret' }), SCHEMA),
      /^player\.email is secret, so it must say api: false$/,
    ],
    [
      'a reserved word of Athena',
      () => lintDatasets(withColumn('locale', { lake: { generalise: 'toLanguage', as: 'date' } }), SCHEMA),
      /date is a reserved word of Athena/,
    ],
    [
      'a name that Athena folds',
      () => lintDatasets(withColumn('locale', { lake: { generalise: 'toLanguage', as: 'Lang' } }), SCHEMA),
      /Lang must match/,
    ],
    [
      'a name of a partition key',
      () => lintDatasets(withColumn('locale', { lake: { generalise: 'toLanguage', as: 'snapshot_id' } }), SCHEMA),
      /snapshot_id is a partition key/,
    ],
    [
      'two columns of one name',
      () => lintDatasets(withColumn('locale', { lake: { generalise: 'toLanguage', as: 'country' } }), SCHEMA),
      /players has two columns country/,
    ],
    [
      'a type that Athena shows otherwise',
      () => lintDatasets(withColumn('version', { athenaType: 'bigint' }), SCHEMA),
      /pgType integer is int in Athena, not bigint/,
    ],
    [
      'a type that the database does not have',
      () => lintDatasets(withColumn('version', { pgType: 'bigint', athenaType: 'bigint' }), SCHEMA),
      /player\.version is integer in the database and bigint in its entry/,
    ],
    [
      'a column that may be NULL against its entry',
      () => lintDatasets(withColumn('username', { nullable: true }), SCHEMA),
      /player\.username may not be NULL in the database/,
    ],
    [
      'a label that is not told',
      () => lintDatasets(withColumn('status', { values: ['active'] }), SCHEMA),
      /player\.status may be active, closed, erasure_pending, erased; its values say active$/,
    ],
    [
      'an exported column that nobody describes',
      () => lintDatasets(withColumn('version', { description: undefined }), SCHEMA),
      /version needs a description/,
    ],
    [
      'a column that replaces none',
      () => lintDatasets(withColumn('version', { renamedFrom: 'edition' }), SCHEMA),
      /renamedFrom names edition/,
    ],
    ...['DateTime @db.Timestamptz(6)', 'DateTime @db.Timestamptz', 'DateTime', 'DateTime @db.Timestamp(3)'].map(
      (type): [string, () => string[], RegExp] => [
        `${type} for a time of the lake`,
        () =>
          lintDatasets(
            datasets,
            SCHEMA.replace(
              /(closedAt +)DateTime\?( +@map\("closed_at"\)) @db.Timestamptz\(3\)/,
              `$1${type.replace('DateTime', 'DateTime?')}$2`,
            ),
          ),
        /^player\.closed_at is timestamp.* in the database and timestamptz\(3\) in its entry; the lake holds milliseconds in UTC/,
      ],
    ),
    [
      'a type that no file of the lake holds',
      () => lintDatasets(datasets, SCHEMA.replace(/(store +)String( +@default\(""\)\n)/, '$1Unsupported("inet")$2')),
      /^game_platform\.store is Unsupported\("inet"\) in the database/,
    ],
  ]

  test.each(breaches)('lake 26: %s fails it', (_, lint, message) => {
    expect(lint()).toEqual([expect.stringMatching(message)])
  })
})

test('columns of a Prisma schema are read with their names, types, labels and NULL; relations are none', () => {
  const columns = prismaColumns(SCHEMA).filter((column) => column.table === 'game')
  expect(columns.map(({ column, type, nullable }) => `${column} ${type}${nullable ? ' null' : ''}`)).toEqual([
    ...['id uuid', 'studio_id uuid', 'slug text', 'title text', 'summary text null', 'genres enum[]'],
    ...['min_age smallint null', 'release_date date null', 'release_precision enum', 'status enum'],
    ...['status_changed_at timestamptz(3)', 'external_ref text null', 'version integer'],
    ...['created_at timestamptz(3)', 'updated_at timestamptz(3)'],
  ])
  expect(columns.find(({ column }) => column === 'release_precision')?.labels).toEqual([
    'day',
    'month',
    'quarter',
    'year',
    'tba',
  ])
  expect(() => prismaColumns('model A {\n  id: String\n}\n')).toThrow('schema.prisma, A: id: String is no field')
})
