"""What a load says to Snowflake, as text: the syntax of Snowflake's SQL command reference.

Names are not quoted, so that analysts need not quote them either: Snowflake keeps them in capitals. DDL commits, so all of it comes
before the transaction; the staging tables are temporary, of the session alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rocketgames_glue.statements.column_types import snowflake_type
from rocketgames_glue.statements.warehouse_run import (
    WarehouseColumn,
    WarehouseFile,
    WarehouseRun,
    WarehouseTable,
    literal,
    quoted,
    run_id_literal,
)

LOADS = "warehouse_loads"
LOCK = "warehouse_load_lock"
FILES_PER_COPY = 1_000
"""The most that the FILES list of one COPY INTO takes."""
STAGE_PREFIX = "curated/v1/"
"""What the stage points at in the lake's bucket; the files of a COPY are named from there."""
UTC = "ALTER SESSION SET TIMEZONE = 'UTC'"
BEGIN = "BEGIN TRANSACTION"
COMMIT = "COMMIT"
ROLLBACK = "ROLLBACK"
_STAGE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*){0,2}")


def _plain(name: str) -> str:
    """A name without quotes: the same check as for quoted ones."""
    return quoted(name).strip('"')


def _in(schema: str, name: str) -> str:
    return f"{_plain(schema)}.{_plain(name)}"


def staging(table: str) -> str:
    return f"staged_{table}"


def create_stage(stage: str, bucket: str, integration: str) -> str:
    """For operators: the stage that a load reads. A storage integration has the role, so no key is anywhere."""
    url = literal(f"s3://{bucket}/{STAGE_PREFIX}")
    return f"CREATE STAGE IF NOT EXISTS {_stage(stage)} URL = {url} STORAGE_INTEGRATION = {integration} FILE_FORMAT = (TYPE = PARQUET)"


def _stage(stage: str) -> str:
    """:raises ValueError: not ``stage``, ``schema.stage`` or ``database.schema.stage``."""
    if _STAGE.fullmatch(stage) is None:
        raise ValueError(f"{stage!r} is no name of a stage: stage, schema.stage or database.schema.stage")
    return stage


def create_schema(schema: str) -> str:
    return f"CREATE SCHEMA IF NOT EXISTS {_plain(schema)}"


def create_loads(schema: str) -> str:
    return f"""CREATE TABLE IF NOT EXISTS {_in(schema, LOADS)} (
  load_id NUMBER(19,0) AUTOINCREMENT ORDER,
  run_id VARCHAR NOT NULL,
  run_created_at TIMESTAMP_NTZ(6) NOT NULL,
  run_mode VARCHAR NOT NULL,
  mode VARCHAR NOT NULL,
  loaded_at TIMESTAMP_NTZ(6) NOT NULL,
  total_rows NUMBER(19,0) NOT NULL,
  table_rows VARCHAR NOT NULL
)"""


def create_lock(schema: str) -> str:
    return f"CREATE TABLE IF NOT EXISTS {_in(schema, LOCK)} (run_id VARCHAR)"


def fill_lock(schema: str) -> str:
    """A row to lock: an UPDATE of none would lock nothing."""
    table = _in(schema, LOCK)
    return f"INSERT INTO {table} (run_id) SELECT '' WHERE NOT EXISTS (SELECT 1 FROM {table})"


def take_lock(schema: str, run: WarehouseRun) -> str:
    """The first statement of the transaction: until it ends, another load waits here."""
    return f"UPDATE {_in(schema, LOCK)} SET run_id = {run_id_literal(run.run_id)}"


def _columns(columns: Sequence[WarehouseColumn]) -> str:
    lines = [f"{_plain(c.name)} {snowflake_type(c.athena_type)}{'' if c.nullable else ' NOT NULL'}" for c in columns]
    return ",\n  ".join(lines)


def create_target(schema: str, table: WarehouseTable) -> str:
    """Keys are told to planners and tools; Snowflake does not enforce them, the counts do."""
    keys = ", ".join(map(_plain, table.keys))
    columns = f"{_columns(table.columns)},\n  PRIMARY KEY ({keys})"
    return f"CREATE TABLE IF NOT EXISTS {_in(schema, table.name)} (\n  {columns}\n) COMMENT = {literal(table.description)}"


