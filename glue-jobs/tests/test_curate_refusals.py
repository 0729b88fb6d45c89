"""What the curate job refuses, it refuses before anything is written: bucket and catalogue are as they were."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import Aws
from curated_zone import LIGHT, CuratedZone, new_zone
from raw_snapshots import RawLake

from rocketgames_glue.job_error import JobError
from rocketgames_glue.jobs import curate

Refused = Callable[..., JobError]


@pytest.fixture
def zone(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[CuratedZone]:
    monkeypatch.setattr(curate, "CURATED", LIGHT)

    def no_spark(*_: Any) -> None:
        raise AssertionError("a refusal needs no Spark")

    monkeypatch.setattr(curate, "spark_session", no_spark)
    yield new_zone(aws)


@pytest.fixture
def lake(aws: Aws) -> RawLake:
    return RawLake(aws)


@pytest.fixture
def refused(zone: CuratedZone) -> Refused:
    def run(**changes: Any) -> JobError:
        before = zone.state()
        with pytest.raises(JobError) as raised:
            zone.run(**changes)
        assert zone.state() == before, "a refusal writes nothing"
        assert "Nothing was written" in raised.value.message
        return raised.value

    return run


def _file(lake: RawLake, snapshot_id: str, table: str) -> dict[str, Any]:
    return next(each for each in lake.manifests[snapshot_id]["tables"] if each["name"] == table)["files"][0]


def test_a_manifest_that_is_no_json_is_refused(lake: RawLake, refused: Refused, aws: Aws) -> None:
    aws.put(f"lake-meta/v1/manifests/{lake.take(0)}.json", b'{"manifest_version":1,')
    assert refused().code == "manifest-unreadable"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: m.update(manifest_version=2), "manifest_version is 2"),
        (lambda m: m.update(snapshot_id="20261101t020000z-zzzzzzzz"), "its key says"),
        (lambda m: m.pop("pseudonym_key_version"), "pseudonym_key_version is missing"),
        (lambda m: m["source"].update(taken_at="2026-11-01T02:00:00"), "no time zone"),
        (lambda m: m["tables"][0].update(rows=-1), "rows is below 0"),
        (lambda m: m["tables"][0].update(rows=True), "rows is missing or no int"),
        (lambda m: m["tables"][0].update(rows=99), "the table 99"),
        (lambda m: m["tables"][0]["files"][0].update(tail_sha256="x"), "no SHA-256"),
        (lambda m: m["tables"][0]["files"][0].update(tail_bytes=2**40), "tail_bytes"),
    ],
)
def test_a_manifest_of_another_form_is_refused_and_the_member_is_named(lake: RawLake, refused: Refused, change: Any, told: str) -> None:
    snapshot_id = lake.take(0)
    manifest = copy.deepcopy(lake.manifests[snapshot_id])
    change(manifest)
    lake.write(snapshot_id, manifest)
    error = refused()
    assert error.code == "manifest-unreadable" and told in error.message


@pytest.mark.parametrize(
    "key",
    [
        "lake/v1/games/../../secrets/part-00-00000.parquet",
        "../other-bucket/lake/v1/games/part-00-00000.parquet",
        "s3a://another-bucket/lake/v1/games/part-00-00000.parquet",
        "lake/v1/players/{folder}/part-00-00000.parquet",
        "lake/v1/games/{folder}/../part-00-00000.parquet",
        "lake/v1/games/{folder}/part-00-00000.parquet/x",
        "lake/v1/games/{folder}/part-*.parquet",
        "lake/v1/games/snapshot_date=2026-11-01/snapshot_id=20261101t020000z-zzzzzzzz/part-00-00000.parquet",
        "curated/v1/games/part-00-00000.parquet",
    ],
)
def test_a_key_that_leads_out_of_the_snapshots_own_folder_is_refused(lake: RawLake, refused: Refused, key: str) -> None:
    snapshot_id = lake.take(0)
    folder = f"snapshot_date=2026-11-01/snapshot_id={snapshot_id}"
    manifest = copy.deepcopy(lake.manifests[snapshot_id])
    next(each for each in manifest["tables"] if each["name"] == "games")["files"][0]["key"] = key.format(folder=folder)
    lake.write(snapshot_id, manifest)
    assert refused().code == "manifest-unreadable"


def test_a_file_that_is_gone_is_refused(lake: RawLake, refused: Refused, aws: Aws) -> None:
    key = _file(lake, lake.take(0), "games")["key"]
    aws.client("s3").delete_object(Bucket=aws.bucket, Key=key)
    error = refused()
    assert error.code == "file-missing" and error.facts["key"] == key


def test_a_file_of_another_size_and_one_of_the_same_size_with_another_footer_are_refused(lake: RawLake, refused: Refused, aws: Aws) -> None:
    file = _file(lake, lake.take(0), "games")
    body = aws.read(file["key"])
    aws.put(file["key"], b"PAR1" + body)
    assert refused().code == "file-mismatch"
    aws.put(file["key"], body[:-20] + bytes(12) + body[-8:])
    assert refused().code == "file-mismatch"
    aws.put(file["key"], b"")
    assert refused().code == "file-mismatch"


def test_a_file_with_other_rows_than_its_manifest_says_is_refused(lake: RawLake, refused: Refused, aws: Aws) -> None:
    snapshot_id = lake.take(0)
    manifest = copy.deepcopy(lake.manifests[snapshot_id])
    table = next(each for each in manifest["tables"] if each["name"] == "games")
    table["files"][0]["rows"] += 1
    table["rows"] += 1
    lake.write(snapshot_id, manifest)
    error = refused()
    assert error.code == "count-mismatch" and error.facts["expected"] == error.facts["found"] + 1


def _changed_table(lake: RawLake, change: Callable[[dict[str, Any]], None]) -> None:
    snapshot_id = lake.take(0)
    manifest = copy.deepcopy(lake.manifests[snapshot_id])
    change(next(each for each in manifest["tables"] if each["name"] == "games"))
    lake.write(snapshot_id, manifest)


def test_a_snapshot_of_a_later_contract_is_refused(lake: RawLake, refused: Refused) -> None:
    _changed_table(lake, lambda table: table.update(contract_version=2))
    error = refused()
    assert error.code == "contract-newer" and "deploy the jobs" in error.message


def test_a_snapshot_with_a_column_that_the_job_does_not_know_is_refused(lake: RawLake, refused: Refused) -> None:
    _changed_table(lake, lambda table: table["columns"].append({**table["columns"][0], "name": "rating"}))
    error = refused()
    assert error.code == "contract-newer" and "rating" in error.message


def test_a_snapshot_that_lacks_a_column_in_the_middle_of_the_contract_is_refused(lake: RawLake, refused: Refused) -> None:
    lake.take(0, without={"games": ["title"]})
    error = refused()
    assert error.code == "column-missing" and error.facts["columns"] == ["title"]


def test_a_column_of_another_type_or_action_is_refused(lake: RawLake, refused: Refused) -> None:
    _changed_table(lake, lambda table: table["columns"][0].update(athena_type="bigint"))
    assert refused().code == "contract-conflict"
    _changed_table(lake, lambda table: table["columns"][0].update(action="pseudonymise"))
    assert refused().code == "contract-conflict"


def test_a_snapshot_without_a_table_that_the_job_reads_is_refused(lake: RawLake, refused: Refused) -> None:
    snapshot_id = lake.take(0)
    manifest = copy.deepcopy(lake.manifests[snapshot_id])
    manifest["tables"] = [each for each in manifest["tables"] if each["name"] != "studios"]
    lake.write(snapshot_id, manifest)
    assert refused().code == "table-missing"


def test_snapshots_of_another_contract_that_the_job_does_not_read_do_not_matter_to_it(zone: CuratedZone, lake: RawLake, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot_id = lake.take(0)
    manifest = copy.deepcopy(lake.manifests[snapshot_id])
    next(each for each in manifest["tables"] if each["name"] == "audit_events")["contract_version"] = 9
    lake.write(snapshot_id, manifest)
    reached = []
    monkeypatch.setattr(curate, "_write_and_commit", lambda *given: reached.append(given) or None)
    zone.run()
    assert len(reached) == 1


def test_no_snapshot_at_all_is_nothing_to_do(zone: CuratedZone) -> None:
    before = zone.state()
    zone.run()
    assert zone.state() == before


def test_a_pointer_that_cannot_be_read_stops_the_job_before_anything_is_written(lake: RawLake, refused: Refused, aws: Aws) -> None:
    lake.take(0)
    aws.put("curated-meta/v1/CURRENT.json", "{}")
    assert refused().code == "curated-unreadable"
    aws.put("curated-meta/v1/CURRENT.json", json.dumps({"run_id": "20261101t020000z-00000001", "manifest_sha256": "0" * 64}))
    assert refused().code == "curated-unreadable"
    aws.put("curated-meta/v1/20261101t020000z-00000001.json", "{}")
    assert refused().code == "curated-unreadable"
