"""How runs of the curate job come and go: races, jobs that died, old runs and what dead ones have left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from conftest import Aws, counted
from curated_zone import LIGHT, LIGHT_READS, CuratedZone, new_zone
from raw_snapshots import RawLake

from rocketgames_glue.io import curated_tables, old_runs, publication, views
from rocketgames_glue.io.curated_runs import CURRENT_KEY, manifest_key, run_prefix
from rocketgames_glue.io.old_runs import Known, removable
from rocketgames_glue.io.s3 import Bucket
from rocketgames_glue.io.views import View
from rocketgames_glue.job_error import JobError
from rocketgames_glue.jobs import curate

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
GAMES = tuple(each for each in LIGHT if each.name == "dim_game")


@pytest.fixture
def zone(aws: Aws, spark: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[CuratedZone]:
    monkeypatch.setattr(curate, "CURATED", GAMES)
    yield new_zone(aws)


@pytest.fixture
def two_tables(zone: CuratedZone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curate, "CURATED", LIGHT)


@pytest.fixture
def lake(aws: Aws) -> RawLake:
    return RawLake(aws, LIGHT_READS)


def _code(zone: CuratedZone, **changes: Any) -> str:
    with pytest.raises(JobError) as raised:
        zone.run(**changes)
    return raised.value.code


def test_of_two_jobs_at_once_one_wins_and_the_loser_leaves_nothing(zone: CuratedZone, lake: RawLake, monkeypatch: pytest.MonkeyPatch) -> None:
    for first in (True, False):  # the very first run of all has no pointer to compare with
        lake.take(lake.sequence)
        commit, runs = curate.commit_run, []

        def other_first(bucket: Bucket, manifest: Any, former: Any) -> None:
            runs.append(manifest.run_id)
            monkeypatch.setattr(curate, "commit_run", commit)
            zone.run()
            runs.append(zone.manifest().run_id)
            commit(bucket, manifest, former)

        monkeypatch.setattr(curate, "commit_run", other_first)
        assert _code(zone) == "lost-race"
        loser, winner = runs
        assert (zone.manifest().run_id, zone.manifest().previous_run_id is None) == (winner, first)
        assert not [key for key in zone.keys() if loser in key]
        assert zone.counts() == zone.expected()


def test_a_commit_whose_answer_was_lost_is_a_commit(zone: CuratedZone, lake: RawLake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.take(0)
    client = zone.bucket.client
    lost = []

    send = client._endpoint.http_session.send

    def losing_send(request: Any) -> Any:
        answer = send(request)
        if request.method == "PUT" and CURRENT_KEY in request.url and not lost:
            lost.append(request.url)
            answer.status_code = 500
        return answer

    monkeypatch.setattr(client._endpoint.http_session, "send", losing_send)
    zone.run()
    assert len(lost) == 1
    assert zone.counts() == zone.expected()


@pytest.mark.parametrize("step", counted(["move"], ["register", "move"]))
def test_a_publication_that_died_is_finished_by_the_next_run(zone: CuratedZone, lake: RawLake, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    lake.take(0)
    zone.run()
    first = zone.counts()
    lake.take(1)

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        working = getattr(publication.Publication, step)
        patch.setattr(
            publication.Publication, step, lambda self, manifest: working(self, manifest) if len(manifest.snapshots) == 1 else die()
        )
        zone.run()
    assert zone.counts() == first != zone.expected(), "the tables of before, until somebody publishes"
    zone.run()
    assert zone.counts() == zone.expected() and len(zone.manifest().snapshots) == 2


@pytest.mark.usefixtures("two_tables")
def test_views_and_partitions_that_somebody_changed_are_put_right(zone: CuratedZone, lake: RawLake, aws: Aws) -> None:
    lake.take(0)
    zone.run()
    glue, database = aws.client("glue"), zone.arguments.database
    glue.delete_table(DatabaseName=database, Name="dim_game")
    zone.query(f"CREATE OR REPLACE VIEW {database}.dim_studio AS SELECT studio_id FROM {database}_raw.dim_studio WHERE run_id = 'x'")
    glue.batch_delete_partition(
        DatabaseName=f"{database}_raw", TableName="dim_game", PartitionsToDelete=[{"Values": [zone.manifest().run_id]}]
    )
    zone.run()
    assert zone.counts() == zone.expected()


def test_athena_that_fails_is_told_with_its_reason_and_the_next_run_goes_on(zone: CuratedZone, lake: RawLake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.take(0)
    with monkeypatch.context() as patch:
        patch.setattr(publication, "views_of", lambda manifest, raw: [View("dim_game", "SELECT nothing FROM nowhere.at_all")])
        with pytest.raises(JobError) as raised:
            zone.run()
    assert raised.value.code == "query-failed" and "nowhere" in raised.value.message
    zone.run()
    assert zone.counts() == zone.expected()


def test_rows_that_are_in_no_manifest_are_never_shown_and_an_engine_that_sees_a_partition_late_is_asked_again(
    zone: CuratedZone, lake: RawLake, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.take(0)
    commit, stray = curate.commit_run, []

    def with_stray(bucket: Bucket, manifest: Any, former: Any) -> None:
        file = manifest.tables[0].files[0].key
        stray.append(f"{file.rpartition('/')[0]}/part-stray.parquet")
        aws.put(stray[0], aws.read(file))
        commit(bucket, manifest, former)

    run, counts = views.Athena.run, []

    def counting(athena: views.Athena, sql: str, what: str) -> Any:
        counts.extend([what] if what.startswith("count") else [])
        if len(counts) == 6:  # the second count of the second run
            aws.client("s3").delete_object(Bucket=aws.bucket, Key=stray[0])
        return run(athena, sql, what)

    monkeypatch.setattr(views, "_FIRST_RETRY_SECONDS", 0)
    monkeypatch.setattr(views.Athena, "run", counting)
    monkeypatch.setattr(curate, "commit_run", with_stray)
    assert _code(zone) == "smoke-mismatch"
    assert len(counts) == 4 and zone.state()["catalogue"][zone.arguments.database] == "[]", "no view has moved"
    zone.run()
    assert zone.counts() == zone.expected()


def test_rows_that_are_lost_between_spark_and_s3_are_not_committed(zone: CuratedZone, lake: RawLake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.take(0)
    before = zone.state()
    footer_of = curated_tables.footer_of

    def one_less(bucket: Bucket, key: str) -> Any:
        footer = footer_of(bucket, key)
        return replace(footer, rows=footer.rows - 1)

    with monkeypatch.context() as patch:
        patch.setattr(curated_tables, "footer_of", one_less)
        assert _code(zone) == "count-mismatch"
    assert zone.state() == before


def test_a_former_run_whose_file_is_gone_is_not_gone_on_with(zone: CuratedZone, lake: RawLake, aws: Aws) -> None:
    lake.take(0)
    zone.run()
    lake.take(1)
    file = zone.manifest().tables[0].files[0]
    body = aws.read(file.key)
    aws.client("s3").delete_object(Bucket=aws.bucket, Key=file.key)
    before = zone.state()
    assert _code(zone) == "file-missing"
    assert zone.state() == before
    aws.put(file.key, body)
    zone.run()
    assert zone.counts() == zone.expected()


def test_another_small_cell_makes_the_tables_anew_without_a_new_snapshot(zone: CuratedZone, lake: RawLake) -> None:
    lake.take(0)
    zone.run()
    run_id = zone.manifest().run_id
    zone.run(small_cell=5)
    assert (zone.manifest().small_cell, zone.manifest().previous_run_id) == (5, run_id)
    zone.run(small_cell=5)
    assert zone.manifest().previous_run_id == run_id


@pytest.mark.usefixtures("two_tables")
def test_a_table_that_a_release_adds_begins_with_what_is_there_and_the_others_keep_what_they_know(
    zone: CuratedZone, lake: RawLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = lake.take(0)
    lake.take(1)
    with monkeypatch.context() as patch:
        patch.setattr(curate, "CURATED", LIGHT[:1])
        zone.run()
    lake.retire(gone)
    # No new snapshot, and one of the former run is there.
    zone.run()
    assert zone.manifest().mode == "incremental" and zone.counts() == zone.expected()
    begins = [zone.query(f"SELECT min(valid_from), count(*) FROM {zone.arguments.database}.{each.name}") for each in LIGHT]
    assert begins == [[["2026-11-01 02:00:00.123", "3"]], [["2026-11-02 02:00:00.123", "4"]]]
    # From here on as any other: the name of one game changes with each snapshot.
    lake.take(3)
    zone.run()
    assert zone.expected() == {"dim_studio": 4, "dim_game": 5}


@pytest.mark.usefixtures("two_tables")
def test_a_table_that_a_release_adds_waits_for_a_snapshot_to_begin_with(zone: CuratedZone, lake: RawLake, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = lake.take(0)
    with monkeypatch.context() as patch:
        patch.setattr(curate, "CURATED", LIGHT[:1])
        zone.run()
    lake.retire(gone)
    before = zone.manifest().run_id
    assert _code(zone) == "tables-changed"
    assert zone.manifest().run_id == before


def test_another_pseudonym_key_is_refused_and_a_rebuild_begins_anew_with_the_newest(zone: CuratedZone, lake: RawLake) -> None:
    lake.take(0)
    zone.run()
    rotated = lake.take(1, pseudonym_key_version=2)
    before = zone.state()
    assert _code(zone) == "pseudonym-key-changed"
    assert _code(zone, full_rebuild=True) == "history-lost"
    assert zone.state() == before
    zone.run(full_rebuild=True, lose_history=True)
    assert [each.snapshot_id for each in zone.manifest().snapshots] == [rotated]
    late = lake.take(2, pseudonym_key_version=1)
    zone.run()
    assert late not in [each.snapshot_id for each in zone.manifest().snapshots], "an old key's snapshot stops nobody"


def test_snapshots_that_are_retired_stay_in_the_tables_and_a_rebuild_says_what_it_would_lose(zone: CuratedZone, lake: RawLake) -> None:
    gone = lake.take(0)
    zone.run()
    lake.retire(gone)
    kept = lake.take(1)
    zone.run()
    assert [each.snapshot_id for each in zone.manifest().snapshots] == [gone, kept]
    with pytest.raises(JobError) as raised:
        zone.run(full_rebuild=True)
    assert raised.value.code == "history-lost" and "1 of 2 snapshots" in raised.value.message
    zone.run(full_rebuild=True, lose_history=True)
    assert [each.snapshot_id for each in zone.manifest().snapshots] == [kept]


def test_a_snapshot_that_is_retired_while_the_job_looks_is_left_out(zone: CuratedZone, lake: RawLake, aws: Aws) -> None:
    going, kept = lake.take(0), lake.take(1)
    lake.retire(going, files_only=True)
    aws.put(f"lake-meta/v1/retired/{going}.json", json.dumps(lake.manifests[going]))
    zone.run()
    assert [each.snapshot_id for each in zone.manifest().snapshots] == [kept]


def test_old_runs_go_an_hour_after_the_views_have_left_them_and_dead_ones_after_a_day(zone: CuratedZone, lake: RawLake, aws: Aws) -> None:
    runs = []
    for day in range(3):
        lake.take(day)
        zone.run(keep_runs=2)
        runs.append(zone.manifest().run_id)
    dead, alive = "20200101t000000z-00000000", f"{datetime.now(timezone.utc):%Y%m%dt%H%M%Sz}-00000000"
    for run_id in (dead, alive):
        aws.put(run_prefix("dim_game", run_id) + "part-0.parquet", b"x")
    s3 = aws.client("s3")
    s3.create_multipart_upload(Bucket=aws.bucket, Key=run_prefix("dim_studio", dead) + "part-1.parquet")
    aws.put(manifest_key("20200102t000000z-00000000"), "{")
    aws.put(run_prefix("dim_game", dead)[:-1] + "_$folder$", b"")
    zone.run(keep_runs=2)
    assert not [key for key in zone.keys() if dead in key] and not list(zone.bucket.pending_uploads(""))
    assert [key for key in zone.keys() if alive in key], "it may be a job at work"
    assert [key for key in zone.keys() if runs[0] in key], "a query may still read it"
    later = datetime.now(timezone.utc) + timedelta(minutes=61)
    assert old_runs.remove_old_runs(zone.bucket, zone.catalogue, later, 2) == [runs[0]]
    assert not [key for key in zone.keys() if runs[0] in key]
    partitions = aws.client("glue").get_partitions(DatabaseName=f"{zone.arguments.database}_raw", TableName="dim_game")["Partitions"]
    assert sorted(each["Values"][0] for each in partitions) == sorted(runs[1:])
    assert zone.counts() == zone.expected()


def _known(published: dict[str, datetime], chain: tuple[str, ...] = ("c", "b", "a")) -> Known:
    ids = {name: f"20261120t00000{i}z-0000000{name}" for i, name in enumerate(("a", "b", "c"))}
    return Known(tuple(ids[each] for each in chain), frozenset(ids[each] for each in chain), {}, {ids[each]: at for each, at in published.items()})


def test_a_run_that_the_views_may_still_show_is_never_removed() -> None:
    assert removable(_known({}), NOW, 1) == [], "no later one was ever shown"
    assert [each[-1] for each in removable(_known({"b": NOW - HOUR}), NOW, 1)] == ["a"]
    assert removable(_known({"c": NOW - HOUR + timedelta(seconds=1)}), NOW, 1) == []
    assert [each[-1] for each in removable(_known({"c": NOW - HOUR}), NOW, 1)] == ["a", "b"]
    assert [each[-1] for each in removable(_known({"c": NOW - HOUR}), NOW, 2)] == ["a"]
    # Somebody removed CURRENT.json: the views show the last run of the line before until a new one is shown.
    assert removable(_known({"b": NOW - 30 * HOUR}, chain=()), NOW, 1) == []
    assert removable(_known({"b": NOW - 30 * HOUR, "c": NOW - HOUR / 2}, chain=("c",)), NOW, 1) == []
    assert [each[-1] for each in removable(_known({"b": NOW - 30 * HOUR, "c": NOW - HOUR}, chain=("c",)), NOW, 1)] == ["b"]
    assert removable(_known({"c": NOW - HOUR}), NOW, 3) == []
