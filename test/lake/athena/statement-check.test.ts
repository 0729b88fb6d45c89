import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import { checkStatement, STATEMENT_BYTES } from '../../../src/lake/athena/statement-check.ts'

function refusal(sql: string): string {
  try {
    checkStatement(sql)
  } catch (error) {
    if (error instanceof AppError && error.code === 'query-not-allowed') return error.message
    throw error
  }
  throw new Error(`accepted: ${sql}`)
}

it('a carriage return ends a comment, as it does for the engine', () => {
  // Trino would drop the table; what follows is in a comment then.
  expect(refusal('--\rDROP TABLE players /*\nSELECT 1 */')).toMatch(/first keyword/)
  expect(refusal('SELECT 1 --\r; DROP TABLE players')).toMatch(/One statement/)
})

describe('a statement that reads', () => {
  it.each([
    ['SELECT 1', 'query'],
    ['  select 1 ;  ', 'query'],
    ['SELECT 1;;', 'query'],
    ['SELECT 1; -- done', 'query'],
    ['-- why\n/* and; how */ WITH a AS (SELECT 1) SELECT * FROM a', 'query'],
    ["SELECT ';' AS a, 'it''s; fine', \"a;\"\"b\"", 'query'],
    ["SELECT '--', '/*' -- ; DROP TABLE x", 'query'],
    ['(SELECT 1) UNION (SELECT 2)', 'query'],
    ['SHOW TABLES IN rocketgames', 'show'],
    ['DESCRIBE rocketgames.players_latest', 'describe'],
    ['EXPLAIN SELECT 1', 'explain'],
    ['EXPLAIN ANALYZE VERBOSE SELECT 1', 'explain'],
    ['EXPLAIN (TYPE DISTRIBUTED, FORMAT JSON) WITH a AS (SELECT 1) SELECT * FROM a', 'explain'],
    ['EXPLAIN (SELECT 1)', 'explain'],
    ['SELECT "drop", delete FROM t', 'query'],
  ])('is accepted: %s', (sql, kind) => {
    expect(checkStatement(sql).kind).toBe(kind)
  })

  it('loses its semicolon and keeps everything else', () => {
    expect(checkStatement(" SELECT ';' -- a;b\n FROM t ; \n-- end").sql).toBe("SELECT ';' -- a;b\n FROM t")
  })
})

describe('everything else is refused', () => {
  it.each([
    ['', 'There is no statement'],
    [' ;; ', 'There is no statement'],
    ['-- SELECT 1', 'There is no statement'],
    ['INSERT INTO t VALUES (1)', 'first keyword'],
    ['/* SELECT */ DROP TABLE t', 'first keyword'],
    ['CREATE TABLE t AS SELECT 1', 'first keyword'],
    ["UNLOAD (SELECT 1) TO 's3://b/' WITH (format = 'PARQUET')", 'first keyword'],
    ['SELECTED', 'first keyword'],
    ['"SELECT" 1', 'first keyword'],
    ['(SHOW TABLES)', 'first keyword'],
    ['VALUES 1', 'first keyword'],
    ['DESC players_latest', 'first keyword'],
    ['SELECT 1; SELECT 2', 'One statement'],
    ['SELECT 1;/**/DROP TABLE t', 'One statement'],
    ["SELECT 'a\\'; DROP TABLE t; --'", 'One statement'],
    ["SELECT 'open", 'not closed'],
    ['SELECT "open', 'not closed'],
    ['SELECT 1 /* open', 'not closed'],
    ['EXPLAIN DROP TABLE t', 'EXPLAIN'],
    ['EXPLAIN ANALYZE INSERT INTO t SELECT 1', 'EXPLAIN'],
    ['EXPLAIN (TYPE IO) CREATE TABLE t AS SELECT 1', 'EXPLAIN'],
    ['EXPLAIN', 'EXPLAIN'],
    ["SHOW TABLES 'a\\'", 'backslash'],
    ['SELECT 1\0', 'NUL'],
  ])('%s', (sql, reason) => {
    expect(refusal(sql)).toContain(reason)
  })

  it('when it is longer than Athena takes', () => {
    expect(refusal(`SELECT ${'1'.repeat(STATEMENT_BYTES)}`)).toContain('longer')
  })

  it('without repeating the statement, which may hold anything', () => {
    expect(refusal("DELETE FROM t WHERE email = 'zoe@example.com'")).not.toMatch(/zoe|DELETE/)
  })

  it('whatever text follows a semicolon outside of strings, names and comments', () => {
    const harmless = fc.constantFrom("'a;b'", '"c;d"', '/* ; */', '1', 'x', '-- ;\n', "''''")
    fc.assert(
      fc.property(fc.array(harmless), fc.constantFrom('DROP TABLE t', 'x', "'s'", '"n"', '1', ')'), (parts, second) => {
        expect(checkStatement(`SELECT ${parts.join(' ')}`).kind).toBe('query')
        expect(() => checkStatement(`SELECT ${parts.join(' ')} ; ${second}`)).toThrow(AppError)
      }),
    )
  })
})
