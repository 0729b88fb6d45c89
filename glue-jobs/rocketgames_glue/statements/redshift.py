"""What a load says to Redshift, as text: the syntax of the Redshift Database Developer Guide.

A load is two batches of the Data API, each a transaction: the first fills staging tables, the second makes the tables equal to them and
drops them. Staging tables are no temporary ones: those end with a batch, and the Data API's sessions, which would keep them, are unknown
to the boto3 of AWS Glue 5.0. No MERGE: Redshift's takes no condition beside the match, so it would rewrite every row that is equal. No TRUNCATE: it commits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rocketgames_glue.statements.column_types import redshift_type
from rocketgames_glue.statements.warehouse_run import (
    WarehouseColumn,
    WarehouseRun,
    WarehouseTable,
    literal,
    qualified,
    quoted,
    run_id_literal,
    staging_name,
)

LOADS = "warehouse_loads"
ANOTHER_LOAD = "another load was first"
ROWS_DIFFER = "rows differ from the manifest"
DISTRIBUTION_KEYS = ("player_ref", "entry_id", "game_id", "studio_id")
"""The first of these that is in a table's key spreads it over the slices: joins by player then stay on their slice."""
EVERYWHERE = frozenset({"dim_studio", "dim_game", "agg_registrations_daily", "agg_studio_daily"})
"""Small tables: a copy on every node, so that no join moves them."""
SORT_KEYS_MAX = 4
_STAGING = re.compile(r"[a-z][a-z0-9_]*__\d{8}t\d{6}z_[0-9a-z]{8}_([0-9a-f]{6})")


@dataclass(frozen=True)
class Staging:
    """Where one attempt to load one run stages its tables; ``attempt`` see :func:`attempt_at`."""

    schema: str
    run_id: str
    attempt: str

    def of(self, table: str) -> str:
        """``"schema"."table__run_attempt"``."""
        return qualified(self.schema, staging_name(table, self.run_id, self.attempt))


def attempt_at(seconds: float) -> str:
    """Names an attempt after its time (Unix seconds), in steps of 256: a second one of the same run within a step is refused."""
    return f"{int(seconds) >> 8 & 0xFFFFFF:06x}"


def attempt_age(name: str, seconds: float) -> float | None:
    """How long ago, in seconds, the attempt began that made a staging table; None: the name is not of one."""
    found = _STAGING.fullmatch(name)
    return None if found is None else float((int(seconds) >> 8 & 0xFFFFFF) - int(found[1], 16)) * 256


def gone(table: str) -> str:
    """The temporary table, of the second batch alone, of the keys whose rows are to go: deleted, or about to be written anew."""
    return f"gone_{table}"


def create_schema(schema: str) -> str:
    return f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}"


def has_schema(schema: str) -> str:
    """Asked first: a role that may not create schemas may well load into one that is there."""
    return f"SELECT COUNT(*) AS schemas FROM pg_namespace WHERE nspname = {literal(schema)}"


def create_loads(schema: str) -> str:
    return f"""CREATE TABLE IF NOT EXISTS {qualified(schema, LOADS)} (
  load_id BIGINT NOT NULL,
  run_id VARCHAR(32) NOT NULL,
  run_created_at TIMESTAMP NOT NULL,
  run_mode VARCHAR(32) NOT NULL,
  mode VARCHAR(32) NOT NULL,
  loaded_at TIMESTAMP NOT NULL,
  total_rows BIGINT NOT NULL,
  table_rows VARCHAR(65535) NOT NULL
) DISTSTYLE ALL SORTKEY (load_id)"""


def create_target(schema: str, table: WarehouseTable) -> str:
    """Keys are for the planner: Redshift does not enforce them, the counts do."""
    columns = ",\n  ".join(_column(each) for each in table.columns)
    keys = ", ".join(map(quoted, table.keys))
    sort = ", ".join(map(quoted, table.sort_by[:SORT_KEYS_MAX]))
    return f"""CREATE TABLE IF NOT EXISTS {qualified(schema, table.name)} (
  {columns},
  PRIMARY KEY ({keys})
) {_distribution(table)} COMPOUND SORTKEY ({sort})"""


