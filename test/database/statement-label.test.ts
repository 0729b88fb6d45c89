import { describe, expect, it } from 'vitest'
import { statementLabel } from '../../src/database/statement-label.ts'

describe('the label of a statement', () => {
  it.each([
    ['SELECT id FROM player WHERE email = $1', 'SELECT player'],
    ['SELECT "public"."player"."id" FROM "public"."player" WHERE 1=1', 'SELECT player'],
    ['\n  -- newest first\n  /* hint */ SELECT * FROM api_key k', 'SELECT api_key'],
    ['INSERT INTO game (title) SELECT title FROM other', 'INSERT game'],
    ['UPDATE ONLY "studio" SET name = $1', 'UPDATE studio'],
    ['DELETE FROM job_error WHERE job_id = $1', 'DELETE job_error'],
    ['WITH given AS (SELECT * FROM unnest($1::text[])) INSERT INTO player SELECT * FROM given', 'INSERT player'],
    ['WITH newest AS (SELECT id FROM game) SELECT * FROM newest', 'SELECT game'],
    ['SELECT id FROM player WHERE id = $1 FOR UPDATE SKIP LOCKED', 'SELECT player'],
    ['SELECT * FROM generate_series(1, 3)', 'SELECT'],
    ["SELECT 'gone FROM secret_name' FROM game", 'SELECT game'],
    ["SELECT 'it''s FROM nowhere'", 'SELECT'],
    ["SELECT 'FROM cut", 'SELECT'],
    ['COPY (SELECT id FROM player) TO STDOUT', 'COPY player'],
    ['COPY entitlement FROM STDIN', 'COPY entitlement'],
    ['BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE', 'BEGIN'],
    ['COMMIT', 'COMMIT'],
    ['Max@example.com', 'OTHER'],
    ['', 'OTHER'],
  ])('of %j is %j', (text, summary) => {
    expect(statementLabel(text).summary).toBe(summary)
  })

  it('takes no longer for a text that looks like a table again and again', () => {
    expect(statementLabel(`SELECT ${'FROM '.repeat(100_000)}`).operation).toBe('SELECT')
    expect(statementLabel(`WITH ${"a.'".repeat(100_000)}`).operation).toBe('SELECT')
  })
})
