"""What a table is built from: the snapshots of a run and three ways to get at rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Snapshot:
    """One published snapshot. `taken_at` is the instant that all of its rows show: UTC, aware, whole milliseconds."""

    snapshot_id: str
    sequence: int
    taken_at: datetime


class Build(Protocol):
    """
    One run. A table is a function of the set of snapshots `included` + `new` and of `small_cell`, and of nothing else: in what order
    and in how many runs the snapshots came in never shows.
    """

    @property
    def included(self) -> tuple[Snapshot, ...]:
        """Snapshots of the former runs, ascending by `taken_at`, then `sequence`; empty in a full rebuild."""

    @property
    def new(self) -> tuple[Snapshot, ...]:
        """Snapshots that no former run has seen, ascending likewise. They may lie before, between or after the included ones."""

    @property
    def small_cell(self) -> int:
        """Aggregates show no measure that is made of fewer distinct players than this, other than 0."""

    def raw(self, table: str, snapshot: Snapshot) -> DataFrame:
        """
        Rows of a lake table (`players`) as one of `new` holds it: the contract's columns by name, in any order. A column that the
        snapshot is too old for is there and NULL.
        """

    def former(self, table: str) -> DataFrame | None:
        """The curated table as the former run left it; None exactly when `included` is empty."""

    def curated(self, table: str) -> DataFrame:
        """A curated table of this run, already written."""
