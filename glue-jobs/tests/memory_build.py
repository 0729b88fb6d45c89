"""Runs of the curated tables on memory in place of files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from generated_lake import KEYS, Lake, Row
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from rocketgames_glue.contract import load_contract, spark_schema
from rocketgames_glue.tables import CURATED, CuratedTable, curated_table
from rocketgames_glue.transforms.build import Snapshot

HISTORIES = tuple(table.name for table in CURATED if not table.name.startswith("agg_"))
ALL = tuple(table.name for table in CURATED)


@contextmanager
def small_plans(spark: SparkSession) -> Iterator[None]:
    """Generated code and plans that change on the way are for many rows: on a few they cost more than the work."""
    settings = {
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
    }
    before = {name: spark.conf.get(name) for name in settings}
    for name, value in settings.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            spark.conf.set(name, value)


class RawRows:
    """All snapshots of a lake in one cached frame a table."""

    def __init__(self, spark: SparkSession, lake: Lake) -> None:
        self.spark = spark
        self.lake = lake
        self._frames = {table: self._frame(table) for table in KEYS}

    def _frame(self, table: str) -> DataFrame:
        contract = spark_schema(load_contract().tables[table])
        fields = [StructField(each.name, each.dataType) for each in contract]
        # A file's columns may stand in any order.
        Random(table).shuffle(fields)
        schema = StructType([StructField("_snapshot", StringType()), *fields])
        rows = [
            (snapshot, *[row.get(each.name) for each in fields])
            for snapshot, tables in self.lake.rows.items()
            for row in tables[table]
        ]
        return self.spark.createDataFrame(rows, schema).localCheckpoint()

    def of(self, table: str, snapshot: Snapshot) -> DataFrame:
        return self._frames[table].where(F.col("_snapshot") == snapshot.snapshot_id).drop("_snapshot")


@dataclass
class MemoryBuild:
    """A `Build` whose raw rows can be asked for only of what a real run would have."""

    raws: RawRows
    included: tuple[Snapshot, ...]
    new: tuple[Snapshot, ...]
    formers: dict[str, DataFrame]
    small_cell: int = 2
    made: dict[str, DataFrame] = field(default_factory=dict)

    def raw(self, table: str, snapshot: Snapshot) -> DataFrame:
        assert snapshot in self.new, "a former run's snapshot may be gone by now"
        return self.raws.of(table, snapshot)

    def former(self, table: str) -> DataFrame | None:
        return self.formers[table] if self.included else None

    def curated(self, table: str) -> DataFrame:
        return self.made[table]

    def run(self, tables: Iterable[str] = ALL) -> dict[str, DataFrame]:
        for name in tables:
            table = curated_table(name)
            frame = table.build(self)
            assert frame.columns == [column.name for column in table.columns]
            assert [each.dataType for each in frame.schema] == [column.spark_type for column in table.columns]
            self.made[name] = frame.localCheckpoint()
            # As after each table of a real run: what it kept on the way has served.
            self.raws.spark.catalog.clearCache()
        return self.made


def run_in_groups(raws: RawRows, groups: Sequence[Sequence[Snapshot]], small_cell: int = 2) -> dict[str, DataFrame]:
    """One run for each group, each on what the last one left; aggregates, which have no memory, in the last run alone."""
    included: list[Snapshot] = []
    made: dict[str, DataFrame] = {}
    for number, group in enumerate(groups, start=1):
        order = sorted(included, key=_order)
        build = MemoryBuild(raws, tuple(order), tuple(sorted(group, key=_order)), made, small_cell)
        made = build.run(ALL if number == len(groups) else HISTORIES)
        included += group
    return made


def _order(snapshot: Snapshot) -> tuple[Any, int]:
    return (snapshot.taken_at, snapshot.sequence)


def rows_of(frame: DataFrame, table: CuratedTable) -> list[tuple[Any, ...]]:
    """The rows as tuples in the order of the columns, sorted; instants aware, in UTC."""
    names = [c.name for c in table.columns]
    instants = [c.name for c in table.columns if c.athena_type == "timestamp"]
    # Whole microseconds as a number: a datetime would come back in the time zone of this machine.
    numbers = [F.unix_micros(name).alias(name) if name in instants else F.col(name) for name in names]
    return sorted((tuple(row) for row in frame.select(*numbers).collect()), key=repr)


def expected_rows(rows: list[Row], table: CuratedTable) -> list[tuple[Any, ...]]:
    def value(row: Row, name: str, athena_type: str) -> Any:
        given = row.get(name)
        return round(given.timestamp() * 1000) * 1000 if athena_type == "timestamp" and given is not None else given

    return sorted((tuple(value(row, c.name, c.athena_type) for c in table.columns) for row in rows), key=repr)
