"""How the unload ends: at once and with its reason, whatever else is under way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import unload_matrix as matrix
import unload_place as place_of
from conftest import SMALL_JVM
from pyspark.sql import SparkSession
from unload_rows import DDL, VALUES, matrix_entry, report, start

from rocketgames_glue.jobs import unload
from rocketgames_glue.unload.problems import UnloadProblem

JOBS = Path(__file__).resolve().parents[1]
SLOW = "datname = current_database() AND query LIKE '%pg_sleep(600)%'"
"""Of pg_stat_activity: other tests, beside these, have statements on the same server."""


def test_a_job_that_cannot_go_on_ends_at_once_and_says_why(
    spark: SparkSession, aws: Any, postgres: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that ranges wait for others.
    monkeypatch.setattr(unload, "_MOST_AT_ONCE", 2)
    postgres.sql(*DDL, VALUES)
    every = matrix.columns()
    slow = "id > '00000000-0000-0000-0000-000000000000' AND (SELECT pg_sleep(600)) IS NULL"

    def told(
        snapshot: place_of.Held, conditions: list[str], gone: bool = False, source: dict[str, str] | None = None, **changes: Any
    ) -> dict[str, Any]:
        entry = {**matrix_entry(aws, every, conditions), **changes}
        if gone:
            first = entry["ranges"][0]
            aws.client("s3").abort_multipart_upload(Bucket=aws.bucket, Key=first["key"], UploadId=first["upload_id"])
        plan = place_of.plan(aws, postgres, snapshot, [entry])
        if source is not None:
            plan = replace(plan, source=replace(plan.source, **source))
        with pytest.raises(UnloadProblem):
            start(spark, aws, postgres, plan)
        return report(aws)["problem"]

    with place_of.held_snapshot(spark, postgres) as snapshot:
        # Another range would read for ten minutes, and more wait. Java cannot interrupt a read of a socket: in a program of its own the job
        # would end here.
        lost = told(snapshot, ["true", slow, "false", "false", "false"], gone=True)
        assert (lost["code"], lost["aws_code"]) == ("storage_failed", "NoSuchUpload")
        postgres.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {SLOW} AND pid <> pg_backend_pid()")
        failed = told(snapshot, ["id::text::int > 0"])
        assert (failed["code"], failed["table"], failed["range"]) == ("copy_failed", "matrix_row", 0)
        assert "SQLSTATE 22P02" in failed["message"] and "10000000" not in failed["message"]
        killed = told(snapshot, ["(SELECT pg_terminate_backend(pg_backend_pid()))"])
        assert killed["code"] == "connection_lost"
        assert told(snapshot, ["true"], select='SELECT * FROM "gone"')["code"] == "copy_failed"
        # A session that did not begin as it should reads nothing, rather than another instant.
        postgres.sql("SELECT pg_current_xact_id()")
        begun = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
        for source in ({"session_init": "SET timezone = 'UTC'"}, {"session_init": begun}, {"visible": "3:3:"}):
            assert "or it was not imported" in told(snapshot, ["true"], source=source)["message"]
    ended = told(snapshot, ["true"])
    assert ended["code"] == "load_balanced_endpoint"


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
        reading = f"SELECT pid FROM pg_stat_activity WHERE {SLOW} AND application_name LIKE 'rocketgames-snapshot:%' AND state = 'active'"
        while not postgres.sql(reading):
            assert job.poll() is None, job.stdout.read().decode()
            time.sleep(0.1)
        job.stdin.close()
        assert job.wait(timeout=20) != 0
    # The end of its output: nobody that it started holds it any more.
    shown = job.stdout.read().decode()
    assert '"event":"job-started"' in shown
    assert postgres.password not in shown and matrix.PSEUDONYM_KEY not in shown
