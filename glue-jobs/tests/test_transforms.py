"""Every curated table against the oracle, row by row, for many generated histories, in whatever order and groups snapshots come in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, groupby, pairwise
from random import Random

import pytest
from conftest import counted
from generated_lake import Lake, generate
from memory_build import MemoryBuild, RawRows, expected_rows, rows_of, run_in_groups, small_plans
from oracle import Oracle
from pyspark.sql import DataFrame, SparkSession

from rocketgames_glue.tables import CURATED, curated_table
from rocketgames_glue.transforms.build import Snapshot

HISTORIES = counted(150, 500)
SNAPSHOTS = counted(4, 7)
SEEDS = range(1, counted(1, 12) + 1)
RANDOM_GROUPINGS = counted(1, 6)
SMALL_CELL = 2

Groups = list[list[Snapshot]]


@pytest.fixture(scope="module", autouse=True)
def plans(spark: SparkSession) -> Iterator[None]:
    with small_plans(spark):
        yield


@pytest.fixture(scope="module", params=SEEDS)
def case(request: pytest.FixtureRequest, spark: SparkSession) -> tuple[RawRows, Oracle, int]:
    lake = generate(request.param, HISTORIES, SNAPSHOTS)
    return RawRows(spark, lake), Oracle(lake, lake.snapshots, SMALL_CELL), request.param


def assert_equal(made: dict[str, DataFrame], oracle: Oracle) -> None:
    wanted = oracle.tables()
    for table in CURATED:
        found = rows_of(made[table.name], table)
        expected = expected_rows(wanted[table.name], table)
        assert expected, f"{table.name} must not be tested on nothing"
        missing, surplus = sorted(set(expected) - set(found), key=repr), sorted(set(found) - set(expected), key=repr)
        assert (table.name, missing[:3], surplus[:3]) == (table.name, [], [])
        assert found == expected, f"{table.name}: rows that are there more than once"


def assert_versions_are_seamless(made: dict[str, DataFrame]) -> None:
    """No overlap, no gap from the first version on, one current version a key, and no two neighbours that are equal."""
    for name in ("dim_player", "dim_studio", "dim_game", "library_history"):
        table = curated_table(name)
        columns = [column.name for column in table.columns]
        rows = [dict(zip(columns, row, strict=True)) for row in rows_of(made[name], table)]
        by_key = sorted(rows, key=lambda row: (row[columns[0]], row["valid_from"]))
        for _, versions in groupby(by_key, key=lambda row: row[columns[0]]):
            own = list(versions)
            assert [each["is_current"] for each in own] == [False] * (len(own) - 1) + [True]
            assert [each["valid_to"] for each in own] == [*[each["valid_from"] for each in own[1:]], None]
            assert not own[0]["is_deleted"]
            states = [tuple(row[each] for each in columns if not each.startswith("valid_") and each != "is_current") for row in own]
            assert all(one != other for one, other in pairwise(states))


def in_order(lake: Lake, *sizes: int) -> Groups:
    """Groups of these sizes, over and over."""
    groups: Groups = []
    rest = lake.snapshots
    for size in cycle(sizes):
        if not rest:
            return groups
        groups, rest = [*groups, rest[:size]], rest[size:]
    return groups


def random_groups(random: Random, lake: Lake) -> Groups:
    order = random.sample(lake.snapshots, len(lake.snapshots))
    groups: Groups = [[]]
    for snapshot in order:
        if groups[-1] and random.random() < 0.5:
            groups.append([])
        groups[-1].append(snapshot)
    return groups


@pytest.mark.skipif(counted(1, 0) == 1, reason="with PROOF=full: the first group of the tests below is such a rebuild")
def test_a_full_rebuild_gives_what_the_plainest_program_gives(case: tuple[RawRows, Oracle, int]) -> None:
    raws, oracle, _ = case
    assert_equal(run_in_groups(raws, [raws.lake.snapshots], SMALL_CELL), oracle)


def test_snapshots_in_their_order_give_the_same(case: tuple[RawRows, Oracle, int]) -> None:
    raws, oracle, _ = case
    # Alone, as usual, and together, after a run that was missed.
    made = run_in_groups(raws, in_order(raws.lake, 2, 1), SMALL_CELL)
    assert_equal(made, oracle)
    assert_versions_are_seamless(made)


@pytest.mark.skipif(counted(1, 0) == 1, reason="with PROOF=full: test_curated_runs has it on files")
def test_another_smallest_cell_counts_numbers_again_and_keeps_tables_of_rows(case: tuple[RawRows, Oracle, int]) -> None:
    raws, _, _ = case
    every = tuple(raws.lake.snapshots)
    made = run_in_groups(raws, [raws.lake.snapshots], SMALL_CELL)
    assert_equal(MemoryBuild(raws, every, (), made, 3).run(), Oracle(raws.lake, raws.lake.snapshots, 3))


@pytest.mark.skipif(counted(1, 0) == 1, reason="with PROOF=full: the usual run is in the test above")
def test_one_snapshot_after_another_gives_the_same(case: tuple[RawRows, Oracle, int]) -> None:
    raws, oracle, _ = case
    assert_equal(run_in_groups(raws, in_order(raws.lake, 1), SMALL_CELL), oracle)


@pytest.mark.parametrize("number", range(RANDOM_GROUPINGS))
def test_any_order_in_any_groups_gives_the_same(case: tuple[RawRows, Oracle, int], number: int) -> None:
    raws, oracle, seed = case
    assert_equal(run_in_groups(raws, random_groups(Random(seed * 100 + number), raws.lake), SMALL_CELL), oracle)
