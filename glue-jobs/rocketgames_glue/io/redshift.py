"""Loads a curated run into Redshift through the Redshift Data API: no network path to the cluster, no driver.

Each BatchExecuteStatement is one transaction: one fills staging tables, the next makes the tables equal to them and drops them. What a
load that died has left in the staging schema, a later one drops.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rocketgames_glue.io.redshift_data_api import STATEMENTS_MAX, DataApi, RedshiftPlace
from rocketgames_glue.io.s3 import Bucket
from rocketgames_glue.job_error import JobError
from rocketgames_glue.job_log import log
from rocketgames_glue.statements import redshift as sql
from rocketgames_glue.statements.column_types import redshift_type
from rocketgames_glue.statements.load_policy import LoadPolicy, load_mode
from rocketgames_glue.statements.warehouse_run import LoadedRun, TableChange, WarehouseRun, WarehouseTable

DEAD_AFTER_SECONDS = 24 * 3_600
"""A staging table this old belongs to no load any more."""
STAGING_SUFFIX = "_staging"
MANIFEST_PREFIX = "curated-meta/v1/redshift/"


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
