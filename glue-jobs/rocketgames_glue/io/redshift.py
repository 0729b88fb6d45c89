"""Loads a curated run into Redshift through the Redshift Data API: no network path to the cluster, no driver.

Each BatchExecuteStatement is one transaction: one fills staging tables, the next makes the tables equal to them and drops them. What a
load that died has left in the staging schema, a later one drops.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rocketgames_glue.io.aws import error_code
from rocketgames_glue.io.s3 import Bucket
from rocketgames_glue.job_error import JobError
from rocketgames_glue.job_log import log
from rocketgames_glue.statements import redshift as sql
from rocketgames_glue.statements.column_types import redshift_type
from rocketgames_glue.statements.load_policy import LoadPolicy, load_mode
from rocketgames_glue.statements.warehouse_run import LoadedRun, TableChange, WarehouseRun, WarehouseTable

STATEMENTS_MAX = 40
"""A batch of the Data API."""
STATEMENT_BYTES_MAX = 100_000
"""The Data API takes 100 KB of SQL."""
DEAD_AFTER_SECONDS = 24 * 3_600
"""A staging table this old belongs to no load any more."""
STAGING_SUFFIX = "_staging"
POLL_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Between looks at a batch; the last one repeats."""
TIMEOUT_SECONDS = 4 * 3_600
MANIFEST_PREFIX = "curated-meta/v1/redshift/"


