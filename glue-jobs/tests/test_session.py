"""The session and what stands around the tests: S3A writes and reads, Postgres answers by JDBC."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
from pyspark import SparkFiles
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from rocketgames_glue.arguments import Place
from rocketgames_glue.session import SAME_EVERYWHERE, SessionSettings, give_to_executors, settings_of


def test_times_are_utc_and_what_is_written_by_s3a_is_read_back(spark: SparkSession, aws) -> None:
    at = datetime(2026, 3, 29, 1, 30, 0, 123_000, tzinfo=timezone.utc)
    path = aws.place.uri("curated/v1/probe/run_id=1")
    spark.createDataFrame([(1, at)], "id bigint, at timestamp").write.parquet(path)
    row = spark.read.parquet(path).select("id", F.unix_micros("at"), F.date_format("at", "yyyy-MM-dd HH:mm:ss.SSSSSS")).first()
    assert tuple(row) == (1, int(at.timestamp() * 1_000_000), "2026-03-29 01:30:00.123000")
    assert b'"committer" : "magic"' in aws.read("curated/v1/probe/run_id=1/_SUCCESS")


def test_a_database_is_migrated_and_read_by_jdbc(spark: SparkSession, postgres) -> None:
    options = {"driver": "org.postgresql.Driver", "user": postgres.user, "password": postgres.password}
    tables = spark.read.jdbc(postgres.jdbc_url, "(SELECT count(*) AS n FROM player) AS t", properties=options)
    assert tables.first().n == postgres.sql("SELECT count(*) AS n FROM player")[0]["n"] == 0


def test_on_aws_glue_only_settings_of_a_running_session_are_made(spark: SparkSession) -> None:
    made = settings_of(SessionSettings("x", Place("lake", "eu-central-1", None, on_glue=True), jars=("a.jar",), java_options="-Xint"))
    assert made == SAME_EVERYWHERE
    assert [each for each in made if not spark.conf.isModifiable(each)] == []


def test_a_file_beside_the_script_gets_to_the_executors(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("authorities-of-a-test.pem").write_text("----")
    for each in (None, "/etc/hostname", "not-here.pem", "authorities-of-a-test.pem"):
        give_to_executors(spark, each)
    read = spark.sparkContext.parallelize([0], 1).map(lambda _: Path(SparkFiles.get("authorities-of-a-test.pem")).read_text())
    assert read.collect() == ["----"]
    sent = [Path(each).name for each in spark.sparkContext.listFiles]
    assert {"hostname", "not-here.pem"}.isdisjoint(sent) and "authorities-of-a-test.pem" in sent
