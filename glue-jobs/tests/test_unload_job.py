"""The unload on a real Spark: from a real Postgres into uploads of the local S3, and what its files hold."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import unload_matrix as matrix
import unload_place as place_of
from file_oracle import FileOracle
from pyspark import cloudpickle
from pyspark.sql import SparkSession
from unload_rows import AS_TEXT, DDL, KEY, LONG, VALUES, assert_values, checked, matrix_entry, report, start

from rocketgames_glue.io.unload_source import Login, range_rows, reading_session
from rocketgames_glue.jobs.unload_range import RangeTask
from rocketgames_glue.unload.problems import UnloadProblem


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
    ends = {(each["table"], each["number"]): (each["rows"], each["bytes"]) for each in lines}
    assert ends == {(each["name"], file["number"]): (file["rows"], file["bytes"]) for each in told["tables"] for file in each["files"]}

    pieces = [checked(aws, oracle, tmp_path, every, file, 1_000) for file in by_name["matrix"]["files"]]
    assert pieces[1].num_rows == 0 and all(pieces[i].num_rows > 100 for i in (0, 2))
    assert_values(pa.concat_tables(pieces).sort_by("id"), wanted)

    [file] = by_name["long"]["files"]
    assert [each["bytes"] for each in file["parts"]][:1] == [5 << 20] and len(file["parts"]) > 1
    bodies = checked(aws, oracle, tmp_path, LONG, file, 1_000)
    assert (file["min_key"], file["max_key"]) == ("1", "400")
    first = "".join(hashlib.md5(str(1000 + j).encode()).hexdigest() for j in range(1, 1001))
    assert bodies.filter(pa.compute.equal(bodies["id"], 1))["body"][0].as_py() == first


class _writer:
    """Somebody who writes several times a second until the end of the block."""

    def __init__(self, postgres: Any) -> None:
        self._postgres = postgres
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        while not self._end.wait(0.1):
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
MANY_ROWS = "generate_series(1, 20000)"


def test_values_that_no_file_holds_end_the_job_by_name_or_become_null(
    spark: SparkSession, aws: Any, postgres: Any, oracle: FileOracle, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ids = {fault: f"20000000-0000-0000-0000-0000000000{i:02}" for i, fault in enumerate(FAULTS)}
    statements = []
    for fault, row_id in ids.items():
        insert = f"INSERT INTO matrix_row (id, name) VALUES ('{row_id}', 'secret words')"
        statements += [insert, f"UPDATE matrix_row SET {fault} WHERE id = '{row_id}'"]
    postgres.sql(*DDL, *statements, f"INSERT INTO matrix_row (id, name) SELECT gen_random_uuid(), repeat('x', 90) FROM {MANY_ROWS}")
    with place_of.held_snapshot(spark, postgres) as snapshot:
        for fault in IN_STRICT:
            column, reason = FAULTS[fault]
            # Nobody reads the many rows behind it any more.
            condition = f"id = '{ids[fault]}' OR name = repeat('x', 90)"
            entry = matrix_entry(aws, matrix.columns(name={"nullable": False}), [condition])
            with pytest.raises(UnloadProblem) as caught:
                start(spark, aws, postgres, place_of.plan(aws, postgres, snapshot, [entry]))
            told = report(aws)["problem"]
            assert (told["table"], told["column"], told["primary_key"]) == ("matrix_row", column, f"id={ids[fault]}")
            assert (told["code"], told.get("reason")) == ("null_in_not_null" if reason is None else "unrepresentable_value", reason)
            assert f"matrix_row.{column} of the row id={ids[fault]} " in told["message"]
            assert ids[fault] not in str(caught.value)

        lenient = matrix.columns(**{name: {"on_unrepresentable": "null"} for name in ("created_at", "born", "price")})
        entry = matrix_entry(aws, lenient, ["name IS NULL OR name = 'secret words'"])
        start(spark, aws, postgres, place_of.plan(aws, postgres, snapshot, [entry]))
    [file] = report(aws)["tables"][0]["files"]
    found = checked(aws, oracle, tmp_path, lenient, file, 1_000)
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


def test_a_repeated_task_replaces_what_the_first_attempt_sent(aws: Any, oracle: FileOracle, tmp_path: Path) -> None:
    every = matrix.columns()
    entry = matrix_entry(aws, every, ["true"])
    content = place_of.plan_content(aws, _NoDatabase(), place_of.Held("00000003-0000001B-1", "3:3:"), [entry])
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
    found = checked(aws, oracle, tmp_path, every, file, 1_000)
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
