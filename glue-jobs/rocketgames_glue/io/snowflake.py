"""Loads a curated run into Snowflake through any DB-API connection: COPY INTO temporary tables, then one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rocketgames_glue.io.secrets import secret_text
from rocketgames_glue.job_error import JobError, UsageError
from rocketgames_glue.job_log import log
from rocketgames_glue.statements import snowflake as sql
from rocketgames_glue.statements.load_policy import LoadPolicy, load_mode, require_rows
from rocketgames_glue.statements.warehouse_run import LoadedRun, TableChange, WarehouseRun, WarehouseTable

_CONNECTION = ("account", "user", "password", "private_key_passphrase", "private_key_file", "authenticator", "warehouse", "database", "role")


@contextmanager
def connect_snowflake(secrets: Any, secret_id: str | None) -> Iterator[Any]:
    """A connection of Snowflake's own connector, closed at the end.

    With a secret its members are the connection's parameters (account, user, password, warehouse, database, role); without, the
    connector's default connection (``connections.toml``) is used.

    :param secrets: client of ``secretsmanager``; None without a secret.
    :raises UsageError: the connector is not installed.
    :raises JobError: ``warehouse-unreachable``.
    """
    try:
        from snowflake import connector
    except ImportError:
        raise UsageError(
            "the package snowflake-connector-python is not installed; on AWS Glue give it by --additional-python-modules"
        ) from None
    parameters = {} if secret_id is None else _parameters(secret_text(secrets, secret_id), secret_id)
    try:
        connection = connector.connect(**parameters)
    except connector.errors.Error as error:
        raise JobError("warehouse-unreachable", f"Snowflake did not let the job in: {_code(error)}") from None
    try:
        yield connection
    finally:
        connection.close()


def _parameters(text: str, secret_id: str) -> dict[str, str]:
    try:
        given = json.loads(text)
        chosen = {name: given[name] for name in _CONNECTION if name in given}
    except (ValueError, TypeError):
        chosen = {}
    if "account" not in chosen or "user" not in chosen:
        raise JobError("secret-malformed", f"The secret {secret_id} has no account or no user for Snowflake", secret_id=secret_id)
    return chosen


@dataclass
class _Session:
    """Statements of one connection, one after another."""

    connection: Any

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """:raises JobError: ``warehouse-refused`` with the error's number, never with its text, which may quote a value."""
        cursor = self.connection.cursor()
        try:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
        except Exception as error:  # noqa: BLE001 - DB-API gives every driver errors of its own
            words = " ".join(statement.split()[:3])
            raise JobError("warehouse-refused", f"Snowflake refused a statement ({words} …): {_code(error)}") from None
        finally:
            cursor.close()

    def number(self, statement: str) -> int:
        [(value, *_)] = self.run(statement)
        return int(value)


def _code(error: Exception) -> str:
    number, state = getattr(error, "errno", None), getattr(error, "sqlstate", None)
    return f"error {number}, SQLSTATE {state}" if number is not None else type(error).__name__


def load_snowflake(
    connection: Any,
    stage: str,
    schema: str,
    run: WarehouseRun,
    policy: LoadPolicy,
    on_step: Callable[[str], None] = lambda _: None,
) -> Mapping[str, TableChange] | None:
    """Makes the tables of a schema equal to those of a run.

    :param connection: DB-API 2.0; it is not closed.
    :param stage: an external stage on ``s3://<bucket>/curated/v1/``.
    :returns: what became of each table; None: the run is loaded already.
    :raises JobError: nothing was changed but that empty tables and new columns may be there.
    """
    session = _Session(connection)
    for statement in (sql.UTC, sql.create_schema(schema), sql.create_loads(schema), sql.create_lock(schema), sql.fill_lock(schema)):
        session.run(statement)
    loaded = _loaded(session, schema)
    mode = load_mode(run, loaded, policy)
    if mode is None:
        return None
    for table in run.tables:
        _stage_table(session, stage, schema, table)
    on_step("staged")
    session.run(sql.BEGIN)
    try:
        changes = _merge(session, schema, run, loaded, mode)
        on_step("merged")
    except BaseException:
        _roll_back(session)
        raise
    session.run(sql.COMMIT)
    on_step("committed")
    return changes


def _roll_back(session: _Session) -> None:
    """A connection that is broken has been rolled back by Snowflake: no second error hides the first."""
    try:
        session.run(sql.ROLLBACK)
    except JobError as error:
        log("not-rolled-back", reason=error.message)


def _loaded(session: _Session, schema: str) -> LoadedRun | None:
    rows = session.run(sql.last_load(schema))
    if not rows:
        return None
    run_id, created_at = rows[0]
    return LoadedRun(run_id, datetime.fromisoformat(created_at).replace(tzinfo=UTC))


def _stage_table(session: _Session, stage: str, schema: str, table: WarehouseTable) -> None:
    session.run(sql.create_target(schema, table))
    for column in table.columns:
        session.run(sql.add_column(schema, table.name, column))
    session.run(sql.create_staging(schema, table))
    for copy in sql.copies(schema, table, stage):
        session.run(copy)
    _count(session, schema, sql.staging(table.name), table)
    log("table-staged", table=table.name, rows=table.rows)


def _merge(session: _Session, schema: str, run: WarehouseRun, loaded: LoadedRun | None, mode: str) -> Mapping[str, TableChange]:
    session.run(sql.take_lock(schema, run))
    if _loaded(session, schema) != loaded:
        raise JobError("load-running", f"Another load into {schema} was first; nothing was changed. Run this one again")
    changes = {}
    for table in run.tables:
        deleted = session.number(sql.delete_gone(schema, table))
        [(inserted, *more)] = session.run(sql.merge(schema, table))
        _count(session, schema, table.name, table)
        changes[table.name] = TableChange(table.rows, int(inserted), int(more[0]) if more else 0, deleted)
    rows = json.dumps({name: vars(each) for name, each in changes.items()})
    session.run(sql.insert_load(schema, run, mode, rows))
    return changes


def _count(session: _Session, schema: str, name: str, table: WarehouseTable) -> None:
    require_rows(f"{schema}.{name}", session.number(sql.count(schema, name)), table)
