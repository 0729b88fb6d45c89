"""The curate job over all tables, on real files, the real local catalogue and Athena: what analysts may rely on."""

from __future__ import annotations

import pytest
from conftest import Aws, counted
from curated_zone import new_zone
from raw_snapshots import RawLake

pytestmark = pytest.mark.usefixtures("spark")


@pytest.mark.skipif(counted(1, 0) == 1, reason="with PROOF=full: test_transforms has the orders, and npm start's own test runs the job on files")
def test_runs_in_any_order_of_snapshots_give_what_a_full_rebuild_gives_and_nothing_new_changes_nothing(aws: Aws) -> None:
    zone, lake = new_zone(aws), RawLake(aws)
    ids = {day: lake.take(day) for day in (0, 3)}
    zone.run()
    first = zone.manifest()
    assert (first.mode, first.previous_run_id) == ("full", None)
    assert zone.counts() == zone.expected()
    assert all(rows > 0 for rows in zone.expected().values())
    named = [file.key for table in first.tables for file in table.files]
    assert aws.keys("curated/") == sorted(named), "a run's folders hold the files of its manifest, and nothing else"
    assert not list(zone.bucket.pending_uploads(""))
    others = [key for prefix in ("lake/", "lake-meta/", "curated-meta/") for key in aws.keys(prefix)]
    assert aws.keys() == sorted([*others, *named]), "the job writes under curated/ and curated-meta/ alone"

    before = zone.state()
    zone.run()
    assert zone.state() == before, "nothing new: nothing is written"

    # Older than what is included, and newer, in one run.
    ids |= {day: lake.take(day) for day in (1, 4)}
    zone.run()
    second = zone.manifest()
    assert (second.mode, second.previous_run_id) == ("incremental", first.run_id)
    assert [each.snapshot_id for each in second.snapshots] == [ids[day] for day in (0, 1, 3, 4)]
    assert zone.counts() == zone.expected()
    incremental = zone.rows()

    zone.run(full_rebuild=True)
    assert zone.manifest().mode == "full"
    assert zone.rows() == incremental
    listed = zone.query(f"SELECT run_id, snapshots, total_rows FROM {zone.arguments.database}.curated_runs")
    rows = sum(zone.expected().values())
    assert listed == [[zone.manifest().run_id, "4", str(rows)]]
