"""Rows of every type in Postgres, runs of the job over them, and what its files have to hold."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import unload_matrix as matrix
import unload_place as place_of
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from file_oracle import FileOracle
from pyspark.sql import SparkSession

from rocketgames_glue.io.unload_source import Login, reading_session
from rocketgames_glue.jobs.unload import Unload, report_unload
from rocketgames_glue.jobs.unload_range import KeySource
from rocketgames_glue.unload.plan import PlanColumn, UnloadPlan

# Here, and not in a fixture: workers have the environment that Java had when it began.
os.environ[place_of.KEY_ENV] = matrix.PSEUDONYM_KEY
KEY = KeySource(place_of.KEY_ENV, None)

LONG = (
    PlanColumn("id", "id", "bigint", "include", False, "fail", True),
    PlanColumn("body", "body", "text", "include", False, "fail", True),
)
DDL = (
    "CREATE TYPE matrix_kind AS ENUM ('windows', 'macos', 'linux')",
    """CREATE TABLE matrix_row (id uuid PRIMARY KEY, ref uuid, name text, kind matrix_kind, details jsonb, created_at timestamptz(3),
       born date, small smallint, whole integer, large bigint, is_on boolean, price numeric(9,2), amount numeric(18,4),
       wide numeric(38,10), broad numeric(20,0))""",
    "CREATE TABLE long_row (id bigint PRIMARY KEY, body text NOT NULL)",
)
VALUES = """
INSERT INTO matrix_row (id) VALUES ('00000000-0000-0000-0000-000000000000');
INSERT INTO matrix_row VALUES
 ('10000000-0000-0000-0000-000000000001', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '', 'linux', 'null', '1900-01-01 00:00+00', '1582-10-15',
  -32768, -2147483648, -9223372036854775808, false, -9999999.99, -99999999999999.9999, -9999999999999999999999999999.9999999999,
  -99999999999999999999),
 ('10000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000000', E'🚀 Zoë \\U0010FFFF\\t\\n\\x01', 'windows',
  '{"b": 1.10, "a": "\\\\u0001 \\"é\\" 😀", "n": 12345678901234567890.000}', '9999-12-31 23:59:59.999+00', '9999-12-31',
  32767, 2147483647, 9223372036854775807, true, 9999999.99, 99999999999999.9999, 9999999999999999999999999999.9999999999,
  99999999999999999999),
 ('10000000-0000-0000-0000-000000000003', gen_random_uuid(), ' ', 'macos', '[]', '1969-12-31 23:59:59.999+00', '1969-12-31',
  0, 0, 0, true, 0, 0, 0, 0),
 ('10000000-0000-0000-0000-000000000004', gen_random_uuid(), 'x', 'macos', '""', '2026-03-29 02:30:00.001+02', '2024-02-29',
  -1, -1, -1, false, -0.01, -0.0001, -0.0000000001, -1);
INSERT INTO matrix_row
SELECT gen_random_uuid(), gen_random_uuid(), repeat(chr(128512 + i % 60), i % 90), (ARRAY['windows', 'macos', 'linux'])[1 + i % 3]::matrix_kind,
       jsonb_build_object('i', i, 't', chr(233)), '1900-01-01 00:00+00'::timestamptz + i * interval '9 days 1.111 seconds',
       '1582-10-15'::date + i * 37, i % 32768, i * 7919, i::bigint * 1000000007, i % 2 = 0, i / 100.0, i * 31.0 / 10000, i * 1e18 / 7, i * 1e9
  FROM generate_series(1, 3000) i;
"""
# Postgres' own words for the values, by other functions than those that the job asks for.
AS_TEXT = """SELECT id::text, ref::text, name, kind::text, details::text, (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
  (born - date '1970-01-01')::text AS born, small::text, whole::text, large::text, is_on::text, price::text, amount::text, wide::text,
  broad::text FROM matrix_row ORDER BY id"""


def matrix_entry(aws: Any, every: tuple[PlanColumn, ...], conditions: list[str]) -> dict[str, Any]:
    names = ", ".join(f'"{each.name}" AS "{each.name}"' for each in every)
    return place_of.table_entry(aws, "matrix", every, f'SELECT {names} FROM "matrix_row"', conditions)


def start(
    spark: SparkSession, aws: Any, postgres: Any, plan: UnloadPlan, progress: Callable[[dict[str, Any]], None] = lambda _: None
) -> list[dict[str, Any]]:
    """Runs the job. :returns: its lines of progress."""
    lines: list[dict[str, Any]] = []

    def tell(line: dict[str, Any]) -> None:
        lines.append(line)
        progress(line)

    job = Unload(reading_session(spark), plan, aws.place, Login(postgres.user, postgres.password), KEY, tell)
    report_unload(aws.client("s3"), job)
    return lines


def report(aws: Any) -> dict[str, Any]:
    return json.loads(aws.read(place_of.REPORT_KEY))


def checked(
    aws: Any, oracle: FileOracle, folder: Path, columns: tuple[PlanColumn, ...], file: dict[str, Any], group_rows: int
) -> pa.Table:
    """The file of a report, once all that the report says of it has been found true."""
    path = place_of.complete(aws, file, folder)
    content = path.read_bytes()
    tail = base64.b64decode(file["tail"])
    assert len(content) == file["bytes"] == sum(each["bytes"] for each in file["parts"])
    assert f"{zlib.crc32(content):08x}" == file["crc32"]
    assert hashlib.sha256(content).hexdigest() == file["sha256"]
    assert content.endswith(tail) and hashlib.sha256(tail).hexdigest() == file["tail_sha256"]
    found = oracle.verify(path, len(tail), columns)
    assert found["problems"] == []
    assert (found["rows"], found["rowGroups"]) == (file["rows"], file["row_groups"]) == (file["rows"], -(-file["rows"] // group_rows))
    assert found["columns"] == file["columns"]
    assert found["metadata"]["rocketgames.part"] == str(file["number"])
    return pq.read_table(path)


def assert_values(found: pa.Table, wanted: list[dict[str, Any]]) -> None:
    assert found["id"].to_pylist() == [row["id"] for row in wanted]
    for name in matrix.TYPES:
        texts = [row[name] for row in wanted]
        assert _as_texts(found[name], name) == [_pseudonym(each) for each in texts] if name == "ref" else texts, name


def _as_texts(values: pa.ChunkedArray, name: str) -> list[str | None]:
    """As Postgres tells the values in ``AS_TEXT``."""
    kind = values.type
    if pa.types.is_timestamp(kind):
        return [None if each is None else str(each) for each in values.cast(pa.int64()).to_pylist()]
    if pa.types.is_date32(kind):
        return [None if each is None else str(each) for each in values.cast(pa.int32()).to_pylist()]
    if pa.types.is_boolean(kind):
        return [None if each is None else str(each).lower() for each in values.to_pylist()]
    if pa.types.is_decimal(kind):
        return [None if each is None else f"{each:f}" for each in values.to_pylist()]
    return [None if each is None else str(each) for each in values.to_pylist()]


def _pseudonym(uuid: str | None) -> str | None:
    if uuid is None:
        return None
    encryptor = Cipher(algorithms.AES256(bytes.fromhex(matrix.PSEUDONYM_KEY)), modes.ECB()).encryptor()
    return encryptor.update(bytes.fromhex(uuid.replace("-", ""))).hex()
