import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { breachesOf, openBreaches } from './additive-migrations.ts'

const MIGRATIONS = path.resolve(import.meta.dirname, '../../prisma/migrations')
/** The last migration of the first release: nobody runs what came before it. */
const FIRST_RELEASE = '20261124100000_count_requests'
/** So many there are up to that one. One that is added with an earlier date would not be looked at. */
const FIRST_RELEASE_COUNT = 20
const names = readdirSync(MIGRATIONS, { withFileTypes: true })
  .flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  .sort()
const sqlOf = (name: string) => readFileSync(path.join(MIGRATIONS, name, 'migration.sql'), 'utf8')
const kinds = (sql: string) => breachesOf(sql).map(({ kind }) => kind)

describe('migrations since the first release', () => {
  it('leave the release before running: it needs nothing that is gone, and writes what it always wrote', () => {
    expect(names.indexOf(FIRST_RELEASE) + 1, 'date new migrations after the first release').toBe(FIRST_RELEASE_COUNT)
    const later = names.filter((name) => name > FIRST_RELEASE)
    const open = later.flatMap((name) =>
      openBreaches(sqlOf(name)).map(({ kind, statement }) => `${name}: ${kind}: ${statement}`),
    )
    expect(open).toEqual([])
  })

  it('are read by a check that finds what those before it did', () => {
    expect(kinds(sqlOf('20261123051000_turn_library_index'))).toContain('CREATE INDEX')
    expect(kinds(sqlOf('20261123101000_drop_job_file_encoding'))).toContain('DROP COLUMN')
    expect(kinds(sqlOf('20261101090000_create_accounts'))).toEqual([])
    expect(kinds(sqlOf(FIRST_RELEASE))).toEqual([])
  })
})