@dataclass(frozen=True)
class RedshiftPlace:
    """A serverless ``workgroup`` or a ``cluster``; without a ``secret_arn`` the job's IAM identity is the database user."""

    workgroup: str | None
    cluster: str | None
    database: str
    secret_arn: str | None
    iam_role: str

    def parameters(self) -> dict[str, str]:
        given = {
            "WorkgroupName": self.workgroup,
            "ClusterIdentifier": self.cluster,
            "Database": self.database,
            "SecretArn": self.secret_arn,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass
class DataApi:
    """The statements of one load, one after another. ``wait`` sleeps for seconds, ``clock`` tells them."""

    client: Any
    place: RedshiftPlace
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def batch(self, name: str, statements: Sequence[str]) -> None:
        """Runs statements as one transaction, and waits for its end.

        :raises JobError: ``warehouse-refused`` names the statement's kind and Redshift's words; ``batch-too-large``;
            ``warehouse-timeout``: the batch was cancelled, which takes it back.
        """
        _fits(statements)
        answer = self._call("batch_execute_statement", Sqls=list(statements), StatementName=name, **self.place.parameters())
        self._ended(answer, statements)

    def query(self, name: str, statement: str) -> list[tuple[str | None, ...]]:
        """The rows of a small answer, as text."""
        answer = self._call("execute_statement", Sql=statement, StatementName=name, **self.place.parameters())
        self._ended(answer, [statement])
        rows: list[tuple[str | None, ...]] = []
        token: dict[str, str] = {}
        while True:
            page = self._call("get_statement_result", Id=answer["Id"], **token)
            rows.extend(tuple(map(_text, row)) for row in page["Records"])
            if not page.get("NextToken"):
                return rows
            token = {"NextToken": page["NextToken"]}

    def _ended(self, answer: Mapping[str, Any], statements: Sequence[str]) -> None:
        deadline = self.clock() + TIMEOUT_SECONDS
        look = 0
        while True:
            state = self._call("describe_statement", Id=answer["Id"])
            if state["Status"] == "FINISHED":
                return
            if state["Status"] in ("FAILED", "ABORTED"):
                raise _refused(state, statements)
            if self.clock() > deadline:
                self._call("cancel_statement", Id=answer["Id"])
                raise JobError(
                    "warehouse-timeout", f"Redshift was not done after {TIMEOUT_SECONDS} s: the statement {answer['Id']} was cancelled"
                )
            self.wait(POLL_SECONDS[min(look, len(POLL_SECONDS) - 1)])
            look += 1

    def _call(self, operation: str, **parameters: Any) -> Any:
        try:
            return getattr(self.client, operation)(**parameters)
        except (ClientError, BotoCoreError) as error:
            why = error_code(error) or type(error).__name__
            raise JobError(
                "warehouse-unreachable", f"The Redshift Data API answered {operation} with {why}: see docs/warehouse.md for what it needs",
                reason=why,
            ) from None


def _text(field: Mapping[str, Any]) -> str | None:
    if field.get("isNull"):
        return None
    return str(next(iter(field.values())))


def _fits(statements: Sequence[str]) -> None:
    size = sum(len(each.encode()) for each in statements)
    if len(statements) > STATEMENTS_MAX or size > STATEMENT_BYTES_MAX:
        raise JobError(
            "batch-too-large",
            f"A transaction of {len(statements)} statements and {size} bytes: the Data API takes {STATEMENTS_MAX} and {STATEMENT_BYTES_MAX}",
        )


def _refused(state: Mapping[str, Any], statements: Sequence[str]) -> JobError:
    """Which statement it was, by its first words; Redshift's message names columns and types, and the guards' own texts."""
    parts = state.get("SubStatements") or []
    place = next((n for n, each in enumerate(parts) if each["Status"] in ("FAILED", "ABORTED") and each.get("Error")), 0)
    words = " ".join(statements[place].split()[:4])
    why = (parts[place].get("Error") if parts else None) or state.get("Error") or "no reason given"
    return JobError(
        "warehouse-refused",
        f"Redshift took the transaction back at statement {place + 1} of {len(statements)} ({words} …): {why}. Nothing was changed",
        statement=place + 1,
        status=state["Status"],
    )


def load_redshift(
    client: Any,
    bucket: Bucket,
    place: RedshiftPlace,
    schema: str,
    run: WarehouseRun,
    policy: LoadPolicy,
    on_step: Callable[[str], None] = lambda _: None,
    wait: Callable[[float], None] = time.sleep,
) -> Mapping[str, TableChange] | None:
    """Makes the tables of a schema equal to those of a run.

    :param client: of ``redshift-data``.
    :returns: the rows of each table; None: the run is loaded already.
    :raises JobError: nothing was changed but that empty tables and new columns may be there.
    """
    api = DataApi(client, place, wait)
    staging = sql.Staging(schema + STAGING_SUFFIX, run.run_id, sql.attempt_at(time.time()))
    for each in (schema, staging.schema):
        if api.query("load-schema", sql.has_schema(each)) == [("0",)]:
            api.batch("load-schema", [sql.create_schema(each)])
    there = _tables(api, schema)
    loaded = _loaded(api, schema) if sql.LOADS in there else None
    mode = load_mode(run, loaded, policy)
    if mode is None:
        return None
    _ensure_targets(api, schema, run, there)
    urls = {table.name: _write_manifest(bucket, run, table) for table in run.tables if table.files}
    on_step("manifests")
    _drop_dead_staging(api, staging.schema)
    api.batch("load-stage", sql.stage_batch(run, staging, urls, place.iam_role))
    log("run-staged", run_id=run.run_id, rows=run.rows)
    changes = {table.name: TableChange(table.rows) for table in run.tables}
    rows = json.dumps({name: each.rows for name, each in changes.items()})
    try:
        on_step("staged")
        api.batch("load-merge", sql.merge_batch(schema, run, staging, None if loaded is None else loaded.run_id, mode, rows))
    except BaseException:
        _drop_own_staging(api, sql.drop_staging(staging, run.tables))
        raise
    on_step("committed")
    return changes


def _drop_own_staging(api: DataApi, statement: str) -> None:
    """Of a load that failed. What cannot be dropped now goes when it is a day old."""
    try:
        api.batch("load-drop", [statement])
    except JobError as error:
        log("staging-left", reason=error.message)


def _drop_dead_staging(api: DataApi, schema: str) -> None:
    now = time.time()
    ages = {name: sql.attempt_age(name, now) for name in _tables(api, schema)}
    dead = sorted(name for name, age in ages.items() if age is not None and age > DEAD_AFTER_SECONDS)
    if dead:
        api.batch("load-drop", [sql.drop(schema, dead)])
        log("dead-staging-dropped", tables=len(dead))


def _loaded(api: DataApi, schema: str) -> LoadedRun | None:
    rows = api.query("load-last", sql.last_load(schema))
    if not rows:
        return None
    run_id, created_at = rows[0]
    return LoadedRun(str(run_id), datetime.fromisoformat(str(created_at)).replace(tzinfo=UTC))


def _tables(api: DataApi, schema: str) -> dict[str, dict[str, str]]:
    """The types of the columns of the schema's tables."""
    there: dict[str, dict[str, str]] = {}
    for table, column, kind, length, precision, scale in api.query("load-columns", sql.columns_query(schema)):
        there.setdefault(str(table), {})[str(column)] = _spelled(str(kind), length, f"{precision},{scale}")
    return there


def _ensure_targets(api: DataApi, schema: str, run: WarehouseRun, there: Mapping[str, Mapping[str, str]]) -> None:
    """Tables that are not there are made, empty; columns that are new are added. A type that differs is refused."""
    statements: list[str] = [] if sql.LOADS in there else [sql.create_loads(schema)]
    for each in run.tables:
        found = there.get(each.name)
        if found is None:
            statements += [sql.create_target(schema, each), sql.describe(schema, each)]
        else:
            statements += [sql.add_column(schema, each.name, column) for column in each.columns if column.name not in found]
            _check_types(schema, each, found)
    for start in range(0, len(statements), STATEMENTS_MAX):
        api.batch("load-tables", statements[start : start + STATEMENTS_MAX])


def _check_types(schema: str, table: WarehouseTable, found: Mapping[str, str]) -> None:
    for column in table.columns:
        wanted, kind = redshift_type(column.name, column.athena_type), found.get(column.name)
        if kind is not None and kind != wanted and not (kind.startswith("VARCHAR") and wanted.startswith("VARCHAR")):
            raise JobError(
                "table-differs",
                f"{schema}.{table.name} does not fit the run: its column {column.name} is {kind}, the run's is {wanted}. "
                f"Nothing was changed; rename or drop {schema}.{table.name}, and the next load makes it anew",
                table=table.name,
            )


def _spelled(kind: str, length: str | None, digits: str) -> str:
    """A type of ``svv_columns`` as CREATE TABLE spells it."""
    named = {"character varying": f"VARCHAR({length})", "timestamp without time zone": "TIMESTAMP", "numeric": f"DECIMAL({digits})"}
    return named.get(kind, kind.upper())


def _write_manifest(bucket: Bucket, run: WarehouseRun, table: WarehouseTable) -> str:
    """The list that COPY reads. Written again by a later try, with the same bytes."""
    entries = [
        {"url": f"s3://{bucket.name}/{file.key}", "mandatory": True, "meta": {"content_length": file.bytes}} for file in table.files
    ]
    key = f"{MANIFEST_PREFIX}{run.run_id}/{table.name}.manifest"
    if not bucket.create(key, json.dumps({"entries": entries}, sort_keys=True).encode()):
        raise JobError("manifest-differs", f"{key} is there with other files: remove it and run the job again", key=key)
    return f"s3://{bucket.name}/{key}"