def _column(column: WarehouseColumn) -> str:
    return f"{quoted(column.name)} {redshift_type(column.name, column.athena_type)}{'' if column.nullable else ' NOT NULL'}"


def _distribution(table: WarehouseTable) -> str:
    if table.name in EVERYWHERE:
        return "DISTSTYLE ALL"
    key = next((each for each in DISTRIBUTION_KEYS if each in table.keys), None)
    return "DISTSTYLE EVEN" if key is None else f"DISTSTYLE KEY DISTKEY ({quoted(key)})"


def add_column(schema: str, table: str, column: WarehouseColumn) -> str:
    kind = redshift_type(column.name, column.athena_type)
    return f"ALTER TABLE {qualified(schema, table)} ADD COLUMN {quoted(column.name)} {kind}"


def describe(schema: str, table: WarehouseTable) -> str:
    return f"COMMENT ON TABLE {qualified(schema, table.name)} IS {literal(table.description)}"


def columns_query(schema: str) -> str:
    """Table, column and type of all that is there, in the words of Redshift."""
    return f"""SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision, numeric_scale
FROM svv_columns WHERE table_schema = {literal(schema)} ORDER BY table_name, ordinal_position"""


def last_load(schema: str) -> str:
    return f"""SELECT run_id, TO_CHAR(run_created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US') AS created_at
FROM {qualified(schema, LOADS)} ORDER BY load_id DESC LIMIT 1"""


def create_staging(staging: Staging, table: WarehouseTable) -> str:
    """Spread and sorted as the target. COPY of Parquet goes by position, so it has the columns of the files, in their order."""
    columns = ",\n  ".join(_column(each) for each in table.columns)
    sort = ", ".join(map(quoted, table.sort_by[:SORT_KEYS_MAX]))
    return f"CREATE TABLE {staging.of(table.name)} (\n  {columns}\n) BACKUP NO {_distribution(table)} COMPOUND SORTKEY ({sort})"


def copy(staging: Staging, table: str, manifest_url: str, iam_role: str) -> str:
    """Exactly the files of a manifest. STATUPDATE, COMPUPDATE, REGION and MAXERROR are not for Parquet: one bad value fails it all."""
    return f"COPY {staging.of(table)} FROM {literal(manifest_url)} IAM_ROLE {literal(iam_role)} FORMAT AS PARQUET MANIFEST"


def drop_staging(staging: Staging, tables: Sequence[WarehouseTable]) -> str:
    return f"DROP TABLE IF EXISTS {', '.join(staging.of(each.name) for each in tables)}"


def drop(schema: str, names: Sequence[str]) -> str:
    return f"DROP TABLE IF EXISTS {', '.join(qualified(schema, each) for each in names)}"


def lock(schema: str) -> str:
    """Until the transaction ends no other load begins its second batch, and whoever asks which run is loaded waits."""
    return f"LOCK {qualified(schema, LOADS)}"


def nothing_newer(schema: str, expected: str | None) -> str:
    """Fails unless the last load is still the one that was looked at before: two loads at once do not undo each other.

    The first statement after :func:`lock`: a transaction sees what was committed when its first query began.
    """
    last = f"(SELECT run_id FROM {qualified(schema, LOADS)} ORDER BY load_id DESC LIMIT 1)"
    condition = f"{last} IS NULL" if expected is None else f"{last} = {run_id_literal(expected)}"
    return _guard(condition, ANOTHER_LOAD)


def counts(run: WarehouseRun, name: Callable[[str], str]) -> str:
    """Fails unless every table has the rows of the manifest; ``name`` says which one is meant, the staged or the target."""

    def condition(table: WarehouseTable) -> str:
        return f"(SELECT COUNT(*) FROM {name(table.name)}) = {table.rows}"

    return _guard("\n    AND ".join(condition(each) for each in run.tables), ROWS_DIFFER)