describe('the check of migrations', () => {
  it.each([
    ['DROP TABLE studio;', 'DROP TABLE'],
    ['DROP TABLE IF EXISTS studio CASCADE;', 'DROP TABLE'],
    ['DROP VIEW newest;', 'DROP OBJECT'],
    ['ALTER TABLE studio DROP COLUMN website;', 'DROP COLUMN'],
    ['alter table only "studio"\n  drop website;', 'DROP COLUMN'],
    ['ALTER TABLE studio ADD COLUMN a text, DROP COLUMN b;', 'DROP COLUMN'],
    ['ALTER TABLE studio ALTER COLUMN status DROP DEFAULT;', 'DROP DEFAULT'],
    ['ALTER TABLE studio RENAME COLUMN name TO title;', 'RENAME'],
    ['ALTER TABLE studio RENAME TO company;', 'RENAME'],
    ['ALTER TABLE studio ALTER COLUMN website SET NOT NULL;', 'SET NOT NULL'],
    ['ALTER TABLE studio ADD COLUMN note text NOT NULL;', 'ADD COLUMN NOT NULL'],
    ['ALTER TABLE studio ADD note varchar(10) CHECK (length(note) > 1) NOT NULL;', 'ADD COLUMN NOT NULL'],
    ['ALTER TABLE studio ADD COLUMN a int NOT NULL DEFAULT 1, ADD COLUMN b int NOT NULL;', 'ADD COLUMN NOT NULL'],
    ['ALTER TABLE studio ALTER COLUMN version TYPE bigint;', 'ALTER COLUMN TYPE'],
    ['ALTER TABLE studio ALTER version SET DATA TYPE bigint;', 'ALTER COLUMN TYPE'],
    ["ALTER TYPE mood ADD VALUE 'glad';", 'ALTER TYPE'],
    ['ALTER TABLE studio ADD CONSTRAINT short CHECK (length(name) < 9);', 'ADD CONSTRAINT'],
    ['ALTER TABLE studio ADD FOREIGN KEY (a) REFERENCES b (id);', 'ADD CONSTRAINT'],
    ['CREATE INDEX studio_note ON studio (note);', 'CREATE INDEX'],
    ['CREATE UNIQUE INDEX IF NOT EXISTS studio_note ON ONLY public.studio (note);', 'CREATE INDEX'],
    ['TRUNCATE studio;', 'TRUNCATE'],
    ['REVOKE SELECT ON studio FROM accounts_service;', 'REVOKE'],
    ['DO $$ BEGIN ALTER TABLE studio DROP COLUMN website; END $$;', 'DROP COLUMN'],
    ["DO $do$ BEGIN EXECUTE 'DROP TABLE studio'; END $do$;", 'DROP TABLE'],
    ['DO $do$ BEGIN EXECUTE $q$DROP TABLE studio$q$; END $do$;', 'DROP TABLE'],
    ['DO $$ BEGIN IF a THEN b(); ELSE DROP TABLE studio; END IF; END $$;', 'DROP TABLE'],
    ["-- Of 'old'\nDROP TABLE studio;", 'DROP TABLE'],
    ["/* Of 'old' */ DROP TABLE studio;", 'DROP TABLE'],
    ['DROP INDEX studio_slug_key;', 'DROP OBJECT'],
    ['DROP EXTENSION pg_trgm;', 'DROP OBJECT'],
    ['ALTER TABLE studio SET SCHEMA archive;', 'RENAME'],
    ['ALTER TABLE studio ADD size int GENERATED ALWAYS AS (length(name)) STORED;', 'ADD COLUMN REWRITE'],
    ['ALTER TABLE studio ADD COLUMN number bigserial;', 'ADD COLUMN REWRITE'],
    ['ALTER TABLE studio ADD COLUMN number int GENERATED ALWAYS AS IDENTITY;', 'ADD COLUMN REWRITE'],
    ['ALTER TABLE studio ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();', 'ADD COLUMN REWRITE'],
  ])('finds in %s: %s', (sql, kind) => {
    expect(kinds(sql)).toContain(kind)
  })

  it.each([
    'ALTER TABLE studio ADD COLUMN note text;',
    'ALTER TABLE studio ADD COLUMN note_id bigint NULL REFERENCES note (id);',
    "ALTER TABLE studio ADD COLUMN note text NOT NULL DEFAULT 'none, NOT NULL';",
    'ALTER TABLE studio ADD COLUMN seen timestamptz NOT NULL DEFAULT now(), ADD COLUMN stored int;',
    'ALTER TABLE studio ADD CONSTRAINT short CHECK (length(name) < 9 AND (a = 1 OR b = 2)) NOT VALID;',
    'ALTER TABLE studio VALIDATE CONSTRAINT short;',
    'ALTER TABLE studio ALTER COLUMN website DROP NOT NULL, DROP CONSTRAINT short;',
    'CREATE INDEX CONCURRENTLY studio_note ON studio (note);',
    'CREATE TABLE note (id bigint NOT NULL);\nCREATE INDEX note_id ON note (id);\nALTER TABLE note ADD CONSTRAINT one CHECK (id > 0);',
    'CREATE UNLOGGED TABLE "note" (id bigint);\nCREATE UNIQUE INDEX ON public.note USING btree (id);',
    '-- DROP TABLE studio;\n/* DROP TABLE studio; */ CREATE TABLE a (b int);',
    "COMMENT ON TABLE studio IS 'never; DROP TABLE studio; it is ours';",
    'CREATE OR REPLACE FUNCTION f() RETURNS trigger AS $body$ BEGIN DROP TABLE studio; END $body$ LANGUAGE plpgsql;',
    'DROP TRIGGER touch ON studio;',
  ])('lets pass: %s', (sql) => {
    expect(breachesOf(sql)).toEqual([])
  })

  it('lets pass what the header names with its reason, and nothing beside it', () => {
    const header = [
      '-- The web address of a studio goes.',
      '--',
      '-- Locks: ACCESS EXCLUSIVE on studio for milliseconds.',
      '-- Not additive: DROP COLUMN: no release since the one of June reads or writes it, and the one of',
      '--   June is the oldest that may run.',
      '-- Recovery: the file is one transaction.',
    ].join('\n')
    const drop = 'ALTER TABLE studio DROP COLUMN website;'
    expect(openBreaches(`${header}\n${drop}`)).toEqual([])
    expect(openBreaches(`${header}\n${drop}\nDROP TABLE note;`).map(({ kind }) => kind)).toEqual(['DROP TABLE'])
    expect(openBreaches(`-- Not additive: DROP COLUMN\n${drop}`)).toHaveLength(1)
    expect(openBreaches(`-- Not additive: DROP COLUMN: it goes\n${drop}`)).toHaveLength(1)
    expect(openBreaches(`${drop}\n${header}\n`)).toHaveLength(1)
  })
})
