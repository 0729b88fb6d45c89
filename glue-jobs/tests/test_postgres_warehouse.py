"""A load into Postgres is all or nothing: with failures, crashes, readers and other loads at every step."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import warehouse_runs as runs
from postgres_warehouse_place import SCHEMA, TABLES, Warehouse, warehouse  # noqa: F401 - a fixture
from pyspark.sql import SparkSession

from rocketgames_glue.io import postgres_warehouse
from rocketgames_glue.io.jdbc import JdbcConnection, connect
from rocketgames_glue.io.postgres_targets import Target
from rocketgames_glue.job_error import JobError
from rocketgames_glue.statements.load_policy import LoadPolicy
from rocketgames_glue.statements.warehouse_run import TableChange
from rocketgames_glue.tables import curated_table

FIRST_ROWS, SECOND_ROWS = runs.first_rows(), runs.second_rows()
FIRST = runs.run_of(runs.FIRST_ID, runs.T0, FIRST_ROWS, TABLES)
SECOND = runs.run_of(runs.SECOND_ID, runs.T1, SECOND_ROWS, TABLES)


def test_a_load_makes_what_is_missing_writes_what_differs_and_does_nothing_twice(warehouse: Warehouse, capfd: Any) -> None:
    changes = warehouse.load(FIRST, FIRST_ROWS)
    assert changes is not None and changes["dim_game"] == TableChange(12, 12, 0, 0)
    assert warehouse.holds(FIRST_ROWS)
    types = dict(
        warehouse.rows(
            f"SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '{SCHEMA}.dim_game'::regclass AND attnum > 0"
        )
    )
    assert types["valid_from"] == "timestamp with time zone" and types["release_date"] == "date" and types["min_age"] == "integer"
    assert warehouse.rows(f"SELECT obj_description('{SCHEMA}.dim_game'::regclass), col_description('{SCHEMA}.dim_game'::regclass, 1)") == [
        (f"{curated_table('dim_game').description}. {curated_table('dim_game').grain}", "The game")
    ]
    key = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'p' AND conrelid = '{}'::regclass"
    assert warehouse.rows(key.format(f"{SCHEMA}.fact_library")) == [("PRIMARY KEY (player_ref, game_id, platform)",)]

    assert warehouse.load(FIRST, FIRST_ROWS) is None
    before = dict(warehouse.rows(f"SELECT game_id, xmin FROM {SCHEMA}.dim_game"))

    changes = warehouse.load(SECOND, SECOND_ROWS)
    assert changes is not None
    assert changes["dim_game"] == TableChange(13, inserted=2, updated=2, deleted=1)
    assert changes["fact_daily_activity"] == TableChange(12, inserted=12, updated=0, deleted=0)
    assert warehouse.holds(SECOND_ROWS)
    after = dict(warehouse.rows(f"SELECT game_id, xmin FROM {SCHEMA}.dim_game"))
    same = {row[0] for row in FIRST_ROWS["dim_game"]} & {row[0] for row in SECOND_ROWS["dim_game"] if row in FIRST_ROWS["dim_game"]}
    assert len(same) == 9 and all(before[each] == after[each] for each in same), "an equal row is not written"

    loads = warehouse.rows(f"SELECT run_id, mode, run_mode, total_rows, table_rows->>'dim_game' FROM {SCHEMA}.warehouse_loads ORDER BY load_id")
    assert [each[:4] for each in loads] == [(FIRST.run_id, "initial", "incremental", "24"), (SECOND.run_id, "next", "incremental", "38")]
    assert json.loads(str(loads[1][4])) == {"rows": 13, "inserted": 2, "updated": 2, "deleted": 1}
    assert staging(warehouse) == []

    with pytest.raises(JobError, match="older-run.*--allow-older"):
        warehouse.load(FIRST, FIRST_ROWS)
    assert warehouse.holds(SECOND_ROWS)
    warehouse.load(FIRST, FIRST_ROWS, LoadPolicy(allow_older=True))
    assert warehouse.holds(FIRST_ROWS)
    warehouse.execute(f"DELETE FROM {SCHEMA}.dim_game WHERE game_id = 'game_id-3'")
    changes = warehouse.load(FIRST, FIRST_ROWS, LoadPolicy(reload=True))
    assert changes is not None and changes["dim_game"].inserted == 1 and warehouse.holds(FIRST_ROWS)
    shown = "".join(capfd.readouterr()) + plans(warehouse.spark)
    assert "table-merged" in shown and "SaveIntoDataSourceCommand" in shown
    assert warehouse.password not in shown


def staging(warehouse: Warehouse) -> list[str]:
    found = warehouse.rows("SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('accounts_staging') AND relkind = 'r'")
    return [str(name) for [name] in found]


def plans(spark: SparkSession) -> str:
    """What Spark keeps and shows of all queries, the writes by JDBC among them."""
    executions = spark._jsparkSession.sharedState().statusStore().executionsList()
    return "\n".join(executions.apply(each).physicalPlanDescription() for each in range(executions.size()))


def failing_at(step: str, what: Callable[[], None]) -> Callable[[str], None]:
    def on_step(reached: str) -> None:
        if reached == step:
            what()

    return on_step


def test_a_load_that_fails_anywhere_leaves_the_old_data_as_it_was(warehouse: Warehouse) -> None:
    warehouse.load(FIRST, FIRST_ROWS)

    def fail() -> None:
        raise RuntimeError("injected")

    for step in ("staged", "merged"):
        with pytest.raises(RuntimeError, match="injected"):
            warehouse.load(SECOND, SECOND_ROWS, on_step=failing_at(step, fail))
        assert warehouse.holds(FIRST_ROWS) and staging(warehouse) == []

    def cut() -> None:
        warehouse.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rocketgames-load-warehouse' "
                          "AND usename LIKE 'loader%'")

    with pytest.raises(JobError, match="warehouse-refused"):
        warehouse.load(SECOND, SECOND_ROWS, on_step=failing_at("merged", cut))
    assert warehouse.holds(FIRST_ROWS)
    assert len(staging(warehouse)) == 3, "what a dead load leaves"
    lying = replace(SECOND, tables=tuple(replace(each, rows=each.rows + 1) if each.name == "fact_library" else each for each in SECOND.tables))
    with pytest.raises(JobError, match="rows-differ.*13 rows where the run's manifest says 14"):
        warehouse.load(lying, SECOND_ROWS)
    assert warehouse.holds(FIRST_ROWS)
    assert warehouse.rows(f"SELECT count(*) FROM {SCHEMA}.warehouse_loads") == [("1",)]
    warehouse.load(SECOND, SECOND_ROWS)
    assert warehouse.holds(SECOND_ROWS) and staging(warehouse) == []


def test_a_reader_in_a_transaction_sees_one_run_and_two_loads_do_not_meet(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_warehouse, "LOCK_SECONDS", 0.5)
    warehouse.load(FIRST, FIRST_ROWS)
    expected = {run.run_id: [runs.texts(rows[name]) for name in TABLES] for run, rows in ((FIRST, FIRST_ROWS), (SECOND, SECOND_ROWS))}
    seen: list[str] = []
    problems: list[str] = []
    ended = threading.Event()

    def look(connection: JdbcConnection) -> str:
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            [(run_id,)] = connection.rows(f"SELECT run_id FROM {SCHEMA}.warehouse_loads ORDER BY load_id DESC LIMIT 1")
            if [runs.stored(connection.rows, curated_table(name)) for name in TABLES] != expected[str(run_id)]:
                problems.append(f"a mix while {run_id} is current")
        return str(run_id)

    def read() -> None:
        with connect(warehouse.spark, warehouse.admin) as connection:
            while not ended.wait(0.01):
                seen.append(look(connection))
            seen.append(look(connection))

    with connect(warehouse.spark, warehouse.admin) as early:
        early.autocommit(False)
        early.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

        def on_step(step: str) -> None:
            if step == "locked":
                with pytest.raises(JobError, match="load-running"):
                    warehouse.load(SECOND, SECOND_ROWS)
            if step == "merged":
                assert runs.stored(early.rows, curated_table("dim_game")) == runs.texts(FIRST_ROWS["dim_game"]), "before the commit"

        reader = threading.Thread(target=read)
        reader.start()
        try:
            warehouse.load(SECOND, SECOND_ROWS, on_step=on_step)
        finally:
            ended.set()
            reader.join(60)
        assert [runs.stored(early.rows, curated_table(name)) for name in TABLES] == expected[FIRST.run_id], "the reader's own instant"
        early.rollback()
    assert problems == [] and seen[-1] == SECOND.run_id and seen[0] == FIRST.run_id and len(seen) > 5


def test_a_table_that_fits_is_extended_and_one_that_does_not_is_refused(warehouse: Warehouse) -> None:
    warehouse.load(FIRST, FIRST_ROWS)
    warehouse.execute(f"ALTER TABLE {SCHEMA}.dim_game DROP COLUMN title", f"ALTER TABLE {SCHEMA}.dim_game ADD COLUMN note text DEFAULT 'kept'")
    changes = warehouse.load(FIRST, FIRST_ROWS, LoadPolicy(reload=True))
    titles = sum(row[3] is not None for row in FIRST_ROWS["dim_game"])
    assert changes is not None and changes["dim_game"] == TableChange(12, 0, titles, 0)
    assert warehouse.holds(FIRST_ROWS)

    refusals = {
        f"ALTER TABLE {SCHEMA}.dim_game ALTER COLUMN min_age TYPE bigint": "column min_age is bigint, the run's is integer",
        f"ALTER TABLE {SCHEMA}.dim_game ADD COLUMN owner text NOT NULL DEFAULT ''; ALTER TABLE {SCHEMA}.dim_game "
            "ALTER COLUMN owner DROP DEFAULT": "the run has no owner",
        f"ALTER TABLE {SCHEMA}.fact_library DROP CONSTRAINT fact_library_pkey": r"primary key is \(\)",
        f"ALTER TABLE {SCHEMA}.fact_library RENAME TO f; CREATE VIEW {SCHEMA}.fact_library AS SELECT * FROM {SCHEMA}.f": "is a view",
    }
    for statement, why in refusals.items():
        warehouse.execute(f"BEGIN; {statement}; COMMIT")
        with pytest.raises(JobError, match=f"table-differs.*{why}"):
            warehouse.load(SECOND, SECOND_ROWS)
        undo(warehouse, statement)
    assert warehouse.holds(FIRST_ROWS)


def undo(warehouse: Warehouse, statement: str) -> None:
    if "min_age" in statement:
        warehouse.execute(f"ALTER TABLE {SCHEMA}.dim_game ALTER COLUMN min_age TYPE integer")
    elif "owner" in statement:
        warehouse.execute(f"ALTER TABLE {SCHEMA}.dim_game DROP COLUMN owner")
    elif "RENAME" in statement:
        warehouse.execute(f"DROP VIEW {SCHEMA}.fact_library", f"ALTER TABLE {SCHEMA}.f RENAME TO fact_library")
    else:
        warehouse.execute(f"ALTER TABLE {SCHEMA}.fact_library ADD PRIMARY KEY (player_ref, game_id, platform)")


def test_the_limits_of_a_database_for_applications_do_not_end_a_load(warehouse: Warehouse) -> None:
    role = warehouse.database.properties["user"]
    limits = {"idle_session_timeout": "1min", "idle_in_transaction_session_timeout": "1min", "statement_timeout": "1min", "lock_timeout": "1h"}
    warehouse.execute(*(f"ALTER ROLE {role} SET {name} = '{value}'" for name, value in limits.items()))
    with connect(warehouse.spark, warehouse.database) as connection:
        assert connection.rows("SHOW idle_session_timeout") == [("1min",)]
        postgres_warehouse.take_lock(Target(connection, SCHEMA))
        told = {name: connection.rows(f"SHOW {name}")[0][0] for name in (*limits, "timezone")}
    assert told == {**dict.fromkeys(limits, "0"), "statement_timeout": "4h", "lock_timeout": "1min", "timezone": "UTC"}


def test_a_value_that_postgres_cannot_hold_is_told_without_the_value(warehouse: Warehouse, capfd: Any) -> None:
    marked = {**SECOND_ROWS, "dim_game": [("game\0marked-value", *SECOND_ROWS["dim_game"][0][1:]), *SECOND_ROWS["dim_game"][1:]]}
    with pytest.raises(JobError, match="Rows of dim_game could not be written to a staging table: SQLSTATE 22021") as told:
        warehouse.load(SECOND, marked)
    assert staging(warehouse) == [] and warehouse.rows("SELECT to_regnamespace('accounts')") == [(None,)]
    assert "marked-value" not in str(told.value) + "".join(capfd.readouterr())