def add_column(schema: str, table: str, column: WarehouseColumn) -> str:
    kind = snowflake_type(column.athena_type)
    return f"ALTER TABLE {_in(schema, table)} ADD COLUMN IF NOT EXISTS {_plain(column.name)} {kind}"


def create_staging(schema: str, table: WarehouseTable) -> str:
    """New, so COPY has no memory of files that it has loaded before."""
    return f"CREATE OR REPLACE TEMPORARY TABLE {_in(schema, staging(table.name))} (\n  {_columns(table.columns)}\n)"


def copies(schema: str, table: WarehouseTable, stage: str) -> Iterator[str]:
    """Exactly the files of the run, by name: no pattern, which would list the stage. The first bad value fails it all."""
    for start in range(0, len(table.files), FILES_PER_COPY):
        yield _copy(schema, table, stage, table.files[start : start + FILES_PER_COPY])


def _copy(schema: str, table: WarehouseTable, stage: str, files: Sequence[WarehouseFile]) -> str:
    names = ", ".join(map(_plain, table.names))
    values = ", ".join(f"$1:{_plain(c.name)}::{snowflake_type(c.athena_type)}" for c in table.columns)
    listed = ", ".join(literal(each.key.removeprefix(STAGE_PREFIX)) for each in files)
    return f"""COPY INTO {_in(schema, staging(table.name))} ({names})
FROM (SELECT {values} FROM @{_stage(stage)})
FILES = ({listed})
FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE)
ON_ERROR = ABORT_STATEMENT"""


def count(schema: str, table: str) -> str:
    return f"SELECT COUNT(*) FROM {_in(schema, table)}"


def last_load(schema: str) -> str:
    return f"""SELECT run_id, TO_VARCHAR(run_created_at, 'YYYY-MM-DD"T"HH24:MI:SS.FF6')
FROM {_in(schema, LOADS)} ORDER BY load_id DESC LIMIT 1"""


def delete_gone(schema: str, table: WarehouseTable) -> str:
    """By the table's own name: DELETE is documented without an alias for it."""
    target, source = _in(schema, table.name), _in(schema, staging(table.name))
    equal = " AND ".join(f"{_plain(table.name)}.{_plain(key)} = s.{_plain(key)}" for key in table.keys)
    return f"DELETE FROM {target} WHERE NOT EXISTS (SELECT 1 FROM {source} AS s WHERE {equal})"


def merge(schema: str, table: WarehouseTable) -> str:
    """Inserts what is new, updates what differs; two NULLs do not."""
    names = ", ".join(map(_plain, table.names))
    given = ", ".join(f"s.{_plain(name)}" for name in table.names)
    matched = ""
    if table.values:
        differ = " OR ".join(f"t.{_plain(name)} IS DISTINCT FROM s.{_plain(name)}" for name in table.values)
        change = ", ".join(f"{_plain(name)} = s.{_plain(name)}" for name in table.values)
        matched = f"\nWHEN MATCHED AND ({differ}) THEN UPDATE SET {change}"
    return f"""MERGE INTO {_in(schema, table.name)} AS t USING {_in(schema, staging(table.name))} AS s ON {_equal(table)}{matched}
WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({given})"""


def _equal(table: WarehouseTable) -> str:
    return " AND ".join(f"t.{_plain(key)} = s.{_plain(key)}" for key in table.keys)


def insert_load(schema: str, run: WarehouseRun, mode: str, table_rows: str) -> str:
    """``table_rows``: JSON."""
    created_at = run.created_at.strftime("%Y-%m-%d %H:%M:%S.%f")
    values = f"{run_id_literal(run.run_id)}, {literal(created_at)}, {literal(run.mode)}, {literal(mode)}, SYSDATE(), {run.rows}, {literal(table_rows)}"
    return f"""INSERT INTO {_in(schema, LOADS)} (run_id, run_created_at, run_mode, mode, loaded_at, total_rows, table_rows)
VALUES ({values})"""
