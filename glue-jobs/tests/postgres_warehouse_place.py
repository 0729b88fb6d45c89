"""A Postgres warehouse of its own for a test, and a role that loads into it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import warehouse_runs as runs
from pyspark.sql import DataFrame, SparkSession

from rocketgames_glue.io.jdbc import JdbcDatabase, connect, jdbc_database
from rocketgames_glue.io.postgres_warehouse import load_postgres
from rocketgames_glue.statements.load_policy import LoadPolicy
from rocketgames_glue.statements.warehouse_run import TableChange, WarehouseRun, WarehouseTable
from rocketgames_glue.tables import curated_table

TABLES = ("dim_game", "fact_library", "fact_daily_activity")
SCHEMA = "accounts"
AS_USUAL = LoadPolicy()


@dataclass(frozen=True)
class Warehouse:
    """A database of its own, and a role that owns nothing in it but what it makes."""

    spark: SparkSession
    database: JdbcDatabase
    admin: JdbcDatabase
    password: str
    folder: Path

    def load(
        self,
        run: WarehouseRun,
        rows: runs.Rows,
        policy: LoadPolicy = AS_USUAL,
        on_step: Callable[[str], None] = lambda _: None,
    ) -> Mapping[str, TableChange] | None:
        def frame(table: WarehouseTable) -> DataFrame:
            return runs.frame_of(self.spark, self.folder, table.name, rows[table.name])

        return load_postgres(self.spark, self.database, SCHEMA, run, frame, policy, on_step)

    def rows(self, sql: str) -> list[tuple[str | None, ...]]:
        with connect(self.spark, self.admin) as connection:
            return connection.rows(sql)

    def execute(self, *statements: str) -> None:
        with connect(self.spark, self.admin) as connection:
            for each in statements:
                connection.execute(each)

    def holds(self, rows: runs.Rows) -> bool:
        """Are the tables exactly these rows?"""
        with connect(self.spark, self.admin) as connection:
            return all(runs.stored(connection.rows, curated_table(name)) == runs.texts(rows[name]) for name in TABLES)


@pytest.fixture
def warehouse(spark: SparkSession, postgres: Any, tmp_path: Path) -> Iterator[Warehouse]:
    role, password = f"loader_{uuid.uuid4().hex}", f"hidden-{uuid.uuid4().hex}"
    admin = jdbc_database(postgres.jdbc_url, postgres.user, postgres.password)
    made = Warehouse(spark, jdbc_database(postgres.jdbc_url, role, password), admin, password, tmp_path)
    name = postgres.jdbc_url.rsplit("/", 1)[1]
    made.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'", f"GRANT CREATE ON DATABASE {name} TO {role}")
    yield made
    made.execute(f"DROP OWNED BY {role} CASCADE", f"REVOKE ALL ON DATABASE {name} FROM {role}", f"DROP ROLE {role}")
