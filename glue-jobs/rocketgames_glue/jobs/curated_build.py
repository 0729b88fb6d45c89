"""One run of the curated tables on files: what ``transforms`` ask for, and the tables that are written."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import DataFrame, SparkSession

from rocketgames_glue.arguments import Place
from rocketgames_glue.io.curated_runs import IncludedSnapshot, RunTable
from rocketgames_glue.io.curated_tables import read_table, write_table
from rocketgames_glue.io.s3 import Bucket
from rocketgames_glue.io.snapshot_files import read_raw
from rocketgames_glue.job_log import log
from rocketgames_glue.jobs.snapshot_choice import Choice
from rocketgames_glue.tables import CuratedTable, curated_table
from rocketgames_glue.transforms.build import Build, Snapshot


class CuratedBuild:
    """The ``Build`` of ``transforms/build.py`` over S3. Tables are read by the lists of manifests, never by listing."""

    def __init__(self, spark: SparkSession, place: Place, bucket: Bucket, choice: Choice, run_id: str, small_cell: int) -> None:
        self._spark = spark
        self._place = place
        self._bucket = bucket
        self._choice = choice
        self._run_id = run_id
        self._sources = {each.manifest.snapshot_id: each.sources for each in (*choice.new, *choice.again)}
        self._written: dict[str, RunTable] = {}
        self.small_cell = small_cell

    @cached_property
    def included(self) -> tuple[Snapshot, ...]:
        former = self._choice.former
        return tuple(_snapshot(each) for each in former.snapshots) if former else ()

    @cached_property
    def new(self) -> tuple[Snapshot, ...]:
        return tuple(_snapshot(each.included()) for each in self._choice.new)

    @property
    def written(self) -> tuple[RunTable, ...]:
        """The tables of this run, in the order in which they were written."""
        return tuple(self._written.values())

    def raw(self, table: str, snapshot: Snapshot) -> DataFrame:
        return read_raw(self._spark, self._place.uri(""), self._sources[snapshot.snapshot_id][table])

    def former(self, table: str) -> DataFrame | None:
        stored = self._choice.former.table(table) if self._choice.former else None
        return None if stored is None else read_table(self._spark, self._place, stored, curated_table(table))

    def curated(self, table: str) -> DataFrame:
        return read_table(self._spark, self._place, self._written[table], curated_table(table))

    def write(self, table: CuratedTable) -> None:
        """Builds a table out of those before it, writes it, and reads back what is stored."""
        began = time.monotonic()
        stored = write_table(table.build(self._view_of(table)), self._place, self._bucket, table, self._run_id)
        self._written[table.name] = stored
        # What the table's transforms kept on the way has served.
        self._spark.catalog.clearCache()
        seconds = round(time.monotonic() - began, 3)
        log("table-written", run_id=self._run_id, table=table.name, rows=stored.rows, bytes=stored.bytes, files=len(stored.files), seconds=seconds)

    def _view_of(self, table: CuratedTable) -> Build:
        """A table that the former run lacks begins with what is there to be read; one that is made of other tables alone lacks nothing."""
        former = self._choice.former
        if former is None or former.table(table.name) is not None or not table.reads:
            return self
        there = sorted((*self._choice.new, *self._choice.again), key=lambda each: (each.manifest.taken_at, each.manifest.sequence))
        return _Beginning(self, tuple(_snapshot(each.included()) for each in there))


@dataclass(frozen=True)
class _Beginning:
    """The ``Build`` of a table that begins in a later run than others."""

    build: CuratedBuild
    new: tuple[Snapshot, ...]
    included: tuple[Snapshot, ...] = ()

    @property
    def small_cell(self) -> int:
        return self.build.small_cell

    def raw(self, table: str, snapshot: Snapshot) -> DataFrame:
        return self.build.raw(table, snapshot)

    def former(self, _table: str) -> DataFrame | None:
        return None

    def curated(self, table: str) -> DataFrame:
        return self.build.curated(table)


def _snapshot(included: IncludedSnapshot) -> Snapshot:
    return Snapshot(included.snapshot_id, included.sequence, included.taken_at)
