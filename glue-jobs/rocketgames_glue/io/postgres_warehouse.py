"""Loads a curated run into Postgres (RDS): staging tables by all executors, then one transaction that makes the tables equal to the run.

Readers see the tables of the former run until the commit, and those of this run after it; whoever wants several statements to see the
same run reads them in one REPEATABLE READ transaction. A load that dies leaves staging tables, which the next one drops, and no more.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession

from rocketgames_glue.io.jdbc import DRIVER, JdbcConnection, JdbcDatabase, connect, warehouse_error
from rocketgames_glue.io.postgres_targets import STAGING_SUFFIX, Target, check_targets, ensure_schema, ensure_targets, tables
from rocketgames_glue.job_error import JobError
from rocketgames_glue.job_log import log
from rocketgames_glue.statements import postgres as sql
from rocketgames_glue.statements.load_policy import LoadPolicy, load_mode, require_rows
from rocketgames_glue.statements.warehouse_run import LoadedRun, TableChange, WarehouseRun, WarehouseTable, quoted, staging_name

WRITERS = 8
"""Connections that write staging tables at the same time, at most."""
BATCH_ROWS = 1_000
"""Rows an INSERT of the driver's batches; more were no faster, see docs/warehouse.md."""
LOCK_SECONDS = 10.0
"""How long a load waits for another one: Postgres takes a moment to see that the connection of one that was killed is gone."""
LOCK_POLL_SECONDS = 0.2
SESSION_SETTINGS: Mapping[str, str] = {
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    # How long a statement waits for somebody else's lock: readers queue behind a waiting ALTER TABLE.
    "lock_timeout": "60s",
    # The limits that a database sets for applications would end a load in its middle: this session is idle while rows are staged.
    "statement_timeout": "4h",
    "transaction_timeout": "0",
    "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}

Step = Callable[[str], None]


def load_postgres(
    spark: SparkSession,
    database: JdbcDatabase,
    schema: str,
    run: WarehouseRun,
    frame: Callable[[WarehouseTable], DataFrame],
    policy: LoadPolicy,
    on_step: Step = lambda _: None,
) -> Mapping[str, TableChange] | None:
    """Makes the tables of a schema equal to those of a run.

    :param frame: a table's rows, with its columns in order.
    :param on_step: is told ``locked``, ``staged``, ``merged`` (before the commit), ``committed``.
    :returns: what became of each table; None: the run is loaded already.
    :raises JobError: nothing was changed, but for ``warehouse-refused`` at the commit itself, where the next load tells.
    """
    if len(schema + STAGING_SUFFIX) > 63:
        raise JobError("schema-too-long", f"--schema may have {63 - len(STAGING_SUFFIX)} characters at most: {schema}")
    with connect(spark, database) as connection:
        target = Target(connection, schema)
        take_lock(target)
        on_step("locked")
        mode = load_mode(run, _loaded(target), policy)
        _drop_dead_staging(target)
        if mode is None:
            return None
        check_targets(target, run, tables(target))
        staging = _create_staging(target, run)
        try:
            for table in run.tables:
                _write(database, target.staging_schema, staging[table.name], frame(table))
                connection.execute(sql.analyze(target.staging_schema, staging[table.name]))
                log("table-staged", table=table.name, rows=table.rows)
            on_step("staged")
            changes = _merge(target, run, staging, mode, on_step)
        finally:
            _drop_staging(target, staging.values())
        on_step("committed")
        _analyze(target, run.tables)
        return changes


def take_lock(target: Target) -> None:
    """Makes the connection the schema's only load, and its session fit for one.

    :raises JobError: ``load-running``.
    """
    connection = target.connection
    deadline = time.monotonic() + LOCK_SECONDS
    while connection.rows(sql.TRY_LOCK, target.schema) != [("t",)]:
        if time.monotonic() < deadline:
            time.sleep(LOCK_POLL_SECONDS)
            continue
        raise JobError(
            "load-running", f"Another load into the schema {target.schema} is on its way; nothing was changed. Run this one when it has ended"
        )
    for name, value in SESSION_SETTINGS.items():
        connection.rows(sql.SET_IF_KNOWN, value, name)


def _loaded(target: Target) -> LoadedRun | None:
    if sql.LOADS not in tables(target):
        return None
    rows = target.connection.rows(sql.last_load(target.schema))
    if not rows:
        return None
    run_id, created_at = rows[0]
    return LoadedRun(str(run_id), datetime.fromisoformat(str(created_at)))


def _drop_dead_staging(target: Target) -> None:
    """Whoever holds the lock is the only load there is: staging tables that are there belong to none."""
    names = [str(name) for [name] in target.connection.rows(sql.STAGING_TABLES, quoted(target.staging_schema))]
    if names and _drop_staging(target, names):
        log("dead-staging-dropped", tables=len(names))


def _create_staging(target: Target, run: WarehouseRun) -> dict[str, str]:
    ensure_schema(target, target.staging_schema)
    attempt = secrets.token_hex(3)
    names = {table.name: staging_name(table.name, run.run_id, attempt) for table in run.tables}
    for table in run.tables:
        target.connection.execute(sql.create_staging(target.staging_schema, names[table.name], table))
    return names


def _write(database: JdbcDatabase, schema: str, name: str, frame: DataFrame) -> None:
    """Each partition is one transaction, so a task that Spark repeats leaves nothing of its first try; the counts prove it."""
    options = {**database.properties, "url": database.url, "driver": DRIVER, "batchsize": str(BATCH_ROWS)}
    table = f"{quoted(schema)}.{quoted(name)}"
    try:
        frame.coalesce(WRITERS).write.format("jdbc").options(**options, dbtable=table).mode("append").save()
    except Py4JJavaError as error:
        raise warehouse_error(error, f"Rows of {name.partition('__')[0]} could not be written to a staging table") from None


def _drop_staging(target: Target, names: Iterable[str]) -> bool:
    """What cannot be dropped now, for executors of a load that died still write it, is dropped by the next load."""
    try:
        for name in names:
            target.connection.execute(sql.drop(target.staging_schema, name))
    except JobError as error:
        log("staging-left", reason=error.message)
        return False
    return True


def _merge(target: Target, run: WarehouseRun, staging: Mapping[str, str], mode: str, on_step: Step) -> Mapping[str, TableChange]:
    connection = target.connection
    with connection.transaction():
        if connection.number(sql.HOLDS_LOCK, target.schema) == 0:
            raise JobError(
                "pooled-connection",
                "The connection is not the one that took the lock: a pooler in transaction mode or RDS Proxy stands between. "
                "Nothing was changed; give the address of the database itself",
            )
        ensure_targets(target, run)
        for table in run.tables:
            connection.execute(sql.lock_target(target.schema, table.name))
            _count(connection, target.staging_schema, staging[table.name], table)
        changes = {table.name: _merge_table(target, table, staging[table.name]) for table in run.tables}
        rows = {name: vars(change) for name, change in changes.items()}
        created_at = run.created_at.isoformat()
        connection.update(
            sql.insert_load(target.schema), run.run_id, created_at, run.mode, mode, run.rows, json.dumps(rows)
        )
        on_step("merged")
    return changes


def _merge_table(target: Target, table: WarehouseTable, staging: str) -> TableChange:
    connection = target.connection
    deleted = connection.number(sql.delete_gone(target.schema, table, target.staging_schema, staging))
    [(inserted, updated)] = connection.rows(sql.merge(target.schema, table, target.staging_schema, staging))
    _count(connection, target.schema, table.name, table)
    change = TableChange(table.rows, int(inserted or 0), int(updated or 0), deleted)
    log("table-merged", table=table.name, rows=change.rows, inserted=change.inserted, updated=change.updated, deleted=deleted)
    return change


def _count(connection: JdbcConnection, schema: str, name: str, table: WarehouseTable) -> None:
    require_rows(f"{schema}.{name}", connection.number(sql.count(schema, name)), table)


def _analyze(target: Target, tables: Sequence[WarehouseTable]) -> None:
    """Statistics for the readers' plans; a load without them is a load."""
    try:
        for table in tables:
            target.connection.execute(sql.analyze(target.schema, table.name))
    except JobError as error:
        log("not-analyzed", reason=error.message)
