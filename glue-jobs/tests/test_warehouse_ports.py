"""Redshift and Snowflake through their ports: what the loads leave behind, run on a real Postgres; the Data API's shapes, by botocore's Stubber."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
import warehouse_runs as runs
from botocore.stub import Stubber
from postgres_stand_in import RedshiftOnPostgres, SnowflakeOnPostgres
from pyspark.sql import SparkSession
from statement_grammars import problem

from rocketgames_glue.io import redshift_data_api
from rocketgames_glue.io.jdbc import JdbcDatabase, connect, jdbc_database
from rocketgames_glue.io.redshift import load_redshift
from rocketgames_glue.io.redshift_data_api import DataApi, RedshiftPlace
from rocketgames_glue.io.s3 import Bucket
from rocketgames_glue.io.snowflake import connect_snowflake, load_snowflake
from rocketgames_glue.job_error import JobError, UsageError
from rocketgames_glue.jobs.load import warehouse_run
from rocketgames_glue.statements import redshift
from rocketgames_glue.statements.load_policy import LoadPolicy
from rocketgames_glue.statements.warehouse_run import TableChange, WarehouseRun
from rocketgames_glue.tables import CURATED

PLACE = RedshiftPlace("accounts", None, "analytics", None, "arn:aws:iam::123456789012:role/load")
EMPTY = runs.run_of(runs.FIRST_ID, runs.T0, runs.first_rows(0))
IDS = tuple(f"0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e{n:02}" for n in range(9))


@dataclass(frozen=True)
class Port:
    """One of the two: ``load`` as the job calls it, ``said`` all statements so far."""

    dialect: str
    load: Callable[..., Any]
    said: list[str]
    rows: Callable[[str], list[tuple[str | None, ...]]]


@contextmanager
def port(dialect: str, spark: SparkSession, database: JdbcDatabase, bucket: Bucket) -> Iterator[Port]:
    with connect(spark, database) as own, connect(spark, database) as looking:
        if dialect == "redshift":
            client = RedshiftOnPostgres(lambda: connect(spark, database), bucket)

            def load(run: WarehouseRun, policy: LoadPolicy, on_step: Callable[[str], None]) -> Any:
                return load_redshift(client, bucket, PLACE, "accounts", run, policy, on_step, lambda _: None)

            yield Port(dialect, load, client.said, looking.rows)
            return
        connection = SnowflakeOnPostgres(own, bucket)

        def load_into_snowflake(run: WarehouseRun, policy: LoadPolicy, on_step: Callable[[str], None]) -> Any:
            own.execute("DISCARD TEMP")
            return load_snowflake(connection, "lake.public.curated", "accounts", run, policy, on_step)

        yield Port(dialect, load_into_snowflake, connection.said, looking.rows)


def holds(rows: Callable[[str], list[tuple[str | None, ...]]], expected: runs.Rows) -> bool:
    return all(runs.stored(rows, table, "") == runs.texts(expected[table.name]) for table in CURATED)


@pytest.mark.parametrize("dialect", ["redshift", "snowflake"])
def test_a_load_is_all_or_nothing_in(dialect: str, spark: SparkSession, postgres: Any, aws: Any) -> None:
    bucket = Bucket(aws.client("s3"), aws.bucket)
    first_rows, second_rows = runs.first_rows(), runs.second_rows()
    first = warehouse_run(runs.commit(bucket, runs.FIRST_ID, runs.T0, first_rows))
    second = warehouse_run(runs.commit(bucket, runs.SECOND_ID, runs.T1, second_rows))
    as_usual, quiet = LoadPolicy(), lambda _: None

    def fail_at(step: str) -> Callable[[str], None]:
        def on_step(reached: str) -> None:
            if reached == step:
                raise RuntimeError("injected")

        return on_step

    with port(dialect, spark, jdbc_database(postgres.jdbc_url, postgres.user, postgres.password), bucket) as it:
        assert it.load(first, as_usual, quiet)["dim_game"].rows == 12
        assert holds(it.rows, first_rows)
        assert it.load(first, as_usual, quiet) is None, "it is loaded already"
        with pytest.raises(RuntimeError, match="injected"):
            it.load(second, as_usual, fail_at("staged"))
        lying = replace(second, tables=(*second.tables[:-1], replace(second.tables[-1], rows=99)))
        with pytest.raises(JobError, match="rows-differ"):
            it.load(lying, as_usual, quiet)
        assert holds(it.rows, first_rows), "nothing was changed"
        before = dict(it.rows("SELECT game_id, xmin FROM accounts.dim_game"))

        changes = it.load(second, as_usual, quiet)
        assert changes["dim_game"] == (TableChange(13) if dialect == "redshift" else TableChange(13, inserted=2, updated=2, deleted=1))
        assert holds(it.rows, second_rows)
        after = dict(it.rows("SELECT game_id, xmin FROM accounts.dim_game"))
        assert sum(before.get(key) == version for key, version in after.items()) == 9, "rows that are equal are not written"
        with pytest.raises(JobError, match="older-run"):
            it.load(first, as_usual, quiet)
        assert it.rows("SELECT run_id, mode FROM accounts.warehouse_loads ORDER BY load_id") == [
            (first.run_id, "initial"), (second.run_id, "next"),
        ]
        assert it.load(first, LoadPolicy(allow_older=True), quiet) is not None
        assert holds(it.rows, first_rows)
        assert {each: why for each in it.said if (why := problem(dialect, each))} == {}


@pytest.mark.parametrize("dialect", ["redshift", "snowflake"])
def test_two_loads_at_once_do_not_undo_each_other_in(dialect: str, spark: SparkSession, postgres: Any, aws: Any) -> None:
    bucket = Bucket(aws.client("s3"), aws.bucket)
    first = warehouse_run(runs.commit(bucket, runs.FIRST_ID, runs.T0, runs.first_rows(2)))
    second_rows = runs.second_rows(3)
    second = warehouse_run(runs.commit(bucket, runs.SECOND_ID, runs.T1, second_rows))
    database = jdbc_database(postgres.jdbc_url, postgres.user, postgres.password)
    with port(dialect, spark, database, bucket) as it, port(dialect, spark, database, bucket) as other:
        it.load(first, LoadPolicy(), lambda _: None)

        def overtake(step: str) -> None:
            if step == "staged":
                other.load(second, LoadPolicy(), lambda _: None)

        with pytest.raises(JobError, match="load-running.*nother load"):
            it.load(first, LoadPolicy(reload=True), overtake)
        assert holds(it.rows, second_rows)


def data_api() -> tuple[DataApi, Stubber, list[float]]:
    client = boto3.client("redshift-data", region_name="eu-central-1", aws_access_key_id="none", aws_secret_access_key="none")
    waited: list[float] = []
    return DataApi(client, PLACE, waited.append, lambda: sum(waited)), Stubber(client), waited


def test_a_batch_is_polled_to_its_end_and_a_long_answer_read_page_by_page() -> None:
    api, stub, waited = data_api()
    first = {"Sqls": ["SELECT 1"], "StatementName": "one", "WorkgroupName": "accounts", "Database": "analytics"}
    stub.add_response("batch_execute_statement", {"Id": IDS[0]}, first)
    for status in ("SUBMITTED", "PICKED", "STARTED", "STARTED", "STARTED", "STARTED", "STARTED", "FINISHED"):
        stub.add_response("describe_statement", {"Id": IDS[0], "Status": status}, {"Id": IDS[0]})
    second = {"Sql": "SELECT 2", "StatementName": "two", "WorkgroupName": "accounts", "Database": "analytics"}
    stub.add_response("execute_statement", {"Id": IDS[1]}, second)
    stub.add_response("describe_statement", {"Id": IDS[1], "Status": "FINISHED"}, {"Id": IDS[1]})
    stub.add_response("get_statement_result", {"Records": [[{"longValue": 2}, {"isNull": True}]], "NextToken": "more"}, {"Id": IDS[1]})
    stub.add_response("get_statement_result", {"Records": [[{"stringValue": "b"}, {"booleanValue": True}]]}, {"Id": IDS[1], "NextToken": "more"})
    with stub:
        api.batch("one", ["SELECT 1"])
        assert api.query("two", "SELECT 2") == [("2", None), ("b", "True")]
        stub.assert_no_pending_responses()
    assert waited == [0.2, 0.5, 1.0, 2.0, 5.0, 5.0, 5.0]


def test_a_failed_batch_names_the_statement_and_a_slow_one_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    api, stub, _ = data_api()
    parts = [{"Id": f"{IDS[0]}:{n + 1}", "Status": status} for n, status in enumerate(("FINISHED", "FAILED", "ABORTED"))]
    parts[1]["Error"] = "ERROR: Spectrum Scan Error: File 'https://…/part-00000.parquet' has an incompatible Parquet schema"
    checks = [{**each, **({"Error": "ERROR: Invalid digit, Value 'r', Pos 0, Type: Integer"} if "Error" in each else {})} for each in parts]
    stub.add_response("batch_execute_statement", {"Id": IDS[0]}, None)
    stub.add_response("describe_statement", {"Id": IDS[0], "Status": "FAILED", "Error": "of the batch", "SubStatements": parts}, {"Id": IDS[0]})
    stub.add_response("batch_execute_statement", {"Id": IDS[2]}, None)
    stub.add_response("describe_statement", {"Id": IDS[2], "Status": "FAILED", "SubStatements": checks}, {"Id": IDS[2]})
    stub.add_response("batch_execute_statement", {"Id": IDS[1]}, None)
    monkeypatch.setattr(redshift_data_api, "TIMEOUT_SECONDS", 3)
    for _ in range(5):
        stub.add_response("describe_statement", {"Id": IDS[1], "Status": "STARTED"}, {"Id": IDS[1]})
    stub.add_response("cancel_statement", {"Status": True}, {"Id": IDS[1]})
    with stub:
        with pytest.raises(JobError, match=r"statement 2 of 3 \(COPY t FROM 's3://a' …\).*incompatible Parquet schema.*Nothing was changed"):
            api.batch("one", ["SELECT a", "COPY t FROM 's3://a' …", "SELECT c"])
        counts = redshift.counts(replace(EMPTY, tables=EMPTY.tables[:1]), lambda name: name)
        with pytest.raises(JobError, match="^rows-differ: .*at its check, statement 2 of 3: rows differ from the manifest. Nothing was changed"):
            api.batch("checked", ["SELECT a", counts, "SELECT c"])
        with pytest.raises(JobError, match=f"warehouse-timeout.*{IDS[1]} was cancelled"):
            api.batch("two", ["SELECT a"])
        stub.assert_no_pending_responses()


def test_what_the_data_api_answers_with_an_error_is_told_by_its_code() -> None:
    api, stub, _ = data_api()
    stub.add_client_error("batch_execute_statement", "ActiveStatementsExceededException", "secret words")
    with stub, pytest.raises(JobError, match="warehouse-unreachable.*ActiveStatementsExceededException") as told:
        api.batch("one", ["SELECT 1"])
    assert "secret words" not in str(told.value)
    with pytest.raises(JobError, match="batch-too-large: A transaction of 41 statements"):
        api.batch("many", ["SELECT 1"] * 41)
    with pytest.raises(JobError, match="batch-too-large"):
        api.batch("long", ["SELECT '" + "x" * 100_000 + "'"])


class Connector(types.ModuleType):
    """The shape of ``snowflake.connector``; it remembers what it was called with."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__("snowflake.connector")
        self.given: list[dict[str, Any]] = []
        self.closed = 0
        self.error = error
        self.errors = types.SimpleNamespace(Error=RuntimeError)

    def connect(self, **parameters: Any) -> Connector:
        self.given.append(parameters)
        if self.error:
            raise self.error
        return self

    def close(self) -> None:
        self.closed += 1


