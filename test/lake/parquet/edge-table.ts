import type { ExportColumn } from '../../../src/lake/contract.ts'
import { column } from './copy-bytes.ts'

/** A column of each type, with the values where encoders go wrong: ends of ranges, carries, NULLs, long and foreign text. */
export const EDGE_COLUMNS: readonly ExportColumn[] = [
  column('k', 'integer', { nullable: false }),
  column('id', 'uuid'),
  column('ref', 'uuid', { action: 'pseudonymise', stats: false, sql: 'id', source: 'id' }),
  column('t', 'text'),
  column('v', 'text', { nullable: false }),
  column('c', 'text', { sql: 'c::text' }),
  column('e', 'enum'),
  column('j', 'jsonb', { stats: false }),
  column('a', 'jsonb', { sql: 'to_jsonb(a)' }),
  column('b', 'boolean'),
  column('i2', 'smallint'),
  column('i4', 'integer'),
  column('i8', 'bigint'),
  column('n2', 'numeric(12,2)'),
  column('n15', 'numeric(15,10)'),
  column('n18', 'numeric(18,4)'),
  column('n22', 'numeric(2,2)'),
  column('n38', 'numeric(38,10)'),
  column('w38', 'numeric(38,0)'),
  column('d', 'date'),
  column('ts', 'timestamptz(3)'),
  column('nothing', 'text'),
]

export const EDGE_SQL = `
CREATE TYPE edge_kind AS ENUM ('ACTIVE', 'CLOSED', 'größer');
CREATE TABLE edge (
  k integer NOT NULL, id uuid, t text, v text NOT NULL, c char(2), e edge_kind, j jsonb, a text[], b boolean, i2 smallint,
  i4 integer, i8 bigint, n2 numeric(12,2), n15 numeric(15,10), n18 numeric(18,4), n22 numeric(2,2), n38 numeric(38,10),
  w38 numeric(38,0), d date, ts timestamptz(3), nothing text
);
INSERT INTO edge VALUES
 (1, '00000000-0000-0000-0000-000000000000', '', '', '  ', 'ACTIVE', '{}', '{}', false, -32768, -2147483648,
  -9223372036854775808, -9999999999.99, -99999.9999999999, -99999999999999.9999, -0.99, -9999999999999999999999999999.9999999999,
  -99999999999999999999999999999999999999, '1582-10-15', '1900-01-01 00:00:00Z', NULL),
 (2, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'ÿ☃😀' || chr(65533) || chr(66000), 'x', 'ÅÄ', 'größer', 'null', '{"a b",NULL,"\\"q\\""}',
  true, 32767, 2147483647, 9223372036854775807, 9999999999.99, 99999.9999999999, 99999999999999.9999, 0.99,
  9999999999999999999999999999.9999999999, 99999999999999999999999999999999999999, '9999-12-31', '9999-12-31 23:59:59.999Z', NULL),
 (3, NULL, NULL, 'all null', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (4, '12345678-9abc-def0-1234-56789abcdef0', repeat('é', 524288), 'long', 'ab', 'CLOSED', '[1,2,{"a":"é \\" \\\\ "}]', '{1,2}', true,
  0, 0, 0, 0, 0, 0, 0, 0, 0, '1970-01-01', '1970-01-01Z', NULL),
 (5, NULL, repeat('a', 1048576), 'v', 'zz', 'ACTIVE', '"s"', NULL, false, -1, -1, -1, 0.01, 0.0000000001, 0.0001, 0.01,
  0.0000000001, 1, '1969-12-31', '1969-12-31 23:59:59.999Z', NULL),
 (6, NULL, E'tab\\tnl\\ncr\\r"quote"\\\\ \\x01', 'w', 'q', 'ACTIVE', '{"a":1.10}', NULL, false, 1, 1, 4294967296, -0.01,
  -0.0000000001, -0.0001, -0.01, -0.0000000001, -1, '2000-01-01', '2000-01-01Z', NULL),
 (7, NULL, 'x', 'w', 'qq', 'ACTIVE', '{"b":[]}', NULL, true, 1, 1, -4294967296, 100.00, 10000, 10000, 0.1, 10000, 18446744073709551616,
  '1999-12-31', '1999-12-31 23:59:59.999Z', NULL),
 (8, NULL, 'y', 'w', 'qq', 'ACTIVE', '1e400', NULL, true, 1, 1, 4294967295, 10000.10, 1.5, 429496.7296, 0.5, 4294967296, 4294967296,
  '2000-02-29', '2038-01-19 03:14:08Z', NULL),
 (9, NULL, 'y', 'w', 'qq', 'ACTIVE', 'true', NULL, true, 1, 1, -4294967295, 123456.70, 12.0001, -429496.7296, 0.5, -4294967296,
  -18446744073709551616, '2024-12-31', '2024-12-31 23:59:59.999Z', NULL),
 (10, NULL, 'y', 'w', 'qq', 'ACTIVE', '{"k":null}', NULL, true, 1, 1, 1, 99990000.00, 9999, 20000, 0.5, 100000000, 340282366920938463463374607431768211,
  '1900-02-28', '1900-01-01 00:00:00.001Z', NULL);
INSERT INTO edge
SELECT 100 + i, md5(i::text)::uuid, CASE WHEN i % 3 > 0 THEN repeat(chr(97 + i % 26), i % 300) END, 'v' || i, 'aa',
  (ARRAY['ACTIVE', 'CLOSED']::edge_kind[])[1 + i % 2], CASE WHEN i % 5 > 0 THEN jsonb_build_object('i', i) END,
  ARRAY[i::text], CASE WHEN i % 7 > 0 THEN i % 2 = 0 END, i % 30000, i * 7919, i * 1000000007::bigint * i,
  (i * i % 1000000)::numeric / 100 - 5000, (i % 100000)::numeric / 7, i * 1234567.8912 - 5000000000, (i % 100)::numeric / 100,
  (i - 4500) * 1234567890123456.789, (i - 4500) * 99999999999999999999999::numeric, date '1600-01-01' + i * 37,
  CASE WHEN i % 11 > 0 THEN timestamptz '1900-06-01Z' + i * interval '3 days 7.001 seconds' END, NULL
FROM generate_series(1, 9000) AS i;
`

/** The value as canonical text: dates and times as the integers that the file holds. */
export function canonicalSql({ sql, pgType, action }: ExportColumn): string {
  if (action === 'pseudonymise') return `(${sql})::text`
  if (pgType === 'date') return `((${sql}) - date '1970-01-01')::text`
  if (pgType === 'timestamptz(3)') return `(extract(epoch FROM ${sql}) * 1000000)::bigint::text`
  return `(${sql})::text`
}