def _guard(condition: str, otherwise: str) -> str:
    """A statement that fails when the condition is not met, and so takes the transaction back: the text is no number."""
    return f"SELECT CAST(CASE WHEN {condition} THEN '1' ELSE {literal(otherwise)} END AS INTEGER) AS checked"


def guarded(statement: str) -> str | None:
    """What it means that this statement failed; None: it checks nothing. Redshift's own words show one letter of the text."""
    return next((each for each in (ANOTHER_LOAD, ROWS_DIFFER) if statement.endswith(f"ELSE {literal(each)} END AS INTEGER) AS checked")), None)


def find_gone(schema: str, table: WarehouseTable, staging: Staging) -> str:
    """Keys of the rows that the run does not have exactly so. EXCEPT takes two NULLs for equal."""
    names = ", ".join(map(quoted, table.names))
    keys = ", ".join(map(quoted, table.keys))
    return f"""CREATE TEMP TABLE {quoted(gone(table.name))} AS
SELECT {keys} FROM (
  SELECT {names} FROM {qualified(schema, table.name)}
  EXCEPT
  SELECT {names} FROM {staging.of(table.name)}
) AS differing"""


def delete_gone(schema: str, table: WarehouseTable) -> str:
    target, source = qualified(schema, table.name), quoted(gone(table.name))
    equal = " AND ".join(f"{target}.{quoted(key)} = {source}.{quoted(key)}" for key in table.keys)
    return f"DELETE FROM {target} USING {source} WHERE {equal}"


def insert_missing(schema: str, table: WarehouseTable, staging: Staging) -> str:
    names = ", ".join(map(quoted, table.names))
    return f"""INSERT INTO {qualified(schema, table.name)} ({names})
SELECT {names} FROM {staging.of(table.name)}
EXCEPT
SELECT {names} FROM {qualified(schema, table.name)}"""


def insert_load(schema: str, run: WarehouseRun, mode: str, table_rows: str) -> str:
    """``table_rows``: JSON. ``GETDATE()`` is the clock, in whole seconds, so that a number and not a time says which load is the last."""
    created_at = run.created_at.strftime("%Y-%m-%d %H:%M:%S.%f")
    run_values = f"{run_id_literal(run.run_id)}, CAST({literal(created_at)} AS TIMESTAMP), {literal(run.mode)}"
    values = f"COALESCE(MAX(load_id), 0) + 1, {run_values}, {literal(mode)}, GETDATE(), {run.rows}, {literal(table_rows)}"
    return f"""INSERT INTO {qualified(schema, LOADS)} (load_id, run_id, run_created_at, run_mode, mode, loaded_at, total_rows, table_rows)
SELECT {values} FROM {qualified(schema, LOADS)}"""


def stage_batch(run: WarehouseRun, staging: Staging, manifest_urls: Mapping[str, str], iam_role: str) -> list[str]:
    """The first transaction: what can be done while readers read, and is seen by nobody."""
    statements: list[str] = []
    for table in run.tables:
        statements.append(create_staging(staging, table))
        if table.files:
            statements.append(copy(staging, table.name, manifest_urls[table.name], iam_role))
    return [*statements, counts(run, staging.of)]


def merge_batch(schema: str, run: WarehouseRun, staging: Staging, expected: str | None, mode: str, table_rows: str) -> list[str]:
    """The second transaction: everything or nothing."""
    statements = [lock(schema), nothing_newer(schema, expected)]
    for table in run.tables:
        statements += [find_gone(schema, table, staging), delete_gone(schema, table), insert_missing(schema, table, staging)]
    statements.append(counts(run, lambda name: qualified(schema, name)))
    return [*statements, insert_load(schema, run, mode, table_rows), drop_staging(staging, run.tables)]