def test_snowflake_is_reached_by_a_secret_or_by_the_default_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="snowflake-connector-python is not installed"), connect_snowflake(None, None):
        pass
    package = types.ModuleType("snowflake")
    package.connector = connector = Connector()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "snowflake", package)
    monkeypatch.setitem(sys.modules, "snowflake.connector", connector)
    secrets = boto3.client("secretsmanager", region_name="eu-central-1", aws_access_key_id="none", aws_secret_access_key="none")
    with Stubber(secrets) as stub:
        secret = {"account": "org-one", "user": "loader", "password": "hidden", "warehouse": "load", "unknown": "x"}
        stub.add_response("get_secret_value", {"SecretString": json.dumps(secret)}, {"SecretId": "warehouse"})
        with connect_snowflake(secrets, "warehouse"), connect_snowflake(None, None):
            assert connector.given == [{key: value for key, value in secret.items() if key != "unknown"}, {}]
        stub.add_response("get_secret_value", {"SecretString": '{"user": "loader", "password": "hidden"}'}, {"SecretId": "warehouse"})
        with pytest.raises(JobError, match="secret-malformed.*no account") as told, connect_snowflake(secrets, "warehouse"):
            pass
        assert "hidden" not in str(told.value)
    assert connector.closed == 2
    connector.error = RuntimeError("of loader, password hidden")
    with pytest.raises(JobError, match="warehouse-unreachable") as told, connect_snowflake(None, None):
        pass
    assert "hidden" not in str(told.value)

