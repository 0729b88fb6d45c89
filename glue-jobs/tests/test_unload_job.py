"""The unload on a real Spark: from a real Postgres into uploads of the local S3, files and failures."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import unload_matrix as matrix
import unload_place as place_of
from conftest import SMALL_JVM
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from file_oracle import FileOracle, file_oracle
from pyspark import cloudpickle
from pyspark.sql import SparkSession

from rocketgames_glue.io.unload_source import Login, range_rows, reading_session
from rocketgames_glue.jobs.unload import Unload, report_unload
from rocketgames_glue.jobs.unload_range import KeySource, RangeTask
from rocketgames_glue.unload.plan import PlanColumn, UnloadPlan
from rocketgames_glue.unload.problems import UnloadProblem

# Here, and not in a fixture: workers have the environment that Java had when it began.
os.environ[place_of.KEY_ENV] = matrix.PSEUDONYM_KEY

JOBS = Path(__file__).resolve().parents[1]
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


@pytest.fixture(scope="module")
def oracle() -> Iterator[FileOracle]:
    with file_oracle() as found:
        yield found


def matrix_entry(aws: Any, every: tuple[PlanColumn, ...], conditions: list[str]) -> dict[str, Any]:
    names = ", ".join(f'"{each.name}" AS "{each.name}"' for each in every)
    return place_of.table_entry(aws, "matrix", every, f'SELECT {names} FROM "matrix_row"', conditions)


def start(spark: SparkSession, aws: Any, postgres: Any, plan: UnloadPlan) -> list[dict[str, Any]]:
    """Runs the job. :returns: its lines of progress."""
    lines: list[dict[str, Any]] = []
    job = Unload(reading_session(spark), plan, aws.place, Login(postgres.user, postgres.password), KEY, lines.append)
    report_unload(aws.client("s3"), job)
    return lines


def report(aws: Any) -> dict[str, Any]:
    return json.loads(aws.read(place_of.REPORT_KEY))


def test_files_hold_the_instant_of_the_snapshot_whatever_is_written_meanwhile(
    spark: SparkSession, aws: Any, postgres: Any, oracle: FileOracle, tmp_path: Path
) -> None:
    postgres.sql(*DDL, VALUES)
    postgres.sql(
        "INSERT INTO long_row SELECT i, (SELECT string_agg(md5((i * 1000 + j)::text), '') FROM generate_series(1, 1000) j) "
        "FROM generate_series(1, 400) i"
    )
    every = matrix.columns()
    with place_of.held_snapshot(spark, postgres) as snapshot:
        wanted = postgres.sql(AS_TEXT)
        blocks = 30
        tables = [
            # The second range has no row at all.
            matrix_entry(
                aws, every, [f"ctid < '({blocks},0)'::tid", "ctid >= '(90000,0)'::tid", f"ctid >= '({blocks},0)'::tid AND ctid < '(90000,0)'::tid"]
            ),
            place_of.table_entry(aws, "long", LONG, 'SELECT "id" AS "id", "body" AS "body" FROM "long_row"', ["true"]),
        ]
        postgres.sql("DELETE FROM matrix_row WHERE small % 2 = 0", "UPDATE matrix_row SET name = 'too late'")
        with _writer(postgres):
            lines = start(spark, aws, postgres, place_of.plan(aws, postgres, snapshot, tables))

    told = report(aws)
    assert (told["report_version"], told["snapshot_id"]) == (1, place_of.SNAPSHOT_ID)
    by_name = {each["name"]: each for each in told["tables"]}
    assert by_name["matrix"]["rows_read"] == len(wanted) and by_name["long"]["rows_read"] == 400
    assert [each["number"] for each in by_name["matrix"]["files"]] == [0, 1, 2]
    assert sorted((each["table"], each["number"]) for each in lines) == [("long", 0), ("matrix", 0), ("matrix", 1), ("matrix", 2)]

    pieces = [_checked(aws, oracle, tmp_path, every, file, 1_000) for file in by_name["matrix"]["files"]]
    assert pieces[1].num_rows == 0 and all(pieces[i].num_rows > 100 for i in (0, 2))
    _assert_values(pa.concat_tables(pieces).sort_by("id"), wanted)

    [file] = by_name["long"]["files"]
    assert [each["bytes"] for each in file["parts"]][:1] == [5 << 20] and len(file["parts"]) > 1
    bodies = _checked(aws, oracle, tmp_path, LONG, file, 1_000)
    assert (file["min_key"], file["max_key"]) == ("1", "400")
    first = "".join(hashlib.md5(str(1000 + j).encode()).hexdigest() for j in range(1, 1001))
    assert bodies.filter(pa.compute.equal(bodies["id"], 1))["body"][0].as_py() == first


class _writer:
    """Somebody who goes on writing until the end of the block."""

    def __init__(self, postgres: Any) -> None:
        self._postgres = postgres
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        while not self._end.is_set():
            self._postgres.sql(
                "UPDATE matrix_row SET whole = -7, ref = NULL WHERE id IN (SELECT id FROM matrix_row TABLESAMPLE SYSTEM (5))",
                "INSERT INTO matrix_row (id) SELECT gen_random_uuid() FROM generate_series(1, 5)",
                "UPDATE long_row SET body = 'too late' WHERE id % 7 = 0 AND body <> 'too late'",
            )

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


def _checked(
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


def _assert_values(found: pa.Table, wanted: list[dict[str, Any]]) -> None:
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


FAULTS = {
    "created_at = 'infinity'": ("created_at", "infinity"),
    "created_at = '-infinity'": ("created_at", "infinity"),
    "created_at = '0044-03-15 00:00+00 BC'": ("created_at", "bc"),
    "created_at = '294276-12-31 00:00+00'": ("created_at", "out_of_range"),
    "born = 'infinity'": ("born", "infinity"),
    "born = '0001-01-01'": ("born", "out_of_range"),
    "born = '4713-01-01 BC'": ("born", "bc"),
    "price = 'NaN'": ("price", "nan"),
    "name = NULL": ("name", None),
}
IN_STRICT = ("born = 'infinity'", "name = NULL")
"""Each costs a worker process of its own; the others are in the tests of the encoder."""


def test_values_that_no_file_holds_end_the_job_by_name_or_become_null(
    spark: SparkSession, aws: Any, postgres: Any, oracle: FileOracle, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ids = {fault: f"20000000-0000-0000-0000-0000000000{i:02}" for i, fault in enumerate(FAULTS)}
    postgres.sql(*DDL)
    for fault, row_id in ids.items():
        insert = f"INSERT INTO matrix_row (id, name) VALUES ('{row_id}', 'secret words')"
        postgres.sql(insert, f"UPDATE matrix_row SET {fault} WHERE id = '{row_id}'")
    with place_of.held_snapshot(spark, postgres) as snapshot:
        for fault in IN_STRICT:
            column, reason = FAULTS[fault]
            entry = matrix_entry(aws, matrix.columns(name={"nullable": False}), [f"id = '{ids[fault]}'"])
            with pytest.raises(UnloadProblem) as caught:
                start(spark, aws, postgres, place_of.plan(aws, postgres, snapshot, [entry]))
            told = report(aws)["problem"]
            assert (told["table"], told["column"], told["primary_key"]) == ("matrix_row", column, f"id={ids[fault]}")
            assert (told["code"], told.get("reason")) == ("null_in_not_null" if reason is None else "unrepresentable_value", reason)
            assert f"matrix_row.{column} of the row id={ids[fault]} " in told["message"]
            assert ids[fault] not in str(caught.value)

        lenient = matrix.columns(**{name: {"on_unrepresentable": "null"} for name in ("created_at", "born", "price")})
        entry = matrix_entry(aws, lenient, ["true"])
        start(spark, aws, postgres, place_of.plan(aws, postgres, snapshot, [entry]))
    [file] = report(aws)["tables"][0]["files"]
    found = _checked(aws, oracle, tmp_path, lenient, file, 1_000)
    assert found["created_at"].null_count == found["born"].null_count == found["price"].null_count == len(ids)
    none = {"infinity": 0, "bc": 0, "out_of_range": 0, "nan": 0}
    assert file["unrepresentable"] == {
        "created_at": {**none, "infinity": 2, "bc": 1, "out_of_range": 1},
        "born": {**none, "infinity": 1, "bc": 1, "out_of_range": 1},
        "price": {**none, "nan": 1},
    }
    shown = capfd.readouterr()
    for secret in (*ids.values(), "secret words", matrix.PSEUDONYM_KEY):
        assert secret not in shown.out + shown.err


def test_a_job_that_cannot_go_on_ends_at_once_and_says_why(spark: SparkSession, aws: Any, postgres: Any) -> None:
    postgres.sql(*DDL, VALUES)
    every = matrix.columns()
    slow = "id > '00000000-0000-0000-0000-000000000000' AND (SELECT pg_sleep(600)) IS NULL"

    def told(snapshot: str, conditions: list[str], gone: bool = False, session_init: str = "", **changes: Any) -> dict[str, Any]:
        entry = {**matrix_entry(aws, every, conditions), **changes}
        if gone:
            first = entry["ranges"][0]
            aws.client("s3").abort_multipart_upload(Bucket=aws.bucket, Key=first["key"], UploadId=first["upload_id"])
        plan = place_of.plan(aws, postgres, snapshot, [entry])
        if session_init:
            plan = replace(plan, source=replace(plan.source, session_init=session_init))
        with pytest.raises(UnloadProblem):
            start(spark, aws, postgres, plan)
        return report(aws)["problem"]

    with place_of.held_snapshot(spark, postgres) as snapshot:
        # The other range would read for ten minutes. Java cannot interrupt a read of a socket: in a program of its own the job would end here.
        lost = told(snapshot, ["true", slow], gone=True)
        assert (lost["code"], lost["aws_code"]) == ("storage_failed", "NoSuchUpload")
        postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()")
        failed = told(snapshot, ["id::text::int > 0"])
        assert (failed["code"], failed["table"], failed["range"]) == ("copy_failed", "matrix_row", 0)
        assert "SQLSTATE 22P02" in failed["message"] and "10000000" not in failed["message"]
        killed = told(snapshot, ["(SELECT pg_terminate_backend(pg_backend_pid()))"])
        assert killed["code"] == "connection_lost"
        assert told(snapshot, ["true"], select='SELECT * FROM "gone"')["code"] == "copy_failed"
        # A session that did not begin as it should reads nothing, rather than another instant.
        assert "SQLSTATE 22P02" in told(snapshot, ["true"], session_init="SET timezone = 'UTC'")["message"]
    ended = told(snapshot, ["true"])
    assert ended["code"] == "load_balanced_endpoint"


def test_a_repeated_task_replaces_what_the_first_attempt_sent(aws: Any, oracle: FileOracle, tmp_path: Path) -> None:
    every = matrix.columns()
    entry = matrix_entry(aws, every, ["true"])
    content = place_of.plan_content(aws, _NoDatabase(), "00000003-0000001B-1", [entry])
    plan = place_of.read_plan(content, "plan")
    [table] = plan.tables
    task = RangeTask(aws.place, table, table.ranges[0], plan.encoding, plan.metadata(table, 0), KEY)
    rows = [{"id": f"{i:08}-0000-0000-0000-000000000000", "name": os.urandom(600).hex()} for i in range(12_000)]

    def broken() -> Iterator[pa.RecordBatch]:
        yield matrix.batch(every, [{**row, "name": row["name"][::-1]} for row in rows])
        raise ConnectionError("the value that was read")

    with pytest.raises(RuntimeError) as caught:
        list(task(broken()))
    assert "ConnectionError" in str(caught.value) and "the value" not in str(caught.value)
    parts = aws.client("s3").list_parts(Bucket=aws.bucket, Key=table.ranges[0].key, UploadId=table.ranges[0].upload_id)
    assert [each["PartNumber"] for each in parts["Parts"]] == [1]

    [batch] = task([matrix.batch(every, rows)])
    file = json.loads(batch.column(0)[0].as_py())["file"]
    found = _checked(aws, oracle, tmp_path, every, file, 1_000)
    assert found["name"].to_pylist() == [row["name"] for row in rows]


class _NoDatabase:
    jdbc_url, user = "jdbc:postgresql://127.0.0.1:1/none", "nobody"


def test_no_plan_and_no_task_has_a_secret(spark: SparkSession, aws: Any, postgres: Any) -> None:
    postgres.sql(*DDL)
    every = matrix.columns()
    with place_of.held_snapshot(spark, postgres) as snapshot:
        content = place_of.plan_content(aws, postgres, snapshot, [matrix_entry(aws, every, ["true"])])
        plan = place_of.read_plan(content, "plan")
        [table] = plan.tables
        task = RangeTask(aws.place, table, table.ranges[0], plan.encoding, plan.metadata(table, 0), KEY)
        login = Login(postgres.user, postgres.password)
        frame = range_rows(reading_session(spark), plan.source, login, table, table.ranges[0])
        shown = frame.mapInArrow(task, "outcome string")._jdf.queryExecution().toString()
    assert matrix.PSEUDONYM_KEY not in shown + content.decode() + repr(cloudpickle.dumps(task))
    assert postgres.password not in shown + repr(login)


def test_the_job_ends_with_the_program_that_started_it(aws: Any, spark: SparkSession, postgres: Any) -> None:
    """Its Java, its workers and its connection, too: in a program of its own, as the service starts it."""
    postgres.sql(*DDL, "INSERT INTO matrix_row (id) VALUES ('00000000-0000-0000-0000-000000000000')")
    with place_of.held_snapshot(spark, postgres) as snapshot:
        entry = matrix_entry(aws, matrix.columns(), ["(SELECT pg_sleep(600)) IS NULL"])
        aws.put(place_of.PLAN_KEY, place_of.plan_content(aws, postgres, snapshot, [entry]))
        arguments = ["--plan", f"s3://{aws.bucket}/{place_of.PLAN_KEY}", "--bucket", aws.bucket, "--region", aws.region]
        secrets = ["--password-env", postgres.password_env, "--pseudonym-key-env", place_of.KEY_ENV]
        job = subprocess.Popen(
            [sys.executable, str(JOBS / "unload_snapshot.py"), *arguments, "--endpoint-url", aws.endpoint_url, *secrets],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "ROCKETGAMES_STDIN_GUARD": "1", "ROCKETGAMES_SPARK_JAVA_OPTIONS": SMALL_JVM},
        )
        assert job.stdin is not None and job.stdout is not None
        reading = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'rocketgames-snapshot:%' AND query LIKE '%pg_sleep(600)%' AND state = 'active'"
        while not postgres.sql(reading):
            assert job.poll() is None, job.stdout.read().decode()
            time.sleep(0.1)
        job.stdin.close()
        assert job.wait(timeout=20) != 0
    # The end of its output: nobody that it started holds it any more.
    shown = job.stdout.read().decode()
    assert '"event":"job-started"' in shown
    assert postgres.password not in shown and matrix.PSEUDONYM_KEY not in shown
