"""The curate job on real files, the real local catalogue and Athena: what analysts may rely on."""

from __future__ import annotations

import pytest
from conftest import Aws
from curated_zone import CuratedZone, new_zone
from pyspark.sql import SparkSession
from raw_snapshots import RawLake

pytestmark = pytest.mark.usefixtures("spark")


@pytest.fixture
def zone(aws: Aws) -> CuratedZone:
    return new_zone(aws)


@pytest.fixture
def lake(aws: Aws) -> RawLake:
    return RawLake(aws)


def test_two_snapshots_give_tables_that_the_views_show_and_a_second_run_does_nothing(zone: CuratedZone, lake: RawLake) -> None:
    lake.take(0)
    zone.run()
    first = zone.manifest()
    assert zone.counts() == {each.name: each.rows for each in first.tables}
    lake.take(1)
    zone.run()
    manifest = zone.manifest()
    assert manifest.previous_run_id == first.run_id and manifest.mode == "incremental"
    assert zone.counts() == {each.name: each.rows for each in manifest.tables}
    before = zone.state()
    zone.run()
    assert zone.state() == before
