import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import { bindParameters, loadSavedQueries, parseSavedQuery } from '../../../src/lake/athena/saved-queries.ts'
import { checkStatement } from '../../../src/lake/athena/statement-check.ts'
import { contracts } from '../../../src/lake/contract.ts'
import { parseQueryText } from '../../../src/local/aws/athena/dialect/grammar.ts'
import { ROOT } from '../../support/service.ts'

const HEAD = '-- @title T\n-- @description D\n'

function errorsOf(call: () => unknown) {
  try {
    call()
  } catch (error) {
    if (error instanceof AppError) return error.errors.map(({ pointer, code }) => `${pointer} ${code}`)
    throw error
  }
  return []
}

const readBy = (sql: string) =>
  [...sql.matchAll(/(?<!DISTINCT )\b(?:FROM|JOIN) (?!UNNEST\b)(\w+)/g)].map((match) => match[1] ?? '')

describe('the saved queries of the project', () => {
  const queries = loadSavedQueries()
  const tables = readFileSync(path.join(ROOT, 'glue-jobs/rocketgames_glue/tables.py'), 'utf8')
  const curatedViews = ['curated_runs', ...[...tables.matchAll(/^ {8}name="(\w+)"/gm)].map((match) => match[1] ?? '')]

  it('are ten over the snapshots and ten over the curated tables, each with a title, a description and a name of its own', () => {
    expect(queries.map(({ zone }) => zone)).toEqual([...Array(10).fill('snapshots'), ...Array(10).fill('curated')])
    expect(new Set(queries.map(({ name }) => name)).size).toBe(20)
    for (const { name, title, description } of queries) {
      expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
      expect(title).not.toBe('')
      expect(description).not.toBe('')
    }
  })

  it.each(queries.map((query) => [query.name, query] as const))('%s is one statement in Trino', (_name, query) => {
    expect(checkStatement(query.sql).kind).toBe('query')
    expect(() => parseQueryText(query.sql)).not.toThrow()
    expect(() => parseQueryText(query.runnable)).not.toThrow()
  })

  it.each(queries.map((query) => [query.name, query] as const))('%s reads views of its zone only', (_name, query) => {
    const latest = contracts.map((contract) => `${contract.lakeTable}_latest`)
    const views = new Set(query.zone === 'curated' ? curatedViews : latest)
    const ctes = new Set([...query.sql.matchAll(/\b(\w+) AS \(\n/g)].map((match) => match[1]))
    const read = readBy(query.sql)
    expect(read.filter((name) => !views.has(name) && !ctes.has(name))).toEqual([])
  })

  it('of the curated tables leave none out', () => {
    expect(curatedViews.length).toBeGreaterThan(7)
    const read = new Set(queries.flatMap(({ sql }) => readBy(sql)))
    expect(curatedViews.filter((view) => !read.has(view))).toEqual([])
  })

  it.each(queries.map((query) => [query.name, query] as const))('%s runs without parameters given', (_name, query) => {
    expect(bindParameters(query, {})).toHaveLength(query.order.length)
  })
})

describe('a saved query', () => {
  const sql = `${HEAD}-- @param days integer default=30 min=1 max=90 | Days
-- @param since date | First day
-- @param mode string default=all oneof=all,live | Mode
-- @param word string max=5 | Word
SELECT ':days', ":since" /* :mode */, :word -- :word
FROM t WHERE d > :days AND e > :since AND m = :mode AND :days < 5 AND x = 'it''s :word'`
  const query = parseSavedQuery('q', sql)

  it('has its parameters as question marks, but not in strings, names and comments', () => {
    expect(query.sql).toBe(
      `SELECT ':days', ":since" /* :mode */, ? -- :word\nFROM t WHERE d > ? AND e > ? AND m = ? AND ? < 5 AND x = 'it''s :word'`,
    )
    expect(query.order).toEqual(['word', 'days', 'since', 'mode', 'days'])
    expect(query.runnable).toBe(
      `SELECT ':days', ":since" /* :mode */, ? -- :word\nFROM t WHERE d > 30 AND e > ? AND m = 'all' AND 30 < 5 AND x = 'it''s :word'`,
    )
  })

  it('binds values as literals in the order of the text', () => {
    expect(bindParameters(query, { since: '2026-02-28', word: "o'x", days: 7 })).toEqual([
      "'o''x'",
      '7',
      "DATE '2026-02-28'",
      "'all'",
      '7',
    ])
  })

  it('names every value that is missing, unknown or not allowed, and never repeats it', () => {
    expect(errorsOf(() => bindParameters(query, {}))).toEqual(['/params/since required', '/params/word required'])
    const wrong = { since: '2026-02-30', word: 'longer', days: '7', mode: 'dead', '1; DROP': 1 }
    expect(errorsOf(() => bindParameters(query, wrong))).toEqual([
      '/params/1; DROP unknown-field',
      '/params/days range',
      '/params/since format',
      '/params/mode not-allowed',
      '/params/word length',
    ])
    expect(errorsOf(() => bindParameters(query, { since: '2026-01-01', word: 5, days: 1.5 }))).toEqual([
      '/params/days range',
      '/params/word type',
    ])
  })

  it('does not take a value from the prototype of objects', () => {
    const inherited = parseSavedQuery('q', `${HEAD}-- @param constructor string | C\nSELECT :constructor`)
    expect(errorsOf(() => bindParameters(inherited, {}))).toEqual(['/params/constructor required'])
  })

  it('is refused at the start when its head and text do not fit', () => {
    expect(() => parseSavedQuery('q', `${HEAD}SELECT :days`)).toThrow('not declared: days')
    expect(() => parseSavedQuery('q', `${HEAD}-- @param days integer | Days\nSELECT 1`)).toThrow('not used: days')
    expect(() => parseSavedQuery('q', `${HEAD}-- @param days number | Days\nSELECT :days`)).toThrow('@param')
    expect(() => parseSavedQuery('q', 'SELECT 1')).toThrow('@title')
  })
})
