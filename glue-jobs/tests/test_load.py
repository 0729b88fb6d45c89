"""The job that loads a warehouse, from CURRENT.json to the tables of a real Postgres, and killed in the middle of it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import warehouse_runs as runs
from conftest import SMALL_JVM, counted
from pyspark.sql import SparkSession

from rocketgames_glue.arguments import load_arguments
from rocketgames_glue.io.curated_runs import commit_run, current_run
from rocketgames_glue.io.jdbc import connect, jdbc_database
from rocketgames_glue.io.run_files import check_files
from rocketgames_glue.io.s3 import Bucket
from rocketgames_glue.job_error import JobError
from rocketgames_glue.jobs import load
from rocketgames_glue.tables import CURATED

TESTS = Path(__file__).parent


def arguments_of(aws: Any, postgres: Any, *more: str) -> list[str]:
    place = ["--bucket", aws.bucket, "--region", aws.region, "--endpoint-url", aws.endpoint_url]
    database = ["--jdbc-url", postgres.jdbc_url, "--user", postgres.user, "--password-env", postgres.password_env]
    return [*place, "--target", "postgres", *database, *more]


def kill_at(step: str, given: list[str]) -> None:
    """Starts the job in a process of its own, and ends it with SIGKILL, its Java too, when it has come to the step."""
    job = subprocess.Popen(
        [sys.executable, str(TESTS / "load_and_wait.py"), step, *given],
        cwd=TESTS.parent,
        env={**os.environ, "PYTHONPATH": str(TESTS.parent), "ROCKETGAMES_SPARK_MEMORY": "1g", "ROCKETGAMES_SPARK_JAVA_OPTIONS": SMALL_JVM},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert job.stdout is not None and job.stdout.readline() == "reached\n"
    finally:
        os.killpg(job.pid, signal.SIGKILL)
        job.wait()


def test_the_job_loads_all_tables_and_being_killed_changes_nothing(spark: SparkSession, postgres: Any, aws: Any, capfd: Any) -> None:
    bucket = Bucket(aws.client("s3"), aws.bucket)
    given = arguments_of(aws, postgres)
    with pytest.raises(JobError, match="run-missing.*rocketgames glue curate"):
        load.run(load_arguments(given))
    first_rows, second_rows = runs.first_rows(), runs.second_rows()
    runs.commit(bucket, runs.FIRST_ID, runs.T0, first_rows)
    load.run(load_arguments(given))
    with connect(spark, jdbc_database(postgres.jdbc_url, postgres.user, postgres.password)) as looking:

        def holds(rows: runs.Rows) -> bool:
            return all(runs.stored(looking.rows, table) == runs.texts(rows[table.name]) for table in CURATED)

        assert holds(first_rows)
        load.run(load_arguments(given))
        lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
        assert [line["event"] for line in lines if line["event"] in ("run-loaded", "nothing-to-do")] == ["run-loaded", "nothing-to-do"]

        runs.commit(bucket, runs.SECOND_ID, runs.T1, second_rows)
        for step in ("merged", "staged")[: counted(1, 2)]:
            kill_at(step, given)
            assert holds(first_rows)
            assert looking.rows("SELECT run_id FROM accounts.warehouse_loads") == [(runs.FIRST_ID,)]
            assert looking.number("SELECT count(*) FROM pg_class WHERE relnamespace = 'accounts_staging'::regnamespace AND relkind = 'r'") == 8
        load.run(load_arguments(given))
        assert holds(second_rows)
        assert looking.number("SELECT count(*) FROM pg_class WHERE relnamespace = 'accounts_staging'::regnamespace") == 0

        with pytest.raises(JobError, match="older-run"):
            load.run(load_arguments([*given, "--run-id", runs.FIRST_ID]))


def test_a_run_that_is_not_whole_or_of_another_version_is_refused_before_the_database_is_asked(aws: Any) -> None:
    bucket = Bucket(aws.client("s3"), aws.bucket)
    place = ["--bucket", aws.bucket, "--region", aws.region, "--endpoint-url", aws.endpoint_url]
    nowhere = ["--target", "postgres", "--jdbc-url", "jdbc:postgresql://127.0.0.1:1/none", "--user", "none", "--password-env", "TEST_NO_PASSWORD"]
    arguments = load_arguments([*place, *nowhere])
    made = runs.commit(bucket, runs.FIRST_ID, runs.T0, runs.first_rows(3))
    file = made.tables[3].files[0]
    whole = bucket.read(file.key)
    assert whole is not None
    aws.put(file.key, whole.content[:-10])
    with pytest.raises(JobError, match=f"run-file-differs: {file.key} is no whole Parquet file"):
        load.run(arguments)
    aws.client("s3").delete_object(Bucket=aws.bucket, Key=file.key)
    with pytest.raises(JobError, match=f"run-file-missing: {file.key} is not there"):
        load.run(arguments)

    fewer = runs.manifest("20261123t020000z-01kaq3c9", runs.T1, runs.first_rows(3))
    object.__setattr__(fewer, "tables", fewer.tables[1:])
    commit_run(bucket, fewer, current_run(bucket))
    with pytest.raises(JobError, match="run-differs.*dim_player"):
        load.run(arguments)
    aws.put("curated-meta/v1/CURRENT.json", "{}")
    with pytest.raises(JobError, match="curated-unreadable"):
        load.run(arguments)


def test_a_file_of_other_columns_or_rows_is_refused_whoever_would_read_it(aws: Any) -> None:
    bucket = Bucket(aws.client("s3"), aws.bucket)
    made = runs.commit(bucket, runs.FIRST_ID, runs.T0, runs.first_rows(3))
    chosen = load.warehouse_run(made)
    check_files(bucket, chosen)
    place = [table.name for table in chosen.tables].index("dim_game")
    table = chosen.tables[place]
    body = bucket.read(table.files[0].key)
    assert body is not None
    whole = pq.read_table(io.BytesIO(body.content))
    at = whole.schema.get_field_index("valid_from")
    seconds = pa.array([each.as_py() for each in whole.column(at)], pa.timestamp("ms", tz="UTC"))
    changes = {
        r"has not the columns that the manifest says \(title\)": whole.drop_columns(["title"]),
        r"has not the columns that the manifest says \(more\)": whole.append_column("more", whole.column("title")),
        r"has not the columns that the manifest says \(in another order\)": whole.select([*whole.column_names[1:], whole.column_names[0]]),
        r"has not the columns that the manifest says \(valid_from\)": whole.set_column(at, "valid_from", seconds),
        r"has \d+ bytes and 2 rows where the manifest says \d+ and 3": whole.slice(1),
    }
    for why, changed in changes.items():
        buffer = io.BytesIO()
        pq.write_table(changed, buffer)
        aws.put(table.files[0].key, buffer.getvalue())
        files = (replace(table.files[0], bytes=len(buffer.getvalue())),)
        tables = (*chosen.tables[:place], replace(table, files=files), *chosen.tables[place + 1 :])
        with pytest.raises(JobError, match=f"run-file-differs: {table.files[0].key} {why}"):
            check_files(bucket, replace(chosen, tables=tables))
