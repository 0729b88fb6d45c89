"""The tables of a Postgres warehouse: found, compared with a run, made and extended. What does not fit is refused, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rocketgames_glue.io.jdbc import JdbcConnection
from rocketgames_glue.job_error import JobError
from rocketgames_glue.job_log import log
from rocketgames_glue.statements import postgres as sql
from rocketgames_glue.statements.column_types import postgres_type
from rocketgames_glue.statements.warehouse_run import WarehouseRun, WarehouseTable, quoted

STAGING_SUFFIX = "_staging"


@dataclass(frozen=True)
class Target:
    """What all steps need."""

    connection: JdbcConnection
    schema: str

    @property
    def staging_schema(self) -> str:
        return self.schema + STAGING_SUFFIX


@dataclass(frozen=True)
class Columns:
    """What a table of the warehouse has: types, comments, columns that an INSERT must give, its own comment and primary key."""

    types: Mapping[str, str]
    comments: Mapping[str, str]
    required: frozenset[str]
    comment: str
    primary_key: str


def tables(target: Target) -> dict[str, Columns]:
    """The tables of the schema, by name."""
    keys = dict(target.connection.rows(sql.PRIMARY_KEYS, quoted(target.schema)))
    found: dict[str, list[tuple[str, ...]]] = {}
    for table, *rest in target.connection.rows(sql.COLUMNS, quoted(target.schema)):
        found.setdefault(str(table), []).append(tuple(map(str, rest)))
    return {
        table: Columns(
            types={name: kind for name, kind, *_ in rows},
            comments={name: comment for name, _, comment, *_ in rows},
            required=frozenset(name for name, _, _, _, required in rows if required == "t"),
            comment=rows[0][3],
            primary_key=keys.get(table) or "",
        )
        for table, rows in found.items()
    }


def ensure_schema(target: Target, schema: str) -> None:
    if target.connection.number(sql.HAS_SCHEMA, quoted(schema)) == 0:
        target.connection.execute(sql.create_schema(schema))


def check_targets(target: Target, run: WarehouseRun, there: Mapping[str, Columns]) -> None:
    """Refuses what does not fit: before anything is staged, and again in the transaction."""
    others = {str(name) for [name] in target.connection.rows(sql.OTHER_RELATIONS, quoted(target.schema))}
    for table in run.tables:
        if table.name in others:
            raise _differs(target, table, "it is a view, or another thing that is no table")
        if table.name in there:
            _check_target(target, table, there[table.name])


def _check_target(target: Target, table: WarehouseTable, found: Columns) -> None:
    for column in table.columns:
        wanted, kind = postgres_type(column.athena_type), found.types.get(column.name)
        if kind not in (None, wanted):
            raise _differs(target, table, f"its column {column.name} is {kind}, the run's is {wanted}")
    if found.primary_key != ",".join(sorted(table.keys)):
        raise _differs(target, table, f"its primary key is ({found.primary_key}), the run's is ({', '.join(table.keys)})")
    extra = found.types.keys() - set(table.names)
    if extra & found.required:
        raise _differs(target, table, f"the run has no {', '.join(sorted(extra & found.required))}, which may not be NULL there")
    if extra:
        log("columns-not-in-run", table=table.name, columns=sorted(extra))


def ensure_targets(target: Target, run: WarehouseRun) -> None:
    """Tables that are not there are made, columns that are new are added."""
    ensure_schema(target, target.schema)
    there = tables(target)
    check_targets(target, run, there)
    if sql.LOADS not in there:
        target.connection.execute(sql.create_loads(target.schema))
        target.connection.execute(sql.describe_loads(target.schema))
    for table in run.tables:
        found = there.get(table.name)
        if found is None:
            target.connection.execute(sql.create_target(target.schema, table))
        else:
            for column in (each for each in table.columns if each.name not in found.types):
                target.connection.execute(sql.add_column(target.schema, table.name, column))
                log("column-added", table=table.name, column=column.name)
        _describe(target, table, found)


def _differs(target: Target, table: WarehouseTable, why: str) -> JobError:
    name = f"{target.schema}.{table.name}"
    return JobError(
        "table-differs",
        f"{name} does not fit the run: {why}. Nothing was changed; rename or drop {name}, and the next load makes it anew",
        table=table.name,
    )


def _describe(target: Target, table: WarehouseTable, found: Columns | None) -> None:
    """Comments, where they are not what they should be: each one takes a lock that other writers meet."""
    if found is None or found.comment != table.description:
        target.connection.execute(sql.describe_table(target.schema, table))
    for column in table.columns:
        if found is None or found.comments.get(column.name) != column.comment:
            target.connection.execute(sql.describe_column(target.schema, table.name, column))
